"""What a failure means, in words for the person who must act, and whether trying again can help."""

from __future__ import annotations

import errno

import duckdb

from linkage.errors import LinkageError
from orchestration.landing.agreements import AgreementError
from orchestration.landing.errors import LandingError
from orchestration.publishing.release import ReleaseError
from orchestration.purposes import PurposeError
from orchestration.run_lock import RunLocked
from orchestration.settings import SettingsError
from orchestration.stratification.errors import RiskModelError

_SPEAK_FOR_THEMSELVES = (
    AgreementError,
    LandingError,
    LinkageError,
    PurposeError,
    ReleaseError,
    RiskModelError,
    RunLocked,
    SettingsError,
)
_DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_DISK_FULL_WORDS = (
    "No space left on device",
    "File too large",
    "Disk quota exceeded",
    "database or disk is full",
    "disk I/O error",
)
_NOT_ALLOWED = (errno.EACCES, errno.EPERM, errno.EROFS)
_MOST_LINES = 15
_NOTHING_LOST = "Nothing is lost: the last release goes on serving, and the next run finishes this one."


def explain(error: BaseException) -> str:
    """One or two sentences: what happened, where, and what to do."""
    error = _root(error)
    if is_disk_full(error):
        return f"Writing failed ({_where(error)}): the disk is full, or failing. Free some space and run again. {_NOTHING_LOST}"
    if isinstance(error, OSError) and error.errno in _NOT_ALLOWED:
        return f"This user may not write there ({_where(error)}). Give it write access and run again. {_NOTHING_LOST}"
    if isinstance(error, duckdb.OutOfMemoryException):
        return (
            f"DuckDB ran out of the memory it may use ({_where(error)}). Raise PHM_MEMORY_LIMIT or PHM_MAX_SPILL, "
            f"or lower PHM_THREADS, and run again. {_NOTHING_LOST}"
        )
    if quotes_values(error):
        return f"{type(error).__name__}: a row does not fit its column (its values are not for a log)"
    return _shortened(str(error) if isinstance(error, _SPEAK_FOR_THEMSELVES) else f"{type(error).__name__}: {error}")


def quotes_values(error: BaseException) -> bool:
    """True for errors of DuckDB whose message repeats a value of a row."""
    return isinstance(error, (duckdb.ConversionException, duckdb.ConstraintException, duckdb.OutOfRangeException))


def is_disk_full(error: BaseException) -> bool:
    """True when the disk, a quota or a size limit is what stopped it; DuckDB, SQLite and dbt say so only in words."""
    if isinstance(error, OSError) and error.errno in _DISK_FULL:
        return True
    return any(words in str(error) for words in _DISK_FULL_WORDS)


def is_transient(error: BaseException) -> bool:
    """True when trying again in a moment may help: reading or writing failed, but not for want of space or of permission."""
    error = _root(error)
    if is_disk_full(error):
        return False
    if isinstance(error, OSError):
        return error.errno not in _NOT_ALLOWED and not isinstance(error, FileNotFoundError)
    return isinstance(error, duckdb.IOException)


def _shortened(text: str) -> str:
    """The first lines; dbt repeats one cause for every model that it stopped."""
    lines = [line for line in text.splitlines() if line.strip()]
    left_out = len(lines) - _MOST_LINES
    return "\n".join(lines[:_MOST_LINES] + ([f"and {left_out} more lines"] if left_out > 0 else []))


def _root(error: BaseException) -> BaseException:
    """What landing's own error is about, when that is a fault of the disk or the memory."""
    cause = error.__cause__
    return cause if isinstance(error, LandingError) and isinstance(cause, (OSError, duckdb.Error)) else error


def _where(error: BaseException) -> str:
    if isinstance(error, OSError):
        return f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror)
    return str(error).splitlines()[0]
