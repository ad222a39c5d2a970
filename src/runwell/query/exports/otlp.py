"""Traces as OpenTelemetry has them, in OTLP's JSON form: one `ExportTraceServiceRequest` a line, a run each.

A collector's `otlpjsonfile` receiver reads such files. A run is a span, its steps and model calls are spans below it; a run and its
child runs are one trace, whose id is the root run's UUID. Model calls follow the semantic conventions for generative AI.
Ids are hex and 64-bit integers are text, as OTLP's JSON form wants it.
"""

import hashlib
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from runwell.model.run_record import GenerationRecord, RunRecord, StepRecord
from runwell.model.statuses import RunStatus
from runwell.model.usage import usd
from runwell.model.version import __version__

SCHEMA_URL: Final = "https://opentelemetry.io/schemas/1.37.0"

_OK, _ERROR = 1, 2
_INTERNAL, _CLIENT = 1, 3
_encoder = msgspec.json.Encoder()
_PROVIDERS: Final = {"anthropic": "anthropic", "google": "gcp.gemini", "openai": "openai"}
_MOST_TEXT: Final = 100_000
"""Characters of a text that one attribute holds; what is longer is cut, as collectors refuse large requests."""


class Otlp:
    media_type = "application/x-ndjson"
    extension = "otlp.jsonl"

    def begin(self) -> bytes:
        return b""

    def add(self, record: RunRecord) -> bytes:
        return _encoder.encode(trace_request(record)) + b"\n"

    def end(self) -> bytes:
        return b""


def trace_request(run: RunRecord) -> dict[str, Any]:
    """Return the run as an `ExportTraceServiceRequest`."""
    end = max(filter(None, (run.ended_at, run.started_at, run.created_at)))
    spans = [_run_span(run, end), *(_step_span(run, step, end) for step in run.steps), *(_call_span(run, call) for call in run.generations)]
    resource = {
        "service.name": run.workflow_slug,
        "service.version": str(run.version),
        "deployment.environment.name": run.environment,
        "runwell.workflow.id": run.workflow_id,
        "runwell.project.id": run.project_id,
    }
    scope = {"name": "runwell", "version": __version__}
    scoped = {"scope": scope, "spans": spans, "schemaUrl": SCHEMA_URL}
    return {"resourceSpans": [{"resource": {"attributes": _attributes(resource)}, "scopeSpans": [scoped], "schemaUrl": SCHEMA_URL}]}


def _run_span(run: RunRecord, end: int) -> dict[str, Any]:
    attributes = {
        "runwell.run.id": run.run_id,
        "runwell.run.status": run.status.value,
        "runwell.run.trigger": run.trigger,
        "runwell.run.input": _json(run.input),
        "runwell.run.output": _json(run.output),
        "runwell.run.cost_usd": usd(run.usage.cost_nanos),
        "runwell.run.queue_ms": run.queue_ms,
        "runwell.run.waited_ms": run.waited_ms,
        "runwell.run.tags": list(run.tags) or None,
        "runwell.run.review": run.review or None,
        "runwell.run.score": run.score,
        "runwell.source_run.id": run.source_run_id,
        "gen_ai.operation.name": "invoke_agent" if run.kind == "agent" else None,
        "gen_ai.agent.name": run.workflow_name if run.kind == "agent" else None,
        "error.type": run.failure_code,
        **{f"runwell.metadata.{key}": value for key, value in run.metadata.items()},
    }
    failed = run.status not in (RunStatus.SUCCEEDED, RunStatus.STOPPED) and run.ended_at is not None
    return _span(
        run,
        _span_id(run.run_id),
        None if run.parent_run_id is None else _span_id(run.parent_run_id),
        f"run {run.workflow_slug}",
        (run.started_at or run.created_at, end),
        attributes,
        _status(run.status is RunStatus.SUCCEEDED, failed, run.error_message),
    )


def _step_span(run: RunRecord, step: StepRecord, run_end: int) -> dict[str, Any]:
    start = step.started_at or run.started_at or run.created_at
    end = start if step.started_at is None else run_end if step.duration_ms is None else start + step.duration_ms
    attributes = {
        "runwell.run.id": run.run_id,
        "runwell.step.id": step.id,
        "runwell.step.path": step.path,
        "runwell.step.type": step.type,
        "runwell.step.status": step.status,
        "runwell.step.reason": step.reason,
        "runwell.step.attempts": step.attempts,
        "error.type": step.error_code,
    }
    status = _status(step.status == "succeeded", step.status == "failed", step.error_code)
    return _span(run, _span_id(run.run_id, step.path), _above(run, step.path), f"{step.type} {step.id}", (start, end), attributes, status)


def _call_span(run: RunRecord, call: GenerationRecord) -> dict[str, Any]:
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": _PROVIDERS.get(call.provider, call.provider),
        "gen_ai.request.model": call.model,
        "gen_ai.response.model": call.model if call.ok else None,
        "gen_ai.usage.input_tokens": call.usage.input_tokens,
        "gen_ai.usage.output_tokens": call.usage.output_tokens,
        "gen_ai.usage.cache_read.input_tokens": call.usage.cached_tokens or None,
        "gen_ai.conversation.id": run.root_run_id or run.run_id,
        "gen_ai.input.messages": None if call.messages is None else _json([_message(message) for message in call.messages]),
        "gen_ai.output.messages": None if call.response is None else _json([_message({"role": "assistant", "content": call.response})]),
        "runwell.run.id": run.run_id,
        "runwell.step.path": call.step_path,
        "runwell.cost_usd": usd(call.usage.cost_nanos),
        "runwell.first_token_ms": call.first_token_ms,
        "error.type": None if call.ok else "LLM_REQUEST_FAILED",
    }
    times = (call.at - max(call.latency_ms, 0.0), call.at)
    parent = _span_id(run.run_id, call.step_path)
    span_id = _span_id(run.run_id, call.step_path, str(call.seq))
    return _span(run, span_id, parent, f"chat {call.model}", times, attributes, _status(call.ok, not call.ok, call.error_message), _CLIENT)


def _span(
    run: RunRecord,
    span_id: str,
    parent: str | None,
    name: str,
    times: tuple[float, float],
    attributes: Mapping[str, Any],
    status: dict[str, Any],
    kind: int = _INTERNAL,
) -> dict[str, Any]:
    span = {
        "traceId": (run.root_run_id or run.run_id).removeprefix("run_"),
        "spanId": span_id,
        "name": name,
        "kind": kind,
        "startTimeUnixNano": str(int(times[0] * 1000) * 1000),
        "endTimeUnixNano": str(int(times[1] * 1000) * 1000),
        "attributes": _attributes(attributes),
        "status": status,
    }
    return span if parent is None else {**span, "parentSpanId": parent}


def _above(run: RunRecord, path: str) -> str:
    """Return the span of the loop in which the step is (`each` of `each[3].send`), or of the run."""
    loop = path.rpartition("[")[0]
    return _span_id(run.run_id, loop) if loop else _span_id(run.run_id)


def _span_id(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _status(ok: bool, failed: bool, message: str | None) -> dict[str, Any]:
    if failed:
        return {"code": _ERROR, **({"message": message[:_MOST_TEXT]} if message else {})}
    return {"code": _OK} if ok else {}


def _message(message: Mapping[str, Any]) -> dict[str, Any]:
    content = message.get("content")
    text = content if isinstance(content, str) else _json(content) or ""
    return {"role": message.get("role"), "parts": [{"type": "text", "content": text}]}


def _json(value: Any) -> str | None:
    return None if value is None else _encoder.encode(value).decode()


def _attributes(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": _any(value)} for key, value in values.items() if value is not None]


def _any(value: Any) -> dict[str, Any]:
    if isinstance(value, list):
        return {"arrayValue": {"values": [_any(item) for item in value]}}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    return {"stringValue": str(value)[:_MOST_TEXT]}
