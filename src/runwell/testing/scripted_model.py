"""Models that answer what a test wrote down, and runs of workflows that are written in Python with them."""

import itertools
import re
from collections import deque
from collections.abc import Callable, Iterable
from contextvars import Token
from types import TracebackType
from typing import Any, Final, Self

import msgspec

from runwell.authoring.local import Carrier, carrier
from runwell.model.errors import StepError
from runwell.model.usage import Usage
from runwell.ports.models import ModelAnswer, ModelRequest, Models, OnDelta, ToolCall
from runwell.testing.scripted_runs import ScriptedRuns

Answer = str | dict[str, Any] | list[ToolCall] | ModelAnswer | StepError
"""Text, an object (answered as its JSON text), tool calls, a whole answer, or an error that is raised."""

USAGE: Final = Usage(input_tokens=10, output_tokens=5, generations=1)
"""What each answer uses that does not say it itself."""


class ScriptedModels(Models):
    """Answers in turn, or as a function of the request. `requests` holds what was asked.

        models = ScriptedModels(["Hello", StepError("LLM_REQUEST_FAILED", "busy", retryable=True), {"label": "spam"}])
        async with memory_app(models=models) as app: ...

    As a context it is what every `run` within it asks, of workflows and agents that are written in Python; those runs reach no
    network, and time passes for them in no time:

        with ScriptedModels([call("python:find_parcel", number=7), "In Lyon"]) as models:
            assert support.run("Where is parcel 7?").output == "In Lyon"

    At its end every answer must have been asked for. Text is streamed word by word. Raises `AssertionError` when it is asked more
    often than it has answers.
    """

    def __init__(self, answers: Iterable[Answer] | Callable[[ModelRequest], Answer]) -> None:
        self.requests: list[ModelRequest] = []
        self._left = None if callable(answers) else deque(answers)
        self._respond = answers if callable(answers) else self._in_turn
        self._unexpected: list[str] = []
        self._before: Token[Carrier | None] | None = None

    def __enter__(self) -> Self:
        self._before = carrier.set(ScriptedRuns(self, self.require))
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None) -> None:
        assert self._before is not None
        carrier.reset(self._before)
        if kind is None:
            self.require()
            left = list(self._left or ())
            assert not left, f"nobody asked for the script's last {len(left)} answers: {left!r:.500}"

    def require(self) -> None:
        """Raise `AssertionError` when it was asked what no answer was left for."""
        assert not self._unexpected, "; ".join(self._unexpected)

    async def generate(self, request: ModelRequest, *, on_delta: OnDelta | None = None) -> ModelAnswer:
        self.requests.append(request)
        try:
            given = self._respond(request)
        except AssertionError as exc:
            self._unexpected.append(str(exc))
            raise
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

    def _in_turn(self, request: ModelRequest) -> Answer:
        asked = request.messages[-1].text if request.messages else ""
        assert self._left, f"the script has no answer left for {request.model!r}, which was asked {asked!r:.300}: add one"
        return self._left.popleft()


def call(tool: str, /, **args: Any) -> list[ToolCall]:
    """Answer with a call of a tool: `call("python:find_parcel", number=7)`. Add such lists for several at a time."""
    return [ToolCall(id=f"call_{next(_numbers)}", name=tool, args=args)]


_numbers: Final = itertools.count(1)


def _answer(request: ModelRequest, given: str | dict[str, Any] | list[ToolCall]) -> ModelAnswer:
    provider, _, model = request.model.rpartition(":")
    if isinstance(given, list):
        named = provider or "scripted"
        return ModelAnswer(text="", provider=named, model=model, tool_calls=tuple(given), usage=USAGE, finish_reason="tool_call")
    text = given if isinstance(given, str) else msgspec.json.encode(given).decode()
    return ModelAnswer(text=text, provider=provider or "scripted", model=model, usage=USAGE, finish_reason="stop")
