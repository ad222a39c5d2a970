"""What ClickHouse's errors mean here."""

from typing import Final

from clickhouse_connect.driver.exceptions import ClickHouseError

from runwell.model.errors import RunStoreUnavailable, RunwellError, SearchTooLarge

_TIME: Final = frozenset({159, 160})
_MEMORY: Final = frozenset({158, 173, 241, 307, 396})
_BROKEN: Final = frozenset({33, 36, 40, 79, 107, 117, 226, 228, 233, 246, 271, 309, 586, 740})
"""Data or files are not as they were written: a checksum, a length, a file that is not there, one that makes no sense."""

_GONE: Final = frozenset({60, 81})
"""Somebody dropped the table or the database."""


def is_broken(exc: BaseException) -> bool:
    """Whether what is kept is damaged, so that it has to be built anew."""
    return isinstance(exc, ClickHouseError) and exc.code in _BROKEN | _GONE


def is_away(exc: BaseException) -> bool:
    """Whether no answer came at all, or none of ClickHouse."""
    return not isinstance(exc, ClickHouseError) or exc.code is None


def translated(exc: BaseException, *, is_search: bool) -> RunwellError:
    """Return the error as the rest of Runwell knows it."""
    code = exc.code if isinstance(exc, ClickHouseError) else None
    if is_search and code in _TIME:
        return SearchTooLarge("the search takes longer than it may", hint=_NARROW)
    if is_search and code in _MEMORY:
        return SearchTooLarge("the search takes more memory than it may", hint=_NARROW)
    return RunStoreUnavailable(f"the run store does not answer as it should: {reason(exc)}", hint=_WAIT)


def reason(exc: BaseException) -> str:
    """Return the first line of the error, without the engine's trailer."""
    line = str(exc).strip().partition("\n")[0].partition(" (version ")[0]
    return line[:300] or type(exc).__name__


_NARROW: Final = "narrow the range of dates, add a field to it, or search for whole words"
_WAIT: Final = "runs go on, and lists are complete again once it is back; see the server's log"
