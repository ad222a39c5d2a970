"""What people, lists and recovery see of a run."""

import msgspec
import pytest
from tests.unit.engine.driver import T0, Driver, workflow

from runwell.engine.view import is_idle, run_context, run_row, run_view
from runwell.model.commands import PauseRun, RecordProgress, SendMessage, StopRun
from runwell.model.events import GenerationCompleted
from runwell.model.statuses import RunStatus
from runwell.model.usage import Usage

APPROVAL = {"id": "ask", "type": "approval", "title": "go?", "expires_in_s": 60}


def test_a_run_that_runs() -> None:
    run = Driver(workflow({"id": "a", "value": "{{ input.x }}"}, {"id": "b", "depends_on": ["a"]}), {"x": 1})
    view = run.view
    assert (view.status, view.input, view.output, view.error, view.ended_at) == ("running", {"x": 1}, None, None, None)
    assert view.created_at == view.started_at == "2026-10-14T17:46:40.000Z"
    assert [(step.path, step.status, len(step.attempts)) for step in view.steps] == [("a", "running", 1), ("b", "pending", 0)]
    assert view.steps[0].input == {"value": 1}
    assert view.steps[0].attempts[0].started_at == view.created_at


def test_a_run_that_failed() -> None:
    run = Driver(workflow({"id": "a"}, {"id": "b", "depends_on": ["a"]}))
    run.now += 1_500
    run.fail("a")
    view = run.view
    assert (view.status, view.failed_step, view.duration_ms) == ("failed", "a", 1_500)
    assert view.error is not None
    assert view.error.code == "HTTP_FAILED"
    first, second = view.steps
    assert (first.duration_ms, first.ended_at, first.attempts[0].status) == (1_500, "2026-10-14T17:46:41.500Z", "failed")
    assert (second.status, second.reason, second.caused_by, second.duration_ms) == ("skipped", "blocked", "a", None)


def test_the_error_of_a_run_that_drains_is_shown_at_its_end() -> None:
    run = Driver(workflow({"id": "a"}, {"id": "b"}, on_failure="drain"))
    run.fail("a")
    assert (run.view.status, run.view.error) == ("draining", None)
    run.complete("b")
    assert run.view.error is not None


def test_iterations_are_told_by_the_paths_of_their_steps() -> None:
    run = Driver(workflow({"id": "each", "type": "for_each", "items": [1, 2], "steps": [{"id": "a", "type": "transform"}]}))
    assert [(step.id, step.path) for step in run.view.steps] == [("each", "each"), ("a", "each[0].a"), ("a", "each[1].a")]


def test_usage_and_cost() -> None:
    run = Driver(workflow({"id": "a"}))
    usage = Usage(input_tokens=10, output_tokens=2, generations=1, cost_nanos=1_234_500_000)
    run.do(RecordProgress(step_id="a", attempt=1, data=GenerationCompleted(provider="demo", model="m", usage=usage)))
    run.do(RecordProgress(step_id="a", attempt=1, data=GenerationCompleted(provider="demo", model="m", usage=usage)))
    assert (run.view.usage.input_tokens, run.view.cost_usd, run_row(run.state).cost_nanos) == (20, "2.469", 2_469_000_000)
    assert run.view.steps[0].attempts[0].usage == run.view.usage


def test_a_view_is_json() -> None:
    run = Driver(workflow(APPROVAL))
    assert msgspec.json.decode(msgspec.json.encode(run.view))["waiting_for"] == "approval"


def test_the_row_of_a_run_that_waits() -> None:
    row = run_row(Driver(workflow(APPROVAL)).state)
    assert (row.status, row.waiting_for, row.wake_at, row.idle, row.seq) == (RunStatus.WAITING, "approval", T0 + 60_000, True, 6)
    assert (row.created_at, row.started_at, row.ended_at, row.duration_ms) == (T0, T0, None, None)


@pytest.mark.parametrize(
    ("steps", "waiting_for"),
    [
        ([{"id": "d", "type": "delay", "for_s": 1}, APPROVAL], "approval"),
        ([{"id": "d", "type": "delay", "for_s": 1}, {"id": "w", "type": "wait", "message": "m"}], "message"),
        ([{"id": "d", "type": "delay", "for_s": 1}, {"id": "c", "type": "workflow", "workflow": "x"}], "child_run"),
        ([{"id": "d", "type": "delay", "for_s": 1}], "delay"),
    ],
)
def test_a_run_that_waits_for_several_things_names_the_one_that_needs_somebody(steps: list[dict[str, object]], waiting_for: str) -> None:
    assert run_view(Driver(workflow(*steps)).state).waiting_for == waiting_for


def test_what_is_idle() -> None:
    assert not is_idle(Driver(workflow({"id": "a"})).state)
    assert not is_idle(Driver(workflow(APPROVAL), admit=False).state)
    assert is_idle(Driver(workflow(APPROVAL)).state)
    assert not is_idle(Driver(workflow(APPROVAL, {"id": "c", "type": "workflow", "workflow": "x"})).state)
    run = Driver(workflow({"id": "a"}, APPROVAL))
    run.do(PauseRun())
    assert not is_idle(run.state)
    run.complete("a")
    assert is_idle(run.state)
    run.do(StopRun())
    assert not is_idle(run.state)


def test_the_context_of_a_run() -> None:
    run = Driver(workflow({"id": "w", "type": "wait", "message": "m"}, {"id": "a", "depends_on": ["w"]}), {"x": 1})
    run.do(SendMessage(name="m", body=5))
    context = run_context(run.state)
    assert context["input"] == {"x": 1}
    assert context["steps"]["w"] == {"status": "succeeded", "input": {"message": "m"}, "result": 5, "error": None}
    assert context["steps"]["a"]["status"] == "running"
