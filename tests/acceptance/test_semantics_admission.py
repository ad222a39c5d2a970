"""How many runs are under way at once, and who is next."""

import asyncio
from typing import Any

import pytest
from tests.acceptance.workbench import Workbench, document, kinds, run_async, sound, work

from runwell.model.commands import AddComment, CompleteTask, PauseRun, StopRun
from runwell.model.errors import CommandRefused, JournalUnavailable, QueueFull
from runwell.model.ids import DEFAULT_PROJECT, new_id
from runwell.model.limits import Limits
from runwell.ports.steps import StepContext
from runwell.runtime.project_limits import ProjectLimits
from runwell.storage.memory_journal import MemoryJournal
from runwell.testing import MemoryApp, memory_app

ACME, BEST, CORE = ("org_" + digit * 32 for digit in "abc")

FIRST, SECOND = ("prj_" + digit * 32 for digit in "12")


class Counter(Workbench):
    """Counts how many runs work at once, and notes the order in which they begin."""

    def __init__(self) -> None:
        super().__init__()
        self.under_way = self.most = 0
        self.order: list[Any] = []
        self.on("a", self._count)

    async def _count(self, context: StepContext) -> None:
        self.order.append(context.input["value"])
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        for _ in range(5):
            await asyncio.sleep(0)
        self.under_way -= 1


def tagged(**fields: Any) -> dict[str, Any]:
    return document(work("a", value="{{ input }}"), **fields)


async def ends(app: MemoryApp, run_ids: list[str]) -> list[str]:
    return [str((await app.run_to_end(run_id)).status) for run_id in run_ids]


def test_no_more_than_max_running_run_and_the_rest_is_first_in_first_out() -> None:
    async def main() -> None:
        bench = Counter()
        async with memory_app([bench.type], max_running=3) as app:
            version = await app.publish(tagged())
            run_ids = await asyncio.gather(*(app.start(version, number) for number in range(20)))
            assert [str(row.status) for row in await app.journal.live()].count("queued") >= 15
            assert await ends(app, run_ids) == ["succeeded"] * 20
            assert (bench.most, bench.order) == (3, list(range(20)))
            for run_id in run_ids:
                await sound(app, run_id)

    run_async(main())


def test_a_workflows_concurrency_holds_back_its_own_runs_only() -> None:
    async def main() -> None:
        bench = Counter()
        gate = bench.hold("held")
        async with memory_app([bench.type]) as app:
            narrow = document(work("held"), name="narrow", concurrency=1)
            first, second = await app.start(narrow), await app.start(narrow)
            others = [await app.start(tagged(name="wide"), number) for number in range(5)]
            assert await ends(app, others) == ["succeeded"] * 5
            assert ((await app.view(first)).status, (await app.view(second)).status) == ("running", "queued")
            gate.open()
            assert await ends(app, [first, second]) == ["succeeded"] * 2

    run_async(main())


def test_a_waiting_run_keeps_its_workflows_place_but_not_the_global_one() -> None:
    async def main() -> None:
        bench = Counter()
        nightly = document({"id": "nap", "type": "delay", "for_s": 60}, name="nightly", concurrency=1)
        async with memory_app([bench.type], max_running=1) as app:
            first, second = await app.start(nightly), await app.start(nightly)
            assert (await app.view(first)).status == "waiting"
            assert (await app.view(second)).status == "queued"
            other = await app.start(tagged(name="other"))
            assert await ends(app, [other]) == ["succeeded"]
            assert (await app.view(second)).status == "queued"
            began = app.clock.now()
            assert await ends(app, [first, second]) == ["succeeded"] * 2
            assert app.clock.now() - began == 120_000

    run_async(main())


def test_the_queue_is_fair_between_organizations() -> None:
    async def main() -> None:
        bench = Counter()
        gate = bench.hold("held")
        async with memory_app([bench.type], max_running=1) as app:
            await app.start(document(work("held"), name="first"))
            crowd = [await app.start(tagged(), f"acme {n}", org_id=ACME) for n in range(4)]
            few = [await app.start(tagged(), f"best {n}", org_id=BEST) for n in range(2)]
            few += [await app.start(tagged(), "core 0", org_id=CORE)]
            gate.open()
            assert set(await ends(app, crowd + few)) == {"succeeded"}
            assert bench.order == ["acme 0", "best 0", "core 0", "acme 1", "best 1", "acme 2", "acme 3"]

    run_async(main())


@pytest.mark.parametrize("mode", ["immediate", "graceful"])
def test_a_queued_run_stops_cleanly_and_never_begins(mode: Any) -> None:
    async def main() -> None:
        bench = Counter()
        gate = bench.hold("held")
        async with memory_app([bench.type], max_running=1) as app:
            first = await app.start(document(work("held"), name="first"))
            second, third = await app.start(tagged(), 2), await app.start(tagged(), 3)
            with pytest.raises(CommandRefused):
                await app.runtime.command(second, PauseRun())
            assert (await app.runtime.command(second, StopRun(mode=mode))).status == "stopped"
            gate.open()
            assert await ends(app, [first, third]) == ["succeeded"] * 2
            run = await sound(app, second)
            assert (run.status, run.started_at, bench.order) == ("stopped", None, [3])
            assert kinds(await app.journal.read(second)) == ["run_created", "run_stop_requested", "step_completed", "run_stopped"]

    run_async(main())


def test_ended_stopped_and_failed_runs_all_give_their_place_back() -> None:
    async def main() -> None:
        bench = Counter()
        bench.script("fails", *[ValueError()] * 5)
        held = bench.hold("held")
        async with memory_app([bench.type], max_running=1) as app:
            for _ in range(5):
                assert await ends(app, [await app.start(document(work("fails")))]) == ["failed"]
                run_id = await app.start(document(work("held")))
                await app.clock.settle()
                await app.runtime.command(run_id, StopRun())
            assert len(held.cancelled) == 5
            assert await ends(app, [await app.start(tagged())]) == ["succeeded"]

    run_async(main())


def test_a_run_that_wakes_need_not_queue_again() -> None:
    async def main() -> None:
        bench = Counter()
        gate = bench.hold("held")
        ask = document({"id": "ok", "type": "approval", "title": "?"}, work("b", "ok"), name="ask")
        async with memory_app([bench.type], max_running=1) as app:
            asking = await app.start(ask)
            await app.clock.settle()
            await app.start(document(work("held")))
            queued = await app.start(tagged(name="queued"))
            [task] = await app.journal.pending_tasks()
            await app.runtime.command(asking, CompleteTask(task_id=task.id, approved=True))
            assert await ends(app, [asking]) == ["succeeded"]
            assert (await app.view(queued)).status == "queued"
            gate.open()
            assert await ends(app, [queued]) == ["succeeded"]

    run_async(main())


@pytest.mark.parametrize("workflow_limit", [None, 1])
def test_a_queued_run_that_could_not_be_kept_takes_nobodys_place(workflow_limit: int | None) -> None:
    async def main() -> None:
        bench = Counter()
        gate = bench.hold("held")
        journal = MemoryJournal()
        async with memory_app([bench.type], journal=journal, max_running=1) as app:
            first = await app.start(document(work("held"), name="first"))
            await app.clock.settle()
            journal.fail_next()
            with pytest.raises(JournalUnavailable):
                await app.start(tagged(concurrency=workflow_limit), "lost")
            third = await app.start(tagged(concurrency=workflow_limit), "third")
            gate.open()
            assert await ends(app, [first, third]) == ["succeeded"] * 2
            await app.clock.advance(60_000)
            assert await ends(app, [await app.start(tagged(concurrency=workflow_limit), "fourth")]) == ["succeeded"]
            assert bench.order == ["third", "fourth"]

    run_async(main())


def test_a_queued_run_that_was_lost_and_taken_up_again_holds_one_place_only() -> None:
    async def main() -> None:
        bench = Counter()
        gate = bench.hold("held")
        journal = MemoryJournal()
        async with memory_app([bench.type], journal=journal, max_running=1) as app:
            first = await app.start(document(work("held"), name="first"))
            second = await app.start(tagged(), "second")
            journal.fail_next()
            with pytest.raises(JournalUnavailable):
                await app.runtime.command(second, AddComment(comment_id="c", content="hello"))
            await app.clock.advance(60_000)
            third = await app.start(tagged(), "third")
            gate.open()
            assert await ends(app, [first, second, third]) == ["succeeded"] * 3
            assert await ends(app, [await app.start(tagged(), "fourth")]) == ["succeeded"]
            assert bench.order == ["second", "third", "fourth"]

    run_async(main())


def test_starting_the_same_run_a_hundred_times_at_once_starts_it_once() -> None:
    async def main() -> None:
        bench = Counter()
        async with memory_app([bench.type]) as app:
            version = await app.publish(tagged())
            run_id = new_id("run")
            answers = await asyncio.gather(*(app.start(version, 1, run_id=run_id) for _ in range(100)))
            assert set(answers) == {run_id}
            assert (await app.run_to_end(run_id)).status == "succeeded"
            assert await app.start(version, 1, run_id=run_id) == run_id
            assert bench.order == [1]
            assert kinds(await app.journal.read(run_id)).count("run_created") == 1
            assert len(await app.journal.rows()) == 1

    run_async(main())


def test_nobody_is_told_that_a_run_has_started_which_could_not_be_kept() -> None:
    async def main() -> None:
        bench = Counter()
        journal = MemoryJournal()
        async with memory_app([bench.type], journal=journal) as app:
            version = await app.publish(tagged())
            run_id = new_id("run")
            journal.fail_next()
            answers = await asyncio.gather(*(app.start(version, 1, run_id=run_id) for _ in range(10)), return_exceptions=True)
            assert {type(answer) for answer in answers} == {JournalUnavailable}
            assert await app.start(version, 1, run_id=run_id) == run_id
            assert (await app.run_to_end(run_id)).status == "succeeded"
            await app.clock.advance(60_000)
            await sound(app, run_id)

    run_async(main())


def test_a_project_has_a_limit_of_its_own_and_raising_it_lets_more_begin() -> None:
    async def main() -> None:
        bench = Workbench()
        gate = bench.hold("a")
        limits = ProjectLimits()
        limits.set(FIRST, Limits(max_running=2))
        async with memory_app([bench.type], limits=limits) as app:
            full = [await app.start(tagged(), number, project_id=FIRST) for number in range(5)]
            other = await app.start(tagged(), "other", project_id=SECOND)
            await app.clock.settle()
            assert [str((await app.view(run_id)).status) for run_id in full] == ["running"] * 2 + ["queued"] * 3
            assert (await app.view(other)).status == "running"
            limits.set(FIRST, Limits(max_running=4))
            assert [str((await app.view(run_id)).status) for run_id in full] == ["running"] * 4 + ["queued"]
            limits.set(FIRST, Limits(max_running=1))
            assert [str((await app.view(run_id)).status) for run_id in full] == ["running"] * 4 + ["queued"]
            gate.open()
            assert await ends(app, [*full, other]) == ["succeeded"] * 6

    run_async(main())


def test_a_full_queue_refuses_starts_but_no_child_runs_and_no_start_that_was_made() -> None:
    async def main() -> None:
        bench = Workbench()
        gate = bench.hold("a")
        limits = ProjectLimits()
        async with memory_app([bench.type], limits=limits) as app:
            lone = await app.publish(tagged(name="lone", concurrency=1))
            parent = await app.publish(document({"id": "call", "type": "workflow", "workflow": "lone"}, name="parent"))
            limits.set(DEFAULT_PROJECT, Limits(max_queued=1))
            known = new_id("run")
            made = [await app.start(lone), await app.start(lone, run_id=known)]
            for _ in range(2):
                with pytest.raises(QueueFull):
                    await app.start(lone)
            assert await app.start(lone, run_id=known) == known
            limits.set(DEFAULT_PROJECT, Limits(max_queued=2))
            calling = await app.start(parent)
            await app.clock.settle()
            assert len([row for row in await app.journal.live() if row.status == "queued"]) == 2
            gate.open()
            assert await ends(app, [*made, calling]) == ["succeeded"] * 3

    run_async(main())
