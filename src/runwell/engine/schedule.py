"""From a state and a time to the actions that the run can begin. Pure: the same answer every time.

Only the steps on the agenda and the retries that are due are looked at. An action that may end
other steps, or take a message from them, is returned alone, so that all returned ones hold together.
"""

from collections.abc import Callable
from typing import Any, Final

from runwell.engine.actions import Action, Settle, StartAttempt
from runwell.engine.draft import Draft
from runwell.engine.endings import fail_step, finish, finish_drained
from runwell.engine.environment import ScopeEnvironment
from runwell.engine.expressions import ExpressionFailed
from runwell.engine.loops import move_for_each, move_iteration, move_while
from runwell.engine.state import RunState, StepState
from runwell.engine.waits import begin_approval, begin_child, begin_delay, begin_wait
from runwell.model.errors import ErrorInfo, FailureCode, InvalidInput
from runwell.model.events import RunFailed, RunSucceeded, RunWaiting, StepCancelled, StepCompleted, StepStarted
from runwell.model.statuses import RunStatus, SkipReason, StepStatus
from runwell.model.step import ForEach

MAX_ITEMS: Final = 10_000


class TooManyItems(ValueError):
    """A for_each is given more items than one run takes; the message says how many."""


_WAIT_ORDER: Final = ("approval", "message", "child_run", "delay", "retry")

Move = Callable[[Draft, StepState, int], None]

_CONTROL: Final[dict[str, Move]] = {
    "for_each": move_for_each,
    "while": move_while,
    "delay": begin_delay,
    "approval": begin_approval,
    "wait": begin_wait,
    "workflow": begin_child,
}


def schedule(state: RunState, now: int) -> list[Action]:
    """Return the actions that the run can begin at `now`, in the order in which they became possible."""
    if state.is_terminal or state.status is RunStatus.QUEUED:
        return []
    if state.status is RunStatus.DRAINING:
        return _drained(state)
    if not state.agenda and not state.retrying:
        return _ending(state)
    actions: list[Action] = []
    for path in [*state.agenda, *_due_retries(state, now)]:
        action, alone = _move(state, state.steps[path], now)
        if alone and action is not None:
            return actions or [action]
        if action is not None:
            actions.append(action)
    return actions or _ending(state)


def _due_retries(state: RunState, now: int) -> list[str]:
    if state.status is RunStatus.PAUSED or not state.retrying:
        return []
    return [path for path in state.retrying if (state.steps[path].wake_at or 0) <= now]


def _move(state: RunState, step: StepState, now: int) -> tuple[Action | None, bool]:
    """Return the step's next action and whether it must be taken alone."""
    draft = Draft(state)
    try:
        if step.status is StepStatus.RUNNING:
            _carry_on(draft, step, now)
        elif step.status is StepStatus.WAITING:
            return _start_attempt(step, None, now), False
        elif state.status is not RunStatus.PAUSED:
            return _begin(draft, step, now), False
    except (ExpressionFailed, InvalidInput, TooManyItems) as exc:
        draft = Draft(state)
        code: FailureCode = "TOO_MANY_ITEMS" if isinstance(exc, TooManyItems) else "EXPRESSION_FAILED"
        fail_step(draft, step, ErrorInfo(code=code, message=str(exc), step_id=step.path))
        return Settle(draft.facts), True
    takes_message = step.plan.control == "wait" and step.iteration is None
    return (Settle(draft.facts) if draft.facts else None), takes_message


def _carry_on(draft: Draft, step: StepState, now: int) -> None:
    if step.iteration is not None:
        move_iteration(draft, step)
    elif step.plan.control is not None:
        _CONTROL[step.plan.control](draft, step, now)


def _begin(draft: Draft, step: StepState, now: int) -> Action | None:
    """Start a step whose dependencies are resolved, or skip it."""
    reason, caused_by = _skip_reason(step)
    env = ScopeEnvironment(draft.state, step.scope)
    if reason is None and step.plan.when is not None and not _holds(step, env):
        reason = "condition_false"
    if reason is not None:
        draft.end(step, StepCompleted(skipped=True, reason=reason, caused_by=caused_by))
        return Settle(draft.facts)
    rendered = {field: node.render(env) for field, node in step.plan.inputs.items()}
    if step.is_leaf:
        return _start_attempt(step, rendered, now)
    items = _items(step, rendered)
    draft.start(step, StepStarted(step_type=step.plan.type, input=rendered, items=items, deadline=_deadline(step, now)))
    return Settle(draft.facts)


def _start_attempt(step: StepState, rendered: dict[str, Any] | None, now: int) -> StartAttempt:
    return StartAttempt(step.path, step.attempt + 1, rendered, _deadline(step, now))


def _deadline(step: StepState, now: int) -> int | None:
    seconds = step.plan.spec.timeout_s
    return None if seconds is None else now + int(seconds * 1000)


def _skip_reason(step: StepState) -> tuple[SkipReason | None, str | None]:
    if not step.plan.spec.enabled:
        return "disabled", None
    if not step.plan.deps:
        return None, None
    deps = [step.scope.steps[dep] for dep in step.plan.deps]
    without = [dep for dep in deps if not dep.succeeded]
    enough = not without if step.plan.spec.join == "all" else len(without) < len(deps)
    if enough:
        return None, None
    return without[0].reason or "blocked", without[0].path


def _holds(step: StepState, env: ScopeEnvironment) -> bool:
    when = step.plan.when
    value = when.evaluate(env) if when else True
    if not isinstance(value, bool):
        raise ExpressionFailed(f"the condition {when.source if when else ''!r} gave {value!r}, which is neither true nor false")
    return value


def _items(step: StepState, rendered: dict[str, Any]) -> list[Any] | None:
    if not isinstance(step.plan.spec, ForEach):
        return None
    items = rendered.pop("items")
    if not isinstance(items, list):
        raise ExpressionFailed(f"items gave {type(items).__name__}, not a list")
    if len(items) > MAX_ITEMS:
        raise TooManyItems(f"items has {len(items)} items, more than {MAX_ITEMS}: split the list over several runs")
    return items


def _drained(state: RunState) -> list[Action]:
    if state.working or state.waiting:
        return []
    draft = Draft(state)
    finish_drained(draft)
    return [Settle(draft.facts)]


def _ending(state: RunState) -> list[Action]:
    """Return what follows when no step can move: the run's end, or that it waits."""
    if state.root.unresolved and (state.working or not state.waiting):
        return []
    draft = Draft(state)
    if state.root.unresolved == 0:
        _succeed(draft)
    elif state.status is RunStatus.RUNNING:
        steps = [state.steps[path] for path in state.waiting]
        first = min(steps, key=lambda step: _WAIT_ORDER.index(step.waiting_for or "retry"))
        paths = tuple(step.path for step in steps[:20])
        draft.run(RunWaiting(waiting_for=first.waiting_for or "retry", steps=paths))
    return [Settle(draft.facts)] if draft.facts else []


def _succeed(draft: Draft) -> None:
    state = draft.state
    env = ScopeEnvironment(state, state.root)
    try:
        output = state.plan.output.render(env) if state.plan.output else state.root.steps[state.root.body.last].result
    except ExpressionFailed as exc:
        error = ErrorInfo(code="EXPRESSION_FAILED", message=f"output: {exc}")
        finish(draft, RunFailed(error=error), StepCancelled(caused_by="output"))
        return
    draft.run(RunSucceeded(output=output))
