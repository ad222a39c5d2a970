"""Traces of other programs, by OpenTelemetry's protocol: `OTLP/HTTP`, in protobuf or JSON."""

import asyncio
from typing import Any, Final

from fastapi import Request
from starlette.responses import Response

from runwell.api.compressed import decompressed
from runwell.api.errors import Malformed, UnsupportedMediaType
from runwell.api.route import Caller, Server, needs, router
from runwell.ports.traces import Batch

routes = router("traces")

_PROTOBUF: Final = "application/x-protobuf"
_REQUEST: Final[dict[str, Any]] = {
    "required": True,
    "description": "An `ExportTraceServiceRequest`; `Content-Encoding: gzip` is understood.",
    "content": {
        _PROTOBUF: {"schema": {"type": "string", "format": "binary"}},
        "application/json": {
            "schema": {"type": "object", "properties": {"resourceSpans": {"type": ["array", "null"], "items": {"type": "object"}}}}
        },
    },
}
_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "An `ExportTraceServiceResponse` in the form of the request. All spans are kept but those that it rejects.",
        "content": {
            _PROTOBUF: {"schema": {"type": "string", "format": "binary"}},
            "application/json": {"schema": {"type": "object", "properties": {"partialSuccess": {"type": "object"}}}},
        },
    },
    400: {
        "description": "The request cannot be read, or none of its spans. What could be read is kept. In protobuf a `google.rpc.Status`.",
        "content": {
            "application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemDetails"}},
            _PROTOBUF: {"schema": {"type": "string", "format": "binary"}},
        },
    },
}


@routes.post("/v1/traces", responses=_ANSWERS, openapi_extra={"requestBody": _REQUEST})
@needs("workflow:run")
async def export_traces(request: Request, caller: Caller, server: Server) -> Response:
    """Take in spans of any program's traces. Each trace becomes a run, once it is whole; a span that is sent twice counts once."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    form = server.otlp.get(media_type)
    if form is None:
        raise UnsupportedMediaType(f"traces are not read as {media_type[:80]!r}", hint=f"send {' or '.join(server.otlp)}")
    body = await request.body()
    body = await asyncio.to_thread(decompressed, body, request.headers.get("content-encoding", ""), server.max_body_bytes)
    batch = await asyncio.to_thread(form.read, body)
    await server.traces.take(caller.scope, caller.actor, batch.spans)
    if batch.broken is None and (batch.spans or not batch.rejected):
        return Response(form.success(batch.rejected, _told(batch)), media_type=media_type)
    failed = form.failure(_told(batch))
    if failed is not None:
        return Response(failed, 400, media_type=media_type)
    raise Malformed(_told(batch), hint="OTLP is described at https://opentelemetry.io/docs/specs/otlp/")


def _told(batch: Batch) -> str:
    """Return what was wrong; empty for nothing."""
    words = [] if batch.broken is None else [f"{batch.broken}; {len(batch.spans)} spans before that are kept"]
    if batch.rejected:
        more = batch.rejected - len(batch.faults)
        words += [f"{batch.rejected} spans are rejected: {'; '.join(batch.faults)}{f'; and {more} more' if more else ''}"]
    return ". ".join(words)
