"""The virtual environment: where it is, its condition, what is installed, and its history.

It is created and removed here. What is put into it and taken out is :mod:`venvman.install`'s, what
should be in it :mod:`venvman.drift`'s and :mod:`venvman.plan`'s.
"""
