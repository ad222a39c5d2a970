"""The state that a run's events make.

A `RunState` belongs to whoever folds it: `evolve` changes it in place and nothing else does.
Everything in it can be had again by folding the events from the first; nothing in it is a copy.

`agenda` names the steps that may be able to move by themselves; `schedule` looks at no others, so
a long run costs no more per event than a short one. `alarms` is a heap of moments; an alarm whose
cause is gone is stale and passed over.
"""

import heapq
from typing import Any

import msgspec

from runwell.engine.plan import Body, Plan, StepPlan
from runwell.model.caching import CacheHit
from runwell.model.errors import ErrorInfo
from runwell.model.events import Event, EventData, Log, RunCreated, RunServedFromCache, SpanRecorded, StepWaiting, StopMode
from runwell.model.judgement import Judgements
from runwell.model.run import Attempt
from runwell.model.statuses import TERMINAL, RunStatus, SkipReason, StepStatus, WaitingFor
from runwell.model.usage import NO_USAGE, Usage


class Loop(msgspec.Struct, kw_only=True):
    """A for_each or while that runs. `open`: iterations begun and not resolved; `next`: the next index."""

    items: list[Any] | None = None
    next: int = 0
    open: int = 0
    results: dict[int, Any] = {}
    last: "Scope | None" = None


class Scope(msgspec.Struct, kw_only=True, eq=False):
    """A body in execution: the run's own, or one iteration's. `prefix` goes before a step's id in its path."""

    body: Body
    prefix: str = ""
    parent: "Scope | None" = None
    owner: "StepState | None" = None
    index: int = 0
    item: Any = None
    previous: "Scope | None" = None
    steps: "dict[str, StepState]" = {}
    unresolved: int = 0


class StepState(msgspec.Struct, kw_only=True, eq=False):
    """One step of one run. An iteration has `iteration` and `inner`, a loop has `loop`.

    Times are ms since 1970. `failures` counts attempts that failed, `deaths` those that a dying
    process took along. While its handler waits, `suspended` says for what, and `left_ms` how much of the
    attempt's time is left. `recorded` is what the handler is told when it goes on, until the step ends.
    """

    path: str
    plan: StepPlan
    scope: Scope
    status: StepStatus = StepStatus.PENDING
    missing: int = 0
    attempt: int = 0
    failures: int = 0
    deaths: int = 0
    attempts: list[Attempt] = []
    input: Any = None
    result: Any = None
    error: ErrorInfo | None = None
    handled: bool = False
    reason: SkipReason | None = None
    caused_by: str | None = None
    reused_from: str | None = None
    cache: CacheHit | None = None
    started_at: int | None = None
    ended_at: int | None = None
    waiting_for: WaitingFor | None = None
    wake_at: int | None = None
    deadline: int | None = None
    task_id: str | None = None
    message: str | None = None
    child_run_id: str | None = None
    span: SpanRecorded | None = None
    suspended: StepWaiting | None = None
    left_ms: int | None = None
    recorded: list[EventData] = []
    iteration: int | None = None
    inner: Scope | None = None
    loop: Loop | None = None

    @property
    def is_leaf(self) -> bool:
        """Whether attempts of this step are made by a handler."""
        return self.plan.control is None and self.iteration is None

    @property
    def succeeded(self) -> bool:
        """Whether dependents may build on it: it did, or its failure is handled."""
        return self.status is StepStatus.SUCCEEDED or (self.status is StepStatus.FAILED and self.handled)

    def view(self) -> dict[str, Any]:
        """Return what expressions see as `steps.<id>`."""
        error = {"code": self.error.code, "message": self.error.message} if self.error else None
        return {"result": self.result, "input": self.input, "status": self.status.value, "error": error}


class RunState(msgspec.Struct, kw_only=True, eq=False):
    """One run; see the top of this file. `has_failures`: of steps, handled ones too.

    `spans`: of a trace, the step's path by span id, empty for the run's own.
    """

    run_id: str
    plan: Plan
    created: RunCreated
    created_at: int
    root: Scope
    actor: str | None = None
    seq: int = 0
    status: RunStatus = RunStatus.QUEUED
    waiting_for: WaitingFor | None = None
    steps: dict[str, StepState] = {}
    agenda: dict[str, None] = {}
    working: dict[str, None] = {}
    waiting: dict[str, None] = {}
    retrying: dict[str, None] = {}
    alarms: list[tuple[int, str]] = []
    tasks: dict[str, str] = {}
    decisions: dict[str, Event] = {}
    messages: dict[str, list[Any]] = {}
    seen_messages: set[str] = set()
    comments: set[str] = set()
    archived_at: int | None = None
    judgements: Judgements = msgspec.field(default_factory=Judgements)
    started_at: int | None = None
    ended_at: int | None = None
    active_since: int | None = None
    active_ms: int = 0
    output: Any = None
    served_from: str | None = None
    cache_hits: int = 0
    saved_nanos: int = 0
    saved_ms: int = 0
    has_failures: bool = False
    error: ErrorInfo | None = None
    failed_step: str | None = None
    failing: str | None = None
    stop: StopMode | None = None
    drain_until: int | None = None
    log_bytes: int = 0
    usage: Usage = NO_USAGE
    span: SpanRecorded | None = None
    spans: dict[str, str] = {}

    def serve(self, served: RunServedFromCache) -> None:
        self.output, self.served_from = served.output, served.source_run_id
        self.count_hit(served.saved_nanos, served.saved_ms)

    def count_hit(self, nanos: int, ms: int) -> None:
        """Add a result that was had from the cache, and what it saved."""
        self.cache_hits += 1
        self.saved_nanos += nanos
        self.saved_ms += ms

    @property
    def is_terminal(self) -> bool:
        return self.status in TERMINAL

    @property
    def deadline(self) -> int | None:
        """The moment (ms) at which the run's own time limit ends it, if it stays active until then."""
        limit = self.plan.workflow.limits.timeout_s
        if limit is None or self.active_since is None:
            return None
        return self.active_since + int(limit * 1000) - self.active_ms


def log_cost(line: Log) -> int:
    """Return what a log line counts towards `log_bytes`: its bytes, and 64 for being an event."""
    return len(line.message.encode()) + 64


def step_alarm(step: StepState) -> int | None:
    """Return the next moment that matters to this step: its wake-up or, for what the engine carries out, its deadline."""
    if step.status is StepStatus.WAITING and step.wake_at is not None:
        return min(step.wake_at, step.deadline) if step.deadline is not None else step.wake_at
    in_flight = step.status in (StepStatus.RUNNING, StepStatus.WAITING)
    return step.deadline if in_flight and not step.is_leaf else None


def push_alarm(state: RunState, at: int | None, path: str) -> None:
    """Set an alarm of the step with this path, or of the run when it is empty; none for None."""
    if at is not None:
        heapq.heappush(state.alarms, (at, path))


def next_alarm(state: RunState) -> int | None:
    """Return the next moment at which time alone moves the run on; None when none does."""
    if state.is_terminal:
        return None
    while state.alarms and not _is_fresh(state, *state.alarms[0]):
        heapq.heappop(state.alarms)
    return state.alarms[0][0] if state.alarms else None


def due_steps(state: RunState, now: int) -> list[StepState]:
    """Return the steps whose alarm has come, by moment."""
    due = sorted((at, path) for at, path in state.alarms if at <= now and path in state.steps and _is_fresh(state, at, path))
    return [state.steps[path] for path in dict.fromkeys(path for _, path in due)]


def _is_fresh(state: RunState, at: int, path: str) -> bool:
    if path == "":
        return at in (state.deadline, state.drain_until)
    step = state.steps.get(path)
    if step is None or step_alarm(step) != at:
        return False
    return not (step.waiting_for == "retry" and state.status is RunStatus.PAUSED)


def below(state: RunState, step: StepState) -> list[StepState]:
    """Return every step inside a loop or iteration, outer before inner, itself not included."""
    if step.inner is not None:
        return [found for child in step.inner.steps.values() for found in (child, *below(state, child))]
    if step.loop is None:
        return []
    iterations = [state.steps[f"{step.path}[{i}]"] for i in range(step.loop.next)]
    return [found for iteration in iterations for found in (iteration, *below(state, iteration))]
