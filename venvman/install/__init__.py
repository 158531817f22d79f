"""Plan to outcome: artifacts obtained and built, staged, committed or rolled back; the attic.

What is to be done is decided before, by :mod:`venvman.drift` and :mod:`venvman.plan`; wheels are
kept unpacked by :mod:`venvman.store`, and downloaded by :mod:`venvman.index`.
"""
