"""Lock entries to wheels of the store: what it has, what has to be fetched, and what is built.

Which entries are wanted is decided before; how wheels are unpacked and kept is
:mod:`venvman.store`'s, how they get into an environment :mod:`venvman.install`'s.
"""
