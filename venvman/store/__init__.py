"""The machine-wide store: wheels unpacked once, verified, pruned.

What links them into environments is :mod:`venvman.install`; pages and metadata are kept by
:mod:`venvman.index`.
"""
