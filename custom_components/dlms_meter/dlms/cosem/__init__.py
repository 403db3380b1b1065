"""What a meter is made of: names, objects, values. Pure."""
