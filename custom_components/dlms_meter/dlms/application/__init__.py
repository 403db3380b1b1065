"""The application layer: associations and services as values and procedures. Pure."""
