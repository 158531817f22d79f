"""The verbs, one thin module each.

A command function takes the :class:`~venvman.cli.session.Session` and its own options, as
:mod:`venvman.cli.table` declares them, calls the workflow once, and returns a
:class:`~venvman.report.result.Result`. A command line imports the one that it names.
"""
