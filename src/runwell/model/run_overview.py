"""A run at a glance: a row of a list, and what explains how a run stands."""

from typing import Any, Final

import msgspec

from runwell.model.caching import RunCache, run_cache
from runwell.model.errors import ErrorInfo
from runwell.model.listed_run import ListedRun
from runwell.model.run import RunRow, WorkflowRef
from runwell.model.statuses import RUN_LABELS, RunStatus, StepStatus, WaitingFor
from runwell.model.times import rfc3339
from runwell.model.usage import NO_USAGE, Usage, usd

MESSAGE: Final = 500
"""As many characters of an error's message, and of what was said of a run, stand in a list."""


class RunSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One run in a list. `label` is the status in words for people; `tokens` those of its model calls, in and out.

    The previews are the beginnings of input and output, on one line; empty where there is none.
    `cache` is what it had from there, null for nothing. `values`: what it has in the fields that were asked for, as text.
    """

    id: str
    workflow: WorkflowRef
    status: RunStatus
    label: str
    waiting_for: str | None = None
    failed_step: str | None = None
    trigger: str = "api"
    environment: str = "production"
    cost_usd: str = "0"
    created_at: str
    started_at: str | None = None
    ended_at: str | None = None
    duration_ms: int | None = None
    parent_run_id: str | None = None
    source_run_id: str | None = None
    failure_code: str | None = None
    error_message: str | None = None
    models: tuple[str, ...] = ()
    tokens: int = 0
    input_preview: str = ""
    output_preview: str = ""
    tags: tuple[str, ...] = ()
    cache: RunCache | None = None
    archived_at: str | None = None
    review: str = ""
    score: float | None = None
    review_comment: str | None = None
    values: dict[str, str] | msgspec.UnsetType = msgspec.UNSET


def record_summary(record: ListedRun) -> RunSummary:
    """Return what a list shows of the run."""
    return RunSummary(
        id=record.run_id,
        workflow=WorkflowRef(id=record.workflow_id, slug=record.workflow_slug, name=record.workflow_name, version=record.version),
        status=record.status,
        label=RUN_LABELS[record.status],
        waiting_for=record.waiting_for,
        failed_step=record.failed_step,
        trigger=record.trigger,
        environment=record.environment,
        cost_usd=usd(record.usage.cost_nanos),
        created_at=rfc3339(record.created_at),
        started_at=_moment(record.started_at),
        ended_at=_moment(record.ended_at),
        duration_ms=record.duration_ms,
        parent_run_id=record.parent_run_id,
        source_run_id=record.source_run_id,
        failure_code=record.failure_code,
        error_message=record.error_message if record.error_message is None else record.error_message[:MESSAGE],
        models=record.models,
        tokens=record.usage.input_tokens + record.usage.output_tokens,
        input_preview=record.input_preview,
        output_preview=record.output_preview,
        tags=record.tags,
        cache=run_cache(record.served_from, record.cache_hits, record.saved_nanos, record.saved_ms),
        archived_at=_moment(record.archived_at),
        review=record.review,
        score=record.score,
        review_comment=None if record.review_comment is None else record.review_comment[:MESSAGE],
    )


def run_summary(row: RunRow) -> RunSummary:
    """Return what the journal's row tells of it: without its error, tokens, tags and review."""
    return RunSummary(
        id=row.run_id,
        workflow=WorkflowRef(id=row.workflow_id, slug=row.workflow_slug, name=row.workflow_name, version=row.version),
        status=row.status,
        label=RUN_LABELS[row.status],
        waiting_for=row.waiting_for,
        failed_step=row.failed_step,
        trigger=row.trigger,
        environment=row.environment,
        cost_usd=usd(row.cost_nanos),
        created_at=rfc3339(row.created_at),
        started_at=_moment(row.started_at),
        ended_at=_moment(row.ended_at),
        duration_ms=row.duration_ms,
        parent_run_id=row.parent_run_id,
        source_run_id=row.source_run_id,
        archived_at=_moment(row.archived_at),
    )


def _moment(ms: int | None) -> str | None:
    return None if ms is None else rfc3339(ms)


class ContextStep(msgspec.Struct, frozen=True, kw_only=True):
    """What expressions see of a step."""

    status: StepStatus
    input: Any = None
    result: Any = None
    error: ErrorInfo | None = None


class RunContext(msgspec.Struct, frozen=True, kw_only=True):
    """What the expressions of a run see: its input, its variables, and its steps by path."""

    input: Any
    variables: dict[str, Any]
    steps: dict[str, ContextStep]


class StepWait(msgspec.Struct, frozen=True, kw_only=True):
    """What one step waits for, and since when. `until`: then time moves it on; None when only an event does."""

    path: str
    waiting_for: WaitingFor
    since: str
    until: str | None = None
    task_id: str | None = None
    message: str | None = None
    child_run_id: str | None = None


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """One link from a run's failure to its cause: a step that failed, of this run or of a child run."""

    run_id: str
    path: str
    type: str
    error: ErrorInfo


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How many steps have come to their end, of those known so far: a loop's inner steps are known once it gets there."""

    resolved: int
    total: int


class Durations(msgspec.Struct, frozen=True, kw_only=True):
    """Where the time went, in ms, until now or the run's end. `waiting` holds pauses too."""

    queued_ms: int
    working_ms: int
    waiting_ms: int


class RunOverview(msgspec.Struct, frozen=True, kw_only=True):
    """How a run stands, without inputs and results.

    `steps` counts steps by badge. `waits` is empty unless something waits. `causes` leads from the outermost
    step that failed to the one at fault, through child runs.
    """

    id: str
    workflow: WorkflowRef
    status: RunStatus
    label: str
    waiting_for: WaitingFor | None
    waits: list[StepWait]
    steps: dict[str, int]
    progress: Progress
    failed_step: str | None
    error: ErrorInfo | None
    causes: list[Cause]
    usage: Usage = NO_USAGE
    cost_usd: str = "0"
    credits: str = "0"
    durations: Durations
    created_at: str
    started_at: str | None = None
    ended_at: str | None = None
    duration_ms: int | None = None
