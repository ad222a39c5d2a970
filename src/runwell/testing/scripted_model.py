"""Models that answer what a test wrote down."""

import re
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, Final

import msgspec

from runwell.model.errors import StepError
from runwell.model.usage import Usage
from runwell.ports.models import ModelAnswer, ModelRequest, Models, OnDelta, ToolCall

Answer = str | dict[str, Any] | list[ToolCall] | ModelAnswer | StepError
"""Text, an object (answered as its JSON text), tool calls, a whole answer, or an error that is raised."""

USAGE: Final = Usage(input_tokens=10, output_tokens=5, generations=1)
"""What each answer uses that does not say it itself."""


class ScriptedModels(Models):
    """Answers in turn, or as a function of the request. `requests` holds what was asked.

        models = ScriptedModels(["Hello", StepError("LLM_REQUEST_FAILED", "busy", retryable=True), {"label": "spam"}])
        async with memory_app(models=models) as app: ...

    Text is streamed word by word. Raises `AssertionError` when it is asked more often than it has answers.
    """

    def __init__(self, answers: Iterable[Answer] | Callable[[ModelRequest], Answer]) -> None:
        self.requests: list[ModelRequest] = []
        self._respond = answers if callable(answers) else _in_turn(answers)

    async def generate(self, request: ModelRequest, *, on_delta: OnDelta | None = None) -> ModelAnswer:
        self.requests.append(request)
        given = self._respond(request)
        if isinstance(given, StepError):
            raise given
        answer = given if isinstance(given, ModelAnswer) else _answer(request, given)
        if on_delta is None:
            return answer
        for word in re.findall(r"\S+\s*|\s+", answer.text):
            on_delta(word)
        return answer if answer.first_token_ms is not None else msgspec.structs.replace(answer, first_token_ms=0.0)

    async def aclose(self) -> None:
        return None


def _in_turn(answers: Iterable[Answer]) -> Callable[[ModelRequest], Answer]:
    left = deque(answers)

    def respond(request: ModelRequest) -> Answer:
        assert left, f"the script has no answer left for {request.model!r}: add one"
        return left.popleft()

    return respond


def _answer(request: ModelRequest, given: str | dict[str, Any] | list[ToolCall]) -> ModelAnswer:
    provider, _, model = request.model.rpartition(":")
    if isinstance(given, list):
        named = provider or "scripted"
        return ModelAnswer(text="", provider=named, model=model, tool_calls=tuple(given), usage=USAGE, finish_reason="tool_call")
    text = given if isinstance(given, str) else msgspec.json.encode(given).decode()
    return ModelAnswer(text=text, provider=provider or "scripted", model=model, usage=USAGE, finish_reason="stop")
