"""From a state to how the run stands: what it waits for, what failed and why, where the time went."""

from collections import Counter

from runwell.engine.state import RunState, StepState
from runwell.engine.view import run_row
from runwell.model.run_overview import Cause, Durations, Progress, RunOverview, StepWait, run_summary
from runwell.model.statuses import RESOLVED, RUN_LABELS, StepStatus, step_badge
from runwell.model.times import rfc3339


def run_overview(state: RunState, now: int) -> RunOverview:
    """Return how the run stands at `now` (ms since 1970); `causes` are those within this run."""
    row = run_summary(run_row(state))
    steps = [step for step in state.steps.values() if step.iteration is None]
    failed = state.failed_step or state.failing
    return RunOverview(
        id=row.id,
        workflow=row.workflow,
        status=row.status,
        label=RUN_LABELS[state.status],
        waiting_for=state.waiting_for,
        waits=[_wait(state.steps[path]) for path in state.waiting],
        steps=dict(Counter(step_badge(step.status, step.reason) for step in steps)),
        progress=Progress(resolved=sum(step.status in RESOLVED for step in steps), total=len(steps)),
        failed_step=failed,
        error=state.error,
        causes=[] if failed is None else _causes(state, steps, failed),
        usage=state.usage,
        cost_usd=row.cost_usd,
        durations=_durations(state, now),
        created_at=row.created_at,
        started_at=row.started_at,
        ended_at=row.ended_at,
        duration_ms=row.duration_ms,
    )


def _wait(step: StepState) -> StepWait:
    since = step.attempts[-1].ended_at if step.waiting_for == "retry" else step.attempts[-1].started_at
    return StepWait(
        path=step.path,
        waiting_for=step.waiting_for or "delay",
        since=rfc3339(since),
        until=None if step.wake_at is None else rfc3339(step.wake_at),
        task_id=step.task_id if step.waiting_for == "approval" else None,
        message=step.message if step.waiting_for == "message" else None,
        child_run_id=step.child_run_id if step.waiting_for == "child_run" else None,
    )


def _causes(state: RunState, steps: list[StepState], culprit: str) -> list[Cause]:
    """Return the loops that the culprit took along, the outermost first, and the culprit."""
    failed = [step for step in steps if step.status is StepStatus.FAILED and culprit in (step.path, step.caused_by)]
    return [
        Cause(run_id=state.run_id, path=step.path, type=step.plan.type, error=step.error)
        for step in sorted(failed, key=lambda step: len(step.path))
        if step.error is not None
    ]


def _durations(state: RunState, now: int) -> Durations:
    end = now if state.ended_at is None else state.ended_at
    began = end if state.started_at is None else state.started_at
    working = state.active_ms + (0 if state.active_since is None else max(end - state.active_since, 0))
    return Durations(queued_ms=max(began - state.created_at, 0), working_ms=working, waiting_ms=max(end - began - working, 0))
