"""The record that the run store gets agrees with the engine's own view of the run, after every event of random histories."""

from typing import Any

from hypothesis import given
from tests.properties.ledger import prefixes
from tests.properties.simulation import Record
from tests.properties.test_properties import CHOICES, DOCUMENTS, STEADY, played

from runwell.engine.evolve import fold
from runwell.engine.overview import run_overview
from runwell.engine.state import RunState
from runwell.engine.view import run_view
from runwell.model.events import Event
from runwell.model.run_record import RunRecord
from runwell.model.times import rfc3339
from runwell.runtime.run_recorder import RunRecorder, recorded


@given(document=DOCUMENTS, choices=CHOICES)
@STEADY
def test_the_record_is_what_the_engine_sees(document: bytes, choices: bytes) -> None:
    record = played(document, choices)
    recorder = RunRecorder(record.events[0])
    compare(recorder.record(), record, 1)
    for event in record.events[1:]:
        recorder.add(event)
        recorder.add(event)  # twice is once
    compare(recorder.record(), record, len(record.events))


@given(document=DOCUMENTS, choices=CHOICES)
@STEADY
def test_so_it_is_after_every_event(document: bytes, choices: bytes) -> None:
    record = played(document, choices)
    recorder = RunRecorder(record.events[0])
    for state, event in prefixes(record):
        if event.seq > 1:
            assert view_of(recorder.record(), state) == view_by_engine(state, recorder_at=record.events[event.seq - 2])
            recorder.add(event)


def compare(made: RunRecord, record: Record, count: int) -> None:
    """Compare a record of the first events with the engine's state after them."""
    state = fold(record.plan, record.events[:count])
    assert view_of(made, state) == view_by_engine(state, record.events[count - 1])
    assert made == recorded(record.events[:count]).record()


def view_of(made: RunRecord, state: RunState) -> dict[str, Any]:
    return {
        "id": made.run_id,
        "rev": made.rev,
        "status": made.status,
        "waiting_for": made.waiting_for,
        "input": made.input,
        "output": made.output,
        "error": (made.failure_code, made.error_message),
        "failed_step": made.failed_step,
        "usage": made.usage,
        "times": [None if ms is None else rfc3339(ms) for ms in (made.created_at, made.started_at, made.ended_at)],
        "duration_ms": made.duration_ms,
        "queue_ms": made.queue_ms,
        "waited_ms": made.waited_ms,
        "steps": {
            step.path: (step.id, step.status, step.reason, step.attempts, step.started_at, step.duration_ms, step.error_code)
            for step in made.steps
        },
        "types": {step.path: step.type for step in made.steps if step.attempts},
        "step_count": made.step_count,
    }


def view_by_engine(state: RunState, recorder_at: Event) -> dict[str, Any]:
    view = run_view(state)
    durations = run_overview(state, recorder_at.ts).durations
    steps = {step.path: step for step in state.steps.values() if step.iteration is None and step.status != "pending"}
    return {
        "id": view.id,
        "rev": state.seq,
        "status": view.status,
        "waiting_for": view.waiting_for,
        "input": view.input,
        "output": view.output,
        "error": (None, None) if view.error is None else (view.error.code, view.error.message),
        "failed_step": view.failed_step,
        "usage": view.usage,
        "times": [view.created_at, view.started_at, view.ended_at],
        "duration_ms": view.duration_ms,
        "queue_ms": 0 if state.started_at is None else durations.queued_ms,
        "waited_ms": durations.waiting_ms,
        "steps": {
            step.path: (
                step.plan.id,
                step.status,
                step.reason,
                len(step.attempts),
                step.started_at,
                None if step.started_at is None or step.ended_at is None else step.ended_at - step.started_at,
                None if step.error is None else step.error.code,
            )
            for step in steps.values()
        },
        "types": {step.path: step.plan.type for step in steps.values() if step.attempts},
        "step_count": len(steps),
    }
