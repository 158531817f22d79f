"""Sources to wheels, by their own backends (PEP 517), in environments made for that."""
