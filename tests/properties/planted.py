"""For each property one bug, planted in the engine, that the property must catch.

Each function takes pytest's monkeypatch and plants one; its name in `PLANTED` is the property's.
"""

from collections.abc import Callable
from typing import Any, Final

import msgspec
import pytest

from runwell.engine import advance, decide, endings, evolve, loops, run_moves, schedule, timers
from runwell.engine.actions import Action, StartAttempt
from runwell.engine.draft import Draft
from runwell.engine.state import RunState, StepState, due_steps
from runwell.engine.transitions import RUN_TRANSITIONS, STEP_TRANSITIONS
from runwell.model import commands as cmd
from runwell.model import events as ev
from runwell.model.statuses import RunStatus, StepStatus
from runwell.model.step import ForEach

_DECIDERS: Final[dict[Any, Any]] = decide._DECIDERS

Plant = Callable[[pytest.MonkeyPatch], None]


def _messages_reach_ended_runs(patch: pytest.MonkeyPatch) -> None:
    """Messages to a run that has ended are still taken."""
    honest = evolve.evolve

    def tolerant(state: RunState, event: ev.Event) -> RunState:
        if not state.is_terminal:
            return honest(state, event)
        state.seq = event.seq
        return state

    patch.setattr(advance, "evolve", tolerant)
    patch.setattr(decide, "_refuse_if_over", lambda state, what: None)


def _seq_skips_a_number(patch: pytest.MonkeyPatch) -> None:
    """After a retry the next number is left out."""
    honest = evolve.evolve

    def skipping(state: RunState, event: ev.Event) -> RunState:
        honest(state, event)
        state.seq += event.type == "step_retrying"
        return state

    patch.setattr(advance, "evolve", skipping)


def _one_dependency_is_enough(patch: pytest.MonkeyPatch) -> None:
    """A step is on the agenda as soon as the first of its dependencies is resolved."""
    honest = evolve._open_scope

    def hasty(state: RunState, scope: Any) -> None:
        honest(state, scope)
        for step in scope.steps.values():
            step.missing = min(step.missing, 1)

    patch.setattr(evolve, "_open_scope", hasty)
    patch.setattr(schedule, "_skip_reason", lambda step: (None, None) if step.plan.spec.enabled else ("disabled", None))


def _join_all_is_any(patch: pytest.MonkeyPatch) -> None:
    """`join: all` is taken for `any`."""
    honest = schedule._skip_reason

    def lenient(step: StepState) -> Any:
        reason, cause = honest(step)
        some = any(step.scope.steps[dep].succeeded for dep in step.plan.deps)
        return (None, None) if some and cause else (reason, cause)

    patch.setattr(schedule, "_skip_reason", lenient)


def _conditions_always_hold(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(schedule, "_holds", lambda step, env: True)


def _disabled_is_forgotten(patch: pytest.MonkeyPatch) -> None:
    """A step that is switched off runs."""
    honest = schedule._skip_reason
    patch.setattr(schedule, "_skip_reason", lambda step: (None, None) if not step.plan.spec.enabled else honest(step))


def _retries_ignore_the_pause(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(schedule, "_due_retries", lambda state, now: [p for p in state.retrying if (state.steps[p].wake_at or 0) <= now])


def _drains_go_on_starting(patch: pytest.MonkeyPatch) -> None:
    """A run that drains still starts what is on its agenda."""

    def careless(state: RunState) -> list[Action]:
        pending = [state.steps[path] for path in state.agenda]
        return [StartAttempt(s.path, s.attempt + 1, {}, None) for s in pending if s.is_leaf and s.status is StepStatus.PENDING] or honest(
            state
        )

    honest = schedule._drained
    patch.setattr(schedule, "_drained", careless)


def _immediate_stops_drain(patch: pytest.MonkeyPatch) -> None:
    def gentle(draft: Draft, command: cmd.StopRun, now: int) -> None:
        honest(draft, msgspec.structs.replace(command, mode="graceful"), now)

    honest = decide._DECIDERS[cmd.StopRun]
    patch.setitem(_DECIDERS, cmd.StopRun, gentle)


def _waiting_steps_are_left(patch: pytest.MonkeyPatch) -> None:
    """When a run ends, steps that wait are forgotten."""
    patch.setattr(endings, "IN_FLIGHT", frozenset({StepStatus.RUNNING}))


def _cancelled_steps_may_complete(patch: pytest.MonkeyPatch) -> None:
    """An attempt that was cancelled by a handled failure reports, and its step succeeds after all."""
    patch.setitem(STEP_TRANSITIONS, (StepStatus.CANCELLED, "step_completed"), StepStatus.SUCCEEDED)
    patch.setattr(decide, "_in_flight", lambda state, step_id, attempt: state.steps[step_id] if not state.is_terminal else None)


def _a_wake_up_is_forgotten(patch: pytest.MonkeyPatch) -> None:
    """A waiting run stays waiting when one of its steps goes on."""
    patch.setitem(RUN_TRANSITIONS, (RunStatus.WAITING, "step_resumed"), RunStatus.WAITING)


def _blocked_by_nobody(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(endings, "_blocked", lambda culprit: ev.StepCompleted(skipped=True, reason="blocked"))


def _the_culprit_is_only_cancelled(patch: pytest.MonkeyPatch) -> None:
    """A failure ends the run, but the step that failed is cancelled with the others."""

    def shy(draft: Draft, step: StepState, error: Any) -> None:
        if step.iteration is None and step.plan.spec.handles_errors:
            honest(draft, step, error)
        else:
            endings._escalate(draft, step, error)

    honest = endings.fail_step
    patch.setattr(decide, "fail_step", shy)


def _alarms_ring_early(patch: pytest.MonkeyPatch) -> None:
    """A delay ends half a second before its time."""
    honest = due_steps
    patch.setattr(timers, "due_steps", lambda state, now: honest(state, now + 500))


def _a_timer_fires_twice(patch: pytest.MonkeyPatch) -> None:
    """A delay that is over resumes its step twice."""
    patch.setitem(STEP_TRANSITIONS, (StepStatus.RUNNING, "step_resumed"), StepStatus.RUNNING)
    honest = timers.fire_first_due

    def double(draft: Draft, now: int) -> None:
        honest(draft, now)
        draft.facts = [fact for fact in draft.facts for _ in range(1 + isinstance(fact.data, ev.StepResumed))]

    patch.setattr(timers, "fire_first_due", double)


def _pauses_lose_alarms(patch: pytest.MonkeyPatch) -> None:
    """What a pause put off is forgotten: a retry that was waiting is never made. This bug was real."""
    patch.setitem(evolve._HANDLERS, "run_resumed", evolve._nothing)


def _waiting_counts_as_active(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(run_moves, "_ACTIVE", (RunStatus.RUNNING, RunStatus.DRAINING, RunStatus.WAITING))


def _interruptions_have_no_number(patch: pytest.MonkeyPatch) -> None:
    """Attempts are counted by failures, so one after a crash takes the number of the one before."""
    honest = schedule._start_attempt

    def miscounted(step: StepState, rendered: Any, now: int) -> StartAttempt:
        return msgspec.structs.replace(honest(step, rendered, now), attempt=step.failures + 1)

    patch.setattr(schedule, "_start_attempt", miscounted)


def _usage_goes_to_the_first_attempt(patch: pytest.MonkeyPatch) -> None:
    def misplaced(state: RunState, event: ev.Event) -> None:
        usage = event.of(ev.GenerationCompleted).usage
        state.usage = state.usage + usage
        first = state.steps[event.step_id or ""].attempts[0]
        first.usage = first.usage + usage

    patch.setitem(evolve._HANDLERS, "generation_completed", misplaced)


def _decisions_are_taken_again(patch: pytest.MonkeyPatch) -> None:
    """Whoever decides a task that is decided is listened to."""

    def eager(draft: Draft, command: cmd.CompleteTask, now: int) -> None:
        step = next((step for step in draft.state.steps.values() if step.task_id == command.task_id), None)
        if step is None or command.task_id in draft.state.tasks:
            honest(draft, command, now)
        elif not draft.state.is_terminal:
            draft.step(step, ev.TaskCompleted(task_id=command.task_id, approved=command.approved, by=command.actor))

    honest = decide._DECIDERS[cmd.CompleteTask]
    patch.setitem(_DECIDERS, cmd.CompleteTask, eager)


def _a_message_wakes_everybody(patch: pytest.MonkeyPatch) -> None:
    """As `_two_steps_take_one_message`, and nobody notices that there is only one."""
    _two_steps_take_one_message(patch)
    honest = evolve._step_completed

    def forgiving(state: RunState, event: ev.Event) -> None:
        for queue in state.messages.values():
            queue.append(None)
        honest(state, event)
        for queue in state.messages.values():
            queue.pop()

    patch.setitem(evolve._HANDLERS, "step_completed", forgiving)


def _never_alone(move: Callable[..., Any]) -> Callable[..., Any]:
    def together(state: RunState, step: StepState, now: int) -> Any:
        action, alone = move(state, step, now)
        return action, alone and step.plan.control != "wait"

    return together


def _results_in_order_of_completion(patch: pytest.MonkeyPatch) -> None:
    def unordered(draft: Draft, step: StepState, now: int) -> None:
        honest(draft, step, now)
        last = draft.facts[-1] if draft.facts else None
        if last is not None and isinstance(last.data, ev.StepCompleted) and step.loop is not None:
            draft.facts[-1] = msgspec.structs.replace(last, data=ev.StepCompleted(result=list(step.loop.results.values())))

    honest = loops.move_for_each
    patch.setitem(schedule._CONTROL, "for_each", unordered)


def _all_items_at_once(patch: pytest.MonkeyPatch) -> None:
    def boundless(draft: Draft, step: StepState, now: int) -> None:
        loop = step.loop
        if loop is not None and loop.items and loop.next < len(loop.items) and draft.state.status is not RunStatus.PAUSED:
            loops._begin_iteration(draft, step, loop.next)
        elif isinstance(step.plan.spec, ForEach):
            honest(draft, step, now)

    honest = loops.move_for_each
    patch.setitem(schedule._CONTROL, "for_each", boundless)


def _two_steps_take_one_message(patch: pytest.MonkeyPatch) -> None:
    """Two waits that begin in one pass both take the early message, of which there is one. This bug was real."""
    patch.setattr(schedule, "_move", _never_alone(schedule._move))


def _expiry_is_ignored(patch: pytest.MonkeyPatch) -> None:
    """Time passes and nothing that waits is woken."""
    patch.setattr(timers, "fire_first_due", lambda draft, now: None)


def _dependents_are_forgotten(patch: pytest.MonkeyPatch) -> None:
    """Nobody looks at a step again when its last dependency was skipped."""
    honest = evolve._resolve

    def forgetful(state: RunState, step: StepState, ts: int) -> None:
        honest(state, step, ts)
        if step.status is StepStatus.SKIPPED:
            for dependent in step.plan.dependents:
                state.agenda.pop(step.scope.steps[dependent].path, None)

    patch.setattr(evolve, "_resolve", forgetful)


def _deciding_leaves_a_mark(patch: pytest.MonkeyPatch) -> None:
    """A decision writes into the state what no event tells."""

    def marking(draft: Draft, command: cmd.FailAttempt, now: int) -> None:
        honest(draft, command, now)
        if command.step_id in draft.state.working:
            draft.state.log_bytes += 1

    honest = decide._DECIDERS[cmd.FailAttempt]
    patch.setitem(_DECIDERS, cmd.FailAttempt, marking)


def _looking_takes_from_the_agenda(patch: pytest.MonkeyPatch) -> None:
    honest = schedule._begin

    def taking(draft: Draft, step: StepState, now: int) -> Action | None:
        draft.state.agenda.pop(step.path, None)
        return honest(draft, step, now)

    patch.setattr(schedule, "_begin", taking)


def _pausing_twice_counts_twice(patch: pytest.MonkeyPatch) -> None:
    patch.setitem(RUN_TRANSITIONS, (RunStatus.PAUSED, "run_paused"), RunStatus.PAUSED)
    patch.setitem(_DECIDERS, cmd.PauseRun, lambda draft, command, now: draft.run(ev.RunPaused()))


def _cancelled_attempts_run_on(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(advance, "_note_work_to_end", lambda state, fact, out: None)


def _attempt_numbers_are_not_compared(patch: pytest.MonkeyPatch) -> None:
    """What the first attempt reports late is taken for the second's outcome."""
    patch.setattr(decide, "_in_flight", lambda state, step_id, attempt: state.steps[step_id] if step_id in state.working else None)


def _iterations_end_early(patch: pytest.MonkeyPatch) -> None:
    """An iteration ends when its last step does."""

    def hasty(draft: Draft, step: StepState) -> None:
        if step.inner is not None and any(inner.status is StepStatus.SUCCEEDED for inner in step.inner.steps.values()):
            draft.end(step, ev.StepCompleted(result=None))

    honest = evolve._resolve

    def waking(state: RunState, step: StepState, ts: int) -> None:
        honest(state, step, ts)
        owner = step.scope.owner
        if owner is not None and owner.status is StepStatus.RUNNING and step.iteration is None:
            state.agenda[owner.path] = None

    patch.setattr(evolve, "_resolve", waking)
    patch.setattr(schedule, "move_iteration", hasty)


PLANTED: Final[dict[str, tuple[Plant, str]]] = {
    "terminal_is_final": (_messages_reach_ended_runs, "after the run's end"),
    "seq_is_gapless": (_seq_skips_a_number, "gaps"),
    "dependencies_resolve_first": (_one_dependency_is_enough, "before .* was resolved"),
    "joins_hold": (_join_all_is_any, "started with join all"),
    "conditions_hold": (_conditions_always_hold, "against its condition"),
    "disabled_steps_are_skipped": (_disabled_is_forgotten, "is disabled and started"),
    "nothing_starts_while_paused": (_retries_ignore_the_pause, "in a pause"),
    "graceful_stop_starts_nothing": (_drains_go_on_starting, "while the run drained"),
    "immediate_stop_ends_the_run": (_immediate_stops_drain, "left the run going"),
    "end_leaves_nothing_in_flight": (_waiting_steps_are_left, "the run ended and left"),
    "resolved_steps_stay": (_cancelled_steps_may_complete, "step_completed of .* after its step_cancelled"),
    "statuses_follow_the_tables": (_a_wake_up_is_forgotten, "the table says"),
    "blocked_steps_name_the_cause": (_blocked_by_nobody, "is blocked by None"),
    "failed_run_names_the_failed_step": (_the_culprit_is_only_cancelled, "the run blames"),
    "timers_are_never_early": (_alarms_ring_early, "early"),
    "timers_fire_once": (_a_timer_fires_twice, "woke 2 times of 1"),
    "timers_are_never_missed": (_pauses_lose_alarms, "nothing will wake"),
    "run_limit_counts_active_time_only": (_waiting_counts_as_active, "the run timed out after"),
    "attempts_are_numbered": (_interruptions_have_no_number, "attempt 1 of .* follows 1"),
    "usage_is_the_sum_of_attempts": (_usage_goes_to_the_first_attempt, "its model calls"),
    "approvals_are_decided_once": (_decisions_are_taken_again, "decided twice"),
    "messages_are_taken_once": (_a_message_wakes_everybody, "took message"),
    "items_keep_their_order": (_results_in_order_of_completion, " made "),
    "max_parallel_is_kept": (_all_items_at_once, "at once, at most"),
    "breaks_nothing": (_two_steps_take_one_message, "the engine raised"),
    "runs_end": (_expiry_is_ignored, "the run is waiting after"),
    "never_stuck": (_dependents_are_forgotten, "nothing can move this run on"),
    "folding_gives_the_state": (_deciding_leaves_a_mark, "make another state"),
    "schedule_is_pure": (_looking_takes_from_the_agenda, "before event"),
    "commands_are_idempotent": (_pausing_twice_counts_twice, "PauseRun said again"),
    "the_runtime_is_told": (_cancelled_attempts_run_on, "the state (has|awaits)"),
    "late_outcomes_change_nothing": (_attempt_numbers_are_not_compared, "was over and made"),
    "iterations_end_inside_out": (_iterations_end_early, "ended before"),
}
"""Property -> its bug, and words of what the property says about it."""
