"""What belongs to a run, as the outside sees it: events, model calls, comments, decisions."""

from typing import Any

import msgspec

from runwell.model.errors import ErrorInfo
from runwell.model.model_call import KeySource, Reason
from runwell.model.raw_body import RawBody
from runwell.model.statuses import RunStatus
from runwell.model.usage import Usage


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """The command is durable; `status` is the run's right after it."""

    run_id: str
    status: RunStatus


class RunMarks(msgspec.Struct, frozen=True, kw_only=True):
    """`review` is `positive`, `negative` or empty. `archived_at`: null unless lists leave the run out."""

    run_id: str
    archived_at: str | None = None
    review: str = ""
    score: float | None = None


class EventView(msgspec.Struct, frozen=True, kw_only=True):
    """One event. `ts` is ms since 1970 UTC; what `data` holds depends on `type` and `v`."""

    seq: int
    id: str
    run_id: str
    type: str
    ts: int
    step_id: str | None
    attempt: int | None
    actor: str | None
    data: dict[str, Any]
    v: int


class Generation(msgspec.Struct, frozen=True, kw_only=True):
    """One model call, as it was sent and answered. `seq` is that of its event, `at` when it ended; times in ms.

    `error_class` says why it failed, or that its answer broke the `output_schema`; `key` whose key paid (null in runs of an
    older Runwell); `model_index` which of the step's `models` was asked; `thoughts` are those that the provider wants back as
    they are; `price_snapshot` names the price table of the cost.
    """

    seq: int
    at: str
    step_id: str | None
    attempt: int | None
    provider: str
    model: str
    response_model: str | None
    ok: bool
    usage: Usage
    cost_usd: str
    latency_ms: float
    first_token_ms: float | None
    finish_reason: str | None
    messages: list[dict[str, Any]] | None
    params: dict[str, Any] | None
    tools: list[dict[str, Any]] | None
    response: Any
    tool_calls: list[dict[str, Any]] | None
    thought: str | None
    thoughts: list[dict[str, Any]] | None
    error: ErrorInfo | None
    error_class: Reason | None
    model_index: int
    key: KeySource | None
    price_snapshot: str | None


class WholeGeneration(Generation, frozen=True, kw_only=True):
    """One model call with its bodies as they went over the wire, without secrets; null where nothing did."""

    raw_request: RawBody | None
    raw_response: RawBody | None


class Comment(msgspec.Struct, frozen=True, kw_only=True):
    """`by` is the id of the user or key that wrote it."""

    id: str
    run_id: str
    content: str
    by: str | None
    created_at: str


class TaskDecision(msgspec.Struct, frozen=True, kw_only=True):
    """How a task was decided. `run_status` is that of its run now."""

    id: str
    run_id: str
    approved: bool
    by: str | None
    comment: str | None
    result: dict[str, Any] | None
    decided_at: str
    run_status: RunStatus
