"""What is kept of one model call: the event `generation_completed`."""

from typing import Any, Final

import msgspec

from runwell.model.errors import ErrorInfo
from runwell.model.model_call import KeySource, Reason
from runwell.model.raw_body import RawBody
from runwell.model.usage import Usage

RAW_FIELDS: Final = frozenset({"raw_request", "raw_response"})
"""Of `generation_completed`: kept in the journal, and told by `GET /v1/runs/{id}/generations/{seq}` and in exports only."""


class EventData(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an event says beyond its envelope."""


class GenerationCompleted(EventData, frozen=True, kw_only=True):
    """One model call ended. `ok` is false for a call that failed; times in ms.

    `error_class` says why it failed, or that its answer broke the `output_schema`. `model_index` is the model's place in the
    step's `models`. `thoughts` are those that the provider wants back as they are. `key` says whose key paid; `price_snapshot`
    names the price table of the cost. In `messages` a file is its type, length and SHA-256. `raw_request` and `raw_response`
    are the bodies as they went over the wire.
    """

    provider: str
    model: str
    response_model: str | None = None
    ok: bool = True
    usage: Usage = Usage()
    latency_ms: float = 0.0
    first_token_ms: float | None = None
    finish_reason: str | None = None
    messages: list[dict[str, Any]] | None = None
    params: dict[str, Any] | None = None
    tools: list[dict[str, Any]] | None = None
    response: Any = None
    tool_calls: list[dict[str, Any]] | None = None
    thought: str | None = None
    thoughts: list[dict[str, Any]] | None = None
    error: ErrorInfo | None = None
    error_class: Reason | None = None
    model_index: int = 0
    key: KeySource | None = None
    price_snapshot: str | None = None
    raw_request: RawBody | None = None
    raw_response: RawBody | None = None
