"""What a turn did before the process died, handed out in the order in which it is asked for again.

A turn is the same again as far as it came, so its model calls and tool calls come in the same order: those that are recorded
are not made again. A model call that failed, or whose answer broke its schema, is.
"""

from collections import deque
from collections.abc import Iterable
from typing import TypeVar

import msgspec

from runwell.model.errors import StepError
from runwell.model.events import EventData, GenerationCompleted, ToolReturned, TurnEnded
from runwell.ports.models import ModelAnswer, Thought, ToolCall

T = TypeVar("T")


class Recall:
    """The answers and tool results of the turn under way. `recorded` is all that the step recorded."""

    def __init__(self, recorded: Iterable[EventData]) -> None:
        self._answers: deque[GenerationCompleted] = deque()
        self._returned: dict[str, ToolReturned] = {}
        for event in recorded:
            if isinstance(event, TurnEnded):
                self._answers.clear()
                self._returned.clear()
            elif isinstance(event, GenerationCompleted) and event.ok and event.error_class is None:
                self._answers.append(event)
            elif isinstance(event, ToolReturned) and event.call_id is not None:
                self._returned[event.call_id] = event

    @property
    def is_over(self) -> bool:
        """Whether all that follows is new."""
        return not self._answers and not self._returned

    def answer(self) -> ModelAnswer | None:
        """Return the next model answer; None when it has to be asked for."""
        return answer_of(self._answers.popleft()) if self._answers else None

    def returned(self, call_id: str) -> ToolReturned | None:
        """Return what the tool call gave; None when it has to be made."""
        return self._returned.pop(call_id, None)


def answer_of(event: GenerationCompleted) -> ModelAnswer:
    """Return the answer that was recorded, with those of its thoughts that the provider wants back."""
    return ModelAnswer(
        text=event.response if isinstance(event.response, str) else "",
        provider=event.provider,
        model=event.model,
        tool_calls=_read(event.tool_calls, tuple[ToolCall, ...]),
        thoughts=_read(event.thoughts, tuple[Thought, ...]),
        response_model=event.response_model,
    )


def _read(told: object, kind: type[T]) -> T:
    try:
        return msgspec.convert(told or (), kind)
    except msgspec.ValidationError as exc:
        raise StepError("LLM_REQUEST_FAILED", f"what is recorded of an answer cannot be read: {exc}") from exc
