"""Traces of other programs, as OpenTelemetry tells them: spans as they were sent, and what they say of a run.

A trace is a run. Its root span is the run itself, every other one a step, with a model call or a tool call where it tells of one.
"""

from typing import Any, Literal

import msgspec

from runwell.model.errors import ErrorInfo
from runwell.model.generation import EventData, GenerationCompleted
from runwell.model.statuses import SkipReason

SpanStatus = Literal["unset", "ok", "error"]
SpanKind = Literal["unspecified", "internal", "server", "client", "producer", "consumer"]


class SpanEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something that a span tells of one moment (`at`: ns since 1970)."""

    name: str
    at: int = 0
    attributes: dict[str, Any] = {}


class SpanLink(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Another span to which a span points."""

    trace_id: str
    span_id: str
    attributes: dict[str, Any] = {}


class Span(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One span as it was sent. `start` and `end` are ns since 1970, 0 where they were not told; ids are hex.

    `resource` holds the attributes of what sent it, `scope` the instrumentation's name.
    """

    trace_id: str
    span_id: str
    parent_id: str | None = None
    name: str = ""
    kind: SpanKind = "unspecified"
    start: int = 0
    end: int = 0
    status: SpanStatus = "unset"
    message: str = ""
    attributes: dict[str, Any] = {}
    events: tuple[SpanEvent, ...] = ()
    links: tuple[SpanLink, ...] = ()
    resource: dict[str, Any] = {}
    scope: str = ""


class SpanRecorded(EventData, frozen=True, kw_only=True):
    """What a span of a trace says beyond what became of it: of the run itself, or of the step that it is.

    `attributes` are those that are told nowhere else; a `resource` is told where it is another than the run's. `start` and `end`
    are ns since 1970 as they were sent.
    """

    trace_id: str
    span_id: str
    parent_span_id: str | None = None
    name: str = ""
    kind: SpanKind = "unspecified"
    step_type: str = "span"
    start: int = 0
    end: int = 0
    scope: str | None = None
    attributes: dict[str, Any] = {}
    resource: dict[str, Any] = {}
    events: list[dict[str, Any]] = []
    links: list[dict[str, Any]] = []


SpanPlace = Literal["run", "step", "call"]
"""What a span is: the run itself; a step; or, in Runwell's own traces, a call that the step above it made."""


class SpanFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a span says of its run. Times are ms since 1970.

    `path` is the step's path as Runwell's own traces tell it, within the run whose span is above; `is_run`: the span is such a run.
    """

    record: SpanRecorded
    start: int
    end: int
    place: SpanPlace = "step"
    path: str | None = None
    is_run: bool = False
    status: Literal["succeeded", "failed", "skipped", "cancelled", "stopped"] = "succeeded"
    reason: SkipReason | None = None
    error: ErrorInfo | None = None
    input: Any = None
    output: Any = None
    generation: GenerationCompleted | None = None
    tool: str | None = None
    call_id: str | None = None


class TraceReading(msgspec.Struct, frozen=True, kw_only=True):
    """What the spans of a trace say together. `ending` is the run's last event; `workflow` the name of the workflow that it is of."""

    workflow: str
    spans: tuple[SpanFacts, ...]
    start: int
    end: int
    ending: EventData
    input: Any = None
    tags: tuple[str, ...] = ()
    metadata: dict[str, str] = {}
    environment: str = "production"
