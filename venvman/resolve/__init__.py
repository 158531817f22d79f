"""Solving: demands in, one pin for each name out.

Knows neither files nor terminals: pages and metadata come through :mod:`venvman.index`; what a lock
makes of the pins, and pip-tools as another solver, are in :mod:`venvman.engines`.
"""
