"""The command line: what is typed, who does it, how it is shown; typer lives here and nowhere else.

`table` declares every command, `commands/` does each in a few lines. What a command does is
:mod:`venvman.workflow`'s, what its result looks like :mod:`venvman.report`'s.
"""
