"""One command, and everything that follows from it: the step that both runtimes take.

decide -> evolve -> schedule -> evolve -> ... until nothing moves by itself. What comes out is to
be appended to the journal as one batch; the attempts and children are begun by the runtime.
"""

from collections.abc import Callable

import msgspec

from runwell.engine.actions import Settle, StartAttempt
from runwell.engine.decide import decide_facts, end_internally
from runwell.engine.draft import Draft, Fact, sequence
from runwell.engine.evolve import evolve
from runwell.engine.schedule import schedule
from runwell.engine.state import RunState
from runwell.model import events as ev
from runwell.model.commands import Command, Tick
from runwell.model.errors import ErrorInfo
from runwell.model.events import Event, EventData, StopMode
from runwell.model.statuses import RunStatus

_ENDS = (ev.StepCancelled, ev.StepStopped, ev.StepFailed)
_NOTED = frozenset({*_ENDS, ev.RunDraining})

Redact = Callable[[EventData], EventData]


class Advance(msgspec.Struct, kw_only=True):
    """What came of a command. `cancels`: attempts to end; `children`: (step, run) to start; `stops`: child runs to stop.

    `redact` takes out of each event what is not to be kept, before it happens: the state never holds it.
    """

    events: list[Event] = []
    attempts: list[StartAttempt] = []
    cancels: list[str] = []
    children: list[tuple[str, str]] = []
    stops: list[tuple[str, StopMode]] = []
    redact: Redact | None = None


def advance(state: RunState, command: Command, now: int, *, hold: bool = False, redact: Redact | None = None) -> Advance:
    """Apply the command to the state, which is changed, and return what happened and what is to do.

    `hold`: begin no attempt; what could begin does so at a later command. Raises what `decide` raises; then the state is as it was.
    """
    out = Advance(redact=redact)
    _apply(state, decide_facts(state, command, now), now, out)
    while isinstance(command, Tick) and not state.is_terminal and (facts := decide_facts(state, command, now)):
        _apply(state, facts, now, out)
    settle(state, now, out, hold=hold)
    if hold:
        out.attempts = []  # what was resumed is taken for interrupted when the process ends
    return out


def settle(state: RunState, now: int, out: Advance, *, hold: bool = False) -> None:
    """Take every action that the state allows, until there is none."""
    held = False
    while actions := schedule(state, now):
        allowed = [action for action in actions if not (hold and isinstance(action, StartAttempt))]
        held = len(allowed) < len(actions)
        if not allowed:
            break
        for action in allowed:
            if isinstance(action, Settle):
                _apply(state, action.facts, now, out)
            else:
                _start(state, action, now, out)
    if not held and _is_stuck(state):
        draft = Draft(state)
        end_internally(draft, ErrorInfo(code="INTERNAL_ERROR", message="nothing can move this run on: a defect of the engine"))
        _apply(state, draft.facts, now, out)
    if out.attempts and state.is_terminal:
        out.attempts = []


def _start(state: RunState, action: StartAttempt, now: int, out: Advance) -> None:
    step = state.steps[action.step_id]
    started = ev.StepStarted(step_type=step.plan.type, input=action.input, deadline=action.deadline)
    _apply(state, [Fact(started, action.step_id, action.attempt)], now, out)
    out.attempts.append(action)


def _is_stuck(state: RunState) -> bool:
    return state.status in (RunStatus.RUNNING, RunStatus.WAITING) and not state.working and not state.waiting


def _apply(state: RunState, facts: list[Fact], now: int, out: Advance) -> None:
    for fact in facts if out.redact is None else [_redacted(fact, out.redact) for fact in facts]:
        if type(fact.data) in _NOTED:
            _note_work_to_end(state, fact, out)
        event = sequence(state, fact, now)
        evolve(state, event)
        out.events.append(event)
        if fact.step_id is None:
            continue
        if isinstance(fact.data, ev.StepWaiting) and fact.data.child_run_id is not None:
            out.children.append((fact.step_id, fact.data.child_run_id))
        elif isinstance(fact.data, ev.StepResumed) and fact.step_id in state.working:
            step = state.steps[fact.step_id]
            out.attempts.append(StartAttempt(step.path, step.attempt, None, step.deadline))


def _redacted(fact: Fact, redact: Redact) -> Fact:
    return Fact(redact(fact.data), fact.step_id, fact.attempt, fact.actor)


def _note_work_to_end(state: RunState, fact: Fact, out: Advance) -> None:
    if isinstance(fact.data, _ENDS) and fact.step_id is not None:
        step = state.steps[fact.step_id]
        if fact.step_id in state.working:
            out.cancels.append(fact.step_id)
            out.attempts = [a for a in out.attempts if a.step_id != fact.step_id]
        if step.waiting_for == "child_run" and step.child_run_id is not None:
            out.stops.append((step.child_run_id, "immediate"))
    elif isinstance(fact.data, ev.RunDraining) and fact.data.reason == "stop":
        waiting = (state.steps[path] for path in state.waiting)
        out.stops += [(step.child_run_id, "graceful") for step in waiting if step.child_run_id is not None]
