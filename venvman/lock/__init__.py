"""Locks: pins read, judged, written."""
