"""What the run store keeps of a run: all that lists, search, analytics and exports need, made of its events."""

from typing import Any

import msgspec

from runwell.model.scope import Scope
from runwell.model.statuses import RunStatus
from runwell.model.usage import NO_USAGE, Usage


class StepRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One step that has begun or is resolved. `id` is its id in the document, `path` its place in the run; times in ms since 1970.

    `type` is empty for one that never began: events do not tell it.
    """

    path: str
    id: str
    type: str
    status: str
    reason: str | None = None
    attempts: int = 0
    started_at: int | None = None
    duration_ms: int | None = None
    error_code: str | None = None


class GenerationRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One model call. `seq` is its event's; `model` answered, or was asked when none did. `latency_ms` until the whole answer."""

    seq: int
    at: int
    step_path: str
    provider: str
    model: str
    ok: bool = True
    latency_ms: float = 0.0
    first_token_ms: float | None = None
    usage: Usage = NO_USAGE
    messages: list[dict[str, Any]] | None = None
    response: Any = None
    error_message: str | None = None


class RunRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One run as it is after its event `rev`. Times in ms since 1970 UTC, `*_ms` in ms.

    `queue_ms`: from creation to start; `waited_ms`: what steps waited for people, messages and time, and pauses.
    `archived_at`: None unless it is archived. `review`: `positive`, `negative` or empty; with `score` and
    `review_comment` what shows of all that was said (`model.judgement`). `step_count` counts all steps, `usage.generations`
    all model calls: of very many, `steps` and `generations` hold a part. `cache_hits`: results that it had from the cache, its
    output (then `served_from` says whose it was) or steps'; `saved_*` what that saved.
    """

    run_id: str
    rev: int
    org_id: str
    project_id: str
    workflow_id: str
    workflow_slug: str
    workflow_name: str
    kind: str = "workflow"
    version: int
    version_hash: str
    status: RunStatus
    waiting_for: str | None = None
    failure_code: str | None = None
    failed_step: str | None = None
    error_message: str | None = None
    trigger: str = "api"
    environment: str = "production"
    root_run_id: str | None = None
    parent_run_id: str | None = None
    source_run_id: str | None = None
    served_from: str | None = None
    created_at: int
    started_at: int | None = None
    ended_at: int | None = None
    duration_ms: int | None = None
    queue_ms: int = 0
    waited_ms: int = 0
    input: Any = None
    output: Any = None
    tags: tuple[str, ...] = ()
    metadata: dict[str, str] = {}
    usage: Usage = NO_USAGE
    cache_hits: int = 0
    saved_nanos: int = 0
    saved_ms: int = 0
    tool_calls: int = 0
    step_count: int = 0
    steps: tuple[StepRecord, ...] = ()
    generations: tuple[GenerationRecord, ...] = ()
    comments: int = 0
    review: str = ""
    score: float | None = None
    review_comment: str | None = None
    archived_at: int | None = None

    @property
    def scope(self) -> Scope:
        return Scope(self.org_id, self.project_id)

    @property
    def begun_at(self) -> int:
        """When it began: its start, or its creation as long as it has not started."""
        return self.created_at if self.started_at is None else self.started_at
