"""Freeze engines: requirements in, pins out; one protocol, a plain table."""
