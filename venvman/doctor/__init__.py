"""The checks of ``venvman doctor``, one module per family, in one ordered table.

A check is a function from an :class:`Examination` to findings. Whatever could not be found out is
absent from the examination, and the checks that need it say nothing: a broken environment does not
hide a stale lock.
"""

from __future__ import annotations

from venvman.doctor.codes import CODES, Code
from venvman.doctor.diagnosis import Diagnosis, Treatment, diagnose
from venvman.doctor.examination import Examination, ExaminedLock, LockTracking
from venvman.doctor.finding import Finding
from venvman.doctor.table import CHECKS, Check, Selection, examine, explained

__all__ = [
    "CHECKS",
    "CODES",
    "Check",
    "Code",
    "Diagnosis",
    "Examination",
    "ExaminedLock",
    "Finding",
    "LockTracking",
    "Selection",
    "Treatment",
    "diagnose",
    "examine",
    "explained",
]
