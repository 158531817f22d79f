"""One thin verb per module."""
