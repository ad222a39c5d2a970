"""The literal tables: every line of them happens, and nothing else does."""

import itertools
from typing import Any

import pytest
from tests.unit.engine.driver import Driver, created, workflow

from runwell.engine.evolve import create, evolve
from runwell.engine.transitions import LIMIT_STATUS, LIVE, RUN_TRANSITIONS, STEP_TRANSITIONS, ImpossibleEvent
from runwell.model import events as ev
from runwell.model.errors import ErrorInfo, LimitName
from runwell.model.events import TYPE_OF, Event, EventData
from runwell.model.statuses import RESOLVED, TERMINAL, RunStatus, StepStatus

ERROR = ErrorInfo(code="HTTP_FAILED", message="it failed")
LIMITS: tuple[LimitName, ...] = ("timeout_s", "memory_mb", "log_bytes", "credits")

RUN_EVENTS: dict[str, EventData] = {
    "run_created": created(),
    "run_started": ev.RunStarted(),
    "run_paused": ev.RunPaused(),
    "run_resumed": ev.RunResumed(),
    "run_waiting": ev.RunWaiting(waiting_for="delay", steps=("a",)),
    "run_draining": ev.RunDraining(reason="stop"),
    "run_succeeded": ev.RunSucceeded(),
    "run_failed": ev.RunFailed(error=ERROR),
    "run_stopped": ev.RunStopped(error=ERROR),
    "run_internal_error": ev.RunInternalError(error=ERROR),
    "run_served_from_cache": ev.RunServedFromCache(source_run_id="run_1"),
    **{f"run_limit_exceeded:{which}": ev.RunLimitExceeded(which=which, error=ERROR) for which in LIMITS},
}
STEP_EVENTS: dict[str, EventData] = {
    "step_started": ev.StepStarted(step_type="transform"),
    "step_completed": ev.StepCompleted(result=1),
    "step_completed:skipped": ev.StepCompleted(skipped=True, reason="blocked"),
    "step_failed": ev.StepFailed(error=ERROR),
    "step_cancelled": ev.StepCancelled(caused_by="b"),
    "step_stopped": ev.StepStopped(),
    "step_retrying": ev.StepRetrying(error=ERROR, retry_at=1),
    "step_waiting": ev.StepWaiting(waiting_for="delay"),
    "step_resumed": ev.StepResumed(by="timer"),
}
RUN_CASES = list(itertools.product(RunStatus, RUN_EVENTS))
STEP_CASES = list(itertools.product(StepStatus, STEP_EVENTS))


def happens(run: Driver, data: EventData, step_id: str | None = None) -> Event:
    event = Event(run.state.seq + 1, run.state.run_id, TYPE_OF[type(data)], run.now, step_id, None, None, data)
    evolve(run.state, event)
    return event


@pytest.mark.parametrize(("status", "key"), RUN_CASES)
def test_a_run_moves_as_the_table_says_and_not_otherwise(status: RunStatus, key: str) -> None:
    run = Driver(workflow({"id": "a"}), admit=False)
    run.state.status = status
    to = RUN_TRANSITIONS.get((status, key))
    if to is None:
        with pytest.raises(ImpossibleEvent):
            happens(run, RUN_EVENTS[key])
    else:
        happens(run, RUN_EVENTS[key])
        assert run.state.status is to


@pytest.mark.parametrize(("status", "key"), STEP_CASES)
def test_a_step_moves_as_the_table_says_and_not_otherwise(status: StepStatus, key: str) -> None:
    run = Driver(workflow({"id": "a"}, {"id": "b"}))
    run.step("a").status = status
    to = STEP_TRANSITIONS.get((status, key))
    if to is None:
        with pytest.raises(ImpossibleEvent):
            happens(run, STEP_EVENTS[key], "a")
    else:
        happens(run, STEP_EVENTS[key], "a")
        assert run.step("a").status is to


@pytest.mark.parametrize(("status", "key"), [key for key in RUN_TRANSITIONS if key[1].startswith("step_")])
def test_a_waiting_run_goes_on_with_its_steps(status: RunStatus, key: str) -> None:
    run = Driver(workflow({"id": "a"}, {"id": "b"}))
    run.state.status = status
    run.step("a").status = StepStatus.RUNNING if key in ("step_failed", "step_retrying") else StepStatus.WAITING
    happens(run, STEP_EVENTS[key], "a")
    assert run.state.status is RUN_TRANSITIONS[status, key]


def test_the_tables_are_whole() -> None:
    steps = {"step_resumed", "step_started", "step_failed", "step_retrying"}
    assert {key for _, key in RUN_TRANSITIONS} == RUN_EVENTS.keys() | steps
    assert {key for _, key in STEP_TRANSITIONS} == STEP_EVENTS.keys()
    assert {before for before, _ in RUN_TRANSITIONS} == {None, *LIVE}
    assert set(RUN_TRANSITIONS.values()) == set(RunStatus)
    assert TERMINAL.isdisjoint(LIVE)
    assert LIMIT_STATUS.keys() == set(LIMITS)


def test_nothing_leaves_a_final_status() -> None:
    assert not [key for key in RUN_TRANSITIONS if key[0] in TERMINAL]
    assert not [key for key in STEP_TRANSITIONS if key[0] in RESOLVED]


def test_an_iteration_begins_running() -> None:
    run = Driver(workflow({"id": "e", "type": "for_each", "items": [1], "steps": [{"id": "a", "type": "transform"}]}))
    assert run.step("e[0]").status is STEP_TRANSITIONS[None, "step_started"]
    with pytest.raises(ImpossibleEvent, match="no loop is running"):
        happens(run, ev.StepStarted(step_type="iteration"), "x[0]")
    with pytest.raises(ImpossibleEvent, match="no loop is running"):
        happens(Driver(workflow({"id": "a"})), ev.StepStarted(step_type="iteration"), "a[0]")


def test_a_run_begins_with_event_1_and_goes_on_without_gaps() -> None:
    run = Driver(workflow({"id": "a"}))
    first: Any = run.events[0]
    for wrong in (Event(2, first.run_id, first.type, 0, None, None, None, first.data), run.events[1]):
        with pytest.raises(ImpossibleEvent, match="a run begins with event 1"):
            create(run.plan, wrong)
    with pytest.raises(ImpossibleEvent, match="event 9 cannot follow event 3"):
        evolve(run.state, Event(9, first.run_id, "run_paused", 0, None, None, None, ev.RunPaused()))


def test_only_what_people_say_of_it_comes_after_the_end() -> None:
    run = Driver(workflow({"id": "a"}))
    run.complete("a")
    said = [ev.CommentAdded(comment_id="c", content="x"), ev.RunArchived(), ev.RunUnarchived(), ev.RunReviewed(review="positive")]
    assert {happens(run, data).type for data in said} == ev.AFTERWARDS
    assert run.state.status is RunStatus.SUCCEEDED
    with pytest.raises(ImpossibleEvent, match="log after the run's end"):
        happens(run, ev.Log(message="x"), "a")


@pytest.mark.parametrize("data", [ev.RunArchived(), ev.RunUnarchived()])
def test_a_live_run_cannot_have_been_archived(data: EventData) -> None:
    with pytest.raises(ImpossibleEvent, match="while the run is running"):
        happens(Driver(workflow({"id": "a"})), data)
