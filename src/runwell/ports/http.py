"""HTTP to the outside, for steps and tools: guarded against reaching the inside."""

from collections.abc import Mapping
from typing import Protocol

import msgspec


class HttpRequest(msgspec.Struct, frozen=True, kw_only=True):
    """`secret_headers` names (lower case) those headers that hold secrets: they never follow a redirect to another origin.

    `shown_url` is given when a secret stands in the URL: messages show it, and nothing of the URL itself.
    """

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    secret_headers: frozenset[str] = frozenset()
    shown_url: str | None = None
    max_bytes: int = 10_485_760
    timeout_s: float = 30.0
    max_redirects: int = 5


class HttpResponse(msgspec.Struct, frozen=True, kw_only=True):
    """`body` is decoded from its content encoding; `headers` are lower case, repeated ones joined by `, `."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str
    encoding: str | None = None


class Http(Protocol):
    async def send(self, request: HttpRequest) -> HttpResponse:
        """Send it and read the whole answer, following redirects.

        Raises `StepError`: `HTTP_BLOCKED` for an address or scheme that is not allowed (never
        retryable), `HTTP_FAILED` for what the network did (retryable) and for an answer over
        `max_bytes` or too many redirects (not retryable).
        """
        ...

    async def aclose(self) -> None: ...
