"""Package indexes: pages, files and metadata, over HTTP or from a folder, and their cache.

Which file is the best one is said by :mod:`venvman.index.candidates`; unpacked wheels are
:mod:`venvman.store`'s.
"""
