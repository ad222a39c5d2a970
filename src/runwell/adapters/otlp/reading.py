"""From the spans of a trace to what they say together. The order in which they come makes no difference."""

import re
from collections.abc import Sequence
from typing import Any, Final

import msgspec
import structlog

from runwell.adapters.otlp.conventions import MODEL_CALL, ReadSpan, kind_of, read_span, times_of
from runwell.model import events as ev
from runwell.model.errors import ErrorInfo, LimitName
from runwell.model.events import EventData
from runwell.model.slugs import NAME_LENGTH
from runwell.model.traces import Span, SpanFacts, TraceReading

_log = structlog.get_logger("runwell.traces")

_MOST_METADATA: Final = 50
_MOST_TEXT: Final = 1_000
_MOST_TAGS: Final = 50
_MOST_TAG: Final = 100
_UNNAMED: Final = "traces"
_NO_NAME: Final = re.compile(r"[\x00-\x1f/]+")
_NO_ENVIRONMENT: Final = re.compile(r"[^a-z0-9_-]+")
_LIMITS: Final[dict[str, LimitName]] = {
    "timed_out": "timeout_s",
    "memory_limit_exceeded": "memory_mb",
    "log_size_exceeded": "log_bytes",
    "quota_exceeded": "credits",
}


def read_trace(spans: Sequence[Span], now: int, is_late: bool) -> TraceReading:
    """Return what the spans say. `now`: ms since 1970. `is_late`: their run has ended, and none of them is it."""
    ordered = sorted(spans, key=lambda span: (times_of(span, now)[0], span.start, span.span_id))
    root = None if is_late else _root(ordered)
    outer = _with_calls_below(ordered)
    first = root or ordered[0]
    read = [
        _read(
            span,
            now,
            is_root=span is root,
            calls_model_itself=span.span_id not in outer,
            tells_resource=span is first or span.resource != first.resource,
        )
        for span in ordered
    ]
    top = next((one for span, one in zip(ordered, read, strict=True) if span is root), None)
    about = _about([one.about for one in ([top] if top else []) + read])
    facts = tuple(one.facts for one in read)
    start = top.facts.start if top else min(one.start for one in facts)
    end = top.facts.end if top else max(one.end for one in facts)
    return TraceReading(
        workflow=_workflow(about, ordered),
        spans=facts,
        start=start,
        end=end,
        ending=_ending(top, _tops(ordered, read)),
        input=top.facts.input if top else None,
        tags=tuple(dict.fromkeys(tag[:_MOST_TAG] for tag in about["tags"] if tag))[:_MOST_TAGS],
        metadata=_metadata(about, ordered[0].trace_id),
        environment=_environment(about),
    )


def _read(span: Span, now: int, *, is_root: bool, calls_model_itself: bool, tells_resource: bool) -> ReadSpan:
    """Return what the span says; of one whose attributes nobody foresaw, what it says without conventions: no trace waits for ever."""
    try:
        return read_span(span, now, is_root=is_root, calls_model_itself=calls_model_itself, tells_resource=tells_resource)
    except Exception as exc:
        _log.error("span_not_understood", trace_id=span.trace_id, span_id=span.span_id, exc_info=exc)
    plain = msgspec.structs.replace(span, attributes={}, resource={})
    read = read_span(plain, now, is_root=is_root, calls_model_itself=False, tells_resource=False)
    record = msgspec.structs.replace(read.facts.record, attributes=span.attributes, resource=span.resource)
    return msgspec.structs.replace(read, facts=msgspec.structs.replace(read.facts, record=record))


def _root(spans: Sequence[Span]) -> Span | None:
    """Return the span that is the run: the first without a parent; without one the only one whose parent is not here."""
    roots = [span for span in spans if span.parent_id is None]
    if roots:
        return roots[0]
    ids = {span.span_id for span in spans}
    tops = [span for span in spans if span.parent_id not in ids]
    return tops[0] if len(tops) == 1 else None


def _tops(spans: Sequence[Span], read: Sequence[ReadSpan]) -> list[SpanFacts]:
    ids = {span.span_id for span in spans}
    return [one.facts for span, one in zip(spans, read, strict=True) if span.parent_id not in ids]


def _with_calls_below(spans: Sequence[Span]) -> set[str]:
    """Return the ids of spans below which a model call is: what one of these tells of a call is told there again."""
    by_id = {span.span_id: span for span in spans}
    found: set[str] = set()
    for span in spans:
        if kind_of(span) not in MODEL_CALL:
            continue
        at = by_id.get(span.parent_id or "")
        while at is not None and at.span_id not in found:
            found.add(at.span_id)
            at = by_id.get(at.parent_id or "")
    return found


def _ending(top: ReadSpan | None, tops: Sequence[SpanFacts]) -> EventData:
    if top is None:
        failed = next((one for one in tops if one.status == "failed" and one.error is not None), None)
        return ev.RunSucceeded() if failed is None or failed.error is None else ev.RunFailed(error=failed.error)
    error, told = top.facts.error, top.status_of_run
    if told is not None and told != "failed":
        return _as_told(told, error, top.facts.output)
    return ev.RunSucceeded(output=top.facts.output) if error is None else ev.RunFailed(error=error)


def _as_told(status: str, error: ErrorInfo | None, output: Any) -> EventData:
    """Return how one of our own runs ended."""
    if status in _LIMITS:
        return ev.RunLimitExceeded(which=_LIMITS[status], error=error or ErrorInfo(code="RUN_STOPPED", message="a limit was exceeded"))
    if status == "internal_error":
        return ev.RunInternalError(error=error or ErrorInfo(code="INTERNAL_ERROR", message="something went wrong in Runwell"))
    if status == "succeeded":
        return ev.RunSucceeded(output=output)
    how = "was stopped" if status == "stopped" else f"was {status} when its trace was written"
    return ev.RunStopped(error=ErrorInfo(code="RUN_STOPPED", message=f"the run {how}"))


def _about(told: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return what the spans say of the run; the first that says something counts, the root before all."""
    about: dict[str, Any] = {"tags": [], "metadata": {}, "sent_along": {}}
    for one in told:
        for name, value in one.items():
            if name == "tags":
                about["tags"] += value
            elif isinstance(value, dict):
                about[name] = {**value, **about[name]}
            elif value is not None:
                about.setdefault(name, value)
    return about


def _workflow(about: dict[str, Any], spans: Sequence[Span]) -> str:
    service = about.get("service") or ""
    name = about.get("workflow") or about.get("resource_workflow") or ("" if service.startswith("unknown_service") else service)
    return _NO_NAME.sub("-", name).strip()[:NAME_LENGTH].strip() or _UNNAMED


def _environment(about: dict[str, Any]) -> str:
    told = _NO_ENVIRONMENT.sub("-", str(about.get("environment") or about.get("resource_environment") or "").lower()).strip("-_")[:40]
    return told or "production"


def _metadata(about: dict[str, Any], trace_id: str) -> dict[str, str]:
    named = ("session_id", "user_id", "conversation_id", "trace_name", "release", "service", "service_version")
    values = {"trace_id": trace_id, **{name: about.get(name) for name in named}, **about["metadata"], **about["sent_along"]}
    texts = {str(key)[:_MOST_TAG]: _text(value)[:_MOST_TEXT] for key, value in values.items() if value is not None and key}
    return dict(list(texts.items())[:_MOST_METADATA])


def _text(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
