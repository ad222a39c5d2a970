"""After a process: what goes on, what is given up, and what stays in memory."""

import asyncio
from typing import Any

import pytest
from tests.acceptance.steered_journal import Processes
from tests.acceptance.workbench import Workbench, document, kinds, run_async, sound, statuses, step, work

from runwell.engine import advance as advancing
from runwell.engine.evolve import evolve
from runwell.model.commands import AddComment, CompleteTask, PauseRun, ResumeRun, StopRun
from runwell.model.errors import NotFound
from runwell.ports.steps import StepContext
from runwell.testing import MemoryApp, memory_app

ASK = {"id": "ok", "type": "approval", "title": "?"}


def poison(processes: Processes) -> Any:
    """Return a handler that takes the process along: nothing it did from then on is ever kept."""

    async def kill(context: StepContext) -> None:
        processes.journal.die()
        await asyncio.Event().wait()

    return kill


def test_runs_of_every_kind_go_on_in_the_next_process() -> None:
    processes = Processes()
    documents = [
        document(work("a"), work("b", "a"), name="running"),
        document({"id": "nap", "type": "delay", "for_s": 60}, work("b", "nap"), name="napping"),
        document(ASK, work("b", "ok"), name="asking"),
        document(work("held"), work("b", "held"), name="paused"),
        document(
            {"id": "each", "type": "for_each", "items": [1, 2, 3], "max_parallel": 1, "steps": [work("a")]},
            work("b", "each"),
            name="looping",
        ),
    ]

    async def first() -> list[str]:
        bench = Workbench()
        bench.hold("a")
        gate = bench.hold("held")
        app = await processes.next(bench)
        run_ids = [await app.start(given) for given in documents]
        await app.clock.settle()
        await app.runtime.command(run_ids[3], PauseRun())
        gate.open()
        await app.clock.settle()
        processes.journal.die()
        return run_ids

    async def second(run_ids: list[str]) -> None:
        bench = Workbench()
        app = await processes.next(bench)
        await app.clock.settle()
        [task] = await app.journal.pending_tasks()
        await app.runtime.command(run_ids[2], CompleteTask(task_id=task.id, approved=True))
        assert (await app.view(run_ids[3])).status == "paused"
        await app.runtime.command(run_ids[3], ResumeRun())
        for run_id in run_ids:
            assert (await app.run_to_end(run_id)).status == "succeeded"
            await sound(app, run_id)
        assert {call.attempt for call in bench.calls if call.step_id == "a"} == {2}
        await app.runtime.close()

    run_ids = run_async(first())
    run_async(second(run_ids))


def test_a_queued_run_keeps_its_place_in_the_queue() -> None:
    processes = Processes()
    order: list[Any] = []

    async def note(context: StepContext) -> None:
        order.append(context.input["value"])

    async def first() -> list[str]:
        bench = Workbench()
        bench.hold("a")
        app = await processes.next(bench, max_running=1)
        version = await app.publish(document(work("a", value="{{ input }}")))
        run_ids = [await app.start(version, number) for number in range(5)]
        processes.journal.die()
        return run_ids

    async def second(run_ids: list[str]) -> None:
        bench = Workbench()
        bench.on("a", note)
        app = await processes.next(bench, max_running=1)
        for run_id in run_ids:
            assert (await app.run_to_end(run_id)).status == "succeeded"
        assert order == [0, 1, 2, 3, 4]
        await app.runtime.close()

    run_ids = run_async(first())
    run_async(second(run_ids))


def test_time_that_passed_between_two_processes_counts() -> None:
    processes = Processes()

    async def first() -> str:
        app = await processes.next(Workbench())
        return await app.start(document({"id": "nap", "type": "delay", "for_s": 60}))

    async def second(run_id: str) -> None:
        app = await processes.next(Workbench())
        await app.clock.settle()
        run = await sound(app, run_id)
        assert (run.status, run.output) == ("succeeded", {"waited_ms": 3_600_000})
        await app.runtime.close()

    run_id = run_async(first())
    processes.sleep(3_600_000)
    run_async(second(run_id))


@pytest.mark.parametrize(
    "before", [None, {"id": "nap", "type": "delay", "for_s": 1}, {"id": "each", "type": "for_each", "items": [], "steps": [work("x")]}]
)
@pytest.mark.parametrize("slow", [0, 5])
def test_a_step_that_kills_the_process_is_given_up_and_the_others_go_on(before: dict[str, Any] | None, slow: int) -> None:
    """With a slow journal the process dies before it could say what it was about to do."""
    processes = Processes()
    innocent: list[str] = []
    poisoned = "run_" + "7" * 32

    async def life() -> None:
        bench = Workbench()
        bench.on("kill", poison(processes))
        gates = [bench.hold(f"long{number}") for number in range(3)]
        app = await processes.next(bench)
        if not innocent:
            innocent.extend([await app.start(document(work(f"long{n}"), name=f"innocent {n}")) for n in range(3)])
            steps = [work("kill")] if before is None else [before, work("kill", before["id"])]
            await app.start(document(*steps, name="poison"), run_id=poisoned)
            processes.journal.slow = slow
        await app.clock.advance(10_000)
        for gate in gates:
            gate.open()
        await app.clock.advance(10_000)
        run = await sound(app, poisoned)
        assert run.error is not None
        assert (run.status, run.error.code, run.failed_step) == ("internal_error", "INTERNAL_ERROR", "kill")
        for run_id in innocent:
            assert (await sound(app, run_id)).status == "succeeded"
        await app.runtime.close()

    deaths = 0
    while not processes.live(life()):
        deaths += 1
        assert deaths < 9
    assert 3 <= deaths <= 5


def test_a_process_that_is_closed_properly_blames_nobody() -> None:
    processes = Processes()

    async def process(run_id: str | None, last: bool = False) -> str:
        bench = Workbench()
        gate = bench.hold("a")
        app = await processes.next(bench)
        run_id = run_id or await app.start(document(work("a")))
        await app.clock.advance(10)
        assert [call.step_id for call in bench.calls] == ["a"]
        if last:
            gate.open("done")
            run = await app.run_to_end(run_id)
            assert (run.status, run.output) == ("succeeded", "done")
            assert [one.status for one in step(run, "a").attempts] == ["interrupted"] * 5 + ["succeeded"]
            assert len({call.idempotency_key for call in bench.calls}) == 1
            await sound(app, run_id)
        await app.runtime.close()
        return run_id

    run_id: str | None = None
    for _ in range(5):
        run_id = run_async(process(run_id))
    run_async(process(run_id, last=True))


def test_close_gives_attempts_their_grace() -> None:
    async def main() -> None:
        bench = Workbench()
        gate = bench.hold("a")
        processes = Processes()
        app = await processes.next(bench)
        run_id = await app.start(document(work("a")))
        await app.clock.settle()
        closing = asyncio.ensure_future(app.runtime.close(grace_s=30))
        await app.clock.settle()
        gate.open()
        await closing
        row = await processes.journal.row(run_id)
        assert row is not None
        assert row.status == "succeeded"

    run_async(main())


def test_one_run_that_cannot_be_read_does_not_keep_the_others_from_going_on() -> None:
    processes = Processes()

    async def first() -> list[str]:
        bench = Workbench()
        bench.hold("a")
        app = await processes.next(bench)
        run_ids = [await app.start(document(work("a"), name=f"run {number}")) for number in range(3)]
        await app.clock.settle()
        processes.journal.die()
        row = await processes.journal.row(run_ids[1])
        assert row is not None
        del processes.definitions._documents[row.version_hash]
        return run_ids

    async def second(run_ids: list[str]) -> None:
        app = await processes.next(Workbench())
        assert (await app.run_to_end(run_ids[0])).status == "succeeded"
        assert (await app.run_to_end(run_ids[2])).status == "succeeded"
        with pytest.raises(NotFound):
            await app.runtime.command(run_ids[1], StopRun())
        await app.runtime.close()

    run_ids = run_async(first())
    run_async(second(run_ids))


def test_a_defect_of_the_engine_ends_its_run_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    def defective(state: Any, event: Any) -> Any:
        if event.type == "step_completed" and event.step_id == "bad":
            raise KeyError("planted")
        return evolve(state, event)

    monkeypatch.setattr(advancing, "evolve", defective)

    async def main() -> None:
        bench = Workbench()
        async with memory_app([bench.type]) as app:
            good, bad = await app.start(document(work("good"))), await app.start(document(work("bad"), work("after", "bad")))
            run = await app.run_to_end(bad)
            assert run.error is not None
            assert (run.status, run.error.code) == ("internal_error", "INTERNAL_ERROR")
            assert statuses(run) == {"bad": "cancelled", "after": "skipped (blocked)"}
            await sound(app, bad)
            assert (await app.run_to_end(good)).status == "succeeded"

    run_async(main())


async def resident(app: MemoryApp) -> int:
    await app.clock.settle()
    return len(app.runtime._cells)


def test_idle_runs_leave_memory_and_come_back_by_alarm_and_by_command() -> None:
    async def main() -> None:
        bench = Workbench()
        async with memory_app([bench.type], max_resident=5) as app:
            naps = [await app.start(document({"id": "nap", "type": "delay", "for_s": 60}, work("b", "nap"))) for _ in range(30)]
            asks = [await app.start(document(ASK, work("b", "ok"), name="ask")) for _ in range(30)]
            assert await resident(app) <= 5
            await app.clock.advance(60_000)
            assert await resident(app) <= 5
            rows = [await app.journal.row(run_id) for run_id in naps]
            assert {row.status for row in rows if row} == {"succeeded"}
            tasks = {task.run_id: task.id for task in await app.journal.pending_tasks()}
            await asyncio.gather(
                *(app.runtime.command(run_id, CompleteTask(task_id=tasks[run_id], approved=True)) for run_id in asks),
                *(app.runtime.command(run_id, AddComment(comment_id="c", content="x")) for run_id in asks),
            )
            for run_id in asks:
                assert (await app.run_to_end(run_id)).status == "succeeded"
                await sound(app, run_id)
            assert len(bench.calls) == 60

    run_async(main())


@pytest.mark.parametrize("max_resident", [0, 1, 2])
def test_a_run_that_is_wanted_by_many_at_once_is_in_memory_once(max_resident: int) -> None:
    async def main() -> None:
        async with memory_app(max_resident=max_resident) as app:
            run_ids = [await app.start(document(ASK)) for _ in range(10)]
            await app.clock.settle()
            comments = [AddComment(comment_id=str(number), content="x") for number in range(20)]
            await asyncio.gather(*(app.runtime.command(run_id, comment) for comment in comments for run_id in run_ids))
            assert await resident(app) <= max(max_resident, 1)
            for run_id in run_ids:
                assert kinds(await app.journal.read(run_id)).count("comment_added") == 20
                await sound(app, run_id)

    run_async(main())


def test_a_comment_on_a_run_that_has_ended_is_kept_and_changes_nothing_else() -> None:
    async def main() -> None:
        bench = Workbench()
        async with memory_app([bench.type]) as app:
            run_id = await app.start(document(work("a")))
            before = await app.run_to_end(run_id)
            await app.runtime.command(run_id, AddComment(comment_id="c", content="well done"))
            assert (await sound(app, run_id)) == before
            assert kinds(await app.journal.read(run_id))[-1] == "comment_added"

    run_async(main())


def test_whoever_waits_for_an_end_gives_up_without_harm() -> None:
    async def main() -> None:
        bench = Workbench()
        gate = bench.hold("a")
        async with memory_app([bench.type]) as app:
            run_id = await app.start(document(work("a")))
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(app.runtime.ended(run_id), 0.01)
            gate.open()
            assert (await app.run_to_end(run_id)).status == "succeeded"

    run_async(main())
