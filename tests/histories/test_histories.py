"""What was recorded once is read the same for ever."""

import json
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.histories.record import SCENARIOS, seen
from tests.unit.engine.driver import Driver, compiled

from runwell.engine import evolve
from runwell.engine.evolve import fold
from runwell.engine.view import run_row, run_view
from runwell.model.events import Event, decode_event, encode_event
from runwell.model.statuses import RESOLVED

HISTORIES = sorted(Path(__file__).parent.glob("v*/*.jsonl"))


def read(path: Path) -> tuple[dict[str, Any], list[Event]]:
    document, *events = path.read_bytes().splitlines()
    return json.loads(document), [decode_event(event) for event in events]


def view_of(path: Path) -> Any:
    document, events = read(path)
    return json.loads(msgspec.json.encode(run_view(fold(compiled(document), events))))


def recorded(path: Path) -> Any:
    return json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))


def as_recorded(path: Path) -> Any:
    """Return the view without what views did not have when it was recorded."""
    view, known = view_of(path), recorded(path)
    pairs: Iterator[tuple[dict[str, Any], dict[str, Any]]] = zip_longest(view["steps"], known["steps"], fillvalue={})
    steps = [_of(step, known_step) for step, known_step in pairs]
    return {**_of(view, known), "steps": steps}


def _of(view: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in view.items() if key in known}


def named(path: Path) -> str:
    return f"{path.parent.name}-{path.stem}"


def test_there_are_histories() -> None:
    assert len(HISTORIES) >= len(SCENARIOS)


@pytest.mark.parametrize("path", HISTORIES, ids=named)
def test_a_history_makes_the_run_that_was_seen(path: Path) -> None:
    assert as_recorded(path) == recorded(path)


@pytest.mark.parametrize("path", HISTORIES, ids=named)
def test_a_history_has_ended_and_holds_no_work(path: Path) -> None:
    document, events = read(path)
    state = fold(compiled(document), events)
    assert state.is_terminal
    assert {step.status for step in state.steps.values()} <= RESOLVED
    assert (run_row(state).seq, run_row(state).wake_at) == (len(events), None)


@pytest.mark.parametrize("path", HISTORIES, ids=named)
def test_events_are_written_as_they_were_read(path: Path) -> None:
    _, *lines = path.read_bytes().splitlines()
    assert [encode_event(decode_event(line)) for line in lines] == lines


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_todays_engine_records_runs_that_end(scenario: Any) -> None:
    run: Driver = scenario()
    assert run.state.is_terminal
    assert seen(run)["status"] == run.state.status


def test_an_engine_that_reads_an_event_otherwise_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(evolve._HANDLERS, "generation_completed", evolve._nothing)
    changed = [path.stem for path in HISTORIES if as_recorded(path) != recorded(path)]
    assert changed == ["retries"]
