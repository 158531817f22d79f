"""The verbs, one thin function each.

It is given the :class:`~venvman.cli.session.Session` and the values of its line, of the class that
:mod:`venvman.cli.table` declares them in, calls the workflow once, and returns a
:class:`~venvman.report.result.Result`. A command line imports the one that it names.
"""
