"""What ClickHouse's errors mean here.

The driver's classes are told by their names: it takes a quarter of a second to import, and whoever imports this module may
never open a store.
"""

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
    """Return the error as the rest of Runwell knows it."""
    code = _code(exc)
    if is_search and code in _TIME:
        return SearchTooLarge("the search takes longer than it may", hint=_NARROW)
    if is_search and code in _MEMORY:
        return SearchTooLarge("the search takes more memory than it may", hint=_NARROW)
    return RunStoreUnavailable(f"the run store does not answer as it should: {reason(exc)}", hint=_WAIT)


def reason(exc: BaseException) -> str:
    """Return the first line of the error, without the engine's trailer."""
    line = str(exc).strip().partition("\n")[0].partition(" (version ")[0].rpartition("Failed to create connection: ")[2]
    return line[:300] or type(exc).__name__


_NARROW: Final = "narrow the range of dates, add a field to it, or search for whole words"
_WAIT: Final = "runs go on, and lists are complete again once it is back; see the server's log"
