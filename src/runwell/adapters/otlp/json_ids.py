"""Ids in OTLP's JSON form, which are hex there, as protobuf's own JSON form wants them: base64."""

import base64
from typing import Any

from runwell.adapters.otlp.spans import BadSpan

_NAMES = ("traceId", "spanId", "parentSpanId", "trace_id", "span_id", "parent_span_id")


def with_binary_ids(span: Any) -> Any:
    """Return the span with its ids and those of its links in base64. Raises `BadSpan`."""
    if not isinstance(span, dict):
        raise BadSpan("it is no object")
    links = span.get("links")
    changed = {**span, **_ids(span)}
    if isinstance(links, list):
        changed["links"] = [{**link, **_ids(link)} if isinstance(link, dict) else link for link in links]
    return changed


def _ids(held: dict[str, Any]) -> dict[str, str]:
    return {name: _base64(name, held[name]) for name in _NAMES if held.get(name)}


def _base64(name: str, text: Any) -> str:
    try:
        return base64.b64encode(bytes.fromhex(text)).decode()
    except (ValueError, TypeError) as exc:
        raise BadSpan(f"{name} {str(text)[:80]!r} is not hex") from exc
