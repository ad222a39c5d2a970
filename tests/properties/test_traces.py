"""However a trace's spans are cut into requests, in whatever order and how often they come: the same run."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.spans import as_json, new_trace_id, request, span

from runwell.adapters.otlp.forms import FORMS
from runwell.adapters.otlp.reading import read_trace
from runwell.bootstrap import App, open_app
from runwell.model.events import Event
from runwell.model.ids import DEFAULT_ORG
from runwell.model.scope import Scope
from runwell.model.traces import Span, TraceReading
from runwell.ports.traces import ReadTrace
from runwell.runtime.clock import SystemClock
from runwell.runtime.run_recorder import recorded
from runwell.runtime.traces import TraceRecorder, run_id_of
from runwell.settings import Settings
from runwell.storage.sql_traces import SqlPendingSpans

STEADY: Final = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
ONCE, CUT = Scope(DEFAULT_ORG, "prj_" + "a" * 32), Scope(DEFAULT_ORG, "prj_" + "b" * 32)

CHAT = {"gen_ai.operation.name": "chat", "gen_ai.system": "openai", "gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": 100}
TOOL = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "find"}
KINDS: Final[list[dict[str, Any]]] = [{}, CHAT, TOOL, {"session.id": "s"}, {"session.id": "t", "langfuse.trace.tags": "x"}]


@st.composite
def traces(draw: st.DrawFn) -> list[Span]:
    """Return spans that know each other, some with parents that never come; now and then there is no root, or there are two."""
    spans = []
    trace_id = new_trace_id()
    for number in range(1, draw(st.integers(1, 9)) + 1):
        parent = draw(st.sampled_from([*range(1, 11), None, 1, 1, 1]))
        start = draw(st.integers(0, 3))
        times = (start, start + draw(st.integers(0, 3)))
        name, error = draw(st.sampled_from(["chat", "chat x", "tool", "", "é/."])), draw(st.sampled_from([None, None, None, "bad"]))
        above = None if number == 1 and draw(st.booleans()) else parent
        spans.append(span(trace_id, number, name, parent=above, at=times, told=draw(st.sampled_from(KINDS)), error=error))
    return list(FORMS["application/json"].read(as_json(request(spans))).spans)


@asynccontextmanager
async def recorders(directory: Path, read: ReadTrace = read_trace) -> AsyncIterator[tuple[App, TraceRecorder]]:
    async with open_app(Settings(data_dir=directory, runstore_url="none")) as app:
        assert app.sql is not None
        yield app, TraceRecorder(app.runtime, SqlPendingSpans(app.sql), read, SystemClock())


def cut(spans: Sequence[Span], chance: random.Random) -> list[list[Span]]:
    """Return the spans in random pieces and order, some of them again."""
    sent = [*spans, *(one for one in spans if chance.random() < 0.4)]
    chance.shuffle(sent)
    pieces: list[list[Span]] = [[]]
    for one in sent:
        if chance.random() < 0.4:
            pieces.append([])
        pieces[-1].append(one)
    return [piece for piece in pieces if piece]


def told(events: Sequence[Event]) -> list[Any]:
    """Return the events without what two projects have each of their own."""
    plain: list[Any] = msgspec.to_builtins(list(events))
    for event in plain:
        event.pop("run_id")
        for own in ("project_id", "workflow_id"):
            event["data"].pop(own, None)
    return plain


async def both(app: App, recorder: TraceRecorder, spans: Sequence[Span], pieces: Sequence[Sequence[Span]]) -> tuple[list[Any], list[Any]]:
    await recorder.take(ONCE, "usr", spans)
    for piece in pieces:
        await recorder.take(CUT, "usr", piece)
    await recorder.settle(everything=True)
    found = [await app.journal.read(run_id_of(scope, spans[0].trace_id)) for scope in (ONCE, CUT)]
    return told(found[0]), told(found[1])


@given(spans=traces(), seed=st.integers(0, 2**32))
@STEADY
def test_any_split_order_and_repetition_gives_the_same_run(tmp_path: Path, spans: list[Span], seed: int) -> None:
    async def main() -> None:
        async with recorders(tmp_path) as (app, recorder):
            once, pieces = await both(app, recorder, spans, cut(spans, random.Random(seed)))
            assert pieces == once

    asyncio.run(main())


@given(spans=traces(), seed=st.integers(0, 2**32))
@STEADY
def test_whenever_it_is_settled_each_span_is_there_once_and_the_end_stays(tmp_path: Path, spans: list[Span], seed: int) -> None:
    async def main() -> None:
        async with recorders(tmp_path) as (app, recorder):
            chance = random.Random(seed)
            run_id = run_id_of(CUT, spans[0].trace_id)
            ended: Any = None
            for piece in cut(spans, chance):
                await recorder.take(CUT, "usr", piece)
                if chance.random() < 0.6:
                    await recorder.settle(everything=True)
                    record = recorded(await app.journal.read(run_id)).record()
                    end = (record.status, record.ended_at, record.duration_ms, record.output, record.error_message, record.failed_step)
                    assert ended in (None, end)
                    ended = end
            await recorder.settle(everything=True)
            events = await app.journal.read(run_id)
            assert [event.seq for event in events] == list(range(1, len(events) + 1))
            ids = [event.data.span_id for event in events if event.type == "span_recorded"]  # type: ignore[attr-defined]
            assert sorted(ids) == sorted(one.span_id for one in spans)
            ends = [event.type for event in events if event.type in ("run_succeeded", "run_failed")]
            assert len(ends) == 1
            state = await app.runtime.state(run_id)
            assert all(step.status in ("succeeded", "failed") for step in state.steps.values())
            assert not state.working

    asyncio.run(main())


def test_a_reader_that_minds_the_order_is_found(tmp_path: Path) -> None:
    """What is planted: the first span that came is the run."""

    def first_come(spans: Sequence[Span], now: int, is_late: bool) -> TraceReading:
        first = spans[0]
        orphans = [msgspec.structs.replace(one, parent_id=None if one is first else one.parent_id or first.span_id) for one in spans]
        return read_trace(orphans, now, is_late)

    async def main() -> None:
        trace_id = new_trace_id()
        spans = FORMS["application/json"].read(as_json(request([span(trace_id, 1, "root"), span(trace_id, 2, "below", parent=1)]))).spans
        async with recorders(tmp_path, first_come) as (app, recorder):
            await recorder.take(ONCE, "usr", spans)
            await asyncio.sleep(0.002)  # pieces are kept in the order of their arrival
            await recorder.take(CUT, "usr", spans[1:])
            await asyncio.sleep(0.002)
            await recorder.take(CUT, "usr", spans[:1])
            await recorder.settle(everything=True)
            found = [told(await app.journal.read(run_id_of(scope, trace_id))) for scope in (ONCE, CUT)]
            with pytest.raises(AssertionError):
                assert found[0] == found[1]

    asyncio.run(main())
