"""Runs that were made elsewhere: from the spans of a trace to the events of its run.

A step's path is made of its span's name below the path of its parent, so the same spans give the same paths in whatever order
they came. Events bear the spans' own times, and the run's end is its last event. Spans that come after it are events after the
end: they add steps, calls and costs, and change nothing of how the run ended.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from runwell.engine.draft import Draft, Fact
from runwell.engine.plan import StepPlan
from runwell.engine.state import RunState, StepState
from runwell.model import events as ev
from runwell.model.commands import RecordSpans
from runwell.model.events import Event, EventData
from runwell.model.statuses import RunStatus
from runwell.model.step import StepSpec
from runwell.model.traces import SpanFacts, SpanRecorded

RUN: Final = "run"
"""The step type of a span that is the run itself."""

MOST_SPANS: Final = 50_000
"""As many spans as one run holds; a trace that never ends does not fill the memory of whoever looks at it."""

_MOST_ID: Final = 64
_MOST_PATH: Final = 500
_NO_ID: Final = re.compile(r"[^A-Za-z0-9_]+")
_OWN_PATH: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\[\]-]{0,499}(?<!\])")

# What an event says


def note_span(state: RunState, event: Event) -> None:
    """Take in a span: the run's own, or one that is a step, which begins to exist."""
    data = event.of(SpanRecorded)
    path = event.step_id or ""
    state.spans[data.span_id] = path
    if data.step_type == RUN:
        state.span = data
    elif path and path not in state.steps:
        spec = StepSpec.model_construct(id=path.rpartition(".")[2], type=data.step_type, name=data.name or None)
        plan = StepPlan(
            id=spec.id, type=spec.type, control=None, spec=spec, deps=(), dependents=(), when=None, inputs={}, secret_pointers=frozenset()
        )
        state.steps[path] = state.root.steps[path] = StepState(path=path, plan=plan, scope=state.root, span=data)
        state.root.unresolved += 1


# What a command makes of spans


def record_spans(draft: Draft, command: RecordSpans, now: int) -> None:
    state = draft.state
    new = [span for span in command.spans if span.record.span_id not in state.spans]
    new.sort(key=lambda span: (span.start, span.record.start, span.record.span_id))
    room = MOST_SPANS - len(state.spans)
    is_first = not state.is_terminal
    paths = {**state.spans, **paths_of(new[:room], state)}
    timed = [timed for span in new[:room] for timed in _facts(span, paths, handled=_goes_well(state, command))]
    timed.sort(key=lambda entry: entry[:2])
    if is_first:
        draft.facts.append(Fact(ev.RunStarted(), actor=command.actor, at=command.start))
    draft.facts += [fact for _, _, fact in timed]
    if len(new) > room:
        message = f"{len(new) - room} spans are left out: a run holds {MOST_SPANS} at most"
        draft.facts.append(Fact(ev.Log(message=message, level="warning"), at=command.end))
    if is_first and command.ending is not None:
        draft.facts.append(Fact(_with_culprit(command.ending, new, paths), actor=command.actor, at=command.end))


def _goes_well(state: RunState, command: RecordSpans) -> bool:
    return state.status is RunStatus.SUCCEEDED if state.is_terminal else isinstance(command.ending, ev.RunSucceeded)


def _with_culprit(ending: EventData, spans: Iterable[SpanFacts], paths: Mapping[str, str]) -> EventData:
    """Return the ending with the step that failed first."""
    failed = sorted((span.end, paths[span.record.span_id]) for span in spans if span.status == "failed" and paths.get(span.record.span_id))
    if not failed or not isinstance(ending, ev.RunFailed | ev.RunLimitExceeded | ev.RunInternalError):
        return ending
    return msgspec.structs.replace(ending, failed_step=failed[0][1])


Timed = tuple[int, int, Fact]
"""A fact behind its moment, and 0 where something begins, 1 where it ends: what begins when something ends comes first."""


def _facts(span: SpanFacts, paths: Mapping[str, str], *, handled: bool) -> Iterable[Timed]:
    path = paths[span.record.span_id] or None
    yield span.start, 0, Fact(span.record, path, at=span.start)
    if span.place == "step" and span.status != "skipped":
        yield span.start, 0, Fact(ev.StepStarted(step_type=span.record.step_type, input=span.input), path, 1, at=span.start)
    if span.tool is not None:
        yield span.start, 0, Fact(ev.ToolCalled(tool=span.tool, args=span.input, call_id=span.call_id), path, 1, at=span.start)
        returned = ev.ToolReturned(tool=span.tool, result=span.output, error=span.error, call_id=span.call_id)
        yield span.end, 1, Fact(returned, path, 1, at=span.end)
    if span.generation is not None:
        yield span.end, 1, Fact(span.generation, path, None if path is None else 1, at=span.end)
    if span.place == "step":
        yield span.end, 1, Fact(_step_end(span, handled), path, None if span.status == "skipped" else 1, at=span.end)


def _step_end(span: SpanFacts, handled: bool) -> EventData:
    if span.status == "skipped":
        return ev.StepCompleted(skipped=True, reason=span.reason)
    if span.status == "failed" and span.error is not None:
        return ev.StepFailed(error=span.error, handled=handled, result=span.output)
    if span.status == "cancelled":
        return ev.StepCancelled(caused_by="trace")
    return ev.StepStopped() if span.status == "stopped" else ev.StepCompleted(result=span.output)


# Where a span is in its run


def paths_of(spans: Sequence[SpanFacts], state: RunState) -> dict[str, str]:
    """Return the path of each of these spans, ordered by start and all new, by its id; empty for the run's own."""
    return _Places(spans, state).found


class _Places:
    """Finds paths: parents before their children, among siblings the one that began first."""

    def __init__(self, spans: Sequence[SpanFacts], state: RunState) -> None:
        self._known = state.spans
        self._taken = set(state.steps)
        self._spans = {span.record.span_id: span for span in spans}
        self._counts: dict[str, int] = {}
        self.found: dict[str, str] = {}
        for span in spans:
            self._place(span)

    def _place(self, span: SpanFacts) -> None:
        """Give the span its path, and those above it theirs first."""
        above: dict[str, SpanFacts] = {}
        at: SpanFacts | None = span
        while at is not None and at.record.span_id not in self.found and at.record.span_id not in above:
            above[at.record.span_id] = at
            at = self._spans.get(at.record.parent_span_id or "")
        for one in reversed(above.values()):
            self.found[one.record.span_id] = self._path(one)

    def _path(self, span: SpanFacts) -> str:
        if span.place == "run":
            return ""
        parent = span.record.parent_span_id or ""
        base = self.found.get(parent, self._known.get(parent, ""))
        if span.place == "call":
            return base
        if span.path is not None and _OWN_PATH.fullmatch(span.path):
            own = self._base_of_own_run(span)
            path = f"{own}.{span.path}" if own else span.path
            if path not in self._taken and len(path) <= _MOST_PATH:
                self._taken.add(path)
                return path
        return self._free(base if len(base) <= _MOST_PATH - _MOST_ID - 8 else "", step_id_of(span.record.name))

    def _base_of_own_run(self, span: SpanFacts) -> str:
        """Return the path of the run of Runwell's in which the span is."""
        at, seen = self._spans.get(span.record.parent_span_id or ""), set[str]()
        while at is not None and not at.is_run and at.record.span_id not in seen:
            seen.add(at.record.span_id)
            at = self._spans.get(at.record.parent_span_id or "")
        return "" if at is None else self.found.get(at.record.span_id, "")

    def _free(self, base: str, step_id: str) -> str:
        """Return a path that no step has; names that come again are counted."""
        path = f"{base}.{step_id}" if base else step_id
        if path in self._taken:
            number = self._counts.get(path, 1) + 1
            while f"{path}-{number}" in self._taken:
                number += 1
            self._counts[path] = number
            path = f"{path}-{number}"
        self._taken.add(path)
        return path


def step_id_of(name: str) -> str:
    """Return a span's name as a step's id: `chat gpt-4.1` as `chat-gpt-4-1`."""
    text = _NO_ID.sub("-", name).strip("-")[:_MOST_ID].rstrip("-") or "span"
    return text if text[0].isalpha() or text[0] == "_" else f"_{text}"[:_MOST_ID]
