"""How a failure spreads, and what stops it."""

from typing import Any

import pytest
from tests.unit.engine.driver import Driver, workflow

from runwell.model.commands import CompleteAttempt, FailAttempt, RecordProgress
from runwell.model.errors import ErrorInfo, LimitName
from runwell.model.events import Log
from runwell.model.statuses import RunStatus

DIAMOND = ({"id": "a"}, {"id": "b"}, {"id": "c", "depends_on": ["a", "b"]}, {"id": "d", "depends_on": ["c"]})


def each(**fields: Any) -> dict[str, Any]:
    steps = [{"id": "x", "type": "transform"}, {"id": "y", "type": "transform", "depends_on": ["x"]}]
    return {"id": "each", "type": "for_each", "items": [1, 2], "steps": steps, **fields}


def test_fail_fast_cancels_what_is_in_flight_and_blocks_the_rest() -> None:
    run = Driver(workflow(*DIAMOND))
    out = run.fail("a")
    assert run.statuses() == {"a": "failed", "b": "cancelled", "c": "skipped", "d": "skipped"}
    assert (run.state.status, run.state.failed_step) == (RunStatus.FAILED, "a")
    assert {step.caused_by for path, step in run.state.steps.items() if path != "a"} == {"a"}
    assert "b" in out.cancels


def test_what_was_cancelled_reports_in_vain() -> None:
    run = Driver(workflow(*DIAMOND))
    run.fail("a")
    assert run.do(CompleteAttempt(step_id="b", attempt=1, result=1)).events == []


def test_drain_lets_what_is_in_flight_end_and_starts_nothing() -> None:
    run = Driver(workflow(*DIAMOND, {"id": "e", "depends_on": ["b"]}, on_failure="drain"))
    run.fail("a")
    assert (run.state.status, run.step("b").status) == (RunStatus.DRAINING, "running")
    run.complete("b", 1)
    assert run.statuses() == {"a": "failed", "b": "succeeded", "c": "skipped", "d": "skipped", "e": "skipped"}
    assert (run.state.status, run.state.failed_step) == (RunStatus.FAILED, "a")


@pytest.mark.parametrize(("handling", "result"), [({"on_error": "continue"}, None), ({"fallback": None}, None), ({"fallback": [1]}, [1])])
def test_a_handled_failure_lets_the_run_go_on(handling: dict[str, Any], result: Any) -> None:
    run = Driver(workflow({"id": "a", **handling}, {"id": "b", "depends_on": ["a"], "value": "{{ steps.a }}"}))
    run.fail("a")
    seen = run.step("b").input["value"]
    assert (seen["status"], seen["result"], seen["error"]) == ("failed", result, {"code": "HTTP_FAILED", "message": "it failed"})
    run.complete("b")
    assert run.state.status is RunStatus.SUCCEEDED


def test_a_failure_in_an_iteration_fails_the_loop_and_the_run() -> None:
    run = Driver(workflow(each(), {"id": "after", "depends_on": ["each"]}))
    run.fail("each[1].x")
    assert run.statuses() == {
        "each": "failed",
        "after": "skipped",
        "each[0]": "cancelled",
        "each[0].x": "cancelled",
        "each[0].y": "skipped",
        "each[1]": "failed",
        "each[1].x": "failed",
        "each[1].y": "skipped",
    }
    assert run.state.failed_step == "each[1].x"


def test_a_loop_that_collects_keeps_the_error_in_the_items_place() -> None:
    run = Driver(workflow(each(on_item_error="collect")))
    run.fail("each[0].x")
    run.complete("each[1].x")
    run.complete("each[1].y", "good")
    kept = {"error": {"code": "HTTP_FAILED", "message": "it failed", "step_id": "each[0].x"}}
    assert (run.state.status, run.step("each").result) == (RunStatus.SUCCEEDED, [kept, "good"])


def test_a_loop_with_a_fallback_handles_what_happens_inside() -> None:
    run = Driver(workflow(each(fallback=[])))
    run.fail("each[0].x")
    assert (run.state.status, run.step("each").status, run.step("each").result) == (RunStatus.SUCCEEDED, "failed", [])
    assert run.step("each[1].x").status == "cancelled"


def test_a_loop_that_takes_too_long_is_ended_with_all_inside() -> None:
    run = Driver(workflow(each(timeout_s=5, on_error="continue")))
    run.wait(4_999)
    assert run.step("each").status == "running"
    run.to_alarm()
    error = run.step("each").error
    assert error is not None
    assert (error.code, run.step("each[0].x").status, run.state.status) == ("STEP_TIMED_OUT", "cancelled", RunStatus.SUCCEEDED)


@pytest.mark.parametrize(
    ("limit", "status"), [("memory_mb", "memory_limit_exceeded"), ("credits", "quota_exceeded"), ("log_bytes", "log_size_exceeded")]
)
def test_a_limit_ends_the_run_whatever_handles_errors(limit: LimitName, status: str) -> None:
    run = Driver(workflow({"id": "a", "on_error": "continue", "retry": {}}, {"id": "b"}))
    error = ErrorInfo(code="MEMORY_LIMIT_EXCEEDED", message="too much", step_id="a")
    run.do(FailAttempt(step_id="a", attempt=1, error=error, retryable=True, limit=limit))
    assert (run.state.status, run.state.failed_step, run.statuses()) == (status, "a", {"a": "failed", "b": "cancelled"})


def test_more_log_than_the_limit_ends_the_run() -> None:
    run = Driver(workflow({"id": "a"}, limits={"log_bytes": 5 + 64}))  # its bytes, and 64 for being an event
    run.do(RecordProgress(step_id="a", attempt=1, data=Log(message="ééx")))
    assert run.state.status is RunStatus.RUNNING
    run.do(RecordProgress(step_id="a", attempt=1, data=Log(message="x")))
    assert (run.state.status, run.state.failed_step) == (RunStatus.LOG_SIZE_EXCEEDED, "a")


def test_an_output_that_cannot_be_made_fails_the_run_and_no_step() -> None:
    run = Driver(workflow({"id": "a"}, output="{{ steps.a.result.x }}"))
    run.complete("a", {})
    assert (run.state.status, run.state.failed_step, run.statuses()) == (RunStatus.FAILED, None, {"a": "succeeded"})


@pytest.mark.parametrize(
    ("join", "outcomes", "status", "reason"),
    [
        ("any", ("yes", "yes"), "running", None),
        ("any", ("yes", "no"), "running", None),
        ("any", ("no", "no"), "skipped", "dependency_skipped"),
        ("all", ("yes", "yes"), "running", None),
        ("all", ("yes", "no"), "skipped", "dependency_skipped"),
        ("all", ("fallback", "yes"), "running", None),
        ("any", ("fallback", "no"), "running", None),
    ],
)
def test_joins(join: str, outcomes: tuple[str, str], status: str, reason: str | None) -> None:
    steps: list[dict[str, Any]] = [{"id": f"s{i}", "when": "input.no" if outcome == "no" else "true"} for i, outcome in enumerate(outcomes)]
    steps[0] |= {"fallback": 0} if "fallback" in outcomes else {}
    run = Driver(workflow(*steps, {"id": "j", "depends_on": ["s0", "s1"], "join": join}), {"no": False})
    for i, outcome in enumerate(outcomes):
        if outcome == "yes":
            run.complete(f"s{i}")
        elif outcome == "fallback":
            run.fail(f"s{i}")
    assert (run.step("j").status, run.step("j").reason) == (status, reason)
