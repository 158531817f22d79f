"""The doors to the machine: files, folders, locks, processes, git, variables, remembered answers.

Nothing here knows what a requirement is. What a file means to a command is said by other folders.
"""
