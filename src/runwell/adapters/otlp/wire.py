"""A request to `/v1/traces`, taken apart down to its spans, so that one that is broken takes no other along.

`ExportTraceServiceRequest > ResourceSpans > ScopeSpans > Span`; the lowest is read by OpenTelemetry's own classes.
"""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final, NamedTuple

import msgspec
from google.protobuf import json_format
from google.protobuf.message import DecodeError
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span as ProtoSpan

from runwell.adapters.otlp.json_ids import with_binary_ids
from runwell.adapters.otlp.spans import BadSpan, attributes_of, span_of
from runwell.model.traces import Span

_MOST_FAULTS: Final = 5
_LENGTH_DELIMITED: Final = 2
_FIXED: Final = {1: 8, 5: 4}


class Broken(Exception):
    """What is wrong with a request, or with a part of it."""


class Place(NamedTuple):
    """Who made a span: the attributes of the resource, and the name of the instrumentation."""

    resource: dict[str, Any]
    scope: str


class Reading:
    """Spans as they are read, and what was wrong with others. `broken`: the request could not be read to its end, and why."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.rejected = 0
        self.faults: list[str] = []
        self.broken: str | None = None

    def reject(self, message: str) -> None:
        self.rejected += 1
        if len(self.faults) < _MOST_FAULTS:
            self.faults.append(message)

    def add(self, message: ProtoSpan, place: Place) -> None:
        try:
            self.spans.append(span_of(message, place.resource, place.scope))
        except BadSpan as exc:
            self.reject(f"span {message.name[:80]!r}: {exc}")


def read_protobuf(body: bytes) -> Reading:
    reading = Reading()
    try:
        for part in _messages(body, 1, rest=True):
            _read_resource_spans(part, reading)
    except Broken as exc:
        reading.broken = str(exc)
    return reading


def _read_resource_spans(body: bytes, reading: Reading) -> None:
    resource: dict[str, Any] = {}
    for part in _whole(body, 1):
        try:
            resource = attributes_of(Resource.FromString(part).attributes)
        except DecodeError as exc:
            raise Broken(f"a resource cannot be read: {_told(exc)}") from exc
    for part in _messages(body, 2, rest=True):
        _read_scope_spans(part, resource, reading)


def _read_scope_spans(body: bytes, resource: dict[str, Any], reading: Reading) -> None:
    scope = ""
    for part in _whole(body, 1):
        try:
            scope = InstrumentationScope.FromString(part).name
        except DecodeError as exc:
            raise Broken(f"a scope cannot be read: {_told(exc)}") from exc
    for part in _messages(body, 2):
        try:
            message = ProtoSpan.FromString(part)
        except DecodeError as exc:
            reading.reject(f"a span cannot be read: {_told(exc)}")
        else:
            reading.add(message, Place(resource, scope))


def _messages(body: bytes, wanted: int, *, rest: bool = False) -> Iterator[bytes]:
    """Yield the messages in a field of this number, each before what comes behind it is looked at. Raises `Broken`.

    `rest`: of one that is cut short, what there is of it comes first.
    """
    at = 0
    while at < len(body):
        key, at = _varint(body, at)
        number, wire_type = key >> 3, key & 7
        if wire_type == 0:
            _, at = _varint(body, at)
            continue
        if wire_type == _LENGTH_DELIMITED:
            length, at = _varint(body, at)
        elif wire_type in _FIXED:
            length = _FIXED[wire_type]
        else:
            raise Broken(f"no protobuf at byte {at}: there is no wire type {wire_type}")
        if length > len(body) - at or number == 0:
            if rest and number == wanted and wire_type == _LENGTH_DELIMITED:
                yield body[at:]
            raise Broken(f"no protobuf, or cut short, at byte {at} of {len(body)}")
        if number == wanted and wire_type == _LENGTH_DELIMITED:
            yield body[at : at + length]
        at += length


def _whole(body: bytes, wanted: int) -> Iterator[bytes]:
    """Yield as `_messages` does, up to where the body is cut short."""
    with suppress(Broken):
        yield from _messages(body, wanted)


def _varint(body: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(body):
            raise Broken(f"cut short at byte {at}")
        byte = body[at]
        value |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return value, at
    raise Broken(f"no protobuf at byte {at}: a number has no end")


def read_json(body: bytes) -> Reading:
    reading = Reading()
    try:
        request = msgspec.json.decode(body)
        for at, resource_spans in _objects(request, "resourceSpans", "", reading):
            resource = attributes_of(_parsed(resource_spans.get("resource") or {}, Resource()).attributes)
            for within, scope_spans in _objects(resource_spans, "scopeSpans", at, reading):
                place = Place(resource, str((scope_spans.get("scope") or {}).get("name") or ""))
                for _, span in _objects(scope_spans, "spans", within, reading):
                    _read_json_span(span, place, reading)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as exc:
        reading.broken = f"no JSON: {_told(exc)}"
    except (Broken, BadSpan) as exc:
        reading.broken = str(exc)
    except (AttributeError, TypeError) as exc:
        reading.broken = f"no ExportTraceServiceRequest: {_told(exc)}"
    return reading


def _read_json_span(span: dict[str, Any], place: Place, reading: Reading) -> None:
    try:
        message = _parsed(with_binary_ids(span), ProtoSpan())
    except (Broken, BadSpan) as exc:
        reading.reject(f"span {str(span.get('name', ''))[:80]!r}: {exc}")
    else:
        reading.add(message, place)


def _objects(held: Any, name: str, outer: str, reading: Reading) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the objects of a list, each with its place; what else is in the list is rejected. Raises `Broken` when there is no list."""
    found = held.get(name) if isinstance(held, dict) else None
    if not isinstance(held, dict) or not isinstance(found, list | None):
        raise Broken(f"{name!r} must be a list of objects in an object")
    for i, item in enumerate(found or ()):
        place = f"{outer}{name}[{i}]"
        if isinstance(item, dict):
            yield f"{place}.", item
        else:
            reading.reject(f"{place} is no object")


def _parsed(held: Any, message: Any) -> Any:
    try:
        return json_format.ParseDict(held, message, ignore_unknown_fields=True)
    except (json_format.ParseError, ValueError, TypeError, AttributeError, RecursionError, OverflowError) as exc:
        raise Broken(_told(exc)) from exc


def _told(exc: BaseException) -> str:
    return (str(exc) or type(exc).__name__)[-200:].encode(errors="replace").decode()
