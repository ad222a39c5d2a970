"""From a command to the events that it makes, if the run's state allows it.

Every command is idempotent: said twice, it makes events once. A report about an attempt that is
no longer in flight makes none: that is how a stop wins every race.
"""

import math
from collections.abc import Callable
from typing import Any, Final

from runwell.engine import timers
from runwell.engine.draft import Draft, Fact, sequence
from runwell.engine.endings import drain, fail_step, finish
from runwell.engine.retry import retry_at
from runwell.engine.state import RunState, StepState, log_cost
from runwell.engine.traces import record_spans
from runwell.engine.waits import suspend
from runwell.model import commands as cmd
from runwell.model import events as ev
from runwell.model.caching import KeptResult
from runwell.model.errors import CommandRefused, ErrorInfo, InvalidInput, LimitName, NotFound
from runwell.model.events import Event
from runwell.model.schema import SchemaCheck
from runwell.model.statuses import RunStatus, StepStatus
from runwell.model.task_decisions import is_same, told

MAX_DEATHS: Final = 3
"""After so many process deaths in one step its run is given up."""

DRAIN_TIMEOUT_S: Final = 60.0

RESERVED_EDITS: Final = frozenset({"approved", "by", "comment"})


def start(run_id: str, command: cmd.StartRun, now: int) -> Event:
    """Return the first event of a new run."""
    return Event(1, run_id, "run_created", now, None, None, command.actor, command.run)


def decide(state: RunState, command: cmd.Command, now: int) -> list[Event]:
    """Return the events that the command makes of this state: none when it changes nothing.

    Raises `CommandRefused`, `NotFound` or `InvalidInput` when it makes no sense.
    """
    return [sequence(state, fact, now, ahead) for ahead, fact in enumerate(decide_facts(state, command, now))]


def decide_facts(state: RunState, command: cmd.Command, now: int) -> list[Fact]:
    """Do as `decide` does; the facts are not numbered yet."""
    draft = Draft(state, command.actor)
    _DECIDERS[type(command)](draft, command, now)
    return draft.facts


def _refuse_if_over(state: RunState, what: str) -> None:
    if state.is_terminal:
        raise CommandRefused(f"{state.run_id} has ended ({state.status}): it cannot be {what}", hint="start a new run")


def _pause(draft: Draft, command: cmd.PauseRun, now: int) -> None:
    state = draft.state
    _refuse_if_over(state, "paused")
    if state.status is RunStatus.PAUSED:
        return
    if state.status in (RunStatus.QUEUED, RunStatus.DRAINING):
        raise CommandRefused(f"{state.run_id} is {state.status}: only a run under way can be paused", hint="stop it instead")
    draft.run(ev.RunPaused())


def _resume(draft: Draft, command: cmd.ResumeRun, now: int) -> None:
    state = draft.state
    _refuse_if_over(state, "resumed")
    if state.status is RunStatus.DRAINING:
        raise CommandRefused(f"{state.run_id} is stopping and cannot be resumed", hint="start a new run")
    if state.status is RunStatus.PAUSED:
        draft.run(ev.RunResumed())


def _stop(draft: Draft, command: cmd.StopRun, now: int) -> None:
    state = draft.state
    if state.is_terminal:
        return
    graceful = command.mode == "graceful" and state.status is not RunStatus.QUEUED
    if graceful and state.status is RunStatus.DRAINING:
        return
    timeout = DRAIN_TIMEOUT_S if command.drain_timeout_s is None else command.drain_timeout_s
    draft.run(ev.RunStopRequested(mode=command.mode, drain_timeout_s=timeout if graceful else None))
    if graceful:
        drain(draft, now + int(timeout * 1000))
    else:
        finish(draft, ev.RunStopped(error=ErrorInfo(code="RUN_STOPPED", message="the run was stopped")), ev.StepStopped())


def _complete_task(draft: Draft, command: cmd.CompleteTask, now: int) -> None:
    state = draft.state
    decided = state.decisions.get(command.task_id)
    if decided is not None:
        if is_same(decided.of(ev.TaskCompleted), command):
            return
        raise CommandRefused(told(decided), hint="a task is decided once")
    if command.task_id not in state.tasks:
        if state.is_terminal:
            raise CommandRefused(f"{state.run_id} has ended ({state.status})", hint="its tasks ended with it")
        raise NotFound(f"{state.run_id} has no task {command.task_id!r}")
    taken = RESERVED_EDITS & (command.result or {}).keys()
    if taken:
        raise InvalidInput(f"an edit cannot set {sorted(taken)[0]!r}", hint=f"{', '.join(sorted(RESERVED_EDITS))} are the decision's own")
    step = state.steps[state.tasks[command.task_id]]
    _check_edits(step, command)
    timers.decide_task(draft, step, command)


def _check_edits(step: StepState, command: cmd.CompleteTask) -> None:
    """Raise `InvalidInput` for edits that the one who asks cannot use."""
    asked = next((data for data in step.recorded if isinstance(data, ev.TaskCreated) and data.task_id == command.task_id), None)
    if asked is not None and asked.result_schema is not None and command.approved and command.result is not None:
        SchemaCheck(asked.result_schema).require(command.result, "the edit")


def _send_message(draft: Draft, command: cmd.SendMessage, now: int) -> None:
    state = draft.state
    if command.message_id is not None and command.message_id in state.seen_messages:
        return
    _refuse_if_over(state, "sent a message")
    draft.run(ev.MessageReceived(name=command.name, body=command.body, message_id=command.message_id))
    for path in state.waiting:
        step = state.steps[path]
        if step.waiting_for == "message" and step.message == command.name:
            _hand_over(draft, step, command.body)
            return


def _hand_over(draft: Draft, step: StepState, body: Any) -> None:
    if step.suspended is not None:
        draft.step(step, ev.StepResumed(by="message", key=step.suspended.key))
        return
    draft.step(step, ev.StepResumed(by="message"))
    draft.end(step, ev.StepCompleted(result=body))


def _add_comment(draft: Draft, command: cmd.AddComment, now: int) -> None:
    if command.comment_id not in draft.state.comments:
        draft.run(ev.CommentAdded(comment_id=command.comment_id, content=command.content))


def _archive(draft: Draft, command: cmd.ArchiveRun, now: int) -> None:
    state = draft.state
    if not state.is_terminal:
        raise CommandRefused(f"{state.run_id} is {state.status}: only a run that has ended can be archived", hint="stop it first, or wait")
    if state.archived_at is None:
        draft.run(ev.RunArchived())


def _unarchive(draft: Draft, command: cmd.UnarchiveRun, now: int) -> None:
    if draft.state.archived_at is not None:
        draft.run(ev.RunUnarchived())


def _review(draft: Draft, command: cmd.ReviewRun, now: int) -> None:
    if command.score is not None and not math.isfinite(command.score):
        raise InvalidInput(f"{command.score!r} is no score", hint="a score is a finite number")
    said = ev.RunReviewed(review=command.review, score=command.score, comment=command.comment, by_end_user=command.by_end_user)
    if not draft.state.judgements.knows(said):
        draft.run(said)


def _evaluated(draft: Draft, command: cmd.RecordEvaluation, now: int) -> None:
    if not draft.state.judgements.knows(command.evaluation):
        draft.run(command.evaluation)


def _admit(draft: Draft, command: cmd.AdmitRun, now: int) -> None:
    if draft.state.status is RunStatus.QUEUED:
        draft.run(ev.RunStarted())


def _serve(draft: Draft, command: cmd.ServeRun, now: int) -> None:
    hit = command.hit
    if draft.state.status is RunStatus.QUEUED:
        served = ev.RunServedFromCache(
            source_run_id=hit.source_run_id, output=command.output, saved_nanos=hit.saved_nanos, saved_ms=hit.saved_ms
        )
        draft.run(served)


def _in_flight(state: RunState, step_id: str, attempt: int) -> StepState | None:
    step = state.steps.get(step_id)
    return step if step and step_id in state.working and step.attempt == attempt else None


def _record(draft: Draft, command: cmd.RecordProgress, now: int) -> None:
    state = draft.state
    step = _in_flight(state, command.step_id, command.attempt)
    if step is None:
        return
    if isinstance(command.data, ev.Log) and state.log_bytes + log_cost(command.data) > state.plan.workflow.limits.log_bytes:
        message = f"the run wrote more log than its limit of {state.plan.workflow.limits.log_bytes} bytes"
        _exceed(draft, step, "log_bytes", ErrorInfo(code="LOG_SIZE_EXCEEDED", message=message, step_id=step.path))
        return
    draft.step(step, command.data)


def _complete_attempt(draft: Draft, command: cmd.CompleteAttempt, now: int) -> None:
    step = _in_flight(draft.state, command.step_id, command.attempt)
    if step is not None:
        kept = None if command.cache_key is None else _kept(step, command.cache_key, now)
        draft.end(step, ev.StepCompleted(result=command.result, cache=command.cache, kept=kept))


def _kept(step: StepState, key: str, now: int) -> KeptResult:
    cost = sum(attempt.usage.cost_nanos for attempt in step.attempts)
    return KeptResult(key=key, cost_nanos=cost, duration_ms=now - step.attempts[-1].started_at)


def _suspend_attempt(draft: Draft, command: cmd.SuspendAttempt, now: int) -> None:
    step = _in_flight(draft.state, command.step_id, command.attempt)
    if step is None:
        return
    if draft.state.status is RunStatus.DRAINING:
        _end_drained(draft, step)
        return
    suspend(draft, step, command.wait, now)


def _end_drained(draft: Draft, step: StepState) -> None:
    """End a step that cannot end by itself any more in a run that drains."""
    failing = draft.state.failing
    draft.end(step, ev.StepCancelled(caused_by=failing) if failing else ev.StepStopped())


def _fail_attempt(draft: Draft, command: cmd.FailAttempt, now: int) -> None:
    state = draft.state
    step = _in_flight(state, command.step_id, command.attempt)
    if step is None:
        return
    if command.limit is not None:
        _exceed(draft, step, command.limit, command.error)
        return
    retry = step.plan.spec.retry
    if command.retryable and retry and step.failures + 1 < retry.max_attempts and state.status is not RunStatus.DRAINING:
        at = retry_at(retry, step.failures + 1, now, command.jitter, command.retry_after_s)
        draft.step(step, ev.StepRetrying(error=command.error, retry_at=at))
        return
    fail_step(draft, step, command.error)


def _exceed(draft: Draft, step: StepState | None, which: LimitName, error: ErrorInfo) -> None:
    if step is not None:
        draft.end(step, ev.StepFailed(error=error))
    ending = ev.RunLimitExceeded(which=which, error=error, failed_step=step.path if step else None)
    finish(draft, ending, ev.StepCancelled(caused_by=step.path if step else f"limit:{which}"), step.path if step else None)


def _child_ended(draft: Draft, command: cmd.ChildEnded, now: int) -> None:
    step = draft.state.steps.get(command.step_id)
    if step is None or step.status is not StepStatus.WAITING or step.child_run_id != command.child_run_id:
        return
    if command.error is not None and _stopped_with_us(draft.state, command.error):
        draft.end(step, ev.StepStopped())
        return
    if step.suspended is not None:
        draft.step(step, ev.StepResumed(by="child_run", key=step.suspended.key, output=command.output, error=command.error))
        return
    if command.error is not None:
        fail_step(draft, step, command.error)
        return
    draft.step(step, ev.StepResumed(by="child_run"))
    draft.end(step, ev.StepCompleted(result=command.output))


def _stopped_with_us(state: RunState, error: ErrorInfo) -> bool:
    """Whether a child run was stopped because this run is: that is no failure."""
    stopping = state.status is RunStatus.DRAINING and state.failing is None
    return stopping and (error.details or {}).get("status") == RunStatus.STOPPED


def _recover(draft: Draft, command: cmd.RecoverRun, now: int) -> None:
    state = draft.state
    for path in [path for path in state.working if path not in command.alive]:
        step = state.steps[path]
        error = ErrorInfo(code="STEP_INTERRUPTED", message="the process that ran the attempt ended", step_id=path)
        if command.suspect and step.deaths + 1 >= MAX_DEATHS:
            message = f"step {path} was running at each of {MAX_DEATHS} ends of the process: it may have caused them"
            end_internally(draft, ErrorInfo(code="INTERNAL_ERROR", message=message, step_id=path), step)
            return
        if state.status is RunStatus.DRAINING:
            _end_drained(draft, step)
        else:
            at = now if command.retry_at is None else command.retry_at
            draft.step(step, ev.StepRetrying(error=error, retry_at=at, reason="interrupted", suspect=command.suspect))


def end_internally(draft: Draft, error: ErrorInfo, step: StepState | None = None) -> None:
    """End the run for a reason that is not the workflow's."""
    draft.facts = [fact for fact in draft.facts if fact.step_id not in (draft.resolved | draft.state.working.keys())]
    draft.resolved.clear()
    if step is not None:
        draft.end(step, ev.StepFailed(error=error))
    path = step.path if step else None
    finish(draft, ev.RunInternalError(error=error, failed_step=path), ev.StepCancelled(caused_by=path or "internal_error"), path)


def _end_internally(draft: Draft, command: cmd.EndInternally, now: int) -> None:
    if not draft.state.is_terminal:
        end_internally(draft, command.error)


def _tick(draft: Draft, command: cmd.Tick, now: int) -> None:
    state = draft.state
    if state.is_terminal:
        return
    if state.deadline is not None and now >= state.deadline:
        limit = state.plan.workflow.limits.timeout_s
        _exceed(
            draft,
            None,
            "timeout_s",
            ErrorInfo(code="RUN_TIMED_OUT", message=f"the run was active for longer than its timeout_s of {limit:g}"),
        )
    elif state.status is RunStatus.DRAINING and state.drain_until is not None and now >= state.drain_until:
        error = ErrorInfo(code="DRAIN_TIMEOUT", message="what was in flight did not end within the drain timeout")
        finish(draft, ev.RunStopped(error=error), ev.StepStopped(code="DRAIN_TIMEOUT"))
    else:
        timers.fire_first_due(draft, now)


_DECIDERS: Final[dict[type[cmd.Command], Callable[[Draft, Any, int], None]]] = {
    cmd.PauseRun: _pause,
    cmd.ResumeRun: _resume,
    cmd.StopRun: _stop,
    cmd.CompleteTask: _complete_task,
    cmd.SendMessage: _send_message,
    cmd.AddComment: _add_comment,
    cmd.ArchiveRun: _archive,
    cmd.UnarchiveRun: _unarchive,
    cmd.ReviewRun: _review,
    cmd.RecordEvaluation: _evaluated,
    cmd.AdmitRun: _admit,
    cmd.ServeRun: _serve,
    cmd.Tick: _tick,
    cmd.RecordProgress: _record,
    cmd.CompleteAttempt: _complete_attempt,
    cmd.FailAttempt: _fail_attempt,
    cmd.SuspendAttempt: _suspend_attempt,
    cmd.ChildEnded: _child_ended,
    cmd.RecoverRun: _recover,
    cmd.EndInternally: _end_internally,
    cmd.RecordSpans: record_spans,
}
