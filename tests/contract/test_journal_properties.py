"""Whatever is appended, fails and is opened again: what was acknowledged is there, whole and in order, and nothing else is.

Each planted bug at the end makes the property fail, or the property guards nothing.
"""

import asyncio
import itertools
import sqlite3
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Flaky
from tests.contract.backend import Backend, refused
from tests.contract.backends import MemoryBackend, PostgresBackend, SqliteBackend
from tests.contract.samples import event, row, run
from tests.postgres import PostgresServer

from runwell.model.errors import JournalUnavailable, PositionConflict
from runwell.model.events import Event, Log
from runwell.model.run import RunRow
from runwell.model.statuses import TERMINAL, RunStatus
from runwell.ports.journal import Blobs, Journal
from runwell.ports.probe import Probe
from runwell.storage.batch import Batch
from runwell.storage.group_commit import GroupCommit
from runwell.storage.positions import Position
from runwell.storage.postgres_batch import PostgresBatch
from runwell.storage.postgres_claims import Claim, Claims
from runwell.storage.postgres_commit import PostgresCommit
from runwell.storage.postgres_journal import PostgresJournal
from runwell.storage.records import Encoded
from runwell.storage.sqlite_journal import SqliteJournal

RUNS = [f"run_{number:032x}" for number in range(0, 4 << 60, 1 << 60)]

Operation = tuple[Literal["append", "end", "stray"], int, int] | tuple[Literal["turn", "settle", "fail", "reopen"]]

operations = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.integers(0, len(RUNS) - 1), st.integers(1, 4)),
        st.tuples(st.just("end"), st.integers(0, len(RUNS) - 1), st.integers(1, 2)),
        st.tuples(st.just("stray"), st.integers(0, len(RUNS) - 1), st.integers(1, 2)),
        st.tuples(st.sampled_from(["turn", "settle", "fail", "reopen"])),
    ),
    min_size=1,
    max_size=40,
)


class Driver:
    """Carries the operations out and remembers what was acknowledged."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._journal: Journal = backend.make()
        self._kept: dict[str, list[Event]] = {run_id: [] for run_id in RUNS}
        self._rows: dict[str, RunRow] = {}
        self._position = dict.fromkeys(RUNS, 0)
        self._under_way: list[tuple[asyncio.Future[int], list[Event], RunRow]] = []
        self._numbers = itertools.count()

    async def run(self, plan: Sequence[Operation]) -> None:
        await self._journal.open()
        try:
            for operation in plan:
                await self._do(operation)
            await self._settle()
            await self._check()
        finally:
            await self._journal.close()

    async def _do(self, operation: Operation) -> None:
        match operation:
            case ("append", number, count):
                await self._append(RUNS[number], count, RunStatus.RUNNING)
            case ("end", number, count):
                await self._append(RUNS[number], count, RunStatus.FAILED)
            case ("stray", number, count):
                await self._stray(RUNS[number], count)
            case ("turn",):
                await asyncio.sleep(0)
            case ("settle",):
                await self._settle()
            case ("fail",):
                self._backend.fail_next(self._journal)
            case ("reopen",):
                await self._reopen()

    async def _append(self, run_id: str, count: int, status: RunStatus) -> None:
        at = self._position[run_id]
        its_row = row(run_id, at + count, status)
        events = [event(run_id, at + n, Log(message=f"{next(self._numbers)}")) for n in range(1, count + 1)]
        try:
            future = self._journal.append(at, events, its_row)
        except PositionConflict as conflict:  # a failure that we have not heard of yet
            actual = conflict.actual
            await self._settle()
            assert actual == len(self._kept[run_id]) != at
            return
        self._under_way.append((future, events, its_row))
        self._position[run_id] = at + count

    async def _stray(self, run_id: str, gap: int) -> None:
        """Append beyond the run's end."""
        await self._settle()
        at = len(self._kept[run_id])
        its_row = row(run_id, at + gap + 1)
        conflict = await refused(self._journal, PositionConflict, at + gap, [event(run_id, at + gap + 1, Log(message="?"))], its_row)
        assert conflict.actual == at

    async def _settle(self) -> None:
        for future, events, its_row in self._under_way:
            try:
                await asyncio.wait_for(future, 5)
            except JournalUnavailable:
                continue
            except PositionConflict as conflict:  # the same, told late; what was submitted before has its outcome
                actual = conflict.actual
            else:
                self._rows[its_row.run_id] = its_row
                self._kept[its_row.run_id] += events
                continue
            assert actual == len(self._kept[its_row.run_id]) != events[0].seq - 1
        self._under_way.clear()
        self._position = {run_id: len(events) for run_id, events in self._kept.items()}

    async def _reopen(self) -> None:
        await self._journal.close()
        await self._settle()
        if self._backend.persistent:
            self._journal = self._backend.make()
        await self._journal.open()
        await self._check()

    async def _check(self) -> None:
        for run_id, events in self._kept.items():
            assert await self._journal.read(run_id) == events
            assert [one.seq for one in events] == list(range(1, len(events) + 1))
            assert await self._journal.row(run_id) == self._rows.get(run_id)
        live = {run_id for run_id, its_row in self._rows.items() if its_row.status not in TERMINAL}
        assert {its_row.run_id for its_row in await self._journal.live()} == live
        assert {its_row.run_id for its_row in await self._journal.rows()} == set(self._rows)


def check(make_backend: Callable[[Path], Backend], examples: int, phases: Sequence[Phase] = tuple(Phase)) -> None:
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        report_multiple_bugs=False,
        phases=phases,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(operations)
    def holds(plan: list[Any]) -> None:
        with tempfile.TemporaryDirectory() as path:
            run(Driver(make_backend(Path(path))).run(plan))

    holds()


def test_the_memory_journal_holds() -> None:
    check(lambda _: MemoryBackend(), 200)


def test_the_sqlite_journal_holds() -> None:
    check(SqliteBackend, 200)


def test_the_postgres_journal_holds(postgres: PostgresServer) -> None:
    check(lambda path: PostgresBackend(postgres.new_schema(), path), 40)


# Planted bugs


class LosesAnEvent(Batch):
    """A group of several appends loses its last event."""

    def write(self, connection: sqlite3.Connection, blobs: Blobs | None) -> None:
        if len(self) > 1:
            del self._events[-3:]
        super().write(connection, blobs)


class LosesEvents(GroupCommit):
    batch_type = LosesAnEvent


class KeepsWhatFollows(GroupCommit):
    """A failed commit leaves what was submitted behind it to be written: a gap."""

    def _settle(self, batch: Batch, _: object, error: Exception | None) -> None:
        pending = self._pending
        if error is not None:
            self._pending = self.batch_type()
        super()._settle(batch, _, error)
        if error is not None and pending:
            self._pending, self._writing = pending, True
            self._hand_over()


class SlowBatch(Batch):
    """Takes its time to add an append, so that a swap in between is certain rather than rare."""

    def add(
        self, place: int, position: Position, encoded: Encoded, row: RunRow, tasks: dict[str, Event | None], future: "asyncio.Future[int]"
    ) -> None:
        time.sleep(0.005)
        super().add(place, position, encoded, row, tasks, future)


class SwapsInTheWriter(GroupCommit):
    """The writer's thread takes the batch, into which the loop's thread may be adding."""

    batch_type = SlowBatch

    def _hand_over(self) -> None:
        taken: list[Batch] = []

        def work(connection: sqlite3.Connection) -> None:
            taken.append(self._swapped())
            taken[0].write(connection, None)

        self._writer.put(work, lambda _, error: self._settle(taken[0], _, error))


class SwapsRightButSlowly(GroupCommit):
    batch_type = SlowBatch


def journal_with(group: type[GroupCommit]) -> type[SqliteJournal]:
    return type("Planted", (SqliteJournal,), {"group_type": group})


@pytest.mark.parametrize("bug", [LosesEvents, KeepsWhatFollows, SwapsInTheWriter])
def test_a_planted_bug_is_found(bug: type[GroupCommit]) -> None:
    with pytest.raises((AssertionError, Flaky)):  # a race need not show again when the example is replayed
        check(partial(SqliteBackend, kind=journal_with(bug)), 300, [Phase.generate])


def test_slowness_alone_is_no_bug() -> None:
    check(partial(SqliteBackend, kind=journal_with(SwapsRightButSlowly)), 20)


# Planted bugs in PostgreSQL's


class LosesAnEventInPostgres(PostgresBatch):
    """A group of several appends loses an event."""

    async def write(self, connection: Any, epoch: int, blobs: Blobs | None, probe: Probe) -> None:
        last = self._appends[-1]
        if len(self) > 1:
            short = Encoded(last.encoded.events[:-1], last.encoded.row)
            self._appends[-1] = last._replace(events=last.events[:-1], encoded=short)
        await super().write(connection, epoch, blobs, probe)


class LosesEventsInPostgres(PostgresCommit):
    batch_type = LosesAnEventInPostgres


class KeepsWhatFollowsInPostgres(PostgresCommit):
    """A failed commit leaves what was submitted behind it to be written: a gap."""

    def _fail(self, batch: PostgresBatch, cause: BaseException) -> None:
        batch.fail(self._claims, cause)


class BelievesEverything(Claims):
    """A run that is not known is where the caller says."""

    def check(self, claim: Claim, expected: int, found: Sequence[Any]) -> None:
        super().check(claim, found[0][2] if found else 0, found)


@pytest.mark.parametrize(
    "bug", [{"commit_type": LosesEventsInPostgres}, {"commit_type": KeepsWhatFollowsInPostgres}, {"claims_type": BelievesEverything}]
)
def test_a_planted_bug_in_postgres_is_found(postgres: PostgresServer, bug: dict[str, Any]) -> None:
    kind = type("Planted", (PostgresJournal,), bug)
    with pytest.raises((AssertionError, Flaky)):
        check(lambda path: PostgresBackend(postgres.new_schema(), path, kind), 300, [Phase.generate])
