"""From OpenTelemetry's span to ours: plain data, with values that every store can keep."""

import base64
import math
from collections.abc import Iterable
from typing import Any, Final

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span as ProtoSpan

from runwell.model.traces import Span, SpanEvent, SpanKind, SpanLink, SpanStatus

MOST_DEPTH: Final = 32
"""Levels of lists and objects that an attribute is kept with."""

_TOO_DEEP: Final = "[deeper than is kept]"
_KINDS: Final[tuple[SpanKind, ...]] = ("unspecified", "internal", "server", "client", "producer", "consumer")
_STATUSES: Final[tuple[SpanStatus, ...]] = ("unset", "ok", "error")


class BadSpan(Exception):
    """Why a span cannot be taken."""


def span_of(message: ProtoSpan, resource: dict[str, Any], scope: str) -> Span:
    """Return the span. Raises `BadSpan`."""
    trace_id, span_id = message.trace_id, message.span_id
    if len(trace_id) != 16 or not any(trace_id):
        raise BadSpan(f"the trace id {trace_id.hex()[:80]!r} is not 16 bytes, or is all zeros")
    if len(span_id) != 8 or not any(span_id):
        raise BadSpan(f"the span id {span_id.hex()[:80]!r} is not 8 bytes, or is all zeros")
    parent = message.parent_span_id
    if len(parent) not in (0, 8):
        raise BadSpan(f"the parent's span id {parent.hex()[:80]!r} is not 8 bytes")
    return Span(
        trace_id=trace_id.hex(),
        span_id=span_id.hex(),
        parent_id=parent.hex() if any(parent) and parent != span_id else None,
        name=message.name,
        kind=_KINDS[message.kind] if 0 <= message.kind < len(_KINDS) else "unspecified",
        start=message.start_time_unix_nano,
        end=message.end_time_unix_nano,
        status=_STATUSES[message.status.code] if 0 <= message.status.code < len(_STATUSES) else "unset",
        message=message.status.message,
        attributes=attributes_of(message.attributes),
        events=tuple(SpanEvent(name=one.name, at=one.time_unix_nano, attributes=attributes_of(one.attributes)) for one in message.events),
        links=tuple(
            SpanLink(trace_id=one.trace_id.hex(), span_id=one.span_id.hex(), attributes=attributes_of(one.attributes))
            for one in message.links
        ),
        resource=resource,
        scope=scope,
    )


def attributes_of(pairs: Iterable[KeyValue]) -> dict[str, Any]:
    return {pair.key: _value(pair.value, 0) for pair in pairs}


def _value(value: AnyValue, depth: int) -> Any:
    kind = value.WhichOneof("value")
    if kind is None:
        return None
    if kind == "array_value":
        return [_value(item, depth + 1) for item in value.array_value.values] if depth < MOST_DEPTH else _TOO_DEEP
    if kind == "kvlist_value":
        return {pair.key: _value(pair.value, depth + 1) for pair in value.kvlist_value.values} if depth < MOST_DEPTH else _TOO_DEEP
    if kind == "bytes_value":
        return base64.b64encode(value.bytes_value).decode()
    found = getattr(value, kind)
    return str(found) if isinstance(found, float) and not math.isfinite(found) else found
