"""The checks of ``venvman doctor``, one module per family, in one ordered table.

A check is a function from an :class:`Examination` to findings. Whatever could not be found out is
absent from the examination, and the checks that need it say nothing: a broken environment does not
hide a stale lock.

Facts are gathered by :mod:`venvman.workflow.diagnosing`, before; how findings look is
:mod:`venvman.report`'s.
"""
