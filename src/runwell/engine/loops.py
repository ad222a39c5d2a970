"""How for_each and while go on: iterations begin, end, and make the loop's result."""

from typing import Any

from runwell.engine.draft import Draft, Fact
from runwell.engine.environment import ScopeEnvironment
from runwell.engine.expressions import ExpressionFailed
from runwell.engine.state import Scope, StepState
from runwell.model.events import StepCompleted, StepStarted
from runwell.model.statuses import RunStatus, StepStatus
from runwell.model.step import ForEach, While


def move_for_each(draft: Draft, step: StepState, now: int) -> None:
    """Begin as many iterations as `max_parallel` leaves room for; end the loop when all have ended."""
    loop, spec = step.loop, step.plan.spec
    if loop is None or not isinstance(spec, ForEach) or loop.items is None:
        return
    if loop.next == len(loop.items) and loop.open == 0:
        draft.end(step, StepCompleted(result=[loop.results.get(i) for i in range(len(loop.items))]))
    elif draft.state.status is not RunStatus.PAUSED:
        for index in range(loop.next, min(len(loop.items), loop.next + spec.max_parallel - loop.open)):
            _begin_iteration(draft, step, index)


def move_while(draft: Draft, step: StepState, now: int) -> None:
    """Begin the next iteration if the condition holds; end the loop if it does not, or at `max_iterations`."""
    loop, spec = step.loop, step.plan.spec
    if loop is None or not isinstance(spec, While) or loop.open or draft.state.status is RunStatus.PAUSED:
        return
    if loop.next >= spec.max_iterations:
        _end_while(draft, step, "max_iterations")
    elif loop.next == 0 or _goes_on(draft, step):
        _begin_iteration(draft, step, loop.next)
    else:
        _end_while(draft, step, "condition_false")


def _begin_iteration(draft: Draft, step: StepState, index: int) -> None:
    draft.facts.append(Fact(StepStarted(step_type="iteration"), f"{step.path}[{index}]"))


def _goes_on(draft: Draft, step: StepState) -> bool:
    loop, condition = step.loop, step.plan.condition
    if loop is None or condition is None or step.plan.body is None:
        return False
    ahead = Scope(body=step.plan.body, parent=step.scope, owner=step, index=loop.next, previous=loop.last)
    value = condition.evaluate(ScopeEnvironment(draft.state, ahead))
    if not isinstance(value, bool):
        raise ExpressionFailed(f"the condition {condition.source!r} gave {value!r}, which is neither true nor false")
    return value


def _end_while(draft: Draft, step: StepState, reason: str) -> None:
    loop = step.loop
    if loop is not None:
        value = loop.results.get(loop.next - 1)
        draft.end(step, StepCompleted(result={"iterations": loop.next, "stopped_reason": reason, "value": value}))


def move_iteration(draft: Draft, step: StepState) -> None:
    """End an iteration whose inner steps are all resolved, with its value."""
    if step.inner is not None and step.inner.unresolved == 0:
        draft.end(step, StepCompleted(result=_value(draft, step, step.inner)))


def _value(draft: Draft, step: StepState, inner: Scope) -> Any:
    if step.plan.output is not None:
        return step.plan.output.render(ScopeEnvironment(draft.state, inner))
    last = inner.steps[inner.body.last]
    return None if last.status is StepStatus.SKIPPED else last.result
