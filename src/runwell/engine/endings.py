"""How failures spread and runs end.

A step that fails unhandled takes its surroundings along: in a loop its iteration and the loop, and
so on outwards, until something handles it (`on_item_error: collect` of a for_each, `on_error:
continue` or a `fallback` of a loop). What handles it goes on; everything inside it that was in
flight is cancelled, what had not begun is skipped as blocked. When nothing handles it the run
fails: at once, or under `on_failure: drain` when attempts and child runs in flight have ended; what
only waits is cancelled at once even then.
"""

from runwell.engine.draft import Draft
from runwell.engine.state import StepState, below
from runwell.model.errors import ErrorInfo
from runwell.model.events import (
    EventData,
    RunDraining,
    RunFailed,
    RunStopped,
    StepCancelled,
    StepCompleted,
    StepFailed,
    StepStopped,
)
from runwell.model.statuses import IN_FLIGHT, RESOLVED, RunStatus, StepStatus
from runwell.model.step import ForEach


def fail_step(draft: Draft, step: StepState, error: ErrorInfo) -> None:
    """Fail the step for good, and all that this brings down."""
    if step.iteration is None and step.plan.spec.handles_errors:
        _cancel_below(draft, step, step.path)
        draft.end(step, _handled(step, error))
        return
    _cancel_below(draft, step, step.path)
    if step.iteration is None:
        draft.end(step, StepFailed(error=error))
    _escalate(draft, step, error)


def _handled(step: StepState, error: ErrorInfo, caused_by: str | None = None) -> StepFailed:
    return StepFailed(error=error, handled=True, result=step.plan.spec.fallback, caused_by=caused_by)


def _escalate(draft: Draft, culprit: StepState, error: ErrorInfo) -> None:
    outwards, handler = _surroundings(culprit)
    drains = handler is None and draft.state.plan.workflow.on_failure == "drain"
    for step in outwards:
        if step.status in RESOLVED:  # an earlier failure of a run that drains
            continue
        if not drains:
            _cancel_below(draft, step, culprit.path)
        if step is not handler:
            draft.end(step, StepFailed(error=error, caused_by=culprit.path))
        elif step.iteration is None:
            draft.end(step, _handled(step, error, culprit.path))
        else:
            kept = {"error": {"code": error.code, "message": error.message, "step_id": culprit.path}}
            draft.end(step, StepFailed(error=error, handled=True, result=kept, caused_by=culprit.path))
    if handler is None:
        _fail_run(draft, culprit, error)


def _surroundings(culprit: StepState) -> tuple[list[StepState], StepState | None]:
    """Return the iterations and loops around a step, inner first, up to the one that handles its failure."""
    outwards: list[StepState] = []
    at = culprit
    while (iteration := at if at.iteration is not None else at.scope.owner) is not None:
        loop = iteration.scope.steps[iteration.plan.id]
        outwards.append(iteration)
        if isinstance(loop.plan.spec, ForEach) and loop.plan.spec.on_item_error == "collect":
            return outwards, iteration
        outwards.append(loop)
        if loop.plan.spec.handles_errors:
            return outwards, loop
        at = loop
    return outwards, None


def _fail_run(draft: Draft, culprit: StepState, error: ErrorInfo) -> None:
    state = draft.state
    if state.plan.workflow.on_failure == "drain":
        if state.status is not RunStatus.DRAINING:
            _end_waiting(draft, StepCancelled(caused_by=culprit.path))
            draft.run(RunDraining(reason="failure", failed_step=culprit.path, error=error))
        return
    finish(draft, RunFailed(error=error, failed_step=culprit.path), StepCancelled(caused_by=culprit.path), culprit.path)


def drain(draft: Draft, until: int | None) -> None:
    """Begin a graceful stop: what waits is stopped, what works may end until `until`."""
    _end_waiting(draft, StepStopped())
    draft.run(RunDraining(reason="stop", until=until))


def _end_waiting(draft: Draft, ending: EventData) -> None:
    for path in draft.state.waiting:
        step = draft.state.steps[path]
        if step.waiting_for != "child_run":
            draft.end(step, ending)


def _cancel_below(draft: Draft, step: StepState, culprit: str) -> None:
    for inner in below(draft.state, step):
        if inner.status in IN_FLIGHT:
            draft.end(inner, StepCancelled(caused_by=culprit))
        elif inner.status is StepStatus.PENDING:
            draft.end(inner, _blocked(culprit))


def _blocked(culprit: str | None) -> StepCompleted:
    return StepCompleted(skipped=True, reason="blocked", caused_by=culprit)


def finish(draft: Draft, ending: EventData, in_flight: EventData, caused_by: str | None = None) -> None:
    """End the run: what is in flight ends with `in_flight`, what had not begun is skipped, then `ending`."""
    steps = [step for step in draft.state.steps.values() if step.path not in draft.resolved]
    for step in steps:
        if step.status in IN_FLIGHT:
            draft.end(step, in_flight)
    for step in steps:
        if step.status is StepStatus.PENDING:
            draft.end(step, _blocked(caused_by))
    draft.run(ending)


def finish_drained(draft: Draft) -> None:
    """End a run that drained: as stopped or, when a failure made it drain, as failed."""
    state = draft.state
    if state.failing is not None and state.error is not None:
        finish(draft, RunFailed(error=state.error, failed_step=state.failing), StepCancelled(caused_by=state.failing), state.failing)
    else:
        cut = any(step.status is StepStatus.STOPPED and step.is_leaf and _was_working(step) for step in state.steps.values())
        how = "been interrupted when its process ended" if cut else "ended"
        error = ErrorInfo(code="RUN_STOPPED", message=f"the run was stopped; what was in flight had {how}")
        finish(draft, RunStopped(error=error), StepStopped())


def _was_working(step: StepState) -> bool:
    return bool(step.attempts) and step.attempts[-1].status == "stopped"
