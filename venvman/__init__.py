"""Keeps a project's ``./venv`` true to its requirements files.

Importing this package loads nothing: the public names below are resolved on first use, because
the nothing-to-do path of ``venvman sync`` must start in milliseconds.
"""

__version__ = "0.1.0"
