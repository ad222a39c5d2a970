"""How the suites get at a kind of journal."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol, TypeVar

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
