"""The journal: the truth about every run, an append-only log with gapless `seq` from 1.

All calls come from the event loop's thread. One process owns a journal; others may read it meanwhile.
"""

import asyncio
from collections.abc import Collection, Sequence
from typing import NamedTuple, Protocol

import msgspec

from runwell.model.events import Event
from runwell.model.removals import Removals
from runwell.model.run import RunRow, TaskView
from runwell.model.scope import Scope
from runwell.model.statuses import RunStatus
from runwell.model.workflow_views import Kind


class RunFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which runs a list holds. Without a `scope` it holds those of all organizations: for the process's own use.

    `statuses`: any of these; empty for all. `testing`: also those that are `SET_APART`. `environment`: only runs of this one.
    """

    scope: Scope | None = None
    workflow_id: str | None = None
    slug: str | None = None
    statuses: tuple[RunStatus, ...] = ()
    testing: bool = True
    environment: str | None = None


ALL_RUNS = RunFilter()


class EventFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which events of a run are wanted. `types`: any of these; empty for all. `step_id`: of the step with this path.

    `lean`: raw bodies of model calls (`generation.RAW_FIELDS`) may be left out, which saves reading them.
    """

    types: tuple[str, ...] = ()
    step_id: str | None = None
    lean: bool = False


ALL_EVENTS = EventFilter()


class Kept(msgspec.Struct, frozen=True):
    """An event and its place in the order of commits, which goes over all runs.

    `position` is that of the append that brought the event; the events of one append share it.
    """

    position: int
    event: Event


class Cached(NamedTuple):
    """A run whose output can be had again, and its `run_succeeded`."""

    row: RunRow
    end: Event


class JournalReader(Protocol):
    """What a journal says."""

    async def read(self, run_id: str, after: int = 0, limit: int | None = None) -> list[Event]:
        """Return the durable events of a run with `seq > after`, in order; empty for an unknown run."""
        ...

    async def events(
        self, run_id: str, wanted: EventFilter = ALL_EVENTS, *, limit: int, after: int = 0, before: int | None = None
    ) -> list[Event]:
        """Return durable events of a run in order: the first with `seq > after`; or, with `before`, the last of those under it.

        Both bounds hold when both are given. What is not wanted is not decoded.
        """
        ...

    async def row(self, run_id: str) -> RunRow | None:
        """Return the durable current-state row of a run."""
        ...

    async def live(self) -> list[RunRow]:
        """Return the rows of all runs that have not ended, oldest first."""
        ...

    async def rows(
        self, wanted: RunFilter = ALL_RUNS, *, limit: int = 50, before: str | None = None, after: str | None = None
    ) -> list[RunRow]:
        """Return rows newest first, created before the run `before`; or, with `after`, the oldest of those created after that run.

        Raises `NotFound` when there is no such run.
        """
        ...

    async def status_counts(self, wanted: RunFilter = ALL_RUNS) -> dict[RunStatus, int]:
        """Return how many runs there are, by status; statuses without any are left out."""
        ...

    async def oldest(self, wanted: RunFilter = ALL_RUNS, *, limit: int, after: str | None = None) -> list[RunRow]:
        """Return rows in the order of creation: the first ones, or those after the run `after`. Raises `NotFound` as `rows` does."""
        ...

    async def tail(self, after: int, *, workflow_id: str | None = None, limit: int = 1_000) -> list[Kept]:
        """Return the durable events whose position is over `after`, in the order of commits, of one workflow or of all.

        At least `limit` events when there are as many: the last append's events are never parted.
        """
        ...

    async def position(self) -> int:
        """Return the position of the last durable append; 0 when there is none."""
        ...

    async def find(self, prefix: str) -> list[str]:
        """Return up to two run ids that begin with `prefix` (a run id with its hex digits cut short)."""
        ...

    async def pending_tasks(
        self,
        *,
        wanted: RunFilter = ALL_RUNS,
        run_id: str | None = None,
        task_id: str | None = None,
        limit: int | None = None,
        after: tuple[str, int] | None = None,
    ) -> list[TaskView]:
        """Return the tasks of these runs that wait for a decision, oldest first.

        `after` names a task to go on after, by the run and `seq` of its `task_created`; it may be decided
        meanwhile. Raises `NotFound` when there is no such event.

        Kept with the events in the same transaction: a `task_created` adds, its `task_completed`
        and the end of the run or the step remove.
        """
        ...

    async def run_of_task(self, task_id: str) -> str | None:
        """Return the id of the run that asks or once asked this task, whatever became of it.

        A task that was settled in the append that asked it was never asked of anybody.
        """
        ...


class Journal(JournalReader, Protocol):
    async def open(self) -> None:
        """Take ownership. Raises `DataDirectoryBusy` when another process has it."""
        ...

    async def close(self) -> None:
        """Make everything submitted durable, then give up ownership. Idempotent."""
        ...

    def append(self, expected: int, events: Sequence[Event], row: RunRow) -> "asyncio.Future[int]":
        """Submit events of one run and its new current-state row; the future is done once both are durable.

        Its result is the append's position: a number that grows, with holes, in the order of commits over all runs.

        `events` is not empty, all of `row.run_id`, with `seq` from `expected + 1` on without gaps.
        Raises `PositionConflict` when the run's last submitted event is not `expected`: at once, or, for a run
        that has ended or is not known to this process, by the future. So with `InvalidInput`, when another run
        has the same 24-hex id. A refusal by the future harms no other append but those that stand on it.
        The future fails with `JournalUnavailable` when the batch could not be kept; then nothing
        of it was, nor of any append submitted after it and before the failure was known.
        Appends of one run become durable in the order in which they were submitted.
        A caller may ignore the future: an unobserved failure raises no warning.
        Raises `NotFound` for a run of a workflow whose runs were deleted.
        """
        ...

    async def cached(self, key: str) -> Cached | None:
        """Return the newest run with this `cache_key` that succeeded; None without one. A point read, however many runs there are."""
        ...

    async def cached_step(self, key: str) -> Event | None:
        """Return the last `step_completed` whose result was kept under this key; None without one. A point read, too."""
        ...

    async def delete_runs(self, workflow_id: str) -> int:
        """Delete all runs of a workflow for good, with their events, tasks and payloads; return how many that was.

        Raises `Refused` when one of them has not ended; then none is deleted. The workflow gets no more runs afterwards.
        When it fails half-way, some are deleted, and it has to be called again: `removals` tells, in the next process too.
        """
        ...

    async def delete_ended(self, run_ids: Collection[str]) -> int:
        """Delete these runs for good, with their events, tasks and payloads, but those that have not ended; return how many that was.

        Runs that are not there are passed over. What a process left half-way is finished by the next call, whatever it names.
        While it is under way, an append to one of them fails with `NotFound`; an id is free to be used anew afterwards.
        """
        ...

    def removals(self) -> Removals:
        """Return what was deleted, for whoever keeps something of it too: durable with each deletion, until `removed`."""
        ...

    async def removed(self, removals: Removals) -> None:
        """Forget these: nothing of them is kept anywhere any more."""
        ...


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """One published version of a workflow. `hash` is over the canonical JSON of its document."""

    workflow_id: str
    slug: str
    name: str
    number: int
    hash: str
    kind: Kind = "workflow"


class Documents(Protocol):
    """The documents of workflow versions."""

    async def by_hash(self, document_hash: str) -> bytes | None:
        """Return the document (JSON) with this content hash."""
        ...


class Definitions(Documents, Protocol):
    """Workflow versions: immutable, found by their content hash."""

    async def put(self, scope: Scope, slug: str, name: str, document_hash: str, document: bytes, kind: Kind = "workflow") -> Version:
        """Keep the document as the slug's next version, or return the version that has this hash already.

        `kind` is that of a workflow which is made by this.
        """
        ...

    async def get(self, scope: Scope, slug: str, version: int | None = None) -> Version | None:
        """Return a version of the slug; None for `version` is the one that runs start with: the active or else the newest."""
        ...

    async def workflow_id_of(self, scope: Scope, text: str) -> str | None:
        """Return the id of the workflow that `text` names: its id, its bare UUID or its slug."""
        ...


class Blobs(Protocol):
    """Payloads too large for the journal, stored once under the hash of their bytes."""

    def put(self, content: bytes) -> str:
        """Make the bytes durable and return their reference, `sha256:<hex>`. Blocking, idempotent."""
        ...

    def get(self, ref: str) -> bytes:
        """Return the bytes. Raises `NotFound`."""
        ...

    def remove(self, ref: str) -> None:
        """Delete the bytes, which nobody refers to any more. Blocking, idempotent."""
        ...
