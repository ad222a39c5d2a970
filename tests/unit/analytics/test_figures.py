"""The run store's figures are those that a count by hand gives, whatever was written how often."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.unit.analytics.samples import END, SCOPES, START, WORKFLOWS, revised, some_runs

from runwell.model.analytics import GroupBy
from runwell.model.ids import new_id
from runwell.model.run_record import RunRecord
from runwell.model.scope import Scope
from runwell.model.statuses import RunStatus
from runwell.ports.analytics import Analytics, FiguresAsked
from runwell.runstore.analytics import SqlAnalytics
from runwell.runstore.bounds import Bounds
from runwell.runstore.client import Connections
from runwell.runstore.facts import COLUMNS, facts_of
from runwell.runstore.removal import remove_runs, remove_workflow
from runwell.runstore.rows import columns_of, row_of
from runwell.runstore.schema import UNBOUNDED
from runwell.runstore.targets import Directory
from runwell.testing.memory_analytics import MemoryAnalytics

MEASURES = ("statuses", "usage", "durations", "steps")
GROUPS: tuple[GroupBy | None, ...] = (None, "workflow", "model", "version", "trigger")


class Store:
    """The store's tables, and beside them a list of all that was written to them."""

    def __init__(self, path: Path) -> None:
        bounds = Bounds(memory_mb=1_024, threads=1)
        self.connections = Connections(Directory(path, bounds), bounds)
        self.written: list[RunRecord] = []
        self.analytics = SqlAnalytics(self.connections)
        self.by_hand = MemoryAnalytics(lambda: self.written)

    async def keep(self, records: Sequence[RunRecord]) -> None:
        names, columns = columns_of([row_of(record) for record in records])
        await self.connections.run(
            lambda client: client.insert("runs", columns, column_names=names, column_oriented=True, settings=UNBOUNDED)
        )
        self.written += records

    async def count(self, scope: Scope) -> int:
        asked = FiguresAsked(scope=scope, begin=0, end=END * 2)
        return sum(sum(counts.values()) for counts in (await self.analytics.statuses(asked)).values())


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


@pytest.fixture(scope="module")
def store(loop: asyncio.AbstractEventLoop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store in which some runs were written again: later revisions, older ones, and whole batches once more."""
    store = Store(tmp_path_factory.mktemp("store") / "runs")
    runs, chance = some_runs(1, 3_000), random.Random(2)

    async def fill() -> None:
        for start in range(0, len(runs), 500):
            await store.keep(runs[start : start + 500])
        await store.keep(runs[:500])
        again = [_later(chance, record) for record in runs[300:700]]
        await store.keep(again)
        await store.keep(runs[600:650])

    loop.run_until_complete(fill())
    yield store
    loop.run_until_complete(store.connections.close())


def _later(chance: random.Random, record: RunRecord) -> RunRecord:
    started = record.started_at or record.created_at
    return revised(
        record,
        **chance.choice(
            (
                {"archived_at": started + 1},
                {"archived_at": None, "review": "positive"},
                {"status": RunStatus.FAILED, "started_at": started + 3_600_000, "duration_ms": 5, "steps": record.steps[:1]},
            )
        ),
    )


def some_question(chance: random.Random, newer: Sequence[RunRecord]) -> FiguresAsked:
    begin = chance.randrange(START, END)
    end = chance.randrange(begin + 1, END + 10**9)
    edges = {begin, *(chance.randrange(begin, end) for _ in range(chance.choice((0, 3, 60))))}
    return FiguresAsked(
        scope=chance.choice(SCOPES),
        begin=begin,
        end=end,
        buckets=tuple(sorted(edges)) if chance.random() < 0.7 else (),
        group_by=chance.choice(GROUPS),
        workflow_id=chance.choice((None, None, *WORKFLOWS)),
        environment=chance.choice((None, None, "testing", "production")),
        newer=newer if chance.random() < 0.5 else (),
    )


@pytest.mark.parametrize("seed", range(12))
def test_every_figure_is_that_of_a_count_by_hand(store: Store, loop: asyncio.AbstractEventLoop, seed: int) -> None:
    chance = random.Random(seed)
    newer = [_later(chance, record) for record in chance.sample(store.written[:3_000], 60)] + some_runs(seed + 100, 60)
    newer = [msgspec.structs.replace(record, rev=1_000) for record in {record.run_id: record for record in newer}.values()]

    async def main() -> None:
        for _ in range(4):
            asked = some_question(chance, newer)
            found, by_hand = await store.analytics.groups(asked, 3), await store.by_hand.groups(asked, 3)
            assert found == by_hand
            if asked.group_by is not None and chance.random() < 0.5:
                asked = msgspec.structs.replace(asked, groups=found.most)
            for measure in MEASURES:
                assert await _ask(store.analytics, measure, asked) == await _ask(store.by_hand, measure, asked), (measure, asked)

    loop.run_until_complete(main())


def _ask(analytics: Analytics, measure: str, asked: FiguresAsked) -> Awaitable[Any]:
    method: Callable[[FiguresAsked], Awaitable[Any]] = getattr(analytics, measure)
    return method(asked)


def test_a_project_sees_nothing_of_others(store: Store, loop: asyncio.AbstractEventLoop) -> None:
    async def main() -> None:
        for scope in (Scope(new_id("org"), SCOPES[0].project_id), Scope(SCOPES[0].org_id, new_id("prj")), Scope("' OR 1=1 --", "\\")):
            asked = FiguresAsked(scope=scope, begin=0, end=END * 2, newer=some_runs(5, 50))
            for measure in MEASURES:
                assert await _ask(store.analytics, measure, asked) == {}
            assert (await store.analytics.groups(msgspec.structs.replace(asked, group_by="workflow"), 9)).count == 0

    loop.run_until_complete(main())


def test_thousands_of_newer_runs_count_as_well(store: Store, loop: asyncio.AbstractEventLoop) -> None:
    newer = some_runs(77, 4_500)
    asked = FiguresAsked(scope=SCOPES[0], begin=START, end=END, buckets=(START, (START + END) // 2), group_by="model", newer=newer)

    async def main() -> None:
        for measure in MEASURES:
            assert await _ask(store.analytics, measure, asked) == await _ask(store.by_hand, measure, asked)

    loop.run_until_complete(main())


def test_the_view_makes_the_same_row_of_a_run_as_python_does(store: Store, loop: asyncio.AbstractEventLoop) -> None:
    newest = {record.run_id: record for record in sorted(store.written, key=lambda record: record.rev)}
    columns = ", ".join(f"`{name}`" for name in COLUMNS)
    rows = loop.run_until_complete(store.connections.run(lambda client: client.query(f"SELECT {columns} FROM run_facts FINAL").result_rows))
    assert len(rows) == len(newest)
    for row in rows:
        found = dict(zip(COLUMNS, row, strict=True))
        expected = facts_of(newest[f"run_{found['run'].hex}"])
        assert {name: list(value) if isinstance(value, tuple) else value for name, value in found.items()} == expected | {
            "run": found["run"]
        }


def test_what_is_deleted_counts_no_more(loop: asyncio.AbstractEventLoop, store: Store) -> None:
    scope, workflow = Scope(new_id("org"), new_id("prj")), new_id("wf")
    runs = [
        msgspec.structs.replace(
            record,
            org_id=scope.org_id,
            project_id=scope.project_id,
            workflow_id=workflow if number < 4 else WORKFLOWS[0],
            environment="production",
            archived_at=None,
        )
        for number, record in enumerate(some_runs(9, 10))
    ]

    async def main() -> None:
        await store.keep(runs)
        assert await store.count(scope) == 10
        await store.connections.run(lambda client: remove_workflow(client, workflow))
        assert await store.count(scope) == 6
        await store.connections.run(lambda client: remove_runs(client, [runs[9].run_id, runs[8].run_id]))
        assert await store.count(scope) == 4

    loop.run_until_complete(main())
