"""The catalogue: every code there is, by family. A code never changes its meaning."""

from __future__ import annotations

from venvman.doctor.finding import Code
from venvman.errors import Severity

__all__ = ["CODES", "Code"]

_ERROR, _WARNING, _NOTE = Severity.ERROR, Severity.WARNING, Severity.NOTE

# Doctor itself: VM0.
CHECK_FAILED = Code("VM001", "check-failed", _ERROR)

# The environment as a whole: VM1.
ENVIRONMENT_ABSENT = Code("VM101", "environment-absent", _ERROR)
NOT_AN_ENVIRONMENT = Code("VM102", "not-an-environment", _ERROR)
ENVIRONMENT_BROKEN = Code("VM103", "environment-broken", _ERROR)
ENVIRONMENT_MOVED = Code("VM104", "environment-moved", _ERROR)
OTHER_PYTHON = Code("VM105", "other-python", _ERROR)
SYSTEM_SITE_PACKAGES = Code("VM106", "system-site-packages", _ERROR)
UNFINISHED = Code("VM107", "sync-unfinished", _WARNING)
ACTIVATE_BROKEN = Code("VM108", "activate-broken", _WARNING)

# Requirements files: VM2.
NO_REQUIREMENTS = Code("VM201", "no-requirements", _ERROR)
REQUIREMENTS_FAULTY = Code("VM202", "requirements-faulty", _ERROR)
REVISION_OPEN = Code("VM203", "revision-open", _NOTE)
CONSTRAINTS_UNUSED = Code("VM204", "constraints-unused", _NOTE)

# Locks: VM3.
LOCK_MISSING = Code("VM301", "lock-missing", _ERROR)
LOCK_STALE = Code("VM302", "lock-stale", _ERROR)
LOCK_CONFLICTED = Code("VM303", "lock-conflicted", _ERROR)
LOCK_FAULTY = Code("VM304", "lock-faulty", _ERROR)
LOCKS_DISAGREE = Code("VM305", "locks-disagree", _ERROR)
LOCK_OF_ANOTHER_TOOL = Code("VM306", "lock-of-another-tool", _NOTE)
LOCK_WITHOUT_HASHES = Code("VM307", "lock-without-hashes", _NOTE)
LOCK_OF_OTHER_TARGETS = Code("VM308", "lock-of-other-targets", _WARNING)

# What is installed: VM4.
MISSING = Code("VM401", "distribution-missing", _ERROR)
OTHER_VERSION = Code("VM402", "other-version", _ERROR)
OTHER_SOURCE = Code("VM403", "other-source", _ERROR)
EXTRA = Code("VM404", "distribution-extra", _WARNING)
DUPLICATE = Code("VM405", "distribution-duplicate", _ERROR)
DAMAGED = Code("VM406", "metadata-damaged", _ERROR)
LEFTOVER = Code("VM407", "leftover", _WARNING)
DEPENDENCY_MISSING = Code("VM411", "dependency-missing", _ERROR)
DEPENDENCY_VERSION = Code("VM412", "dependency-version", _ERROR)
PYTHON_UNSUPPORTED = Code("VM413", "python-unsupported", _ERROR)
DEPENDENCY_UNREADABLE = Code("VM414", "dependency-unreadable", _NOTE)

# Its files: VM5.
FILE_MISSING = Code("VM501", "file-missing", _ERROR)
FILE_CHANGED = Code("VM502", "file-changed", _ERROR)
FILE_OUTSIDE = Code("VM503", "file-outside", _WARNING)
RECORD_FAULTY = Code("VM504", "record-faulty", _WARNING)

# Git: VM6.
HOOKS_ABSENT = Code("VM601", "hooks-absent", _NOTE)
LOCK_IGNORED = Code("VM602", "lock-ignored", _WARNING)
LOCK_UNTRACKED = Code("VM603", "lock-untracked", _NOTE)
ENVIRONMENT_TRACKED = Code("VM604", "environment-tracked", _WARNING)

# Security: VM7.
SECRET_IN_FILE = Code("VM701", "secret-in-file", _WARNING)
INDEX_INSECURE = Code("VM702", "index-insecure", _WARNING)

CODES: tuple[Code, ...] = tuple(
    sorted((each for each in globals().values() if isinstance(each, Code)), key=lambda c: c.code)
)
"""All of them, sorted by code."""
