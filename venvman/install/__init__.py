"""Plan to outcome: artifacts obtained and built, staged, committed or rolled back; the attic.

What is to be done is decided before, by :mod:`venvman.drift` and :mod:`venvman.plan`; unpacked wheels
are kept by :mod:`venvman.store`, downloads made by :mod:`venvman.index`.
"""
