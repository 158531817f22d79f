"""Sources to wheels, by their own backends (PEP 517), in environments made for that.

Where a source comes from is :mod:`venvman.obtain`'s; what a backend requires is resolved by
:mod:`venvman.engines`, which is handed in.
"""
