"""What an event makes of the run's status, and of the clock of its time limit, which counts neither waiting nor paused time."""

from typing import Final

from runwell.engine.state import RunState, push_alarm
from runwell.engine.transitions import RUN_TRANSITIONS, ImpossibleEvent
from runwell.model import events as ev
from runwell.model.events import Event
from runwell.model.statuses import TERMINAL, RunStatus

_ACTIVE: Final = (RunStatus.RUNNING, RunStatus.DRAINING)

_MOVING: Final = frozenset(key.partition(":")[0] for _, key in RUN_TRANSITIONS)
"""Events that can change the run's status."""


def move_run(state: RunState, event: Event) -> None:
    """Raises `ImpossibleEvent` for what the status does not allow."""
    key = event.type
    if key not in _MOVING:
        return
    if key == "run_limit_exceeded":
        key = f"{key}:{event.of(ev.RunLimitExceeded).which}"
    to = RUN_TRANSITIONS.get((state.status, key))
    if to is None:
        if event.type.startswith("run_"):
            raise ImpossibleEvent(f"{event.type} while the run is {state.status}")
        return
    was, state.status = state.status, to
    if to in _ACTIVE and was not in _ACTIVE:
        state.active_since = event.ts
        push_alarm(state, state.deadline, "")
    elif was in _ACTIVE and to not in _ACTIVE:
        state.active_ms += event.ts - (state.active_since or event.ts)
        state.active_since = None
    if to is not RunStatus.WAITING:
        state.waiting_for = None
    if to in TERMINAL:
        state.ended_at = event.ts
        state.agenda.clear()
        state.alarms.clear()
