"""Octets that no meter sends: into every decoder, and into whole sessions. `scripts/fuzz` does the same for hours."""
