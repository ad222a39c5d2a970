"""What every run store promises. A test class inherits this and says how to make one."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import msgspec
import pytest
from tests.contract.run_samples import BESIDE, FLOW, HOSTILE, OURS, START, THEIRS, full, record

from runwell.model.ids import new_id
from runwell.model.listed_run import listed
from runwell.model.removals import Removals
from runwell.model.run_record import RunRecord
from runwell.model.run_search import WorkflowNames
from runwell.model.scope import Scope
from runwell.model.statuses import RunStatus
from runwell.ports.analytics import Cell, FiguresAsked
from runwell.ports.run_store import Place, RunsAsked, RunStore

Opened = Callable[[], AbstractAsyncContextManager[RunStore]]

ALL = RunsAsked(scope=OURS)


@asynccontextmanager
async def opening(store: RunStore) -> AsyncIterator[RunStore]:
    await store.open()
    try:
        yield store
    finally:
        await store.close()


async def whole(store: RunStore, asked: RunsAsked = ALL, before: Place | None = None) -> list[RunRecord]:
    return [found async for found in store.records(asked, before)]


def place(given: RunRecord) -> Place:
    return Place(given.created_at, given.run_id)


def run(main: Any) -> None:
    asyncio.run(main)


class RunStoreContract:
    """Override the fixture `opened`, which opens the same store each time."""

    @pytest.fixture
    def opened(self) -> Opened:
        raise NotImplementedError

    def test_a_new_store_is_empty(self, opened: Opened) -> None:
        async def main() -> None:
            async with opened() as store:
                assert store.trouble() is None
                assert await store.position() == 0
                assert await store.page(ALL, 10) == []
                assert (await store.counts(ALL)).count == 0
                assert await store.fields(ALL, 0) == []

        run(main())

    def test_records_come_back_as_they_went_in(self, opened: Opened) -> None:
        async def main() -> None:
            given = [full(at=2), record(1, input=HOSTILE, output=""), record(0, status=RunStatus.QUEUED, started_at=None)]
            async with opened() as store:
                await store.keep(given, 42)
            async with opened() as store:
                assert await store.position() == 42
                assert await whole(store) == given
                assert await store.page(ALL, 10) == [listed(one) for one in given]

        run(main())

    def test_a_higher_revision_goes_before_a_lower_one_whenever_it_comes(self, opened: Opened) -> None:
        async def main() -> None:
            new = full(rev=9)
            old = msgspec.structs.replace(new, rev=3, status=RunStatus.RUNNING, steps=(), generations=(), output=None)
            async with opened() as store:
                for batch in ([old], [new], [old], [old, new, old]):
                    await store.keep(batch, 1)
                    await store.keep(batch, 1)
                assert await whole(store) == [new]
                counts = await store.counts(ALL)
                assert (counts.count, counts.statuses) == (1, {"succeeded": 1})

        run(main())

    def test_a_position_alone_is_kept(self, opened: Opened) -> None:
        async def main() -> None:
            async with opened() as store:
                await store.keep([], 5)
                await store.keep([record()], 6)
            async with opened() as store:
                assert await store.position() == 6

        run(main())

    def test_nothing_of_another_project_is_ever_seen(self, opened: Opened) -> None:
        async def main() -> None:
            ours, beside, theirs = record(1), record(1, BESIDE, input={"theirs": 1}), record(1, THEIRS, input={"theirs": 1})
            for newer in ((), (record(2, BESIDE), record(2, THEIRS))):
                asked = RunsAsked(scope=OURS, newer=newer)
                async with opened() as store:
                    await store.keep([ours, beside, theirs], 1)
                    assert [one.run_id for one in await store.page(asked, 10)] == [ours.run_id]
                    assert [one.run_id for one in await whole(store, asked)] == [ours.run_id]
                    assert (await store.counts(asked)).count == 1
                    assert [field.name for field in await store.fields(ALL, 0) if "theirs" in field.name] == []
                    nobody = RunsAsked(scope=Scope(OURS.org_id, THEIRS.project_id), newer=newer)
                    assert await store.page(nobody, 10) == []

        run(main())

    def test_pages_go_both_ways_and_neither_repeat_nor_skip(self, opened: Opened) -> None:
        async def main() -> None:
            kept = [record(at // 3) for at in range(25)]
            newer = [record(at // 3) for at in range(8)]
            order = [listed(one) for one in sorted(kept + newer, key=lambda one: (one.created_at, one.run_id), reverse=True)]
            asked = RunsAsked(scope=OURS, newer=newer)
            async with opened() as store:
                await store.keep(kept, 1)
                found = await store.page(asked, 7)
                while len(found) < len(order):
                    found += await store.page(asked, 7, before=place(found[-1]))
                assert found == order
                assert await store.page(asked, 7, before=place(order[-1])) == []
                assert await store.page(asked, 4, after=place(order[10])) == order[6:10]
                assert await store.page(asked, 40, after=place(order[10])) == order[:10]
                assert await store.page(asked, 4, after=place(order[0])) == []

        run(main())

    def test_what_is_newer_in_memory_stands_for_what_is_kept(self, opened: Opened) -> None:
        async def main() -> None:
            kept = [record(at, status=RunStatus.RUNNING, rev=3) for at in range(4)]
            ended = msgspec.structs.replace(kept[1], status=RunStatus.FAILED, rev=9, output="done")
            started = record(9, status=RunStatus.QUEUED)
            asked = RunsAsked(scope=OURS, newer=(started, ended))
            async with opened() as store:
                await store.keep(kept, 1)
                order = [started, kept[3], kept[2], ended, kept[0]]
                assert await store.page(asked, 10) == [listed(one) for one in order]
                assert await whole(store, asked) == order
                assert await whole(store, asked, place(kept[2])) == [ended, kept[0]]
                counts = await store.counts(asked)
                assert counts.statuses == {"running": 3, "failed": 1, "queued": 1}
                assert counts.workflows == {FLOW: 5}

        run(main())

    def test_nothing_newer_than_the_newest_is_asked_for(self, opened: Opened) -> None:
        async def main() -> None:
            given = sorted((record(at // 2) for at in range(8)), key=place)  # two are made in the same ms
            async with opened() as store:
                await store.keep(given[::2], 1)
                for last in range(8):
                    asked = RunsAsked(scope=OURS, newer=given[1::2], newest=place(given[last]))
                    older = [listed(each) for each in given[last::-1]]
                    assert await store.page(asked, 20) == older
                    assert await store.page(asked, 20, after=place(given[0])) == older[:-1]
                    assert (await store.counts(asked)).count == last + 1
                    assert await whole(store, asked) == given[last::-1]

        run(main())

    def test_a_workflow_is_called_as_its_newest_run_says(self, opened: Opened) -> None:
        async def main() -> None:
            other = new_id("wf")
            kept = [
                record(at, workflow_slug=f"slug-{at}", workflow_name=f"Name {at}", status=status) for at, status in enumerate(RunStatus)
            ]
            kept += [record(1, workflow_id=other, workflow_slug="other", workflow_name="Other"), record(99, THEIRS, workflow_name="No")]
            newer = record(50, workflow_slug="last", workflow_name="Last")
            async with opened() as store:
                await store.keep(kept, 1)
                last = len(RunStatus) - 1
                counts = await store.counts(ALL)
                assert counts.names == {
                    FLOW: WorkflowNames(slug=f"slug-{last}", name=f"Name {last}"),
                    other: WorkflowNames(slug="other", name="Other"),
                }
                assert list(counts.workflows) == [FLOW, other]
                counts = await store.counts(RunsAsked(scope=OURS, newer=[newer, record(-1, workflow_name="Old")]))
                assert counts.names[FLOW] == WorkflowNames(slug="last", name="Last")

        run(main())

    def test_lists_show_previews_of_large_contents(self, opened: Opened) -> None:
        async def main() -> None:
            large = record(1, input={"text": "ä" * 100_000}, output="done\n" * 9)
            called = full(at=2)
            async with opened() as store:
                await store.keep([large], 1)
                for newer in ([called], []):
                    first, second = await store.page(RunsAsked(scope=OURS, newer=newer), 10)
                    assert first.models == tuple(sorted({made.model for made in called.generations})) != ()
                    assert (second.input_preview, second.output_preview) == ('{"text": "' + "ä" * 109 + "…", " ".join(["done"] * 9))
                    assert (first, second) == (listed(called), listed(large))
                    await store.keep([called], 2)

        run(main())

    def test_thousands_may_be_newer(self, opened: Opened) -> None:
        async def main() -> None:
            newer = [record(at) for at in range(4_500)]
            async with opened() as store:
                await store.keep([*newer[::900], record(9_000)], 1)
                assert (await store.counts(RunsAsked(scope=OURS, newer=newer))).count == 4_501

        run(main())

    def test_a_record_survives_numbers_beyond_all_columns(self, opened: Opened) -> None:
        async def main() -> None:
            given = record(duration_ms=2**62, tool_calls=2**63 - 1, input={"n": [1e308, -1e308, 2**63 - 1, 1e-320]}, score=1e308)
            async with opened() as store:
                await store.keep([given], 1)
                assert await whole(store) == [given]

        run(main())

    def test_a_workflow_is_removed_with_all_its_runs(self, opened: Opened) -> None:
        async def main() -> None:
            gone, stays = new_id("wf"), record(5)
            async with opened() as store:
                await store.keep([record(at, workflow_id=gone) for at in range(5)] + [stays], 1)
                await store.keep([record(at, THEIRS, workflow_id=gone) for at in range(5)], 2)
                await store.remove_workflow(gone)
                await store.remove_workflow(gone)
                assert await whole(store) == [stays]
                assert (await store.counts(RunsAsked(scope=THEIRS))).count == 0
                assert await store.position() == 2

        run(main())

    def test_runs_are_removed(self, opened: Opened) -> None:
        async def main() -> None:
            given = [record(at) for at in range(6)]
            async with opened() as store:
                await store.keep(given, 1)
                await store.remove_runs([given[0].run_id, given[4].run_id, new_id("run")])
                await store.remove_runs([])
                assert (await store.counts(ALL)).count == 4
                assert await whole(store) == [given[5], given[3], given[2], given[1]]

        run(main())

    def test_what_was_deleted_is_seen_in_no_answer(self, opened: Opened) -> None:
        async def main() -> None:
            gone, stays = new_id("wf"), record(9)
            ghosts = [record(at, workflow_id=gone, input={"ghost": at}) for at in range(3)]
            one_gone = record(5, input={"ghost": 5})
            removals = Removals(workflows={gone: "deleting"}, runs=frozenset([one_gone.run_id, new_id("run")]))
            for newer in ((), (ghosts[2], one_gone, record(7, workflow_id=gone))):
                asked = RunsAsked(scope=OURS, newer=newer, removals=removals)
                figures = FiguresAsked(scope=OURS, begin=0, end=START * 2, newer=newer, removals=removals)
                async with opened() as store:
                    await store.keep([*ghosts, one_gone, stays], 1)
                    assert [one.run_id for one in await store.page(asked, 10)] == [stays.run_id]
                    assert await whole(store, asked) == [stays]
                    counts = await store.counts(asked)
                    assert (counts.count, counts.workflows) == (1, {stays.workflow_id: 1})
                    assert "input.ghost" not in {field.name for field in await store.fields(asked, 0)}
                    assert {cell: sum(found.values()) for cell, found in (await store.analytics.statuses(figures)).items()} == {
                        Cell(0, ""): 1
                    }
                    everything = RunsAsked(scope=OURS)
                    assert (await store.counts(everything)).count == 5
                    await store.clear()

        run(main())

    def test_many_deleted_runs_are_left_out(self, opened: Opened) -> None:
        async def main() -> None:
            kept = [record(at) for at in range(3)]
            gone = frozenset([new_id("run") for _ in range(4_500)] + [kept[1].run_id])
            async with opened() as store:
                await store.keep(kept, 1)
                assert (await store.counts(RunsAsked(scope=OURS, removals=Removals(runs=gone)))).count == 2

        run(main())

    def test_cleared_it_is_as_new(self, opened: Opened) -> None:
        async def main() -> None:
            async with opened() as store:
                await store.keep([record()], 7)
                await store.clear()
                assert await store.position() == 0
                assert await store.page(ALL, 10) == []
                await store.keep([record()], 3)
            async with opened() as store:
                assert await store.position() == 3
                assert (await store.counts(ALL)).count == 1

        run(main())

    def test_questions_beside_each_other_and_beside_writing(self, opened: Opened) -> None:
        async def main() -> None:
            async with opened() as store:
                for number in range(5):
                    writing = store.keep([record(number)], number + 1)
                    *counts, _ = await asyncio.gather(*(store.counts(ALL) for _ in range(6)), writing)
                    assert all(found is not None and number <= found.count <= number + 1 for found in counts)

        run(main())
