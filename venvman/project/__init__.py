"""What lies in a repository: projects found, files and their roles, settings, pip's configuration.

A file's own lines are read in ``requirements`` and ``lock``; what is installed, in ``environment``.
"""
