"""Requirements files: text to lines, options and requirements, and edits that keep their style.

A file's name and header, its includes, and what a pyproject.toml declares are read here, too. Which
files there are, and what each group holds, is said in :mod:`venvman.project`; pins are
:mod:`venvman.lock`'s.
"""
