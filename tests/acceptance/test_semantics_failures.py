"""What a failing step does to its run."""

import asyncio
from typing import Any

import pytest
from tests.acceptance.test_semantics_graphs import run_document
from tests.acceptance.workbench import Workbench, broken, document, kinds, overloaded, run_async, sound, statuses, step, work

from runwell.model.errors import LimitExceeded, StepError
from runwell.model.events import RunFailed, StepFailed
from runwell.model.statuses import step_badge
from runwell.ports.steps import StepContext
from runwell.testing import memory_app


def test_the_parallel_example_of_seed_002() -> None:
    """A fails, B in flight is Cancelled, C is Skipped (Blocked), and the run names A."""

    async def main() -> None:
        bench = Workbench()
        a, b = bench.hold("a"), bench.hold("b")
        async with memory_app([bench.type]) as app:
            run_id = await app.start(document(work("start"), work("a", "start"), work("b", "start"), work("c", "a", "b")))
            await app.clock.settle()
            a.fail(broken("no credential"))
            run = await app.run_to_end(run_id)
            await sound(app, run_id)
            badges = {one.path: step_badge(one.status, one.reason) for one in run.steps}
            assert badges == {"start": "Success", "a": "Failed", "b": "Cancelled", "c": "Skipped (Blocked)"}
            assert (run.status, run.failed_step) == ("failed", "a")
            assert run.error is not None
            assert (run.error.code, run.error.message, run.error.step_id) == ("HTTP_FAILED", "no credential", "a")
            assert (step(run, "b").caused_by, step(run, "c").caused_by) == ("a", "a")
            assert b.cancelled == ["b"]
            events = await app.journal.read(run_id)
            assert kinds(events)[-4:] == ["step_failed", "step_cancelled", "step_completed", "run_failed"]
            assert events[-2].data.skipped  # type: ignore[attr-defined]
            assert events[-1].of(RunFailed).failed_step == "a"

    run_async(main())


def test_a_step_that_waits_is_cancelled_too_and_its_task_is_gone() -> None:
    async def main() -> None:
        bench = Workbench()
        gate = bench.hold("a")
        approval = {"id": "ok", "type": "approval", "title": "Go?"}
        async with memory_app([bench.type]) as app:
            run_id = await app.start(document(work("a"), approval, {"id": "nap", "type": "delay", "for_s": 60}, work("end", "ok", "nap")))
            await app.clock.settle()
            assert len(await app.journal.pending_tasks()) == 1
            gate.fail(broken())
            run = await app.run_to_end(run_id)
            assert statuses(run) == {"a": "failed", "ok": "cancelled", "nap": "cancelled", "end": "skipped (blocked)"}
            assert await app.journal.pending_tasks() == []
            assert app.clock.next_at is None
            await sound(app, run_id)

    run_async(main())


def test_on_failure_drain_lets_what_is_in_flight_end_and_starts_nothing_new() -> None:
    async def main() -> None:
        bench = Workbench()
        a, b = bench.hold("a"), bench.hold("b")
        async with memory_app([bench.type]) as app:
            nap = {"id": "nap", "type": "delay", "for_s": 60}
            run_id = await app.start(document(work("a"), work("b"), work("after", "b"), nap, on_failure="drain"))
            await app.clock.settle()
            a.fail(broken())
            run = await app.view(run_id)
            assert run.status == "draining"
            assert statuses(run) == {"a": "failed", "b": "running", "after": "pending", "nap": "cancelled"}
            b.open("done")
            run = await app.run_to_end(run_id)
            assert (run.status, run.failed_step, step(run, "b").result) == ("failed", "a", "done")
            assert statuses(run) == {"a": "failed", "b": "succeeded", "after": "skipped (blocked)", "nap": "cancelled"}
            assert b.cancelled == []
            await sound(app, run_id)

    run_async(main())


def test_on_error_continue_goes_on_and_shows_the_error() -> None:
    bench = Workbench()
    bench.script("a", broken("gone"))
    told = {"code": "{{ steps.a.error.code }}", "status": "{{ steps.a.status }}", "result": "{{ steps.a.result }}"}
    run = run_document(bench, document(work("a", on_error="continue"), work("b", "a", value=told)))
    assert run.status == "succeeded"
    assert run.output == {"code": "HTTP_FAILED", "status": "failed", "result": None}
    assert (statuses(run)["a"], run.failed_step, run.error) == ("failed", None, None)


@pytest.mark.parametrize("fallback", ["unknown", None, {"a": 1}])
def test_a_fallback_stands_in_for_the_result(fallback: Any) -> None:
    bench = Workbench()
    bench.script("a", broken())
    run = run_document(bench, document(work("a", fallback=fallback), work("b", "a", value="{{ steps.a.result }}")))
    assert (run.status, run.output) == ("succeeded", fallback)
    assert step(run, "a").error is not None


def test_a_handled_failure_may_be_the_last_thing_in_flight() -> None:
    bench = Workbench()
    bench.script("b", broken())
    run = run_document(bench, document(work("a"), work("b", "a", on_error="continue")))
    assert (run.status, statuses(run)) == ("succeeded", {"a": "succeeded", "b": "failed"})


def test_join_any_needs_that_no_dependency_failed_unhandled() -> None:
    bench = Workbench()
    bench.script("a", broken())
    run = run_document(bench, document(work("a", on_error="continue"), work("b", when="1 > 2"), work("c", "a", "b")))
    assert (run.status, statuses(run)["c"]) == ("succeeded", "succeeded")


def test_a_handler_that_raises_what_it_should_not_is_a_crash_of_the_step() -> None:
    bench = Workbench()
    bench.script("a", ValueError("oops"))
    run = run_document(bench, document(work("a", retry={"max_attempts": 5})))
    assert run.error is not None
    assert (run.status, run.error.code, run.error.message) == ("failed", "STEP_CRASHED", "ValueError: oops")
    assert len(step(run, "a").attempts) == 1
    assert "Traceback" in str((run.error.details or {})["traceback"])


def test_a_handler_that_cancels_itself_fails_its_step() -> None:
    async def cancel(context: StepContext) -> None:
        raise asyncio.CancelledError

    bench = Workbench()
    bench.on("a", cancel)
    run = run_document(bench, document(work("a")))
    assert run.error is not None
    assert (run.status, run.error.code) == ("failed", "STEP_CRASHED")


@pytest.mark.parametrize("result", [object(), {1j}, float, {"deep": [b"x", object()]}])
def test_a_result_that_is_no_json_fails_the_step(result: Any) -> None:
    bench = Workbench()
    bench.script("a", result)
    run = run_document(bench, document(work("a")))
    assert run.error is not None
    assert (run.status, run.error.code) == ("failed", "STEP_CRASHED")


def test_a_result_is_kept_as_json_and_not_shared() -> None:
    shared = {"n": [1]}

    async def share(context: StepContext) -> Any:
        return shared

    async def main() -> None:
        bench = Workbench()
        bench.on("a", share)
        async with memory_app([bench.type]) as app:
            run_id = await app.start(document(work("a"), {"id": "ok", "type": "approval", "depends_on": ["a"], "title": "?"}))
            await app.clock.settle()
            shared["n"].append(2)
            assert step(await app.view(run_id), "a").result == {"n": [1]}

    run_async(main())


def test_retries_wait_longer_each_time_and_on_the_clock_only() -> None:
    async def main() -> None:
        bench = Workbench()
        bench.script("a", overloaded(), overloaded(), overloaded(), "at last")
        retry = {"max_attempts": 4, "initial_delay_s": 10, "backoff": 3, "jitter": 0}
        async with memory_app([bench.type]) as app:
            began = app.clock.now()
            run_id = await app.start(document(work("a", retry=retry)))
            run = await app.view(run_id)
            assert (run.status, run.waiting_for, step(run, "a").status) == ("waiting", "retry", "waiting")
            run = await app.run_to_end(run_id)
            assert (run.output, app.clock.now() - began) == ("at last", 10_000 + 30_000 + 90_000)
            assert [one.status for one in step(run, "a").attempts] == ["failed", "failed", "failed", "succeeded"]
            assert [call.attempt for call in bench.calls] == [1, 2, 3, 4]
            assert len({call.idempotency_key for call in bench.calls}) == 1
            await sound(app, run_id)

    run_async(main())


def test_jitter_only_shortens_and_stays_within_its_share() -> None:
    async def main() -> None:
        bench = Workbench()
        bench.script("a", overloaded(), 1)
        async with memory_app([bench.type]) as app:
            began = app.clock.now()
            await app.run_to_end(await app.start(document(work("a", retry={"initial_delay_s": 100, "jitter": 0.2}))))
            assert 80_000 <= app.clock.now() - began <= 100_000

    run_async(main())


@pytest.mark.parametrize("errors", [[broken()], [overloaded(), broken()]])
def test_only_retryable_errors_are_retried(errors: list[Exception]) -> None:
    bench = Workbench()
    bench.script("a", *errors)
    run = run_document(bench, document(work("a", retry={"max_attempts": 9, "jitter": 0})))
    assert (run.status, len(step(run, "a").attempts)) == ("failed", len(errors))


def test_without_retry_nothing_is_retried() -> None:
    bench = Workbench()
    bench.script("a", overloaded())
    assert run_document(bench, document(work("a"))).status == "failed"


def test_the_last_attempts_error_counts() -> None:
    bench = Workbench()
    bench.script("a", overloaded(), StepError("HTTP_FAILED", "the last one", retryable=True))
    run = run_document(bench, document(work("a", retry={"max_attempts": 2})))
    assert run.error is not None
    assert (run.status, run.error.message) == ("failed", "the last one")


@pytest.mark.parametrize(("wish", "waited"), [(2, 5_000), (40, 40_000), (10_000, 60_000)])
def test_retry_after_lengthens_the_wait_up_to_the_cap(wish: float, waited: int) -> None:
    async def main() -> None:
        bench = Workbench()
        bench.script("a", overloaded(retry_after_s=wish), "ok")
        async with memory_app([bench.type]) as app:
            began = app.clock.now()
            await app.run_to_end(await app.start(document(work("a", retry={"initial_delay_s": 5, "max_delay_s": 60, "jitter": 0}))))
            assert app.clock.now() - began == waited

    run_async(main())


def test_a_failure_of_a_limit_ends_the_run_even_when_errors_are_handled() -> None:
    bench = Workbench()
    bench.script("a", LimitExceeded("MEMORY_LIMIT_EXCEEDED", "too much", "memory_mb"))
    run = run_document(bench, document(work("a", on_error="continue"), work("b", "a")))
    assert run.status == "memory_limit_exceeded"
    assert statuses(run) == {"a": "failed", "b": "skipped (blocked)"}
    assert run.failed_step == "a"


def test_a_failure_event_tells_whether_it_was_handled() -> None:
    async def main() -> None:
        bench = Workbench()
        bench.script("a", broken())
        bench.script("b", broken())
        async with memory_app([bench.type]) as app:
            run_id = await app.start(document(work("a", on_error="continue"), work("b", "a")))
            await app.run_to_end(run_id)
            failed = [event.of(StepFailed) for event in await app.journal.read(run_id) if event.type == "step_failed"]
            assert [event.handled for event in failed] == [True, False]

    run_async(main())
