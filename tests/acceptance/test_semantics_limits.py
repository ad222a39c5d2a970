"""Time, log, output and memory: what one step and one run may use."""

import asyncio
from typing import Any

import pytest
from tests.acceptance.test_semantics_graphs import run_document
from tests.acceptance.workbench import Workbench, broken, document, kinds, overloaded, run_async, sound, statuses, step, work

from runwell.model.commands import CompleteTask, PauseRun, ResumeRun
from runwell.model.events import Log
from runwell.ports.steps import StepContext
from runwell.testing import memory_app


def test_a_hanging_attempt_ends_at_its_timeout_and_is_really_cancelled() -> None:
    async def main() -> None:
        bench = Workbench()
        gate = bench.hold("a")
        async with memory_app([bench.type]) as app:
            run_id = await app.start(document(work("a", timeout_s=30)))
            await app.clock.advance(29_999)
            assert (await app.view(run_id)).status == "running"
            await app.clock.advance(1)
            run = await sound(app, run_id)
            assert run.error is not None
            assert (run.status, run.error.code, gate.cancelled) == ("failed", "STEP_TIMED_OUT", ["a"])

    run_async(main())


def test_each_attempt_has_the_whole_timeout_and_a_timed_out_one_is_made_again() -> None:
    async def main() -> None:
        bench = Workbench()

        async def hang_once(context: StepContext) -> str:
            if context.attempt == 1:
                await asyncio.Event().wait()
            return "second"

        bench.on("a", hang_once)
        async with memory_app([bench.type]) as app:
            began = app.clock.now()
            run_id = await app.start(document(work("a", timeout_s=30, retry={"initial_delay_s": 5, "jitter": 0})))
            await app.clock.advance(30_000)
            run = await app.run_to_end(run_id)
            assert (run.output, app.clock.now() - began) == ("second", 35_000)
            assert [one.status for one in step(run, "a").attempts] == ["failed", "succeeded"]
            await sound(app, run_id)

    run_async(main())


def test_a_report_that_comes_after_the_timeout_counts_for_nothing() -> None:
    async def main() -> None:
        bench = Workbench()
        gate = bench.hold("a")
        async with memory_app([bench.type]) as app:
            run_id = await app.start(document(work("a", timeout_s=30)))
            await app.clock.settle()
            app.clock.call_at(app.clock.now() + 30_000, gate.open)
            await app.clock.advance(30_000)
            assert (await sound(app, run_id)).status == "failed"

    run_async(main())


def test_the_deadline_of_an_attempt_that_ended_in_time_is_gone() -> None:
    async def main() -> None:
        bench = Workbench()
        async with memory_app([bench.type]) as app:
            run_id = await app.start(document(work("a", timeout_s=30), {"id": "ok", "type": "approval", "title": "?", "depends_on": ["a"]}))
            await app.clock.settle()
            assert app.clock.next_at is None
            assert (await sound(app, run_id)).status == "waiting"

    run_async(main())


def test_the_timeout_of_a_loop_ends_what_is_inside() -> None:
    async def main() -> None:
        bench = Workbench()
        gate = bench.hold("do")
        each = {"id": "each", "type": "for_each", "items": [1, 2], "steps": [work("do")], "timeout_s": 10, "on_error": "continue"}
        async with memory_app([bench.type]) as app:
            run_id = await app.start(document(each, work("after", "each", value="{{ steps.each.error.code }}")))
            await app.clock.advance(10_000)
            run = await app.run_to_end(run_id)
            assert (run.status, run.output) == ("succeeded", "STEP_TIMED_OUT")
            assert gate.cancelled == ["each[0].do", "each[1].do"]
            await sound(app, run_id)

    run_async(main())


def test_the_run_ends_at_its_own_time_limit() -> None:
    async def main() -> None:
        bench = Workbench()
        gate = bench.hold("a")
        async with memory_app([bench.type]) as app:
            run_id = await app.start(document(work("a"), work("b", "a"), limits={"timeout_s": 60}))
            await app.clock.advance(59_999)
            assert (await app.view(run_id)).status == "running"
            await app.clock.advance(1)
            run = await sound(app, run_id)
            assert run.error is not None
            assert (run.status, run.error.code, run.failed_step) == ("timed_out", "RUN_TIMED_OUT", None)
            assert statuses(run) == {"a": "cancelled", "b": "skipped (blocked)"}
            assert step(run, "a").caused_by == "limit:timeout_s"
            assert gate.cancelled == ["a"]

    run_async(main())


def test_waiting_and_paused_time_do_not_count() -> None:
    async def main() -> None:
        bench = Workbench()
        first, second = bench.hold("a"), bench.hold("b")
        ask = {"id": "ok", "type": "approval", "title": "?", "depends_on": ["a"]}
        async with memory_app([bench.type]) as app:
            run_id = await app.start(document(work("a"), ask, work("b", "ok"), limits={"timeout_s": 60}))
            await app.clock.advance(30_000)  # counts
            first.open()
            await app.clock.advance(1_000_000)  # waits for the approval
            assert (await app.view(run_id)).status == "waiting"
            [task] = await app.journal.pending_tasks()
            await app.runtime.command(run_id, CompleteTask(task_id=task.id, approved=True))
            await app.clock.advance(20_000)  # counts
            await app.runtime.command(run_id, PauseRun())
            await app.clock.advance(1_000_000)
            assert (await app.view(run_id)).status == "paused"
            await app.runtime.command(run_id, ResumeRun())
            await app.clock.advance(9_999)
            assert (await app.view(run_id)).status == "running"
            await app.clock.advance(1)
            assert (await sound(app, run_id)).status == "timed_out"
            assert second.cancelled == ["b"]

    run_async(main())


def test_waiting_for_a_retry_does_not_count_either() -> None:
    async def main() -> None:
        bench = Workbench()
        bench.script("a", overloaded(), "ok")
        async with memory_app([bench.type]) as app:
            given = document(work("a", retry={"initial_delay_s": 100, "jitter": 0}), limits={"timeout_s": 60})
            assert (await app.run_to_end(await app.start(given))).status == "succeeded"

    run_async(main())


def test_a_queued_run_does_not_use_up_its_time() -> None:
    async def main() -> None:
        bench = Workbench()
        gate = bench.hold("hold")
        async with memory_app([bench.type], max_running=1) as app:
            await app.start(document(work("hold"), name="first"))
            run_id = await app.start(document(work("a"), limits={"timeout_s": 1}))
            await app.clock.advance(60_000)
            gate.open()
            assert (await app.run_to_end(run_id)).status == "succeeded"

    run_async(main())


def logging(count: int, text: str = "x" * 36) -> Any:  # an event counts 64 bytes more, so 100 a line
    async def log(context: StepContext) -> str:
        for _ in range(count):
            context.record(Log(message=text))
            await asyncio.sleep(0)
        return "done"

    return log


def test_logs_are_kept_in_order_up_to_the_limit() -> None:
    async def main() -> None:
        bench = Workbench()
        bench.on("a", logging(10))
        async with memory_app([bench.type]) as app:
            run_id = await app.start(document(work("a"), limits={"log_bytes": 1_000}))
            assert (await app.run_to_end(run_id)).status == "succeeded"
            logs = [event for event in await app.journal.read(run_id) if event.type == "log"]
            assert [(event.step_id, event.attempt) for event in logs] == [("a", 1)] * 10
            await sound(app, run_id)

    run_async(main())


def test_one_line_too_many_ends_the_run() -> None:
    async def main() -> None:
        bench = Workbench()
        bench.on("a", logging(11))
        gate = bench.hold("b")
        async with memory_app([bench.type]) as app:
            run_id = await app.start(document(work("a"), work("b"), limits={"log_bytes": 1_099}))
            run = await app.run_to_end(run_id)
            assert run.error is not None
            assert (run.status, run.error.code, run.failed_step) == ("log_size_exceeded", "LOG_SIZE_EXCEEDED", "a")
            assert statuses(run) == {"a": "failed", "b": "cancelled"}
            assert gate.cancelled == ["b"]
            assert kinds(await app.journal.read(run_id)).count("log") == 10
            await sound(app, run_id)

    run_async(main())


@pytest.mark.parametrize(("size", "status"), [(98, "succeeded"), (99, "failed")])
def test_a_result_must_fit_into_output_bytes(size: int, status: str) -> None:
    bench = Workbench()
    bench.script("a", "x" * size)
    run = run_document(bench, document(work("a", retry={"max_attempts": 3}), limits={"output_bytes": 100}))
    assert run.status == status
    if run.error is not None:
        assert (run.error.code, len(step(run, "a").attempts)) == ("OUTPUT_TOO_LARGE", 1)


def test_the_result_of_an_inline_step_must_fit_too() -> None:
    value = {"id": "a", "type": "transform", "value": "{{ input }}"}
    run = run_document(Workbench(), document(value, limits={"output_bytes": 100}), "x" * 200)
    assert run.error is not None
    assert (run.status, run.error.code) == ("failed", "OUTPUT_TOO_LARGE")


def test_what_is_printed_and_used_in_the_sandbox_counts_for_the_run() -> None:
    noisy = {"id": "a", "type": "python", "code": "for i in range(100):\n    print('x' * 100)\n1"}
    assert run_document(Workbench(), document(noisy, limits={"log_bytes": 1_000})).status == "log_size_exceeded"
    hungry = {"id": "a", "type": "python", "code": "x = [0]\nwhile True:\n    x = x + x"}
    run = run_document(Workbench(), document(hungry, work("b", "a"), limits={"memory_mb": 16}))
    assert run.error is not None
    assert (run.status, run.error.code) == ("memory_limit_exceeded", "MEMORY_LIMIT_EXCEEDED")
    assert statuses(run) == {"a": "failed", "b": "skipped (blocked)"}


def test_a_failure_at_the_moment_of_the_limit_counts_once() -> None:
    async def main() -> None:
        bench = Workbench()
        gate = bench.hold("a")
        async with memory_app([bench.type]) as app:
            run_id = await app.start(document(work("a", timeout_s=60), limits={"timeout_s": 60}))
            await app.clock.settle()
            app.clock.call_at(app.clock.now() + 60_000, lambda: gate.fail(broken()))
            await app.clock.advance(60_000)
            run = await sound(app, run_id)
            assert run.status in ("failed", "timed_out")

    run_async(main())
