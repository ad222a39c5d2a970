"""A step whose handler waits in the middle of an attempt, and what it is told when it goes on.

While it waits its attempt has no task. The clock of its `timeout_s` stands still.
"""

from typing import Final

import msgspec

from runwell.engine.state import RunState, StepState
from runwell.model import events as ev
from runwell.model.events import Event, EventData

RECORDED: Final = frozenset(
    {"generation_completed", "tool_called", "tool_returned", "task_created", "task_completed", "step_waiting", "step_resumed"}
)
"""What handlers are told of what they did; of messages, see `go_on`."""


def remember(state: RunState, event: Event) -> None:
    """Keep what is in the event for the step's handler."""
    step = state.steps.get(event.step_id or "")
    if step is not None and step.is_leaf:
        step.recorded.append(_short(event.data, step.recorded))


def _short(data: EventData, before: list[EventData]) -> EventData:
    """Return a generation without what was asked, which grows with every round, and the raw bodies; of the first one, the tools stay."""
    if not isinstance(data, ev.GenerationCompleted):
        return data
    is_first = not any(isinstance(earlier, ev.GenerationCompleted) for earlier in before)
    tools = data.tools if is_first else None
    return msgspec.structs.replace(data, messages=None, params=None, tools=tools, raw_request=None, raw_response=None)


def suspend(step: StepState, waiting: ev.StepWaiting, now: int) -> None:
    """Let the step's attempt rest."""
    step.suspended, step.task_id = waiting, waiting.task_id
    step.left_ms = None if step.deadline is None else step.deadline - now
    step.deadline = None


def go_on(state: RunState, step: StepState, by: str, now: int) -> None:
    """Let the step's attempt go on; a message for which it waited is its own from now on."""
    if by == "message" and step.message is not None:
        step.recorded.append(ev.MessageReceived(name=step.message, body=state.messages[step.message].pop(0)))
    step.suspended = step.message = step.task_id = step.child_run_id = None
    step.deadline = None if step.left_ms is None else now + step.left_ms
    step.left_ms = None
