"""The two forms in which OTLP goes over HTTP, with the answers of each."""

from collections.abc import Mapping
from typing import Final

import msgspec
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTracePartialSuccess, ExportTraceServiceResponse

from runwell.adapters.otlp.wire import Reading, read_json, read_protobuf
from runwell.ports.traces import Batch, OtlpForm

_INVALID_ARGUMENT: Final = 3
"""Of the codes of gRPC."""


class ProtobufForm:
    """`application/x-protobuf`."""

    def read(self, body: bytes) -> Batch:
        return _batch(read_protobuf(body))

    def success(self, rejected: int, message: str) -> bytes:
        partial = ExportTracePartialSuccess(rejected_spans=rejected, error_message=message) if message else None
        return bytes(ExportTraceServiceResponse(partial_success=partial).SerializeToString())

    def failure(self, message: str) -> bytes:
        """Return a `google.rpc.Status`, as the protocol wants it."""
        text = message.encode()
        return bytes((0x08, _INVALID_ARGUMENT, 0x12)) + _varint(len(text)) + text


class JsonForm:
    """`application/json`."""

    def read(self, body: bytes) -> Batch:
        return _batch(read_json(body))

    def success(self, rejected: int, message: str) -> bytes:
        partial = {"partialSuccess": {"rejectedSpans": str(rejected), "errorMessage": message}} if message else {}
        return msgspec.json.encode(partial)

    def failure(self, message: str) -> bytes | None:
        return None


def _batch(reading: Reading) -> Batch:
    return Batch(spans=tuple(reading.spans), rejected=reading.rejected, faults=tuple(reading.faults), broken=reading.broken)


def _varint(number: int) -> bytes:
    parts = bytearray()
    while number > 0x7F:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes((*parts, number))


FORMS: Final[Mapping[str, OtlpForm]] = {"application/x-protobuf": ProtobufForm(), "application/json": JsonForm()}
"""By media type."""
