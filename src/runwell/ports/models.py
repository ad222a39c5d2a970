"""Model calls: one request in, one answer out, whoever the provider is."""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple, Protocol

import msgspec

from runwell.model.errors import StepError
from runwell.model.model_call import KeySource
from runwell.model.raw_body import RawBody
from runwell.model.scope import Scope
from runwell.model.usage import Usage


class Text(msgspec.Struct, frozen=True, kw_only=True, tag="text"):
    """A part of a message that is text."""

    text: str


class File(msgspec.Struct, frozen=True, kw_only=True, tag="file"):
    """A part of a message that is a file: an image, audio, a PDF. `url` is a data URL (base64)."""

    url: str
    media_type: str


Part = Text | File


class ToolOffer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A tool that the model may call. `input_schema` is that of an object.

    `strict` says whether the provider must hold calls to the schema; None leaves it to whether it can, the schema unchanged.
    """

    name: str
    description: str | None = None
    strict: bool | None = None
    input_schema: dict[str, Any] = msgspec.field(default_factory=lambda: {"type": "object", "properties": {}})


class ToolCall(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A tool that the model wants called. `args` is what it wrote: an object, or its text when that is no JSON.

    `opaque` is what the provider wants back with the call; only its adapter reads it.
    """

    id: str
    name: str
    args: Any = None
    opaque: dict[str, Any] | None = None


class Thought(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a model thought before it answered, as far as its provider tells. `opaque` is as in `ToolCall`."""

    text: str = ""
    opaque: dict[str, Any] | None = None


class Message(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One message. An assistant's may hold `tool_calls`; a tool's is the result of the call `tool_call_id`."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str | tuple[Part, ...] = ""
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    thoughts: tuple[Thought, ...] = ()

    @property
    def text(self) -> str:
        """The message's text, without its files."""
        if isinstance(self.content, str):
            return self.content
        return "\n".join(part.text for part in self.content if isinstance(part, Text))


class ModelRequest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`model` is `provider:name`. `output_schema` asks for an object of that JSON Schema.

    `params`: temperature, max_tokens, top_p, seed, stop, ... as the provider names them.
    `connection` names credentials of `scope`; None means those that the provider usually has there.
    `tool_choice` is auto, none, required, or the name of the one tool that must be called.
    """

    scope: Scope
    model: str
    messages: tuple[Message, ...]
    output_schema: dict[str, Any] | None = None
    params: dict[str, Any] = {}
    connection: str | None = None
    tools: tuple[ToolOffer, ...] = ()
    tool_choice: str = "auto"


class ChatRequest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A `ModelRequest` as the input of a run, which knows its scope.

    An answer that breaks the `output_schema` is sent back, with what is wrong, up to `repair_attempts` times.
    """

    model: str
    messages: tuple[Message, ...]
    tools: tuple[ToolOffer, ...] = ()
    tool_choice: str = "auto"
    output_schema: dict[str, Any] | None = None
    params: dict[str, Any] = {}
    connection: str | None = None
    repair_attempts: int = 2


class ModelAnswer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`text` is what the model wrote; with an `output_schema` it is the JSON text of the object, unchecked.

    Times in ms. `first_token_ms` is None when the answer was not streamed. `raw_request` and `raw_response` are the
    bodies as they went over the wire, None where there was none. `price_snapshot` names the price table of the cost.
    """

    text: str
    provider: str
    model: str
    tool_calls: tuple[ToolCall, ...] = ()
    thoughts: tuple[Thought, ...] = ()
    response_model: str | None = None
    usage: Usage = Usage()
    latency_ms: float = 0.0
    first_token_ms: float | None = None
    finish_reason: str | None = None
    raw_request: RawBody | None = None
    raw_response: RawBody | None = None
    price_snapshot: str | None = None
    key: KeySource | None = None

    @property
    def thought(self) -> str | None:
        """What the model thought, as text; None when it did not tell."""
        return "\n\n".join(thought.text for thought in self.thoughts if thought.text) or None

    def as_message(self) -> Message:
        """Return the answer as the message that stands for it when the conversation goes on."""
        return Message(role="assistant", content=self.text, tool_calls=self.tool_calls, thoughts=self.thoughts)


class FailedCall(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is known of a model call that failed; times in ms."""

    provider: str
    model: str
    latency_ms: float = 0.0
    first_token_ms: float | None = None
    raw_request: RawBody | None = None
    raw_response: RawBody | None = None
    key: KeySource | None = None


class ModelCallFailed(StepError):
    """A model call failed. `call` is None when nobody was asked."""

    call: FailedCall | None = None


OnDelta = Callable[[str], None]


class Models(Protocol):
    async def generate(self, request: ModelRequest, *, on_delta: OnDelta | None = None) -> ModelAnswer:
        """Make one call; cancelling the caller ends the request.

        Raises `ModelCallFailed` with code `LLM_REQUEST_FAILED`, `retryable` for rate limits (with
        `retry_after_s`), overload, time-outs and broken connections, and `details`
        `{"reason": one of model_call.REASONS, "status": ...}`.
        """
        ...

    async def aclose(self) -> None: ...


class Refusal(NamedTuple):
    """Why a name that a document gives leads nowhere here."""

    code: Literal["unknown_model", "missing_connection", "no_template_here", "unknown_tool", "needs_approval"]
    message: str
    cure: str


class NamedModel(NamedTuple):
    """`id` is what a document writes; `owner` is the provider."""

    id: str
    owner: str


class ModelNames(Protocol):
    """Which models a project can name."""

    async def listed(self, scope: Scope) -> list[NamedModel]:
        """Return those that are known; there may be more."""
        ...

    async def refusal(self, scope: Scope, name: str) -> Refusal | None:
        """Return why nobody answers for the name; None when somebody does, as far as can be told without asking."""
        ...
