"""Answers of `POST /v1/chat/completions`, whole and in pieces."""

import json
from collections.abc import Iterator
from typing import Any, Final, Literal

import msgspec

from runwell.api.openai.contents import arguments_of
from runwell.api.openai.errors import Failure, OpenAIErrorBody
from runwell.model.events import GenerationCompleted
from runwell.model.usage import Usage
from runwell.query.live_run import Ending

Finish = Literal["stop", "length", "tool_calls", "content_filter"]

DONE: Final = b"data: [DONE]\n\n"
_FINISHES: Final[dict[str, Finish]] = {"length": "length", "tool_call": "tool_calls", "content_filter": "content_filter"}


class FunctionCall(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    arguments: str


class ToolCallAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A tool that the model wants the client to call."""

    id: str
    type: Literal["function"] = "function"
    function: FunctionCall


class AnswerMessage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    role: Literal["assistant"]
    content: str | None
    refusal: str | None = None
    tool_calls: tuple[ToolCallAnswer, ...] | msgspec.UnsetType = msgspec.UNSET


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    index: int
    message: AnswerMessage
    logprobs: None = None
    finish_reason: Finish


class PromptTokens(msgspec.Struct, frozen=True, kw_only=True):
    cached_tokens: int


class CompletionTokens(msgspec.Struct, frozen=True, kw_only=True):
    reasoning_tokens: int


class CompletionUsage(msgspec.Struct, frozen=True, kw_only=True):
    """Of all model calls that the answer took."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: PromptTokens
    completion_tokens_details: CompletionTokens


class ChatCompletion(msgspec.Struct, frozen=True, kw_only=True):
    """An answer as OpenAI's clients read it. `id` is that of the run."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: tuple[Choice, ...]
    usage: CompletionUsage


class Said(msgspec.Struct, frozen=True):
    """What came of a run: the text, the tool calls that the client is to make, and why the model stopped."""

    text: str
    tool_calls: tuple[dict[str, Any], ...]
    finish: Finish
    usage: Usage


def said(ending: Ending) -> Said:
    """Return what a run that succeeded says."""
    last: GenerationCompleted | None = next((call for call in reversed(ending.calls) if call.ok), None)
    usage = sum((call.usage for call in ending.calls), Usage())
    calls = () if last is None else tuple(last.tool_calls or ())
    if last is not None and calls:
        return Said(str(last.response or ""), calls, "tool_calls", usage)
    text = ending.output if isinstance(ending.output, str) else json.dumps(ending.output, ensure_ascii=False)
    return Said(text, (), "stop" if last is None else _FINISHES.get(last.finish_reason or "", "stop"), usage)


def completion(ending: Ending, model: str, created: int) -> ChatCompletion:
    told = said(ending)
    calls = tuple(map(_call, told.tool_calls))
    message = AnswerMessage(role="assistant", content=told.text or (None if calls else ""), tool_calls=calls or msgspec.UNSET)
    choice = Choice(index=0, message=message, finish_reason=told.finish)
    return ChatCompletion(id=ending.run_id, created=created, model=model, choices=(choice,), usage=_usage(told.usage))


def _call(call: dict[str, Any]) -> ToolCallAnswer:
    return ToolCallAnswer(id=call["id"], function=FunctionCall(name=call["name"], arguments=arguments_of(call.get("args"))))


def _usage(usage: Usage) -> CompletionUsage:
    return CompletionUsage(
        prompt_tokens=usage.input_tokens,
        completion_tokens=usage.output_tokens,
        total_tokens=usage.input_tokens + usage.output_tokens,
        prompt_tokens_details=PromptTokens(cached_tokens=usage.cached_tokens),
        completion_tokens_details=CompletionTokens(reasoning_tokens=usage.reasoning_tokens),
    )


class ChatChunks:
    """The events of a streamed answer. Text comes as it is written, tool calls whole."""

    def __init__(self, run_id: str, model: str, created: int, *, told_usage: bool) -> None:
        self._frame = {"id": run_id, "object": "chat.completion.chunk", "created": created, "model": model}
        self._told_usage = told_usage
        self._streamed = False

    def begin(self) -> bytes:
        return self._chunk({"role": "assistant", "content": ""})

    def text(self, text: str) -> bytes:
        self._streamed = True
        return self._chunk({"content": text})

    def end(self, ending: Ending) -> bytes:
        return b"".join(self._ending(said(ending)))

    def failed(self, failure: Failure) -> bytes:
        return b"data: %b\n\n%b" % (msgspec.json.encode(OpenAIErrorBody(error=failure.error)), DONE)

    def _ending(self, told: Said) -> Iterator[bytes]:
        if told.text and not self._streamed:
            yield self._chunk({"content": told.text})
        calls = [{"index": i, **msgspec.to_builtins(_call(call))} for i, call in enumerate(told.tool_calls)]
        if calls:
            yield self._chunk({"tool_calls": calls})
        yield self._chunk({}, told.finish)
        if self._told_usage:
            yield _event({**self._frame, "choices": [], "usage": _usage(told.usage)})
        yield DONE

    def _chunk(self, delta: dict[str, Any], finish: Finish | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return _event({**self._frame, "choices": [choice], **({"usage": None} if self._told_usage else {})})


def _event(data: dict[str, Any]) -> bytes:
    return b"data: %b\n\n" % msgspec.json.encode(data)
