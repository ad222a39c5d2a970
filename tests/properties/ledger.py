"""What a run's events say, read without the engine: the statuses of the run and of each step, event by event.

The transition tables are copied when this is imported, so a bug planted in the engine's own is seen.
"""

from collections.abc import Iterator
from typing import Any, Final

import msgspec
from tests.properties.simulation import Record, Turn

from runwell.engine.evolve import create, evolve
from runwell.engine.plan import Body, Plan, StepPlan
from runwell.engine.state import RunState
from runwell.engine.transitions import RUN_TRANSITIONS, STEP_TRANSITIONS
from runwell.model.events import AFTERWARDS, Event, RunLimitExceeded, StepCompleted, StepFailed, decode_event, encode_event
from runwell.model.statuses import RunStatus, StepStatus

RUN_TABLE: Final = dict(RUN_TRANSITIONS)
STEP_TABLE: Final = dict(STEP_TRANSITIONS)


class Entry(msgspec.Struct):
    """One event, and the statuses before it. `steps` is shared: it is up to date only while the ledger is being read."""

    event: Event
    turn: Turn
    run: RunStatus | None
    after: RunStatus | None
    step: StepStatus | None
    step_after: StepStatus | None
    steps: dict[str, StepStatus]
    handled: set[str]


def ledger(record: Record) -> Iterator[Entry]:
    """Yield every event with the statuses around it. Raises AssertionError at one that the tables do not know."""
    run: RunStatus | None = None
    steps: dict[str, StepStatus] = {}
    handled: set[str] = set()
    for turn in record.turns:
        for event in turn.events:
            after = _run_after(run, event)
            before, step_after = _step_around(steps, event)
            yield Entry(event, turn, run, after, before, step_after, steps, handled)
            if event.step_id is not None and step_after is not None:
                steps[event.step_id] = step_after
            if isinstance(event.data, StepFailed) and event.data.handled:
                handled.add(event.step_id or "")
            run = after


def _run_after(run: RunStatus | None, event: Event) -> RunStatus | None:
    key = f"{event.type}:{event.data.which}" if isinstance(event.data, RunLimitExceeded) else event.type
    to = RUN_TABLE.get((run, key))
    known = to is not None or not event.type.startswith("run_") or event.type in {"run_stop_requested", *AFTERWARDS}
    assert known, f"{event.type} while the run is {run}"
    return to or run


def _step_around(steps: dict[str, StepStatus], event: Event) -> tuple[StepStatus | None, StepStatus | None]:
    path = event.step_id
    if path is None:
        return None, None
    before = steps.get(path, None if is_iteration(path) else StepStatus.PENDING)
    if not event.type.startswith("step_"):
        return before, before
    key = "step_completed:skipped" if isinstance(event.data, StepCompleted) and event.data.skipped else event.type
    after = STEP_TABLE.get((before, key))
    assert after is not None, f"{key} of {path}, which is {before}"
    return before, after


def is_iteration(path: str) -> bool:
    return path.endswith("]")


def plan_of(plan: Plan, path: str) -> StepPlan:
    """Return the plan of the step at a path; of an iteration, its loop's."""
    body: Body | None = plan.body
    found: StepPlan | None = None
    for part in path.split("."):
        assert body is not None
        found = body.steps[part.partition("[")[0]]
        body = found.body
    assert found is not None
    return found


def deps_of(plan: Plan, path: str) -> list[str]:
    """Return the paths of the steps that this one depends on."""
    prefix, dot, _ = path.rpartition(".")
    return [prefix + dot + dep for dep in plan_of(plan, path).deps]


def surroundings(path: str) -> str | None:
    """Return the path of the iteration around a step, or of the loop around an iteration."""
    return path.rpartition("[")[0] if is_iteration(path) else path.rpartition(".")[0] or None


def prefixes(record: Record) -> Iterator[tuple[RunState, Event]]:
    """Yield, for every event but the first, the state that the events before it make."""
    events = [decode_event(encode_event(event)) for event in record.events]
    state = create(record.plan, events[0])
    for event in events[1:]:
        yield state, event
        evolve(state, event)


def starts(record: Record) -> Iterator[Entry]:
    """Yield the first start of every step, iterations included."""
    return (entry for entry in ledger(record) if entry.event.type == "step_started" and entry.step in (None, StepStatus.PENDING))


def data_of(record: Record, kind: type[Any]) -> Iterator[tuple[Event, Any]]:
    """Yield the events of a kind with their data."""
    return ((event, event.data) for event in record.events if isinstance(event.data, kind))
