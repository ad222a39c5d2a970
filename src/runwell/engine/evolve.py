"""From a state and an event to the next state. Nothing is decided here: events are facts.

`evolve` consumes its state: it changes it in place and returns it, and the old one must not be
used again. Folding a run of ten thousand steps is linear that way.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

from runwell.engine import plan as compiled
from runwell.engine.run_moves import move_run
from runwell.engine.state import Loop, RunState, Scope, StepState, log_cost, push_alarm, step_alarm
from runwell.engine.suspension import RECORDED, go_on, remember, suspend
from runwell.engine.traces import note_span
from runwell.engine.transitions import STEP_TRANSITIONS, ImpossibleEvent
from runwell.model import events as ev
from runwell.model.events import Event
from runwell.model.run import Attempt
from runwell.model.statuses import RESOLVED, StepStatus


def fold(plan: compiled.Plan, events: Iterable[Event]) -> RunState:
    """Return the state that these events, the first one included, make."""
    log = iter(events)
    state = create(plan, next(log))
    for event in log:
        evolve(state, event)
    return state


def create(plan: compiled.Plan, event: Event) -> RunState:
    """Return the state of a run that just came to be. `event` is its `run_created`, with seq 1."""
    if event.type != "run_created" or event.seq != 1:
        raise ImpossibleEvent(f"a run begins with event 1, run_created, not {event.seq}, {event.type}")
    root = Scope(body=plan.body)
    created = event.of(ev.RunCreated)
    state = RunState(
        run_id=event.run_id,
        plan=plan,
        created=created,
        created_at=event.ts,
        root=root,
        actor=event.actor,
        seq=1,
    )
    _open_scope(state, root)
    return state


def evolve(state: RunState, event: Event) -> RunState:
    """Apply the event. Raises `ImpossibleEvent` and leaves the state unusable when it cannot follow."""
    if event.seq != state.seq + 1:
        raise ImpossibleEvent(f"event {event.seq} cannot follow event {state.seq}")
    if state.is_terminal and event.type not in ev.AFTERWARDS and not state.plan.is_traced:
        raise ImpossibleEvent(f"{event.type} after the run's end")
    state.seq = event.seq
    if event.type in RECORDED:
        remember(state, event)
    _HANDLERS[event.type](state, event)
    move_run(state, event)
    return state


def _open_scope(state: RunState, scope: Scope) -> None:
    for plan in scope.body.steps.values():
        step = StepState(path=scope.prefix + plan.id, plan=plan, scope=scope, missing=len(plan.deps))
        scope.steps[plan.id] = state.steps[step.path] = step
    scope.unresolved = len(scope.steps)
    for root in scope.body.roots:
        state.agenda[scope.prefix + root] = None


def _move_step(state: RunState, event: Event, key: str | None = None) -> StepState:
    step = state.steps.get(event.step_id or "")
    to = STEP_TRANSITIONS.get((step.status, key or event.type)) if step else None
    if step is None or to is None:
        raise ImpossibleEvent(f"{event.type} of {event.step_id!r}, which is {step.status if step else 'unknown'}")
    was, step.status = step.status, to
    state.agenda.pop(step.path, None)
    if was is StepStatus.WAITING:
        state.waiting.pop(step.path, None)
        state.retrying.pop(step.path, None)
    elif was is StepStatus.RUNNING:
        state.working.pop(step.path, None)
    if to is StepStatus.WAITING:
        state.waiting[step.path] = None
    elif to is StepStatus.RUNNING and step.is_leaf:
        state.working[step.path] = None
    if to in RESOLVED:
        _resolve(state, step, event.ts)
    return step


def _resolve(state: RunState, step: StepState, ts: int) -> None:
    step.ended_at, step.waiting_for = ts, None
    step.suspended, step.recorded = None, []
    if step.task_id:
        state.tasks.pop(step.task_id, None)
    if step.iteration is not None:
        _close_iteration(state, step)
        return
    scope = step.scope
    scope.unresolved -= 1
    for dependent in step.plan.dependents:
        other = scope.steps[dependent]
        other.missing -= 1
        if other.missing == 0 and other.status is StepStatus.PENDING:
            state.agenda[other.path] = None
    if scope.unresolved == 0 and scope.owner is not None and scope.owner.status is StepStatus.RUNNING:
        state.agenda[scope.owner.path] = None


def _close_iteration(state: RunState, step: StepState) -> None:
    container = step.scope.steps[step.plan.id]
    if container.loop is not None:
        container.loop.open -= 1
        container.loop.last = step.inner
        if container.status is StepStatus.RUNNING:
            state.agenda[container.path] = None


def _end_attempt(step: StepState, ts: int, status: str, error: Any = None) -> None:
    if step.attempts and step.attempts[-1].ended_at is None:
        last = step.attempts[-1]
        last.ended_at, last.status, last.error = ts, status, error


def _run_started(state: RunState, event: Event) -> None:
    state.started_at = event.ts


def _run_resumed(state: RunState, event: Event) -> None:
    for path in state.retrying:
        push_alarm(state, step_alarm(state.steps[path]), path)  # while paused these alarms were stale


def _run_waiting(state: RunState, event: Event) -> None:
    state.waiting_for = event.of(ev.RunWaiting).waiting_for


def _run_stop_requested(state: RunState, event: Event) -> None:
    state.stop = event.of(ev.RunStopRequested).mode


def _run_draining(state: RunState, event: Event) -> None:
    data = event.of(ev.RunDraining)
    state.drain_until, state.failing, state.error = data.until, data.failed_step, data.error
    push_alarm(state, data.until, "")


def _run_succeeded(state: RunState, event: Event) -> None:
    state.output = event.of(ev.RunSucceeded).output


def _run_served(state: RunState, event: Event) -> None:
    state.serve(event.of(ev.RunServedFromCache))
    for step in state.steps.values():
        step.status, step.reason, step.ended_at = StepStatus.SKIPPED, "cached", event.ts


def _run_ended_badly(state: RunState, event: Event) -> None:
    data = event.data
    state.error = getattr(data, "error", None)
    state.failed_step = getattr(data, "failed_step", None)


def _step_started(state: RunState, event: Event) -> None:
    if event.step_id not in state.steps:
        _open_iteration(state, event)
        return
    data = event.of(ev.StepStarted)
    step = _move_step(state, event)
    step.attempt = event.attempt or step.attempt + 1
    step.attempts.append(Attempt(number=step.attempt, status="running", started_at=event.ts))
    step.started_at = step.started_at or event.ts
    step.waiting_for = step.wake_at = None
    step.input = data.input if step.attempt == 1 else step.input
    step.deadline = data.deadline
    if not step.is_leaf:
        state.agenda[step.path] = None
        push_alarm(state, step_alarm(step), step.path)
    if step.plan.body is not None:
        step.loop = Loop(items=data.items)


def _open_iteration(state: RunState, event: Event) -> None:
    path, _, index = (event.step_id or "").removesuffix("]").rpartition("[")
    container = state.steps.get(path)
    if container is None or container.loop is None or container.plan.body is None or not index.isdigit():
        raise ImpossibleEvent(f"no loop is running for the iteration {event.step_id!r}")
    loop, number = container.loop, int(index)
    step = StepState(
        path=f"{path}[{number}]",
        plan=container.plan,
        scope=container.scope,
        iteration=number,
        status=StepStatus.RUNNING,
        started_at=event.ts,
    )
    item = loop.items[number] if loop.items is not None else None
    step.inner = Scope(
        body=container.plan.body,
        prefix=f"{step.path}.",
        parent=container.scope,
        owner=step,
        index=number,
        item=item,
        previous=loop.last if loop.items is None else None,
    )
    state.steps[step.path] = step
    _open_scope(state, step.inner)
    loop.open += 1
    loop.next = number + 1
    state.agenda[container.path] = None


def _step_completed(state: RunState, event: Event) -> None:
    data = event.of(ev.StepCompleted)
    step = _move_step(state, event, "step_completed:skipped" if data.skipped else None)
    _end_attempt(step, event.ts, "succeeded")
    step.result, step.reason, step.caused_by, step.reused_from = data.result, data.reason, data.caused_by, data.reused_from
    step.cache = data.cache
    if data.cache is not None:
        state.count_hit(data.cache.saved_nanos, data.cache.saved_ms)
    if step.iteration is not None:
        _note_iteration(step, data.result)
    if step.plan.control == "wait" and step.message is not None and not data.skipped:
        state.messages[step.message].pop(0)


def _note_iteration(step: StepState, value: Any) -> None:
    loop = step.scope.steps[step.plan.id].loop
    if loop is not None and step.iteration is not None:
        loop.results[step.iteration] = value


def _step_failed(state: RunState, event: Event) -> None:
    data = event.of(ev.StepFailed)
    state.has_failures = True
    held = state.steps.get(event.step_id or "")
    if held is not None:
        held.handled = data.handled
    step = _move_step(state, event)
    _end_attempt(step, event.ts, "failed", data.error)
    step.error, step.result, step.caused_by = data.error, data.result, data.caused_by
    if step.iteration is not None:
        _note_iteration(step, data.result)


def _step_cancelled(state: RunState, event: Event) -> None:
    step = _move_step(state, event)
    _end_attempt(step, event.ts, "cancelled")
    step.caused_by = event.of(ev.StepCancelled).caused_by


def _step_stopped(state: RunState, event: Event) -> None:
    _end_attempt(_move_step(state, event), event.ts, "stopped")


def _step_retrying(state: RunState, event: Event) -> None:
    data = event.of(ev.StepRetrying)
    step = _move_step(state, event)
    _end_attempt(step, event.ts, data.reason, data.error)
    if data.reason == "failed":
        step.failures += 1
    elif data.suspect:
        step.deaths += 1
    step.waiting_for, step.wake_at, step.deadline = "retry", data.retry_at, None
    state.retrying[step.path] = None
    push_alarm(state, data.retry_at, step.path)


def _step_waiting(state: RunState, event: Event) -> None:
    data = event.of(ev.StepWaiting)
    step = _move_step(state, event)
    step.waiting_for, step.wake_at = data.waiting_for, data.wake_at
    step.message, step.task_id, step.child_run_id = data.message, data.task_id or step.task_id, data.child_run_id
    if step.is_leaf:
        suspend(step, data, event.ts)
    push_alarm(state, step_alarm(step), step.path)


def _step_resumed(state: RunState, event: Event) -> None:
    step = _move_step(state, event)
    step.waiting_for = step.wake_at = None
    if step.suspended is not None:
        go_on(state, step, event.of(ev.StepResumed).by, event.ts)


def _generation_completed(state: RunState, event: Event) -> None:
    usage = event.of(ev.GenerationCompleted).usage
    state.usage = state.usage + usage
    step = state.steps.get(event.step_id or "")
    if step is not None and step.attempts:
        step.attempts[-1].usage = step.attempts[-1].usage + usage


def _task_created(state: RunState, event: Event) -> None:
    data = event.of(ev.TaskCreated)
    state.tasks[data.task_id] = event.step_id or ""
    state.steps[event.step_id or ""].task_id = data.task_id


def _task_completed(state: RunState, event: Event) -> None:
    task_id = event.of(ev.TaskCompleted).task_id
    state.decisions[task_id] = event
    state.tasks.pop(task_id, None)


def _message_received(state: RunState, event: Event) -> None:
    data = event.of(ev.MessageReceived)
    state.messages.setdefault(data.name, []).append(data.body)
    if data.message_id is not None:
        state.seen_messages.add(data.message_id)


def _log(state: RunState, event: Event) -> None:
    state.log_bytes += log_cost(event.of(ev.Log))


def _comment_added(state: RunState, event: Event) -> None:
    state.comments.add(event.of(ev.CommentAdded).comment_id)


def _archived(state: RunState, event: Event) -> None:
    if not state.is_terminal:
        raise ImpossibleEvent(f"{event.type} while the run is {state.status}")
    state.archived_at = event.ts if event.type == "run_archived" else None


def _judged(state: RunState, event: Event) -> None:
    state.judgements.add(event.of(ev.RunEvaluated) if event.type == "run_evaluated" else event.of(ev.RunReviewed))


def _nothing(state: RunState, event: Event) -> None:
    """The event changes no state beyond the run's status."""


_HANDLERS: Final[dict[str, Callable[[RunState, Event], None]]] = {
    "run_started": _run_started,
    "run_resumed": _run_resumed,
    "run_waiting": _run_waiting,
    "run_stop_requested": _run_stop_requested,
    "run_draining": _run_draining,
    "run_succeeded": _run_succeeded,
    "run_served_from_cache": _run_served,
    "run_failed": _run_ended_badly,
    "run_stopped": _run_ended_badly,
    "run_limit_exceeded": _run_ended_badly,
    "run_internal_error": _run_ended_badly,
    "step_started": _step_started,
    "step_completed": _step_completed,
    "step_failed": _step_failed,
    "step_cancelled": _step_cancelled,
    "step_stopped": _step_stopped,
    "step_retrying": _step_retrying,
    "step_waiting": _step_waiting,
    "step_resumed": _step_resumed,
    "generation_completed": _generation_completed,
    "task_created": _task_created,
    "task_completed": _task_completed,
    "message_received": _message_received,
    "log": _log,
    "span_recorded": note_span,
    **dict.fromkeys(("run_created", "run_paused", "tool_called", "tool_returned", "turn_started", "turn_ended"), _nothing),
    "comment_added": _comment_added,
    "run_archived": _archived,
    "run_unarchived": _archived,
    "run_reviewed": _judged,
    "run_evaluated": _judged,
}
