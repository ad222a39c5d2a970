"""The run store: what lists, search, analytics and exports read. All of it can be built again from the journal.

What the journal has and the store has not yet, or not in this revision, comes along with each question as `newer`: it is
judged in Python, and what the store has of these runs is left out, so that no run is missing and none is there twice.
"""

from collections.abc import AsyncIterator, Collection, Sequence
from typing import Protocol

import msgspec

from runwell.model.listed_run import ListedRun
from runwell.model.removals import NO_REMOVALS, Removals
from runwell.model.run_query import EVERYTHING, Query
from runwell.model.run_record import RunRecord
from runwell.model.run_search import WorkflowNames
from runwell.model.scope import Scope
from runwell.ports.analytics import Analytics


class Place(msgspec.Struct, frozen=True, order=True):
    """A place in the list, which is ordered by creation and id."""

    created_at: int
    run_id: str


class RunsAsked(msgspec.Struct, frozen=True, kw_only=True):
    """Which runs. `newer`: all runs of which the store has nothing or only an older revision, of whatever scope.

    `newest`: none beyond this place. `removals`: what was deleted and the store may still have. It is left out.
    """

    scope: Scope
    query: Query = EVERYTHING
    newer: Sequence[RunRecord] = ()
    newest: Place | None = None
    removals: Removals = NO_REMOVALS


class RunCounts(msgspec.Struct, frozen=True, kw_only=True):
    """How many runs there are, by status, and by workflow id (the most frequent). `names`: what these were called last."""

    count: int
    statuses: dict[str, int]
    workflows: dict[str, int]
    names: dict[str, WorkflowNames]


class FieldSeen(msgspec.Struct, frozen=True, kw_only=True):
    """A field that runs have, by its name in the search language. `types` as in `FieldType`; `values` are the most frequent, as text."""

    name: str
    types: tuple[str, ...]
    values: tuple[str, ...] = ()


class RunStore(Protocol):
    """Every call but `open`, `close` and `trouble` raises `RunStoreUnavailable`, a query over its bounds `SearchTooLarge`."""

    @property
    def analytics(self) -> Analytics:
        """Figures about what is kept."""
        ...

    async def open(self) -> None:
        """Make ready. Does not raise when the store is broken: `trouble` tells, and it is tried again."""
        ...

    async def close(self) -> None: ...

    def trouble(self) -> str | None:
        """Return why the store cannot be used just now; None when it can."""
        ...

    async def position(self) -> int:
        """Return the journal's position up to which all runs are kept; 0 for an empty store."""
        ...

    async def keep(self, records: Sequence[RunRecord], position: int) -> None:
        """Keep these records, then the position. A record goes before those of the same run with a lower `rev`. Idempotent."""
        ...

    async def page(self, asked: RunsAsked, limit: int, *, before: Place | None = None, after: Place | None = None) -> list[ListedRun]:
        """Return runs newest first: those older than the place `before`; or, with `after`, the oldest of those newer than it."""
        ...

    async def counts(self, asked: RunsAsked) -> RunCounts:
        """Return how many there are, exactly."""
        ...

    def records(self, asked: RunsAsked, before: Place | None = None) -> AsyncIterator[RunRecord]:
        """Yield the whole records, newest first, with bounded memory."""
        ...

    async def fields(self, asked: RunsAsked, since: int) -> list[FieldSeen]:
        """Return what runs of the scope created since then (ms) have, whatever the query: places in inputs, outputs and metadata,
        steps, and fields of few values."""
        ...

    async def remove_workflow(self, workflow_id: str) -> None:
        """Delete all that is kept of a workflow's runs, so that no file holds it when this returns."""
        ...

    async def remove_runs(self, run_ids: Collection[str]) -> None:
        """Delete all that is kept of these runs; files may hold it until they are merged."""
        ...

    async def clear(self) -> None:
        """Delete everything: what follows is built again."""
        ...
