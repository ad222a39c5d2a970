"""Stored secrets and connections, as their admins see them. Nothing here is secret."""

from typing import Final, Literal, get_args

import msgspec

ConnectionType = Literal[
    "http", "mcp", "openai", "openai-chat", "openai-responses", "anthropic", "google", "mistral", "groq", "azure", "bedrock", "ollama"
]

CONNECTION_TYPES: Final[tuple[ConnectionType, ...]] = get_args(ConnectionType)

OPENAI_ADDRESS: Final = "https://api.openai.com/v1"

ADDRESSES: Final[dict[str, str]] = {
    "openai": OPENAI_ADDRESS,
    "openai-chat": OPENAI_ADDRESS,
    "openai-responses": OPENAI_ADDRESS,
    "anthropic": "https://api.anthropic.com",
    "google": "https://generativelanguage.googleapis.com",
    "mistral": "https://api.mistral.ai",
    "groq": "https://api.groq.com/openai/v1",
    "ollama": "http://localhost:11434/v1",
}
"""Where a connection of the type leads that has no `base_url`. Azure's and Bedrock's always have one: it names resource or region."""

NOT_FOR_MODELS: Final = frozenset({"http", "mcp"})
"""Types whose credentials are headers."""

FAMILIES: Final[dict[str, str]] = {
    name: "openai" if name.startswith("openai") else name for name in CONNECTION_TYPES if name not in NOT_FOR_MODELS
}
"""From a type for models to the provider that it reaches."""


class CallLimits(msgspec.Struct, frozen=True, kw_only=True):
    """How model calls by way of a connection are held back; None: not at all.

    At most `max_concurrent` at a time and `requests_per_minute`: others wait for their turn. A call that takes longer than
    `timeout_s`, its turn not counted, fails with the reason timeout.
    """

    max_concurrent: int | None = None
    requests_per_minute: int | None = None
    timeout_s: float | None = None


NO_LIMITS: Final = CallLimits()


class StoredSecret(msgspec.Struct, frozen=True, kw_only=True):
    """A secret without its value, which is never told again. `revision` grows with every change."""

    id: str
    name: str
    allowed_origins: tuple[str, ...]
    has_secret: bool = True
    revision: int
    created_by: str | None
    created_at: str
    updated_at: str


class StoredConnection(msgspec.Struct, frozen=True, kw_only=True):
    """A connection without its secrets. `secret_headers` names the headers whose values are secret."""

    id: str
    name: str
    type: str
    base_url: str | None
    headers: dict[str, str]
    secret_headers: tuple[str, ...]
    limits: CallLimits
    has_secret: bool
    allowed_origins: tuple[str, ...]
    revision: int
    created_by: str | None
    created_at: str
    updated_at: str


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one request by way of a connection. `status` is None when no answer came."""

    ok: bool
    status: int | None
    duration_ms: int
    error: str | None = None
