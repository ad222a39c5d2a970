"""Model calls: one request in, one answer out, whoever the provider is."""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple, Protocol

import msgspec

from runwell.model.scope import Scope
from runwell.model.usage import Usage


class Message(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    role: Literal["system", "user", "assistant"]
    content: str


class ModelRequest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`model` is `provider:name`. `output_schema` asks for an object of that JSON Schema.

    `params`: temperature, max_tokens, top_p, seed, stop, ... as the provider names them.
    `connection` names credentials of `scope`; None means those that the provider usually has there.
    """

    scope: Scope
    model: str
    messages: tuple[Message, ...]
    output_schema: dict[str, Any] | None = None
    params: dict[str, Any] = {}
    connection: str | None = None


class ModelAnswer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`text` is what the model wrote; with an `output_schema` it is the JSON text of the object, unchecked.

    Times in ms. `first_token_ms` is None when the answer was not streamed.
    """

    text: str
    provider: str
    model: str
    response_model: str | None = None
    usage: Usage = Usage()
    latency_ms: float = 0.0
    first_token_ms: float | None = None
    finish_reason: str | None = None


OnDelta = Callable[[str], None]


class Models(Protocol):
    async def generate(self, request: ModelRequest, *, on_delta: OnDelta | None = None) -> ModelAnswer:
        """Make one call; cancelling the caller ends the request.

        Raises `StepError` with code `LLM_REQUEST_FAILED`, `retryable` for rate limits (with
        `retry_after_s`), overload, time-outs and broken connections, and `details`
        `{"reason": "rate_limit" | "auth" | "context_length" | "content_filter" | "overloaded" |
        "timeout" | "connection" | "bad_request" | "invalid_response" | "unknown_model" | "missing_key",
        "status": ...}`.
        """
        ...

    async def aclose(self) -> None: ...


class Refusal(NamedTuple):
    """Why a name that a document gives leads nowhere here."""

    code: Literal["unknown_model", "missing_connection", "no_template_here"]
    message: str
    cure: str
