"""What lies in a repository: projects, files and their roles, groups, settings, pip's own ones.

A file's own lines are read in ``requirements`` and ``lock``; what is installed, in ``environment``.
"""
