"""Answers of `POST /v1/responses`, whole and in events."""

from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from runwell.api.openai.chat_answer import Said, said
from runwell.api.openai.contents import arguments_of
from runwell.api.openai.errors import Failure
from runwell.api.openai.response_request import CreateResponse
from runwell.model.usage import Usage
from runwell.query.live_run import Ending

Item = dict[str, Any]


class OpenAIResponse(msgspec.Struct, frozen=True, kw_only=True):
    """An answer as OpenAI's clients read it. `id` is that of the run; `output` are messages and function calls."""

    id: str
    object: Literal["response"] = "response"
    created_at: int
    status: Literal["in_progress", "completed", "incomplete", "failed"]
    error: dict[str, str] | None = None
    incomplete_details: dict[str, str] | None = None
    instructions: str | None
    metadata: dict[str, str]
    model: str
    output: list[Item] = []
    parallel_tool_calls: bool = True
    temperature: Any = None
    top_p: Any = None
    tool_choice: Any
    tools: list[Item]
    max_output_tokens: int | None = None
    text: Item
    usage: Item | None = None
    user: str | None = None


class ResponseFrame:
    """What every answer to one request repeats of it."""

    def __init__(self, run_id: str, created: int, body: CreateResponse) -> None:
        told: dict[str, Any] = body.model_dump(mode="json", by_alias=True, exclude_none=True)
        self.message_id = f"msg_{run_id.removeprefix('run_')}"
        self._call_prefix = f"fc_{run_id.removeprefix('run_')}"
        self.begun = OpenAIResponse(
            id=run_id,
            created_at=created,
            status="in_progress",
            instructions=body.instructions,
            metadata=body.metadata or {},
            model=body.model,
            temperature=told.get("temperature"),
            top_p=told.get("top_p"),
            tool_choice=told.get("tool_choice", "auto"),
            tools=told.get("tools", []),
            max_output_tokens=body.max_output_tokens,
            text={"format": {"type": "text"}, **told.get("text", {})},
            user=body.user,
        )

    def whole(self, ending: Ending) -> OpenAIResponse:
        return self.ended(said(ending))

    def ended(self, told: Said) -> OpenAIResponse:
        cut = {"reason": "max_output_tokens"} if told.finish == "length" else None
        return msgspec.structs.replace(
            self.begun,
            status="completed" if cut is None else "incomplete",
            incomplete_details=cut,
            output=[*([self.message(told.text)] if told.text or not told.tool_calls else []), *self.calls(told)],
            usage=_usage(told.usage),
        )

    def failed(self, failure: Failure) -> OpenAIResponse:
        code = "rate_limit_exceeded" if failure.status == 429 else "server_error" if failure.status >= 500 else "invalid_prompt"
        return msgspec.structs.replace(self.begun, status="failed", error={"code": code, "message": failure.error.message})

    def message(self, text: str | None) -> Item:
        """Return the item of the text; None: it is only beginning."""
        parts = [] if text is None else [output_text(text)]
        status = "in_progress" if text is None else "completed"
        return {"id": self.message_id, "type": "message", "role": "assistant", "status": status, "content": parts}

    def calls(self, told: Said) -> list[Item]:
        return [
            {
                "id": f"{self._call_prefix}_{i}",
                "type": "function_call",
                "status": "completed",
                "call_id": call["id"],
                "name": call["name"],
                "arguments": arguments_of(call.get("args")),
            }
            for i, call in enumerate(told.tool_calls)
        ]


def output_text(text: str) -> Item:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _usage(usage: Usage) -> Item:
    return {
        "input_tokens": usage.input_tokens,
        "input_tokens_details": {"cached_tokens": usage.cached_tokens, "cache_write_tokens": 0},
        "output_tokens": usage.output_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
        "total_tokens": usage.input_tokens + usage.output_tokens,
    }


class ResponseEvents:
    """The events of a streamed answer. Text comes as it is written, function calls whole."""

    def __init__(self, frame: ResponseFrame) -> None:
        self._frame = frame
        self._place = {"item_id": frame.message_id, "output_index": 0, "content_index": 0}
        self._number = 0
        self._has_text = False
        self._said: list[str] = []

    def begin(self) -> bytes:
        return self._event("created", response=self._frame.begun) + self._event("in_progress", response=self._frame.begun)

    def text(self, text: str) -> bytes:
        opening = b"" if self._has_text else b"".join(self._opening())
        self._said.append(text)
        return opening + self._event("output_text.delta", **self._place, delta=text, logprobs=[])

    def end(self, ending: Ending) -> bytes:
        return b"".join(self._ending(said(ending)))

    def failed(self, failure: Failure) -> bytes:
        return self._event("failed", response=self._frame.failed(failure))

    def _opening(self) -> Iterator[bytes]:
        self._has_text = True
        yield self._event("output_item.added", output_index=0, item=self._frame.message(None))
        yield self._event("content_part.added", **self._place, part=output_text(""))

    def _ending(self, told: Said) -> Iterator[bytes]:
        if not self._has_text and (told.text or not told.tool_calls):
            yield self.text(told.text)
        told = msgspec.structs.replace(told, text="".join(self._said))  # an agent says something in every round
        whole = self._frame.ended(told)
        if self._has_text:
            yield self._event("output_text.done", **self._place, text=told.text, logprobs=[])
            yield self._event("content_part.done", **self._place, part=output_text(told.text))
            yield self._event("output_item.done", output_index=0, item=whole.output[0])
        for index, item in enumerate(whole.output):
            if item["type"] == "function_call":
                yield from self._call(index, item)
        yield self._event(whole.status, response=whole)

    def _call(self, index: int, item: Item) -> Iterator[bytes]:
        place = {"item_id": item["id"], "output_index": index}
        yield self._event("output_item.added", output_index=index, item={**item, "status": "in_progress", "arguments": ""})
        yield self._event("function_call_arguments.delta", **place, delta=item["arguments"])
        yield self._event("function_call_arguments.done", **place, arguments=item["arguments"], name=item["name"])
        yield self._event("output_item.done", output_index=index, item=item)

    def _event(self, name: str, /, **data: Any) -> bytes:
        body = msgspec.json.encode({"type": f"response.{name}", "sequence_number": self._number, **data})
        self._number += 1
        return b"event: response.%b\ndata: %b\n\n" % (name.encode(), body)
