"""Locks: pins read, checked against their requirements, merged and written.

The model (:mod:`venvman.lock.file`) knows no text; each format has its modules, requirements text
`parse` and `render`. Which pins are chosen is :mod:`venvman.engines`' and :mod:`venvman.resolve`'s.
"""
