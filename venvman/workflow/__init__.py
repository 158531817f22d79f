"""The verbs: one function each, the stages composed.

Each stage is a module or folder below this one, and knows nothing of it; what a verb came to is
shown by :mod:`venvman.report`. See ``docs/development/architecture.md``.
"""
