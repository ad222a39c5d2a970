"""Runs that drain: nothing new starts, what is in flight may end, and then the run does."""

from tests.unit.engine.driver import Driver, workflow

from runwell.model.commands import ChildEnded, CompleteAttempt, RecoverRun, StopRun
from runwell.model.errors import ErrorInfo
from runwell.model.statuses import RunStatus

LOOP = {"id": "each", "type": "for_each", "items": [1, 2], "steps": [{"id": "a", "type": "transform"}]}


def test_a_second_failure_in_a_loop_that_failed_already() -> None:
    run = Driver(workflow(LOOP, on_failure="drain"))
    run.fail("each[0].a")
    run.fail("each[1].a")
    assert run.state.status is RunStatus.FAILED
    assert run.state.failed_step == "each[0].a"
    assert set(run.statuses().values()) == {"failed"}


def test_a_child_that_stops_with_its_parent_fails_nothing() -> None:
    run = Driver(workflow({"id": "a", "type": "workflow", "workflow": "child"}))
    [(child, mode)] = run.do(StopRun(mode="graceful")).stops
    assert mode == "graceful"
    error = ErrorInfo(code="CHILD_RUN_FAILED", message="the child run ended stopped", details={"status": "stopped"})
    run.do(ChildEnded(step_id="a", child_run_id=child, error=error))
    assert (run.state.status, run.statuses()) == (RunStatus.STOPPED, {"a": "stopped"})


def test_a_graceful_stop_says_whether_what_was_in_flight_ended() -> None:
    run = Driver(workflow({"id": "a"}, {"id": "b", "type": "approval", "title": "?"}))
    run.do(StopRun(mode="graceful"))
    run.do(CompleteAttempt(step_id="a", attempt=1))
    assert run.state.error is not None
    assert run.state.error.message == "the run was stopped; what was in flight had ended"
    run = Driver(workflow({"id": "a"}, {"id": "b"}))
    run.do(StopRun(mode="graceful"))
    run.do(CompleteAttempt(step_id="a", attempt=1))
    run.do(RecoverRun())
    assert run.state.error is not None
    assert run.state.error.message == "the run was stopped; what was in flight had been interrupted when its process ended"
