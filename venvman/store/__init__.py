"""The machine-wide store of unpacked wheels."""
