"""The virtual environment: its place, condition and inventory."""
