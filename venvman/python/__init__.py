"""Interpreters: found, asked, chosen."""
