"""What ClickHouse's errors mean here.

The driver's classes are told by their names: it takes a quarter of a second to import, and whoever imports this module may
never open a store.
"""

import errno
from typing import Final

from runwell.model.errors import RunStoreUnavailable, RunwellError, SearchTooLarge

_TIME: Final = frozenset({159, 160})
_MEMORY: Final = frozenset({158, 173, 241, 307, 396})
_BROKEN: Final = frozenset({33, 36, 40, 79, 107, 117, 226, 228, 233, 246, 271, 309, 586, 740})
"""Data or files are not as they were written: a checksum, a length, a file that is not there, one that makes no sense."""

_STANDARD: Final = 1001
"""An error of C++'s library, such as one of the file system."""

_GONE: Final = frozenset({60, 81, 516})
"""Somebody dropped the table or the database, or our password counts no more: it has to be opened again."""


class InUse(OSError):
    """Another process has the directory open."""


def is_the_stores(exc: BaseException) -> bool:
    """Whether the error came from the engine, the driver or the way to them, not from a defect of ours."""
    return isinstance(exc, (OSError, ImportError)) or type(exc).__module__.startswith("clickhouse_connect.")


def _code(exc: BaseException) -> int | None:
    """Return ClickHouse's number of the error."""
    code = getattr(exc, "code", None)
    return code if isinstance(code, int) else None


def is_broken(exc: BaseException) -> bool:
    """Whether what is kept is damaged, so that it has to be built anew."""
    return _code(exc) in _BROKEN or (_code(exc) == _STANDARD and "No such file" in str(exc))


def cannot_start(exc: BaseException) -> bool:
    """Whether the engine did not start in its directory; the driver gives no number for that."""
    return _code(exc) is None and type(exc).__name__ == "ProgrammingError"


def is_away(exc: BaseException) -> bool:
    """Whether no answer of ClickHouse came at all, or one that says that our tables are not there."""
    code = _code(exc)
    return code in _GONE or isinstance(exc, OSError) or (code is None and type(exc).__name__ == "OperationalError")


def translated(exc: BaseException, *, is_search: bool) -> RunwellError:
    """Return the error as the rest of Runwell knows it: what it says goes to whoever asked, the driver's text to the log only."""
    code = _code(exc)
    if is_search and code in _TIME:
        return SearchTooLarge("the search takes longer than it may", hint=_NARROW)
    if is_search and code in _MEMORY:
        return SearchTooLarge("the search takes more memory than it may", hint=_NARROW)
    what, cure = _in_words(exc, code)
    return RunStoreUnavailable(what, hint=f"{cure}; {_MEANWHILE}")


def _in_words(exc: BaseException, code: int | None) -> tuple[str, str]:
    """Return what happened, and what helps."""
    if isinstance(exc, InUse):
        return "another process uses the run store's directory", "end it, or give this one a data directory of its own"
    if isinstance(exc, OSError) and exc.errno in _WORDS_OF_ERRNO:
        return _WORDS_OF_ERRNO[exc.errno]
    if isinstance(exc, ImportError):
        return "the run store's engine cannot be loaded", "install Runwell again, whole"
    for codes, words in _WORDS_OF_CODES:
        if code in codes:
            return words
    if is_broken(exc):
        return "the run store is damaged, and is built anew from the journal", "ask again in a moment"
    if is_away(exc):
        return "the run store does not answer", "start its server, or check RUNWELL_RUNSTORE_URL"
    if cannot_start(exc):
        return "the run store's engine does not start in its directory", "the server's log has its reason"
    return "the run store refuses what it is asked", "the server's log has its reason"


def reason(exc: BaseException) -> str:
    """Return the first line of the error, without the engine's trailer: for the log."""
    line = str(exc).strip().partition("\n")[0].partition(" (version ")[0].rpartition("Failed to create connection: ")[2]
    return line[:300] or type(exc).__name__


_NARROW: Final = "narrow the range of dates, add a field to it, or search for whole words"
_MEANWHILE: Final = "runs go on, and lists are complete again once it is back"

_FULL: Final = ("the run store's disk is full", "free some space")
_NOT_OURS: Final = ("the run store's directory cannot be written", "let the user that Runwell runs as write it")
_WORDS_OF_ERRNO: Final = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EACCES: _NOT_OURS,
    errno.EPERM: _NOT_OURS,
    errno.EROFS: _NOT_OURS,
}
_WORDS_OF_CODES: Final = (
    (
        {192, 193, 194, 497, 516},
        ("the run store's server does not let Runwell in", "check user, password and rights in RUNWELL_RUNSTORE_URL"),
    ),
    ({60, 81}, ("the run store's tables are gone, and are made anew", "ask again in a moment")),
    ({243}, _FULL),
    (_MEMORY, ("the run store has too little memory", "raise RUNWELL_RUNSTORE_MEMORY_MB")),
    (_TIME, ("the run store takes too long", "give it more processors, or less to do")),
)
