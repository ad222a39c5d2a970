"""A run as the outside sees it: the JSON of `runwell run -o json` and `GET /v1/runs/{id}`."""

from typing import Any, Final

import msgspec

from runwell.model.caching import CacheUse, RunCache, StepCache
from runwell.model.errors import ErrorInfo
from runwell.model.statuses import RunStatus, SkipReason, StepStatus, WaitingFor
from runwell.model.usage import NO_USAGE, Usage

TESTING: Final = "testing"
"""The environment of trial runs."""

EVALUATION: Final = "evaluation"
"""The environment of runs that evaluate another run, and their trigger."""

SET_APART: Final = (TESTING, EVALUATION)
"""The environments whose runs no list and no figure holds unless it is asked for them."""


class WorkflowRef(msgspec.Struct, frozen=True, kw_only=True):
    """Which workflow a run is of, and in which version."""

    id: str
    slug: str
    name: str
    version: int


class Attempt(msgspec.Struct, kw_only=True):
    """One try of a step. Times are RFC 3339 in views, ms since 1970 in the engine."""

    number: int
    status: str
    started_at: Any
    ended_at: Any = None
    error: ErrorInfo | None = None
    usage: Usage = NO_USAGE


class StepView(msgspec.Struct, kw_only=True):
    """One step of a run. `id` is the step's id in the document, `path` its place in the run. `span`: what the span said that it was."""

    id: str
    path: str
    type: str
    status: StepStatus
    reason: SkipReason | None = None
    caused_by: str | None = None
    waiting_for: WaitingFor | None = None
    attempts: list[Attempt] = []
    started_at: str | None = None
    ended_at: str | None = None
    duration_ms: int | None = None
    input: Any = None
    result: Any = None
    error: ErrorInfo | None = None
    reused_from: str | None = None
    cache: StepCache | None = None
    span: dict[str, Any] | None = None


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """What an evaluation run made of a run, or of its `turn` (1 is the first); with an `error` nothing."""

    evaluation_run_id: str
    evaluator_id: str
    evaluator: str
    turn: int | None = None
    score: float | None = None
    review: str = ""
    comment: str | None = None
    error: ErrorInfo | None = None


class EvaluationRunInfo(msgspec.Struct, frozen=True, kw_only=True):
    """How a run and its evaluation hang together: of a run that was evaluated, the last run that did; of that one, the run it is about."""

    evaluation_run_id: str | None = None
    evaluated_run_id: str | None = None


class RunView(msgspec.Struct, kw_only=True):
    """One run, whole. `review`, `score` and `review_comment` are what shows of all that was said of it, by people and by `evaluations`.
    `span`: what the root span of its trace said, where it is one."""

    id: str
    workflow: WorkflowRef
    status: RunStatus
    waiting_for: WaitingFor | None = None
    input: Any = None
    output: Any = None
    error: ErrorInfo | None = None
    failed_step: str | None = None
    steps: list[StepView] = []
    usage: Usage = NO_USAGE
    cost_usd: str = "0"
    credits: str = "0"
    created_at: str | None = None
    started_at: str | None = None
    ended_at: str | None = None
    duration_ms: int | None = None
    trigger: str = "api"
    tags: tuple[str, ...] = ()
    metadata: dict[str, str] = {}
    source_run_id: str | None = None
    parent_run_id: str | None = None
    environment: str = "production"
    use_cache: CacheUse = "auto"
    cache: RunCache | None = None
    archived_at: str | None = None
    review: str = ""
    score: float | None = None
    span: dict[str, Any] | None = None
    review_comment: str | None = None
    evaluations: list[Evaluation] = []
    is_evaluation_run: bool = False
    evaluation_run_info: EvaluationRunInfo = EvaluationRunInfo()


class GraphNode(msgspec.Struct, frozen=True, kw_only=True):
    """One step of the document. `steps` are a loop's inner ones; `instances` counts what became of its iterations, by status."""

    id: str
    type: str
    name: str | None
    status: StepStatus | None
    reason: SkipReason | None
    steps: "RunGraph | None" = None
    instances: dict[str, int] = {}


class GraphEdge(msgspec.Struct, frozen=True, kw_only=True):
    """`target` depends on `source`; `when` is the condition under which the target runs."""

    source: str
    target: str
    when: str | None = None


class RunGraph(msgspec.Struct, frozen=True, kw_only=True):
    """A version's steps and their dependencies, in the document's order."""

    nodes: list[GraphNode]
    edges: list[GraphEdge]


class RunRow(msgspec.Struct, frozen=True, kw_only=True):
    """The current state of a run in one row: what lists and recovery need. Derived from the events.

    `wake_at` is the next moment (ms since 1970) at which time alone moves the run on.
    `idle` says that nothing is in flight: only a command, a message or time moves it.
    `cache_key`: under which the result can be had again, 32 hex digits; empty when it cannot. `saved_nanos`: what its steps
    would have cost that had their results from the cache.
    """

    run_id: str
    org_id: str
    project_id: str
    workflow_id: str
    workflow_slug: str
    workflow_name: str
    version: int
    version_hash: str
    use_cache: CacheUse = "auto"
    cache_key: str = ""
    status: RunStatus
    seq: int
    waiting_for: str | None = None
    wake_at: int | None = None
    idle: bool = False
    failed_step: str | None = None
    trigger: str = "api"
    environment: str = "production"
    parent_run_id: str | None = None
    source_run_id: str | None = None
    created_at: int = 0
    started_at: int | None = None
    ended_at: int | None = None
    duration_ms: int | None = None
    cost_nanos: int = 0
    saved_nanos: int = 0
    archived_at: int | None = None


class TaskView(msgspec.Struct, frozen=True, kw_only=True):
    """What a person must decide. `seq` is that of the event that asks."""

    id: str
    run_id: str
    workflow: str
    step_id: str
    type: str
    title: str
    description: str | None = None
    payload: Any = None
    created_at: str | None = None
    expires_at: str | None = None
    assignees: tuple[str, ...] = ()
    result_schema: dict[str, Any] | None = None
    seq: int = 0
