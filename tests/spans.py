"""Spans as programs send them, in OTLP's JSON form, and requests made of them."""

import json
import secrets
import time
from collections.abc import Iterable
from typing import Any

from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from runwell.adapters.otlp.json_ids import with_binary_ids

BEGAN_MS = time.time_ns() // 1_000_000 - 3_600_000
"""When the traces began, unless a test says otherwise: lists hold what is not too old."""

Json = dict[str, Any]


def new_trace_id() -> str:
    return secrets.token_hex(16)


def any_value(value: Any) -> Json:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, list):
        return {"arrayValue": {"values": [any_value(item) for item in value]}}
    if isinstance(value, dict):
        return {"kvlistValue": {"values": attributes(value)}}
    return {"stringValue": value}


def attributes(values: Json) -> list[Json]:
    return [{"key": key, "value": any_value(value)} for key, value in values.items()]


def span(
    trace_id: str,
    number: int,
    name: str,
    *,
    parent: int | None = None,
    at: tuple[int, int] = (0, 1_000),
    told: Json | None = None,
    error: str | None = None,
    **fields: Any,
) -> Json:
    """Return a span; `at`: when it began and ended, in ms after `BEGAN_MS`."""
    status = {} if error is None else {"status": {"code": 2, "message": error}}
    above = {} if parent is None else {"parentSpanId": f"{parent:016x}"}
    return {
        "traceId": trace_id,
        "spanId": f"{number:016x}",
        "name": name,
        "kind": 1,
        "startTimeUnixNano": str((BEGAN_MS + at[0]) * 1_000_000),
        "endTimeUnixNano": str((BEGAN_MS + at[1]) * 1_000_000),
        "attributes": attributes(told or {}),
        **above,
        **status,
        **fields,
    }


def request(spans: Iterable[Json], *, service: str = "support-bot", scope: str = "my.agent", **resource: Any) -> Json:
    told = {"resource": {"attributes": attributes({"service.name": service, **resource})}}
    return {"resourceSpans": [{**told, "scopeSpans": [{"scope": {"name": scope}, "spans": list(spans)}]}]}


def as_json(sent: Json) -> bytes:
    return json.dumps(sent).encode()


def as_protobuf(sent: Json) -> bytes:
    """Return the request as protobuf has it."""
    changed = json.loads(json.dumps(sent))
    for resource_spans in changed["resourceSpans"]:
        for scope_spans in resource_spans["scopeSpans"]:
            scope_spans["spans"] = [with_binary_ids(one) for one in scope_spans["spans"]]
    return bytes(json_format.ParseDict(changed, ExportTraceServiceRequest()).SerializeToString())


ASKED = [
    {"role": "system", "parts": [{"type": "text", "content": "Be brief."}]},
    {"role": "user", "parts": [{"type": "text", "content": "Where is order 17?"}]},
]
CALLED = [
    {
        "role": "assistant",
        "parts": [{"type": "tool_call", "id": "c1", "name": "find_order", "arguments": {"order": 17}}],
        "finish_reason": "tool_call",
    }
]
ANSWERED = [{"role": "assistant", "parts": [{"type": "text", "content": "It comes tomorrow."}], "finish_reason": "stop"}]


def agent_trace(trace_id: str) -> list[Json]:
    """Return the trace of an agent that calls a model, a tool and the model again: the root, then what is below it."""
    chat = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o-mini"}
    first = {"gen_ai.usage.input_tokens": 1_000, "gen_ai.usage.output_tokens": 100, "gen_ai.request.temperature": 0.5}
    second = {"gen_ai.usage.input_tokens": 2_000, "gen_ai.usage.output_tokens": 200, "gen_ai.response.model": "gpt-4o-mini-2024-07-18"}
    messages = {"gen_ai.input.messages": json.dumps(ASKED), "gen_ai.output.messages": json.dumps(CALLED)}
    tool = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "find_order", "gen_ai.tool.call.id": "c1"}
    told = {"gen_ai.tool.call.arguments": '{"order": 17}', "gen_ai.tool.call.result": '{"state": "sent"}'}
    root = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "support", "session.id": "s-1", "my.own": "kept"}
    asked = {"input.value": "Where is order 17?", "output.value": "It comes tomorrow."}
    return [
        span(trace_id, 1, "invoke_agent support", at=(0, 5_000), told={**root, **asked}),
        span(trace_id, 2, "chat gpt-4o-mini", parent=1, at=(100, 1_100), told={**chat, **first, **messages}),
        span(trace_id, 3, "execute_tool find_order", parent=1, at=(1_200, 1_500), told={**tool, **told}),
        span(trace_id, 4, "SELECT orders", parent=3, at=(1_250, 1_400), told={"db.system": "postgresql", "db.rows": 3}),
        span(
            trace_id,
            5,
            "chat gpt-4o-mini",
            parent=1,
            at=(1_600, 4_900),
            told={**chat, **second, "gen_ai.output.messages": json.dumps(ANSWERED)},
        ),
    ]
