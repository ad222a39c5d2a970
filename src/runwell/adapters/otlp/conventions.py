"""What one span says of its run, by the conventions that it follows."""

from collections.abc import Mapping
from typing import Any, Final, Literal, cast

import msgspec

from runwell.adapters.otlp.attributes import Attributes
from runwell.adapters.otlp.model_calls import generation_of
from runwell.model.errors import ErrorInfo
from runwell.model.failure_codes import FAILURE_CODES
from runwell.model.traces import Span, SpanEvent, SpanFacts, SpanRecorded

RUN: Final = "run"
MODEL_CALL: Final = frozenset({"llm", "embedding"})

_OWN: Final = "runwell"
"""The scope of the traces that we export ourselves."""

_EARLIEST: Final = 946_684_800_000
_AHEAD_MS: Final = 86_400_000
"""Moments before the year 2000, or more than a day from now, are no moments: a clock was not set."""

_OPERATIONS: Final = {
    **dict.fromkeys(("chat", "text_completion", "generate_content", "completion"), "llm"),
    **{"embeddings": "embedding", "execute_tool": "tool", "invoke_agent": "agent", "create_agent": "agent"},
    **{"invoke_workflow": "chain", "retrieval": "retriever", "generation": "llm", "rerank": "reranker", "llm": "llm"},
}
_KIND_NAMES: Final = (
    "gen_ai.operation.name",
    "openinference.span.kind",
    "langfuse.observation.type",
    "llm.request.type",
    "traceloop.span.kind",
)

Status = Literal["succeeded", "failed", "skipped", "cancelled", "stopped"]
_STATUSES: Final[Mapping[str, Status]] = {
    **{"succeeded": "succeeded", "failed": "failed", "skipped": "skipped", "cancelled": "cancelled", "stopped": "stopped"},
    **{"pending": "stopped", "running": "stopped", "waiting": "stopped"},  # as far as the run had come when it was exported
}
_INPUTS: Final = (
    *("langfuse.observation.input", "langfuse.trace.input", "gen_ai.tool.call.arguments", "input.value"),
    *("traceloop.entity.input", "tool.parameters", "tool_arguments", "gen_ai.input.messages", "pydantic_ai.all_messages"),
)
_OUTPUTS: Final = (
    *("langfuse.observation.output", "langfuse.trace.output", "gen_ai.tool.call.result", "output.value"),
    *("traceloop.entity.output", "tool_response", "final_result", "gen_ai.output.messages"),
)


class ReadSpan(msgspec.Struct, frozen=True, kw_only=True):
    """A span that was read. `about` holds what it says of its run, as its conventions name it."""

    facts: SpanFacts
    about: dict[str, Any]
    status_of_run: str | None = None


def read_span(span: Span, now: int, *, is_root: bool, calls_model_itself: bool, tells_resource: bool) -> ReadSpan:
    """Return what the span says. `calls_model_itself`: no span below it is the model call of which it tells.

    `tells_resource`: it is not the same as that of the spans around it.
    """
    attributes = Attributes(span.attributes)
    about = _about_run(Attributes(span.attributes), span)
    is_run = span.scope == _OWN and "runwell.run.status" in attributes
    status_of_run = attributes.text("runwell.run.status") if is_run else None
    kind = "workflow" if is_run else _kind(attributes)
    start, end = times_of(span, now)
    status = _status(span, attributes)
    error = _error(span, attributes) if status == "failed" else None
    own_path = attributes.text("runwell.step.path") if span.scope == _OWN else None
    is_call = span.scope == _OWN and own_path is not None and kind == "llm" and "runwell.step.status" not in span.attributes
    generation, events = None, span.events
    if kind in MODEL_CALL and (is_call or not _is_own_step(span)) and calls_model_itself:
        generation, events = generation_of(span, attributes, (start, end), error)
    tool = attributes.text("gen_ai.tool.name", "tool.name", "traceloop.entity.name") or span.name if kind == "tool" else None
    place = "call" if is_call else "run" if is_root and generation is None and tool is None else "step"
    given = _own_json(attributes, "runwell.run.input") if is_run else attributes.data(*_INPUTS)
    result = _own_json(attributes, "runwell.run.output") if is_run else attributes.data(*_OUTPUTS)
    if generation is not None:
        result = generation.response if result is None else result
        given = {"messages": generation.messages} if is_root and given is None and generation.messages else given
    facts = SpanFacts(
        start=start,
        end=end,
        place=cast(Any, place),
        path=None if is_call else own_path,
        is_run=is_run,
        status=status,
        reason=cast(Any, attributes.text("runwell.step.reason")) if span.scope == _OWN and status == "skipped" else None,
        error=error,
        input=given,
        output=result,
        generation=generation,
        tool=tool if _is_foreign_tool(span, tool) else None,
        call_id=attributes.text("gen_ai.tool.call.id", "tool_call.id") if tool else None,
        record=_recorded(span, RUN if place == "run" else kind, attributes, events, span.resource if tells_resource else {}),
    )
    return ReadSpan(facts=facts, about=about, status_of_run=status_of_run)


def _own_json(attributes: Attributes, name: str) -> Any:
    """Return what we wrote as JSON, always; what was cut stays text."""
    told = attributes.take(name)
    try:
        return None if told is None else msgspec.json.decode(told)
    except (msgspec.MsgspecError, TypeError, RecursionError):
        return told


def kind_of(span: Span) -> str:
    return _kind(Attributes(span.attributes))


def _is_own_step(span: Span) -> bool:
    return span.scope == _OWN and "runwell.step.type" in span.attributes


def _is_foreign_tool(span: Span, tool: str | None) -> bool:
    return tool is not None and not _is_own_step(span)


def _recorded(span: Span, kind: str, attributes: Attributes, events: tuple[SpanEvent, ...], resource: dict[str, Any]) -> SpanRecorded:
    return SpanRecorded(
        trace_id=span.trace_id,
        span_id=span.span_id,
        parent_span_id=span.parent_id,
        name=span.name,
        kind=span.kind,
        step_type=kind,
        start=span.start,
        end=span.end,
        scope=span.scope or None,
        attributes=attributes.left,
        resource=resource,
        events=[msgspec.to_builtins(event) for event in events],
        links=[msgspec.to_builtins(link) for link in span.links],
    )


def _kind(attributes: Attributes) -> str:
    """Return the type of the step that the span is."""
    if isinstance(attributes.peek("runwell.step.type"), str):
        return str(attributes.take("runwell.step.type"))[:64]  # empty for a step that never began
    for name in _KIND_NAMES:
        told = attributes.text(name)
        if told is not None:
            return _OPERATIONS.get(told.lower(), told.lower()[:64])
    if "gen_ai.tool.name" in attributes:
        return "tool"
    if "gen_ai.request.model" in attributes or "llm.model_name" in attributes:  # before operations had names
        return "llm"
    return "agent" if "gen_ai.agent.name" in attributes else "span"


def times_of(span: Span, now: int) -> tuple[int, int]:
    """Return when the span began and ended in ms since 1970. A moment that cannot be is replaced by the other, or by `now`."""
    start, end = _moment(span.start, now), _moment(span.end, now)
    if start is None:
        start = now if end is None else end
    return start, max(start, start if end is None else end)


def _moment(ns: int, now: int) -> int | None:
    ms = ns // 1_000_000
    return ms if _EARLIEST <= ms <= now + _AHEAD_MS else None


def _status(span: Span, attributes: Attributes) -> Status:
    told = attributes.text("runwell.step.status") if span.scope == _OWN else None
    if told is not None and told in _STATUSES:
        return _STATUSES[told]
    level = attributes.peek("langfuse.observation.level")
    return "failed" if span.status == "error" or (span.status == "unset" and level == "ERROR") else "succeeded"


def _error(span: Span, attributes: Attributes) -> ErrorInfo:
    raised = next((event.attributes for event in reversed(span.events) if event.name == "exception"), {})
    kind = attributes.text("error.type") or raised.get("exception.type")
    message = span.message or attributes.text("langfuse.observation.status_message") or raised.get("exception.message")
    details = {"type": kind, "stack": raised.get("exception.stacktrace")}
    own = isinstance(kind, str) and kind in FAILURE_CODES
    return ErrorInfo(
        code=str(kind) if own else "SPAN_FAILED",
        message=str(message or kind or "the span ended with an error"),
        details=None if own else {key: value for key, value in details.items() if value is not None} or None,
    )


_ABOUT: Final = {
    "workflow": ("runwell.workflow",),
    "session_id": ("langfuse.session.id", "session.id"),
    "user_id": ("langfuse.user.id", "user.id", "enduser.id"),
    "conversation_id": ("gen_ai.conversation.id",),
    "release": ("langfuse.release",),
    "trace_name": ("langfuse.trace.name",),
    "environment": ("langfuse.environment", "deployment.environment.name", "deployment.environment"),
}
_TAGS: Final = ("langfuse.trace.tags", "tag.tags", "runwell.run.tags")
_METADATA: Final = ("runwell.metadata", "langfuse.trace.metadata", "traceloop.association.properties")
_RESOURCE: Final = {
    "service": ("service.name",),
    "service_version": ("service.version",),
    "resource_workflow": ("runwell.workflow",),
    "resource_environment": ("deployment.environment.name", "deployment.environment"),
}


def _about_run(attributes: Attributes, span: Span) -> dict[str, Any]:
    """Return what the span says of the whole run; `attributes` are used up."""
    resource = Attributes(span.resource)
    about: dict[str, Any] = {name: attributes.text(*names) for name, names in _ABOUT.items()}
    about |= {name: resource.text(*names) for name, names in _RESOURCE.items()}
    tags = [attributes.data(name) for name in _TAGS]
    about["tags"] = [str(tag) for held in tags if held is not None for tag in (held if isinstance(held, list) else [held])]
    metadata: dict[str, Any] = {}
    for prefix in _METADATA:
        metadata |= attributes.under(prefix)
    held = attributes.data("metadata")
    about["metadata"] = {**metadata, **held} if isinstance(held, dict) else metadata
    about["sent_along"] = {key: value for key, value in resource.left.items() if not key.startswith(("telemetry.", "service."))}
    return about
