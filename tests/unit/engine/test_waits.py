"""Delays, approvals, waits and child runs: what they wait for, and how they end."""

from typing import Any

import pytest
from tests.unit.engine.driver import T0, Driver, workflow

from runwell.engine.state import next_alarm
from runwell.engine.waits import child_run_id, seconds
from runwell.model.commands import ChildEnded, CompleteTask
from runwell.model.errors import CommandRefused, ErrorInfo, InvalidInput, NotFound
from runwell.model.events import TaskCompleted, TaskCreated
from runwell.model.statuses import RunStatus


def approval(**fields: Any) -> Driver:
    return Driver(workflow({"id": "ask", "type": "approval", "title": "Pay {{ input.n }}?", **fields}), {"n": 3})


def test_a_delay_ends_at_its_time_and_not_before() -> None:
    run = Driver(workflow({"id": "d", "type": "delay", "for_s": 1.5}))
    assert (run.state.status, run.state.waiting_for) == (RunStatus.WAITING, "delay")
    assert run.wait(1_499).events == []
    run.wait(1)
    assert run.step("d").result == {"waited_ms": 1_500}


@pytest.mark.parametrize(("until", "ms"), [("2026-10-14T17:46:45.250Z", 5_250), ("2020-01-01T00:00:00Z", 0), ("{{ input }}", 2_000)])
def test_a_delay_until_a_moment(until: str, ms: int) -> None:
    run = Driver(workflow({"id": "d", "type": "delay", "until": until}), "2026-10-14T19:46:42+02:00")
    run.to_alarm()
    assert (run.now - T0, run.state.status) == (ms, RunStatus.SUCCEEDED)


@pytest.mark.parametrize(
    ("given", "words"), [("soon", "no number of seconds"), (-1, "no number"), (None, "no number"), (True, "no number")]
)
def test_a_duration_that_is_none_fails_the_step(given: Any, words: str) -> None:
    run = Driver(workflow({"id": "d", "type": "delay", "for_s": "{{ input.s }}"}), {"s": given})
    error = run.step("d").error
    assert error is not None
    assert words in error.message


@pytest.mark.parametrize(("value", "ms"), [(0, 0), (1.5, 1_500), ("2", 2_000), (" 0.25 ", 250), (315_360_000, 315_360_000_000)])
def test_durations_are_seconds(value: Any, ms: int) -> None:
    assert seconds(value, "for_s") == ms


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "nan", "", [], 315_360_001])
def test_what_is_no_duration(value: Any) -> None:
    with pytest.raises(InvalidInput, match="for_s gave"):
        seconds(value, "for_s")


def test_an_approval_makes_a_task() -> None:
    run = approval(description="why", payload={"n": "{{ input.n }}"}, assignees=["{{ input.n }}", "bob"], expires_in_s=60)
    [task] = [event.data for event in run.events if isinstance(event.data, TaskCreated)]
    assert (task.title, task.description, task.payload, task.assignees) == ("Pay 3?", "why", {"n": 3}, ("3", "bob"))
    assert (task.expires_at, run.state.tasks) == (T0 + 60_000, {task.task_id: "ask"})


@pytest.mark.parametrize("approved", [True, False])
def test_a_decision_is_the_result_with_what_was_edited(approved: bool) -> None:
    run = approval()
    run.decide("ask", approved=approved, result={"amount": 2})
    assert run.step("ask").result == {"approved": approved, "by": "ann", "comment": None, "amount": 2}
    assert run.state.status is RunStatus.SUCCEEDED


def test_a_task_is_decided_once() -> None:
    run = approval()
    task_id = run.step("ask").task_id or ""
    run.decide("ask")
    assert run.do(CompleteTask(task_id=task_id, approved=True)).events == []
    for other in ({"approved": False}, {"approved": True, "comment": "no"}, {"approved": True, "result": {"amount": 2}}):
        with pytest.raises(CommandRefused, match="was approved by ann at 20"):
            run.do(CompleteTask(task_id=task_id, **other))


def test_a_decision_with_edits_is_the_same_with_the_same_edits_only() -> None:
    run = approval()
    task_id = run.step("ask").task_id or ""
    decision = CompleteTask(task_id=task_id, approved=True, actor="ann", comment="so", result={"amount": 2})
    run.do(decision)
    assert run.do(decision).events == []
    with pytest.raises(CommandRefused, match="was approved with edits by ann"):
        run.do(CompleteTask(task_id=task_id, approved=True, comment="so"))


def test_a_task_that_expired_cannot_be_rejected_any_more() -> None:
    run = approval(expires_in_s=60)
    run.to_alarm()
    with pytest.raises(CommandRefused, match="without a decision"):
        run.do(CompleteTask(task_id=run.step("ask").task_id or "", approved=False))


@pytest.mark.parametrize("taken", ["approved", "by", "comment"])
def test_an_edit_cannot_change_the_decision(taken: str) -> None:
    run = approval()
    with pytest.raises(InvalidInput, match=f"an edit cannot set {taken!r}"):
        run.decide("ask", result={taken: 1})
    assert run.state.status is RunStatus.WAITING


def test_a_task_that_is_none() -> None:
    run = approval()
    with pytest.raises(NotFound, match="has no task 'task_x'"):
        run.do(CompleteTask(task_id="task_x", approved=True))
    run.decide("ask")
    with pytest.raises(CommandRefused, match="its tasks ended with it"):
        run.do(CompleteTask(task_id="task_x", approved=True))


def test_an_approval_that_nobody_decides_is_rejected() -> None:
    run = approval(expires_in_s=60)
    run.to_alarm()
    assert run.step("ask").result == {"approved": False, "by": None, "comment": None, "expired": True}


def test_an_approval_that_nobody_decides_fails_if_it_says_so() -> None:
    run = approval(expires_in_s=60, on_expire="fail")
    run.to_alarm()
    assert run.state.error is not None
    assert (run.state.error.code, run.state.failed_step) == ("TASK_EXPIRED", "ask")


def test_the_time_limit_of_an_approval_comes_before_its_expiry() -> None:
    run = approval(expires_in_s=60, timeout_s=30)
    assert next_alarm(run.state) == T0 + 30_000
    run.to_alarm()
    assert run.state.error is not None
    assert run.state.error.code == "STEP_TIMED_OUT"
    [decided] = run.state.decisions.values()
    assert decided.of(TaskCompleted).expired


def test_a_message_that_does_not_come() -> None:
    run = Driver(workflow({"id": "w", "type": "wait", "message": "go", "expires_in_s": 2}))
    run.to_alarm()
    assert run.state.error is not None
    assert run.state.error.code == "MESSAGE_EXPIRED"


def test_a_child_run_is_asked_for_once_and_its_output_is_the_result() -> None:
    run = Driver(workflow({"id": "c", "type": "workflow", "workflow": "child"}), admit=True)
    child = run.step("c").child_run_id or ""
    assert run.state.waiting_for == "child_run"
    assert run.do(ChildEnded(step_id="c", child_run_id="run_other", output=1)).events == []
    run.do(ChildEnded(step_id="c", child_run_id=child, output={"y": 1}))
    assert (run.step("c").result, run.state.status) == ({"y": 1}, RunStatus.SUCCEEDED)


def test_a_child_run_that_fails_fails_its_step() -> None:
    run = Driver(workflow({"id": "c", "type": "workflow", "workflow": "child"}))
    error = ErrorInfo(code="CHILD_RUN_FAILED", message="the child failed", step_id="c")
    run.do(ChildEnded(step_id="c", child_run_id=run.step("c").child_run_id or "", error=error))
    assert run.state.error == error


def test_the_id_of_a_child_run_is_a_uuid7_and_always_the_same() -> None:
    one = child_run_id("run_1", "a", T0)
    assert one == child_run_id("run_1", "a", T0) != child_run_id("run_1", "b", T0)
    assert (one[4:16], one[16], one[20] in "89ab", len(one)) == (f"{T0:012x}", "7", True, 36)
