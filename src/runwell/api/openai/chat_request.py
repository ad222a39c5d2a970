"""The body of `POST /v1/chat/completions`."""

from typing import Any, Literal

from pydantic import Field

from runwell.api.json_values import JsonObject, KeptText
from runwell.api.openai.contents import call_of, content_of, offer_of, output_schema_of, unsupported
from runwell.api.openai.requests import Call, Lenient, Name, TextOrParts, Tokens
from runwell.ports.models import ChatRequest, Message, ToolCall, ToolOffer


class CalledFunction(Lenient):
    """`arguments` is JSON text."""

    name: Name
    arguments: KeptText = ""


class ChatToolCall(Lenient):
    """A tool call that the model made before."""

    id: Name
    type: Literal["function"] = "function"
    function: CalledFunction


class ChatMessage(Lenient):
    """One message; `content` is text, or a list of parts."""

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: TextOrParts | None = None
    refusal: KeptText | None = None
    tool_calls: list[ChatToolCall] | None = Field(default=None, max_length=1_000)
    tool_call_id: Name | None = None

    def message(self, pointer: str) -> Message:
        calls: tuple[ToolCall, ...] = tuple(call_of(call.id, call.function.name, call.function.arguments) for call in self.tool_calls or ())
        return Message(
            role="system" if self.role == "developer" else self.role,
            content=content_of(self.content or self.refusal, f"{pointer}/content"),
            tool_calls=calls,
            tool_call_id=self.tool_call_id,
        )


class OfferedFunction(Lenient):
    """`parameters` is a JSON Schema of an object."""

    name: Name
    description: KeptText | None = None
    parameters: JsonObject | None = None
    strict: bool | None = None


class ChatTool(Lenient):
    """A tool that the model may call, and the client carries out."""

    type: Literal["function"]
    function: OfferedFunction

    def offer(self, pointer: str) -> ToolOffer:
        return offer_of(self.function.name, self.function.description, self.function.parameters, pointer, strict=self.function.strict)


class NamedFunction(Lenient):
    name: Name


class NamedTool(Lenient):
    """The one tool that must be called."""

    type: Literal["function"]
    function: NamedFunction


class JsonSchemaFormat(Lenient):
    name: KeptText | None = None
    schema_: JsonObject | None = Field(default=None, alias="schema")


class ResponseFormat(Lenient):
    """How the answer is to look; `json_schema` holds it to a schema."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: JsonSchemaFormat | None = None

    def output_schema(self) -> dict[str, Any] | None:
        told = self.json_schema or JsonSchemaFormat()
        return output_schema_of(self.type, told.schema_, told.name, "/response_format/json_schema/schema")


class StreamOptions(Lenient):
    include_usage: bool | None = None


class CreateChatCompletion(Call):
    """A request as OpenAI's clients send it. Parameters beyond those that are listed go to the model's provider as they are."""

    unanswered = {
        "logprobs": "the answer holds no log probabilities",
        "top_logprobs": "the answer holds no log probabilities",
        "audio": "the answer is text",
        "functions": "functions became tools",
        "function_call": "functions became tools",
        "web_search_options": "models search no web here",
    }

    messages: list[ChatMessage] = Field(min_length=1, max_length=10_000)
    stream_options: StreamOptions | None = None
    n: int | None = Field(default=None, description="One choice is made: left out, or 1.")
    tools: list[ChatTool] | None = Field(default=None, max_length=1_000)
    tool_choice: Literal["none", "auto", "required"] | NamedTool | None = None
    response_format: ResponseFormat | None = None
    max_completion_tokens: Tokens | None = None
    max_tokens: Tokens | None = Field(default=None, description="An older name of `max_completion_tokens`.")
    modalities: list[str] | None = Field(default=None, max_length=10)

    @property
    def told_usage(self) -> bool:
        return bool(self.stream_options and self.stream_options.include_usage)

    def chat_request(self) -> ChatRequest:
        """Return the request as ours. Raises `InvalidInput` for what cannot be answered here."""
        if self.n not in (None, 1):
            raise unsupported("/n", f"n is {self.n}: one choice is made a call", "leave n out, and send the request as often as you want")
        if self.modalities not in (None, ["text"]):
            raise unsupported("/modalities", "the answer is text", "leave modalities out")
        choice = self.tool_choice
        return ChatRequest(
            model=self.model,
            messages=tuple(message.message(f"/messages/{i}") for i, message in enumerate(self.messages)),
            tools=tuple(tool.offer(f"/tools/{i}/function/parameters") for i, tool in enumerate(self.tools or ())),
            tool_choice=choice.function.name if isinstance(choice, NamedTool) else choice or "auto",
            output_schema=None if self.response_format is None else self.response_format.output_schema(),
            params=self.params(self.max_completion_tokens or self.max_tokens),
            repair_attempts=0 if self.stream else 2,
        )
