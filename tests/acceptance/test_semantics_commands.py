"""Pause, resume and stop: what goes on, what ends, and who wins a race."""

import asyncio
from typing import Any

import pytest
from tests.acceptance.workbench import Gate, Workbench, document, kinds, overloaded, run_async, sound, statuses, step, work

from runwell.model.commands import CompleteTask, PauseRun, ResumeRun, SendMessage, StopRun
from runwell.model.errors import CommandRefused, NotFound
from runwell.ports.steps import StepContext
from runwell.testing import MemoryApp, memory_app

PAUSE, RESUME, STOP = PauseRun(actor="op"), ResumeRun(actor="op"), StopRun(actor="op")
DRAIN = StopRun(mode="graceful")


async def under_way(app: MemoryApp, bench: Workbench, *more: dict[str, Any]) -> tuple[str, Gate]:
    """Start a run whose step `a` is held, with `b` behind it."""
    gate = bench.hold("a")
    run_id = await app.start(document(work("a"), work("b", "a"), *more))
    await app.clock.settle()
    return run_id, gate


def test_pause_lets_what_is_in_flight_end_and_begins_nothing() -> None:
    async def main() -> None:
        bench = Workbench()
        async with memory_app([bench.type]) as app:
            run_id, gate = await under_way(app, bench)
            await app.runtime.command(run_id, PAUSE)
            gate.open("A")
            run = await app.view(run_id)
            assert (run.status, statuses(run)) == ("paused", {"a": "succeeded", "b": "pending"})
            await app.clock.advance(3_600_000)
            assert bench.paths() == ["a"]
            await app.runtime.command(run_id, RESUME)
            run = await app.run_to_end(run_id)
            assert (run.status, bench.paths()) == ("succeeded", ["a", "b"])
            events = await app.journal.read(run_id)
            assert [event.actor for event in events if event.type in ("run_paused", "run_resumed")] == ["op", "op"]
            await sound(app, run_id)

    run_async(main())


def test_pause_and_resume_are_idempotent() -> None:
    async def main() -> None:
        bench = Workbench()
        async with memory_app([bench.type]) as app:
            run_id, gate = await under_way(app, bench)
            for command in (RESUME, PAUSE, PAUSE, RESUME, RESUME, PAUSE, RESUME):
                await app.runtime.command(run_id, command)
            gate.open()
            await app.run_to_end(run_id)
            found = kinds(await app.journal.read(run_id))
            assert (found.count("run_paused"), found.count("run_resumed")) == (2, 2)
            await sound(app, run_id)

    run_async(main())


def test_a_paused_run_may_end_when_its_last_step_does() -> None:
    async def main() -> None:
        bench = Workbench()
        gate = bench.hold("a")
        async with memory_app([bench.type]) as app:
            run_id = await app.start(document(work("a")))
            await app.clock.settle()
            await app.runtime.command(run_id, PAUSE)
            gate.open(1)
            run = await sound(app, run_id)
            assert (run.status, run.output) == ("succeeded", 1)

    run_async(main())


def test_waits_end_while_a_run_is_paused_but_nothing_follows_until_it_goes_on() -> None:
    async def main() -> None:
        bench = Workbench()
        nap = {"id": "nap", "type": "delay", "for_s": 10}
        ask = {"id": "ok", "type": "approval", "title": "?"}
        async with memory_app([bench.type]) as app:
            run_id = await app.start(document(nap, ask, work("after", "nap", "ok")))
            await app.runtime.command(run_id, PAUSE)
            await app.clock.advance(20_000)
            [task] = await app.journal.pending_tasks()
            await app.runtime.command(run_id, CompleteTask(task_id=task.id, approved=True))
            run = await app.view(run_id)
            assert (run.status, statuses(run)) == ("paused", {"nap": "succeeded", "ok": "succeeded", "after": "pending"})
            await app.runtime.command(run_id, RESUME)
            assert (await app.run_to_end(run_id)).status == "succeeded"
            await sound(app, run_id)

    run_async(main())


@pytest.mark.parametrize("paused_ms", [1_000, 9_999, 10_000, 60_000])
def test_a_retry_that_a_pause_held_back_is_made_after_it(paused_ms: int) -> None:
    async def main() -> None:
        bench = Workbench()
        bench.script("a", overloaded(), "ok")
        async with memory_app([bench.type]) as app:
            run_id = await app.start(document(work("a", retry={"initial_delay_s": 10, "jitter": 0})))
            await app.clock.settle()
            await app.runtime.command(run_id, PAUSE)
            await app.clock.advance(paused_ms)
            assert len(bench.calls) == 1
            await app.runtime.command(run_id, RESUME)
            await app.clock.advance(max(0, 9_999 - paused_ms))
            assert len(bench.calls) == (1 if paused_ms < 10_000 else 2)
            run = await app.run_to_end(run_id)
            assert (run.status, run.output) == ("succeeded", "ok")
            await sound(app, run_id)

    run_async(main())


def test_stop_ends_everything_at_once_and_cancels_the_work() -> None:
    async def main() -> None:
        bench = Workbench()
        async with memory_app([bench.type]) as app:
            nap = {"id": "nap", "type": "delay", "for_s": 10}
            ask = {"id": "ok", "type": "approval", "title": "?"}
            run_id, gate = await under_way(app, bench, nap, ask)
            state = await app.runtime.command(run_id, STOP)
            assert state.status == "stopped"
            run = await sound(app, run_id)
            assert statuses(run) == {"a": "stopped", "b": "skipped (blocked)", "nap": "stopped", "ok": "stopped"}
            assert run.error is not None
            assert (run.error.code, run.failed_step) == ("RUN_STOPPED", None)
            assert gate.cancelled == ["a"]
            assert (await app.journal.pending_tasks(), app.clock.next_at) == ([], None)
            assert (await app.runtime.command(run_id, STOP)).status == "stopped"
            assert kinds(await app.journal.read(run_id)).count("run_stop_requested") == 1

    run_async(main())


def test_graceful_stop_lets_the_work_end_and_starts_nothing_new() -> None:
    async def main() -> None:
        bench = Workbench()
        async with memory_app([bench.type]) as app:
            nap = {"id": "nap", "type": "delay", "for_s": 10}
            run_id, gate = await under_way(app, bench, nap)
            await app.runtime.command(run_id, DRAIN)
            await app.runtime.command(run_id, DRAIN)
            run = await app.view(run_id)
            assert (run.status, statuses(run)) == ("draining", {"a": "running", "b": "pending", "nap": "stopped"})
            await app.clock.advance(59_999)
            gate.open("A")
            run = await sound(app, run_id)
            assert (run.status, step(run, "a").result) == ("stopped", "A")
            assert statuses(run) == {"a": "succeeded", "b": "skipped (blocked)", "nap": "stopped"}
            assert gate.cancelled == []

    run_async(main())


@pytest.mark.parametrize("timeout_s", [None, 5])
def test_what_hangs_is_cancelled_when_the_drain_timeout_is_over(timeout_s: float | None) -> None:
    async def main() -> None:
        bench = Workbench()
        async with memory_app([bench.type]) as app:
            run_id, gate = await under_way(app, bench)
            await app.runtime.command(run_id, StopRun(mode="graceful", drain_timeout_s=timeout_s))
            await app.clock.advance(int((timeout_s or 60) * 1_000) - 1)
            assert (await app.view(run_id)).status == "draining"
            await app.clock.advance(1)
            run = await sound(app, run_id)
            assert run.error is not None
            assert (run.status, run.error.code, statuses(run)["a"]) == ("stopped", "DRAIN_TIMEOUT", "stopped")
            assert gate.cancelled == ["a"]

    run_async(main())


def test_a_drained_loop_begins_no_further_item() -> None:
    async def main() -> None:
        bench = Workbench()
        gate = bench.hold("do")
        each = {"id": "each", "type": "for_each", "items": [1, 2, 3, 4], "max_parallel": 2, "steps": [work("do"), work("then", "do")]}
        async with memory_app([bench.type]) as app:
            run_id = await app.start(document(each))
            await app.clock.settle()
            await app.runtime.command(run_id, DRAIN)
            gate.open()
            run = await sound(app, run_id)
            assert (run.status, bench.paths()) == ("stopped", ["each[0].do", "each[1].do"])
            assert statuses(run)["each"] == "stopped"

    run_async(main())


def test_an_immediate_stop_ends_a_drain() -> None:
    async def main() -> None:
        bench = Workbench()
        async with memory_app([bench.type]) as app:
            run_id, gate = await under_way(app, bench)
            await app.runtime.command(run_id, DRAIN)
            await app.runtime.command(run_id, STOP)
            assert (await sound(app, run_id)).status == "stopped"
            assert gate.cancelled == ["a"]

    run_async(main())


def test_a_draining_run_is_neither_paused_nor_resumed() -> None:
    async def main() -> None:
        bench = Workbench()
        async with memory_app([bench.type]) as app:
            run_id, _ = await under_way(app, bench)
            await app.runtime.command(run_id, DRAIN)
            for command in (PAUSE, RESUME):
                with pytest.raises(CommandRefused):
                    await app.runtime.command(run_id, command)
            assert (await app.view(run_id)).status == "draining"

    run_async(main())


@pytest.mark.parametrize("command", [STOP, DRAIN])
def test_a_paused_run_can_be_stopped(command: StopRun) -> None:
    async def main() -> None:
        bench = Workbench()
        async with memory_app([bench.type]) as app:
            run_id, gate = await under_way(app, bench)
            await app.runtime.command(run_id, PAUSE)
            await app.runtime.command(run_id, command)
            if not gate.cancelled:
                gate.open()
            assert (await sound(app, run_id)).status == "stopped"
            assert bench.paths() == ["a"]

    run_async(main())


def test_stop_wins_the_race_against_everything_else() -> None:
    async def main() -> None:
        bench = Workbench()
        async with memory_app([bench.type]) as app:
            ask = {"id": "ok", "type": "approval", "title": "?"}
            run_id, gate = await under_way(app, bench, ask)
            [task] = await app.journal.pending_tasks()
            gate.open("too late")  # its report comes after the stop
            commands = [STOP, PAUSE, CompleteTask(task_id=task.id, approved=True), SendMessage(name="m"), RESUME, STOP]
            answers = await asyncio.gather(*(app.runtime.command(run_id, one) for one in commands), return_exceptions=True)
            assert [type(answer) for answer in answers[1:5]] == [CommandRefused] * 4
            run = await sound(app, run_id)
            assert (run.status, statuses(run)) == ("stopped", {"a": "stopped", "b": "skipped (blocked)", "ok": "stopped"})
            assert kinds(await app.journal.read(run_id))[-1] == "run_stopped"

    run_async(main())


def test_a_handler_that_ignores_its_cancellation_changes_nothing_any_more() -> None:
    async def main() -> None:
        bench = Workbench()
        release = asyncio.Event()

        async def stubborn(context: StepContext) -> str:
            try:
                await asyncio.sleep(3_600)
            except asyncio.CancelledError:
                await release.wait()
            return "I went on"

        bench.on("a", stubborn)
        async with memory_app([bench.type]) as app:
            run_id = await app.start(document(work("a"), work("b", "a")))
            await app.clock.settle()
            await app.runtime.command(run_id, STOP)
            release.set()
            run = await sound(app, run_id)
            assert (run.status, statuses(run)) == ("stopped", {"a": "stopped", "b": "skipped (blocked)"})

    run_async(main())


def test_commands_on_a_run_that_has_ended_or_never_was() -> None:
    async def main() -> None:
        bench = Workbench()
        async with memory_app([bench.type]) as app:
            run_id = await app.start(document(work("a")))
            await app.run_to_end(run_id)
            for refused in (PAUSE, RESUME):
                with pytest.raises(CommandRefused, match="ended"):
                    await app.runtime.command(run_id, refused)
            assert (await app.runtime.command(run_id, STOP)).status == "succeeded"
            for unfounded in (PAUSE, STOP):
                with pytest.raises(NotFound):
                    await app.runtime.command("run_" + "1" * 32, unfounded)
            await sound(app, run_id)

    run_async(main())
