"""Bytes to values and back. Pure, and without any protocol."""
