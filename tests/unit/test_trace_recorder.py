"""When a trace is whole, as far as anybody can tell; and what a run holds at most."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.spans import agent_trace, as_json, new_trace_id, request, span

from runwell.adapters.otlp.forms import FORMS
from runwell.adapters.otlp.reading import read_trace
from runwell.bootstrap import App, event_rules, open_app
from runwell.engine import traces
from runwell.model.redaction import PatternRule, Redaction
from runwell.model.scope import DEFAULT_SCOPE
from runwell.model.traces import Span, TraceReading
from runwell.runtime.traces import LONGEST_MS, MOST_PENDING, PUT_OFF_MS, QUIET_MS, ROOTLESS_MS, TraceRecorder, run_id_of
from runwell.settings import Settings
from runwell.storage.sql_traces import SqlPendingSpans
from runwell.testing import FakeClock


def spans_of(*sent: dict[str, Any]) -> tuple[Span, ...]:
    return FORMS["application/json"].read(as_json(request(sent))).spans


def recording(tmp_path: Path, main: Callable[[App, TraceRecorder, FakeClock], Awaitable[None]], read: Any = read_trace) -> None:
    async def opened() -> None:
        clock = FakeClock()
        async with open_app(Settings(data_dir=tmp_path, runstore_url="none")) as app:
            assert app.sql is not None
            await main(app, TraceRecorder(app.runtime, SqlPendingSpans(app.sql), read, clock), clock)

    asyncio.run(opened())


def test_a_trace_with_its_root_waits_until_it_is_quiet(tmp_path: Path) -> None:
    async def main(app: App, recorder: TraceRecorder, clock: FakeClock) -> None:
        spans = spans_of(*agent_trace(new_trace_id()))
        await recorder.take(DEFAULT_SCOPE, "usr", spans[:1])
        await clock.advance(QUIET_MS - 1)
        assert await recorder.settle() == 0
        await recorder.take(DEFAULT_SCOPE, "usr", spans[1:])
        await clock.advance(QUIET_MS - 1)
        assert await recorder.settle() == 0
        await clock.advance(1)
        assert await recorder.settle() == 1
        assert await recorder.settle() == 0

    recording(tmp_path, main)


def test_a_trace_without_a_root_waits_longer_and_late_spans_do_not(tmp_path: Path) -> None:
    async def main(app: App, recorder: TraceRecorder, clock: FakeClock) -> None:
        spans = spans_of(*agent_trace(new_trace_id()))
        await recorder.take(DEFAULT_SCOPE, "usr", spans[1:3])
        await clock.advance(ROOTLESS_MS - 1)
        assert await recorder.settle() == 0
        await clock.advance(1)
        assert await recorder.settle() == 1
        await recorder.take(DEFAULT_SCOPE, "usr", spans[3:])
        await clock.advance(QUIET_MS)
        assert await recorder.settle() == 1

    recording(tmp_path, main)


def test_a_trace_that_never_rests_is_settled_all_the_same(tmp_path: Path) -> None:
    async def main(app: App, recorder: TraceRecorder, clock: FakeClock) -> None:
        trace_id = new_trace_id()
        for number in range(1, LONGEST_MS // (QUIET_MS - 1) + 2):
            assert await recorder.settle() == 0
            await recorder.take(DEFAULT_SCOPE, "usr", spans_of(span(trace_id, number, "tick", parent=None if number == 1 else 1)))
            await clock.advance(QUIET_MS - 1)
        assert await recorder.settle() == 1

    recording(tmp_path, main)


def test_so_many_spans_wait_at_most(tmp_path: Path) -> None:
    async def main(app: App, recorder: TraceRecorder, clock: FakeClock) -> None:
        trace_id = new_trace_id()
        spans = spans_of(*(span(trace_id, number, "s", parent=number - 1 or None) for number in range(1, MOST_PENDING + 1)))
        await recorder.take(DEFAULT_SCOPE, "usr", spans[:-1])
        assert await recorder.settle() == 0
        await recorder.take(DEFAULT_SCOPE, "usr", spans[-1:])
        assert await recorder.settle() == 1
        assert len((await app.runtime.state(run_id_of(DEFAULT_SCOPE, trace_id))).spans) == MOST_PENDING

    recording(tmp_path, main)


def test_a_run_holds_so_many_spans_and_says_what_it_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traces, "MOST_SPANS", 3)

    async def main(app: App, recorder: TraceRecorder, clock: FakeClock) -> None:
        trace_id = new_trace_id()
        await recorder.take(DEFAULT_SCOPE, "usr", spans_of(*agent_trace(trace_id)))
        assert await recorder.settle(everything=True) == 1
        events = await app.journal.read(run_id_of(DEFAULT_SCOPE, trace_id))
        assert len([event for event in events if event.type == "span_recorded"]) == 3
        (line,) = [event.data.message for event in events if event.type == "log"]  # type: ignore[attr-defined]
        assert line == "2 spans are left out: a run holds 3 at most"

    recording(tmp_path, main)


def test_a_trace_that_cannot_be_recorded_keeps_no_other_from_it(tmp_path: Path) -> None:
    broken = new_trace_id()
    is_mended = False

    def read(spans: tuple[Span, ...], now: int, is_late: bool) -> TraceReading:
        if spans[0].trace_id == broken and not is_mended:
            raise ZeroDivisionError
        return read_trace(spans, now, is_late)

    async def main(app: App, recorder: TraceRecorder, clock: FakeClock) -> None:
        nonlocal is_mended
        ids = sorted([broken, new_trace_id(), new_trace_id()])
        for trace_id in ids:
            await recorder.take(DEFAULT_SCOPE, "usr", spans_of(span(trace_id, 1, "root")))
        assert await recorder.settle(everything=True) == 3
        found = [await app.journal.row(run_id_of(DEFAULT_SCOPE, trace_id)) is not None for trace_id in ids]
        assert found == [trace_id != broken for trace_id in ids]
        is_mended = True
        assert await recorder.settle(everything=True) == 0  # not yet
        await clock.advance(PUT_OFF_MS)
        assert await recorder.settle(everything=True) == 1
        assert await app.journal.row(run_id_of(DEFAULT_SCOPE, broken)) is not None

    recording(tmp_path, main, read)


def leaking(folder: Path, what: bytes) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file() and re.search(what, file.read_bytes())]


def test_what_a_project_does_not_want_kept_does_not_wait_in_the_database_either(tmp_path: Path) -> None:
    async def main(app: App, recorder: TraceRecorder, clock: FakeClock) -> None:
        assert app.sql is not None
        rules = Redaction(kinds=("email",), paths=("*.password",), patterns=(PatternRule(name="code", pattern="secret-[0-9]+"),))
        app.runtime.redaction.set(DEFAULT_SCOPE.project_id, event_rules(rules))
        said = '{"question": "Mail ada@example.com", "password": "hunter2", "n": 1}'
        told = {"input.value": said, "password": "hunter2", "note": "secret-12 {", "session.id": "s-1"}
        [sent] = spans_of(span(new_trace_id(), 1, "ask secret-77", told=told, error="no ada@example.com"))
        await recorder.take(DEFAULT_SCOPE, "usr", [sent])
        [trace] = await SqlPendingSpans(app.sql).traces()
        _, [kept] = await SqlPendingSpans(app.sql).spans(trace, 9)
        assert kept.name == "ask [redacted:code]"
        assert kept.message == "no [redacted:email]"
        inside = json.loads(kept.attributes.pop("input.value"))
        assert inside == {"question": "Mail [redacted:email]", "password": "[redacted:password]", "n": 1}
        assert kept.attributes == {"password": "[redacted:password]", "note": "[redacted:code] {", "session.id": "s-1"}
        assert leaking(tmp_path, rb"hunter2|ada@example|secret-\d") == []
        await clock.advance(QUIET_MS)
        assert await recorder.settle() == 1
        state = await app.runtime.state(run_id_of(DEFAULT_SCOPE, sent.trace_id))
        assert state.created.input == inside

    recording(tmp_path, main)


def test_a_span_that_holds_nothing_of_the_kind_stays_as_it_was_sent(tmp_path: Path) -> None:
    rules = event_rules(Redaction(kinds=("email", "phone"), paths=("*.password", "input.x")))
    assert rules is not None
    for sent in spans_of(*agent_trace(new_trace_id())):
        assert rules.span(sent) == sent
