"""Interpreters: found, asked once, and chosen; the tags of wheels, and other systems as targets.

Environments made with them are :mod:`venvman.environment`'s.
"""
