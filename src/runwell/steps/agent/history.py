"""What an agent did before: in an attempt that its process took along, or before it waited."""

from collections.abc import Iterable
from typing import Any

import msgspec

from runwell.model.events import EventData, GenerationCompleted, StepResumed, StepWaiting, TaskCompleted, ToolCalled, ToolReturned
from runwell.model.usage import NO_USAGE, Usage
from runwell.ports.models import Message, Thought, ToolCall, ToolOffer


class Answered(msgspec.Struct, frozen=True):
    """One answer of the model, and which of the step's models gave it."""

    message: Message
    model_index: int


class History:
    """`answers` in order; `called` and `returned` by the id of the call; `offers` as the first round had them, None when there was none."""

    def __init__(self, recorded: Iterable[EventData]) -> None:
        self.answers: list[Answered] = []
        self.called: set[str] = set()
        self.returned: dict[str, ToolReturned] = {}
        self.usage: Usage = NO_USAGE
        self.offers: tuple[ToolOffer, ...] | None = None
        self._tasks: dict[str | None, str | None] = {}
        self._decisions: dict[str | None, TaskCompleted] = {}
        self._ends: dict[str | None, StepResumed] = {}
        for data in recorded:
            self._take(data)

    def _take(self, data: EventData) -> None:
        match data:
            case GenerationCompleted():
                self._take_generation(data)
            case ToolCalled(call_id=str(call_id)):
                self.called.add(call_id)
            case ToolReturned(call_id=str(call_id)):
                self.returned[call_id] = data
            case StepWaiting(task_id=str(task_id), key=key):
                self._tasks[key] = task_id
            case TaskCompleted():
                self._decisions[data.task_id] = data
            case StepResumed(by="child_run"):
                self._ends[data.key] = data

    def _take_generation(self, data: GenerationCompleted) -> None:
        self.usage = self.usage + data.usage
        if data.tools is not None and self.offers is None:
            self.offers = msgspec.convert(data.tools, tuple[ToolOffer, ...])
        if data.ok:
            self.answers.append(Answered(_message(data), data.model_index))

    def decision(self, key: str) -> TaskCompleted | None:
        """Return what was decided of the task for which the step waited under this key."""
        return self._decisions.get(self._tasks.get(key, ""))

    def end(self, key: str) -> StepResumed | None:
        """Return how the child run ended for which the step waited under this key."""
        return self._ends.get(key)


def _message(data: GenerationCompleted) -> Message:
    told: Any = {"tool_calls": data.tool_calls or (), "thoughts": data.thoughts or ()}
    return Message(
        role="assistant",
        content=data.response if isinstance(data.response, str) else "",
        tool_calls=msgspec.convert(told["tool_calls"], tuple[ToolCall, ...]),
        thoughts=msgspec.convert(told["thoughts"], tuple[Thought, ...]),
    )
