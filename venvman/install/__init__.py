"""Plan to outcome: wheels staged, committed or rolled back; the attic.

What is to be done is decided before, by :mod:`venvman.drift` and :mod:`venvman.plan`; wheels are
had by :mod:`venvman.obtain`, and kept unpacked by :mod:`venvman.store`.
"""
