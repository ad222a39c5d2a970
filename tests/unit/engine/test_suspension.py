"""A handler that waits in the middle of an attempt: how that begins, how it ends, and what it is told then."""

from typing import Any

import pytest
from tests.unit.engine.driver import T0, Driver, workflow

from runwell.engine.advance import Advance
from runwell.engine.state import next_alarm
from runwell.model import events as ev
from runwell.model.commands import ChildEnded, PauseRun, RecordProgress, SendMessage, StopRun, SuspendAttempt
from runwell.model.errors import ErrorInfo, InvalidInput
from runwell.model.statuses import RunStatus, StepStatus
from runwell.model.usage import Usage
from runwell.model.waits import ChildWait, MessageWait, TaskWait, TimeWait, Wait

ASK = TaskWait(key="c1", title="Send it?", payload={"to": "ann"})


def running(**fields: Any) -> Driver:
    return Driver(workflow({"id": "a", **fields}))


def suspend(run: Driver, wait: Wait, path: str = "a") -> Advance:
    return run.do(SuspendAttempt(step_id=path, attempt=run.step(path).attempt, wait=wait))


def begun(out: Advance) -> list[tuple[str, int]]:
    return [(action.step_id, action.attempt) for action in out.attempts]


def told(run: Driver) -> list[str]:
    return [ev.TYPE_OF[type(data)] for data in run.step("a").recorded]


def test_a_task_suspends_the_attempt_and_its_decision_lets_it_go_on() -> None:
    run = running()
    out = suspend(run, ASK)
    assert [event.type for event in out.events] == ["task_created", "step_waiting", "run_waiting"]
    assert (run.state.status, run.state.waiting_for, run.step("a").status) == (RunStatus.WAITING, "approval", StepStatus.WAITING)
    out = run.decide("a", result={"args": {"to": "bob"}})
    assert [event.type for event in out.events] == ["task_completed", "step_resumed"]
    assert begun(out) == [("a", 1)]
    assert (run.state.status, run.step("a").status, run.state.tasks) == (RunStatus.RUNNING, StepStatus.RUNNING, {})
    assert told(run) == ["task_created", "step_waiting", "task_completed", "step_resumed"]
    run.complete("a", "done")
    assert (run.state.status, run.state.output) == (RunStatus.SUCCEEDED, "done")


def test_a_step_suspends_again_and_again_in_one_attempt() -> None:
    run = running()
    for key in ("c1", "c2", "c3"):
        suspend(run, TaskWait(key=key, title="May I?"))
        assert begun(run.decide("a", approved=key != "c2")) == [("a", 1)]
    decisions = [data.approved for data in run.step("a").recorded if isinstance(data, ev.TaskCompleted)]
    assert decisions == [True, False, True]
    assert [attempt.number for attempt in run.step("a").attempts] == [1]


def test_what_was_decided_is_not_asked_again() -> None:
    run = running()
    suspend(run, ASK)
    run.decide("a")
    out = suspend(run, ASK)
    assert [event.type for event in out.events] == ["step_waiting", "step_resumed"]
    assert begun(out) == [("a", 1)]


def test_an_edit_has_to_fit_what_is_asked() -> None:
    run = running()
    schema = {"type": "object", "required": ["args"], "additionalProperties": False, "properties": {"args": {"type": "object"}}}
    suspend(run, TaskWait(key="c1", title="Send it?", result_schema=schema))
    for wrong in ({"to": "bob"}, {"args": "bob"}, {"args": {}, "more": 1}):
        with pytest.raises(InvalidInput, match="the edit breaks its schema"):
            run.decide("a", result=wrong)
    assert run.step("a").status is StepStatus.WAITING
    assert begun(run.decide("a", result={"args": {"to": "bob"}})) == [("a", 1)]


def test_a_task_that_nobody_decides_in_time_lets_the_handler_go_on() -> None:
    run = running()
    suspend(run, TaskWait(key="c1", title="Send it?", expires_in_s=60))
    assert next_alarm(run.state) == T0 + 60_000
    out = run.to_alarm()
    assert begun(out) == [("a", 1)]
    [decision] = [data for data in run.step("a").recorded if isinstance(data, ev.TaskCompleted)]
    assert (decision.approved, decision.expired) == (False, True)


@pytest.mark.parametrize("early", [True, False])
def test_a_message_is_the_steps_own_once_it_has_it(early: bool) -> None:
    run = running()
    if early:
        run.do(SendMessage(name="reply", body={"n": 1}))
    out = suspend(run, MessageWait(key="m1", name="reply"))
    if not early:
        assert (run.state.waiting_for, begun(out)) == ("message", [])
        out = run.do(SendMessage(name="reply", body={"n": 1}))
    assert begun(out) == [("a", 1)]
    assert [data.body for data in run.step("a").recorded if isinstance(data, ev.MessageReceived)] == [{"n": 1}]
    assert run.state.messages == {"reply": []}
    suspend(run, MessageWait(key="m2", name="reply", expires_in_s=1))
    assert run.step("a").status is StepStatus.WAITING
    run.to_alarm()
    assert run.step("a").recorded[-1] == ev.StepResumed(by="timer", key="m2")


def test_a_child_run_hands_over_its_output_or_why_it_has_none() -> None:
    run = running()
    error = ErrorInfo(code="CHILD_RUN_FAILED", message="no")
    ends: tuple[dict[str, Any], ...] = ({"output": 7}, {"error": error})
    ids = set()
    for number, end in enumerate(ends):
        out = suspend(run, ChildWait(key=f"k{number}", workflow="send-mail", input={"to": "ann"}))
        [(path, child_id)] = out.children
        ids.add(child_id)
        assert (path, run.state.waiting_for) == ("a", "child_run")
        waiting = run.step("a").suspended
        assert waiting is not None
        assert (waiting.workflow, waiting.input) == ("send-mail", {"to": "ann"})
        assert begun(run.do(ChildEnded(step_id="a", child_run_id=child_id, **end))) == [("a", 1)]
        assert run.step("a").recorded[-1] == ev.StepResumed(by="child_run", key=f"k{number}", **end)
    assert len(ids) == 2


def test_time_passes() -> None:
    run = running()
    suspend(run, TimeWait(key="t", for_s=2.5))
    assert run.wait(2_499).events == []
    assert begun(run.wait(1)) == [("a", 1)]


def test_the_time_limit_of_a_step_does_not_count_its_waits() -> None:
    run = running(timeout_s=10)
    run.wait(4_000)
    suspend(run, TimeWait(key="t", for_s=3600))
    assert run.step("a").deadline is None
    [again] = run.to_alarm().attempts
    assert again.deadline == run.now + 6_000


def test_a_crash_while_it_waits_changes_nothing() -> None:
    run = running()
    suspend(run, ASK)
    assert run.crash().events == []
    assert begun(run.decide("a")) == [("a", 1)]


def test_a_crash_after_it_went_on_makes_another_attempt_that_is_told_of_all_before() -> None:
    run = running()
    usage = Usage(input_tokens=3, generations=1)
    asked = ev.GenerationCompleted(provider="demo", model="demo", usage=usage, messages=[{"role": "user"}], response="hm")
    run.do(RecordProgress(step_id="a", attempt=1, data=asked))
    run.do(RecordProgress(step_id="a", attempt=1, data=ev.ToolReturned(tool="http:x", result=1, call_id="c0")))
    suspend(run, ASK)
    run.decide("a")
    assert begun(run.crash()) == [("a", 2)]
    assert told(run) == ["generation_completed", "tool_returned", "task_created", "step_waiting", "task_completed", "step_resumed"]
    [generation] = [data for data in run.step("a").recorded if isinstance(data, ev.GenerationCompleted)]
    assert (generation.response, generation.usage, generation.messages) == ("hm", usage, None)


def test_nothing_is_kept_of_a_step_that_ended() -> None:
    run = running()
    suspend(run, ASK)
    run.decide("a")
    run.complete("a")
    assert run.step("a").recorded == []


@pytest.mark.parametrize("wait", [ASK, TimeWait(key="t", for_s=1), MessageWait(key="m", name="x"), ChildWait(key="k", workflow="w")])
def test_a_stop_ends_what_waits(wait: Wait) -> None:
    run = running()
    out = suspend(run, wait)
    stopped = run.do(StopRun())
    assert (run.state.status, run.step("a").status) == (RunStatus.STOPPED, StepStatus.STOPPED)
    assert stopped.stops == [(child_id, "immediate") for _, child_id in out.children]


def test_what_wants_to_wait_while_the_run_drains_is_stopped() -> None:
    run = running()
    run.do(StopRun(mode="graceful"))
    suspend(run, ASK)
    assert (run.state.status, run.step("a").status, run.state.tasks) == (RunStatus.STOPPED, StepStatus.STOPPED, {})


def test_a_step_in_flight_goes_on_in_a_pause() -> None:
    run = running()
    suspend(run, ASK)
    run.do(PauseRun())
    assert begun(run.decide("a")) == [("a", 1)]
    assert run.state.status is RunStatus.PAUSED


def test_an_attempt_that_is_over_suspends_nothing() -> None:
    run = running()
    run.complete("a")
    assert run.do(SuspendAttempt(step_id="a", attempt=1, wait=ASK)).events == []
