"""The body of `POST /v1/responses`: its part about text, tools that the client carries out, and structured output."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

import msgspec
from pydantic import Field, Tag

from runwell.api.json_values import JsonObject, KeptText
from runwell.api.openai.contents import call_of, content_of, offer_of, output_schema_of, unsupported
from runwell.api.openai.requests import EITHER, AsText, Call, Lenient, Name, TextOrParts, Tokens
from runwell.ports.models import ChatRequest, Message, ToolOffer


class InputItem(Lenient):
    """A message, a function call that the model made, or what came of it. `reasoning` is passed over."""

    type: Literal["message", "function_call", "function_call_output", "reasoning"] = "message"
    role: Literal["system", "developer", "user", "assistant"] | None = None
    content: TextOrParts | None = None
    call_id: Name | None = None
    name: Name | None = None
    arguments: KeptText = ""
    output: TextOrParts | None = None

    def message(self, pointer: str) -> Message | None:
        if self.type == "reasoning":
            return None
        if self.type == "function_call" and self.call_id is not None and self.name is not None:
            return Message(role="assistant", tool_calls=(call_of(self.call_id, self.name, self.arguments),))
        if self.type == "function_call_output" and self.call_id is not None and self.output is not None:
            return Message(role="tool", content=content_of(self.output, f"{pointer}/output"), tool_call_id=self.call_id)
        if self.type == "message" and self.role is not None and self.content is not None:
            role = "system" if self.role == "developer" else self.role
            return Message(role=role, content=content_of(self.content, f"{pointer}/content"))
        needed = {
            "message": "role and content",
            "function_call": "call_id, name and arguments",
            "function_call_output": "call_id and output",
        }
        raise unsupported(pointer, f"an item of type {self.type!r} lacks something", f"give it {needed[self.type]}")


AsItems = Annotated[Annotated[list[InputItem], Field(min_length=1, max_length=10_000)], Tag("list")]


class ResponseTool(Lenient):
    """A function that the model may call, and the client carries out."""

    type: Literal["function"]
    name: Name
    description: KeptText | None = None
    parameters: JsonObject | None = None
    strict: bool | None = None

    def offer(self, pointer: str) -> ToolOffer:
        return offer_of(self.name, self.description, self.parameters, pointer, strict=self.strict)


class NamedResponseTool(Lenient):
    """The one function that must be called."""

    type: Literal["function"]
    name: Name


class TextFormat(Lenient):
    type: Literal["text", "json_object", "json_schema"]
    name: KeptText | None = None
    schema_: JsonObject | None = Field(default=None, alias="schema")


class TextOptions(Lenient):
    """How the answer's text is to look."""

    format: TextFormat | None = None
    verbosity: Literal["low", "medium", "high"] | None = None


class Reasoning(Lenient):
    effort: Annotated[KeptText, Field(max_length=40)] | None = None


class CreateResponse(Call):
    """A request as OpenAI's clients send it. Parameters beyond those that are listed go to the model's provider as they are."""

    unanswered = {
        "background": "an answer is waited for",
        "conversation": "what was said before is to be sent along",
        "previous_response_id": "what was said before is to be sent along",
        "prompt": "prompts are kept as agents here",
        "top_logprobs": "the answer holds no log probabilities",
    }
    unread = frozenset({"include", "truncation", "max_tool_calls", "stream_options"})

    input: Annotated[AsText | AsItems, EITHER] = Field(description="Text, or the items of a conversation.")
    instructions: KeptText | None = Field(default=None, description="Goes before the input as a system message.")
    tools: list[ResponseTool] | None = Field(default=None, max_length=1_000)
    tool_choice: Literal["none", "auto", "required"] | NamedResponseTool | None = None
    text: TextOptions | None = None
    reasoning: Reasoning | None = None
    max_output_tokens: Tokens | None = None

    def chat_request(self) -> ChatRequest:
        """Return the request as ours. Raises `InvalidInput` for what cannot be answered here."""
        form = self.text.format if self.text is not None else None
        choice = self.tool_choice
        return ChatRequest(
            model=self.model,
            messages=tuple(self._messages()),
            tools=tuple(tool.offer(f"/tools/{i}/parameters") for i, tool in enumerate(self.tools or ())),
            tool_choice=choice.name if isinstance(choice, NamedResponseTool) else choice or "auto",
            output_schema=None if form is None else output_schema_of(form.type, form.schema_, form.name, "/text/format/schema"),
            params=self._params(),
            repair_attempts=0 if self.stream else 2,
        )

    def _messages(self) -> Iterator[Message]:
        if self.instructions:
            yield Message(role="system", content=self.instructions)
        if isinstance(self.input, str):
            yield Message(role="user", content=self.input)
            return
        calling: Message | None = None
        for message in self._items():
            if calling is not None and message.role == "assistant" and message.tool_calls:
                calling = msgspec.structs.replace(calling, tool_calls=calling.tool_calls + message.tool_calls)
                continue
            if calling is not None:
                yield calling
            calling = message if message.role == "assistant" else None
            if calling is None:
                yield message
        if calling is not None:
            yield calling

    def _items(self) -> Iterator[Message]:
        """Yield each item as a message of its own; a model's text and its calls are one, which `_messages` makes of them."""
        items = [] if isinstance(self.input, str) else self.input
        for i, item in enumerate(items):
            message = item.message(f"/input/{i}")
            if message is not None:
                yield message

    def _params(self) -> dict[str, Any]:
        effort = {"reasoning_effort": self.reasoning.effort} if self.reasoning is not None and self.reasoning.effort else {}
        verbosity = {"verbosity": self.text.verbosity} if self.text is not None and self.text.verbosity else {}
        return {**effort, **verbosity, **self.params(self.max_output_tokens)}
