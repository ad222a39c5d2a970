"""The body of `POST /v1/chat/completions`."""

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from runwell.api.json_values import JsonObject, JsonValue, KeptText
from runwell.api.openai.contents import call_of, content_of, offer_of, output_schema_of, unsupported
from runwell.ports.models import ChatRequest, Message, ToolCall

ModelName = Annotated[KeptText, Field(min_length=1, max_length=300)]
Name = Annotated[KeptText, Field(min_length=1, max_length=200)]

OWN: Final = frozenset({"user", "store", "metadata", "safety_identifier", "prompt_cache_key", "prompt_cache_retention"})
"""Fields about what OpenAI itself keeps: no model is told."""

_UNANSWERED: Final = {
    "logprobs": "the answer holds no log probabilities",
    "top_logprobs": "the answer holds no log probabilities",
    "audio": "the answer is text",
    "functions": "functions became tools",
    "function_call": "functions became tools",
    "web_search_options": "models search no web here",
}
"""Fields that ask for what no answer would hold; ignored, they would mislead."""


class Lenient(BaseModel):
    """Fields that are not known are passed over: clients send back whole what they got from elsewhere."""

    model_config = ConfigDict(extra="ignore")


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
    content: KeptText | Annotated[list[JsonObject], Field(max_length=1_000)] | None = None
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


class ChatTool(Lenient):
    """A tool that the model may call, and the client carries out."""

    type: Literal["function"]
    function: OfferedFunction


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


class StreamOptions(Lenient):
    include_usage: bool | None = None


class CreateChatCompletion(BaseModel):
    """A request as OpenAI's clients send it. Parameters beyond those that are listed go to the model's provider as they are."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, JsonValue]

    model: ModelName = Field(description="`provider:model`, or `agent:` and an agent's slug.", examples=["openai:gpt-5-mini"])
    messages: list[ChatMessage] = Field(min_length=1, max_length=10_000)
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    n: int | None = Field(default=None, description="One choice is made: left out, or 1.")
    tools: list[ChatTool] | None = Field(default=None, max_length=1_000)
    tool_choice: Literal["none", "auto", "required"] | NamedTool | None = None
    response_format: ResponseFormat | None = None
    max_completion_tokens: int | None = Field(default=None, ge=1, le=2**31 - 1)
    max_tokens: int | None = Field(default=None, ge=1, le=2**31 - 1, description="An older name of `max_completion_tokens`.")
    modalities: list[str] | None = Field(default=None, max_length=10)
    metadata: dict[Annotated[KeptText, Field(min_length=1, max_length=100)], Annotated[KeptText, Field(max_length=1_000)]] | None = Field(
        default=None, max_length=50, description="Metadata of the run."
    )
    user: Annotated[KeptText, Field(max_length=1_000)] | None = Field(default=None, description="Kept as `user` in the run's metadata.")

    @property
    def told_usage(self) -> bool:
        return bool(self.stream_options and self.stream_options.include_usage)

    @property
    def run_metadata(self) -> dict[str, str]:
        return {**(self.metadata or {}), **({"user": self.user} if self.user else {})}

    def chat_request(self) -> ChatRequest:
        """Return the request as ours. Raises `InvalidInput` for what cannot be answered here."""
        self._check()
        form = self.response_format
        schema = None if form is None or form.json_schema is None else form.json_schema
        output_schema = output_schema_of(
            None if form is None else form.type,
            None if schema is None else schema.schema_,
            None if schema is None else schema.name,
            "/response_format/json_schema/schema",
        )
        offers = (
            offer_of(tool.function.name, tool.function.description, tool.function.parameters, f"/tools/{i}/function/parameters")
            for i, tool in enumerate(self.tools or ())
        )
        choice = self.tool_choice
        return ChatRequest(
            model=self.model,
            messages=tuple(message.message(f"/messages/{i}") for i, message in enumerate(self.messages)),
            tools=tuple(offers),
            tool_choice=choice.function.name if isinstance(choice, NamedTool) else choice or "auto",
            output_schema=output_schema,
            params=self._params(),
            repair_attempts=0 if self.stream else 2,
        )

    def _check(self) -> None:
        if self.n not in (None, 1):
            raise unsupported("/n", f"n is {self.n}: one choice is made a call", "leave n out, and send the request as often as you want")
        if self.modalities not in (None, ["text"]):
            raise unsupported("/modalities", "the answer is text", "leave modalities out")
        for name, why in _UNANSWERED.items():
            if (self.model_extra or {}).get(name):
                raise unsupported(f"/{name}", f"{name} is not supported: {why}", f"leave {name} out")

    def _params(self) -> dict[str, Any]:
        extra = {name: value for name, value in (self.model_extra or {}).items() if value is not None and name not in OWN | _UNANSWERED.keys()}
        most = self.max_completion_tokens or self.max_tokens
        return extra if most is None else {"max_tokens": most, **extra}
