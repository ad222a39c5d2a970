"""How far the run store is with what the journal says, and what it has not yet."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from runwell.model.removals import Removals
from runwell.model.run_record import RunRecord


class Lag(msgspec.Struct, frozen=True, kw_only=True):
    """What the store is behind the journal. `seconds`: for how long it has been; 0 when it has everything.

    `complete`: what is missing is all in the overlay, so that lists have every run as it is now.
    """

    positions: int
    seconds: float
    complete: bool


class Projection(Protocol):
    """All calls come from the event loop's thread."""

    async def catch_up(self) -> None:
        """Take in what is durable by now: call it before each question. Returns soon, whether or not all could be taken in."""
        ...

    def overlay(self) -> Sequence[RunRecord]:
        """Return the runs of which the store has nothing or only an older revision, of all scopes: `RunsAsked.newer`."""
        ...

    def lag(self) -> Lag: ...

    def removals(self) -> Removals:
        """Return what was deleted and the store may still have: `RunsAsked.removals`."""
        ...

    async def remove_deleted(self) -> None:
        """Delete what the store has, or is about to have, of runs that the journal deleted.

        Raises `RunStoreUnavailable`; then that is done as soon as the store is back, by this process or another.
        """
        ...
