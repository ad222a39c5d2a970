"""Stored secrets and connections, as their admins see them. Nothing here is secret."""

from typing import Final, Literal, get_args

import msgspec

ConnectionType = Literal["http", "mcp", "openai", "openai-chat", "openai-responses", "anthropic", "google"]

CONNECTION_TYPES: Final[tuple[ConnectionType, ...]] = get_args(ConnectionType)

OPENAI_ADDRESS: Final = "https://api.openai.com/v1"

ADDRESSES: Final[dict[str, str]] = {
    "openai": OPENAI_ADDRESS,
    "openai-chat": OPENAI_ADDRESS,
    "openai-responses": OPENAI_ADDRESS,
    "anthropic": "https://api.anthropic.com",
    "google": "https://generativelanguage.googleapis.com",
}
"""Where a connection of the type leads that has no `base_url`."""


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
