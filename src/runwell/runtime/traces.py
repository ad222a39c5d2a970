"""Traces become runs once they are whole, as far as anybody can tell.

Spans come in pieces, in any order, some twice, some late. Each is kept, durably, before it is acknowledged. A trace is settled when
its root has come and nothing more for `QUIET_MS`; without a root after `ROOTLESS_MS` of quiet, as its root may lie in a program that
sends elsewhere; and in any case `LONGEST_MS` after its first span, or when `MOST_PENDING` spans wait. Then all its spans become one
append: a run, from its first event to its end. What comes later becomes events after the end.

What a project does not want to be kept is taken out of a span before it is put aside, as far as that can be told of a span alone:
patterns, kinds and `*` paths. Paths that begin with `input` or `output` are followed when it becomes part of a run, seconds later.

A run's id is made of scope and trace id, and the run knows its spans. So whatever a process leaves half-way is done again by the next
one without anything being there twice.
"""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Final

import structlog

from runwell.engine.advance import advance
from runwell.engine.decide import start as first_event
from runwell.engine.evolve import create
from runwell.engine.view import run_row
from runwell.model.canonical import canonical_json, content_hash
from runwell.model.commands import RecordSpans, StartRun
from runwell.model.errors import PositionConflict, RunwellError
from runwell.model.events import Event
from runwell.model.ids import derived_id
from runwell.model.scope import Scope
from runwell.model.slugs import slug_of
from runwell.model.traces import Span, TraceReading
from runwell.ports.clock import Clock
from runwell.ports.probe import Probe, no_probe
from runwell.ports.runs import StartRequest
from runwell.ports.traces import PendingSpans, PendingTrace, ReadTrace
from runwell.runtime.request import created
from runwell.runtime.runtime import Runtime

TICK_S: Final = 0.5
QUIET_MS: Final = 5_000
ROOTLESS_MS: Final = 60_000
LONGEST_MS: Final = 3_600_000
MOST_PENDING: Final = 10_000
PUT_OFF_MS: Final = 30_000
"""After so long a trace that could not be recorded is tried again."""

_log = structlog.get_logger("runwell.traces")


def run_id_of(scope: Scope, trace_id: str) -> str:
    """Return the id that the trace's run has, always."""
    return derived_id("run", scope.org_id, scope.project_id, "trace", trace_id)


class TraceRecorder:
    """`Traces`. `start` and `close` it; or, without a background task, `settle` what is due. All calls from the event loop's thread."""

    def __init__(self, runtime: Runtime, pending: PendingSpans, read: ReadTrace, clock: Clock, probe: Probe = no_probe) -> None:
        self._runtime, self._pending, self._read, self._clock, self._probe = runtime, pending, read, clock, probe
        self._put_off: dict[PendingTrace, int] = {}
        self._has_some = asyncio.Event()
        self._has_some.set()  # an earlier process may have left some
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run(), name="runwell-traces")

    async def close(self) -> None:
        """End; what is not recorded yet is left to the next process."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        while True:
            await self._has_some.wait()
            try:
                await self.settle()
            except RunwellError as exc:
                _log.warning("traces_put_off", error=exc.message)
            except Exception as exc:  # a defect: the next round is not to be lost for it
                _log.error("traces_failed", exc_info=exc)
            await asyncio.sleep(TICK_S)

    async def take(self, scope: Scope, actor: str, spans: Sequence[Span]) -> None:
        if spans:
            rules = self._runtime.redaction.of(scope.project_id)
            kept = spans if rules is None else await asyncio.to_thread(lambda: [rules.span(span) for span in spans])
            await self._pending.keep(scope, actor, kept, self._clock.now())
            self._probe("traces.kept")
            self._has_some.set()

    async def settle(self, *, everything: bool = False) -> int:
        """Record what is due, or everything; return how many traces that was. Raises `JournalUnavailable`."""
        self._has_some.clear()
        traces = await self._pending.traces()
        if traces:
            self._has_some.set()
        self._put_off = {trace: until for trace, until in self._put_off.items() if trace in traces and until > self._clock.now()}
        due = [trace for trace in traces if trace not in self._put_off and (everything or await self._is_due(trace))]
        for trace in due:
            await self._settle_one(trace)
        return len(due)

    async def _is_due(self, trace: PendingTrace) -> bool:
        now = self._clock.now()
        quiet = now - trace.last_at
        if trace.count >= MOST_PENDING or quiet >= ROOTLESS_MS or now - trace.first_at >= LONGEST_MS:
            return True
        return quiet >= QUIET_MS and (trace.has_root or await self._runtime.journal.row(run_id_of(trace.scope, trace.trace_id)) is not None)

    async def _settle_one(self, trace: PendingTrace) -> None:
        try:
            await self._record(trace)
        except RunwellError as exc:
            _log.warning("trace_put_off", trace_id=trace.trace_id, error=exc.message)
            self._put_off[trace] = self._clock.now() + PUT_OFF_MS
        except Exception as exc:  # a defect, or something in one trace: the others must not wait for it for ever
            _log.error("trace_not_recorded", trace_id=trace.trace_id, exc_info=exc)
            self._put_off[trace] = self._clock.now() + PUT_OFF_MS

    async def _record(self, trace: PendingTrace) -> None:
        actor, spans = await self._pending.spans(trace, MOST_PENDING * 2)
        run_id = run_id_of(trace.scope, trace.trace_id)
        is_late = await self._runtime.journal.row(run_id) is not None
        reading = await asyncio.to_thread(self._read, spans, self._clock.now(), is_late)
        command = RecordSpans(actor=actor, spans=reading.spans, ending=reading.ending, start=reading.start, end=reading.end)
        if not is_late:
            is_late = not await self._begin(trace, run_id, reading, command)
        if is_late:
            await self._runtime.command(run_id, command)
        self._probe("traces.recorded")
        await self._pending.done(trace, [span.span_id for span in spans])

    async def _begin(self, trace: PendingTrace, run_id: str, reading: TraceReading, command: RecordSpans) -> bool:
        """Append the run from its first event to its end; return False when it is there already."""
        document = {"name": reading.workflow, "steps": [{"id": "spans", "type": "trace"}]}
        version = await self._pending.workflow(
            trace.scope, slug_of(reading.workflow), reading.workflow, content_hash(document), canonical_json(document)
        )
        request = StartRequest(
            version=version,
            input=reading.input,
            org_id=trace.scope.org_id,
            project_id=trace.scope.project_id,
            trigger="otlp",
            tags=reading.tags,
            metadata=reading.metadata,
            environment=reading.environment,
        )
        events, durable = await self._append(run_id, request, command)
        durable.add_done_callback(partial(self._tell, version.workflow_id, events))
        try:
            await asyncio.shield(durable)
        except PositionConflict:
            return False
        return True

    async def _append(self, run_id: str, request: StartRequest, command: RecordSpans) -> tuple[list[Event], "asyncio.Future[int]"]:
        runtime = self._runtime
        prepared = await runtime.plans.get(request.version.hash)
        rules = runtime.redaction.of(request.project_id)
        start = StartRun(run=created(request, runtime.redaction), actor=command.actor)
        first = first_event(run_id, start, command.start)
        state = create(prepared.plan, first)
        out = advance(state, command, self._clock.now(), redact=None if rules is None else rules.event)
        events = [first, *out.events]
        self._probe("traces.before_append")
        return events, runtime.journal.append(0, events, run_row(state))

    def _tell(self, workflow_id: str, events: list[Event], durable: "asyncio.Future[int]") -> None:
        if durable.cancelled():
            return
        error = durable.exception()
        if error is not None:
            self._runtime.feed.keeping.failed(error, self._clock.now())
        else:
            self._runtime.feed.keeping.kept()
            self._runtime.feed.events(workflow_id, events, durable.result())
