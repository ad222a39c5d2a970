"""How the suites get at a kind of journal."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Protocol, TypeVar

from runwell.model.errors import RunwellError
from runwell.model.events import Event
from runwell.model.run import RunRow
from runwell.ports.journal import Journal


class Backend(Protocol):
    """Makes journals, which all share the same storage. A persistent one keeps everything over closing and making another."""

    persistent: bool

    def make(self) -> Journal: ...

    def fail_next(self, journal: Journal) -> None:
        """Let the journal's next commit fail, once."""
        ...


J = TypeVar("J", bound=Journal)


@asynccontextmanager
async def opened(journal: J) -> AsyncIterator[J]:
    await journal.open()
    try:
        yield journal
    finally:
        await journal.close()


E = TypeVar("E", bound=RunwellError)


async def refused(journal: Journal, error: type[E], expected: int, events: Sequence[Event], row: RunRow) -> E:
    """Submit an append that must be refused, at once or by its future; return the error."""
    try:
        kept = await journal.append(expected, events, row)
    except error as exc:
        return exc
    raise AssertionError(f"was kept at {kept}, which a {error.__name__} should have prevented")
