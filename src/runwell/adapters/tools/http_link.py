"""An MCP server over streamable HTTP, by way of the guarded transport.

The library's client tears the whole session down when one exchange fails on the network. So what fails here is told as
the answer to the request that it belongs to, signed with a token that no server knows: one call fails, and no other.
"""

import json
import secrets
import ssl
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Any, Final

import httpx2
from mcp.client.streamable_http import streamable_http_client

from runwell.adapters.addresses import AddressPolicy
from runwell.adapters.guarded_transport import AddressRefused, GuardedTransport, certified
from runwell.adapters.http import failure_of
from runwell.adapters.tools.failures import failed
from runwell.model.errors import StepError
from runwell.model.origins import permits
from runwell.model.version import __version__
from runwell.ports.secrets import OpenConnection

MOST_BYTES: Final = 10_485_760
"""Of one answer, a stream of events included."""
MOST_CONNECTIONS: Final = 32
"""Of one session, so that none takes them from another."""
CONNECT_S: Final = 30.0
SILENCE_S: Final = 300.0
"""How long an answer may pause."""
SIGNED: Final = "runwell"
_REASONS: Final = {401: "auth", 403: "auth", 408: "timeout", 429: "rate_limit", 502: "overloaded", 503: "overloaded", 504: "timeout"}


class HttpLink:
    """One session's way to its server."""

    failure: StepError | None = None

    def __init__(self, connection: OpenConnection, http_allow: Sequence[str]) -> None:
        self._connection = connection
        below = GuardedTransport(AddressPolicy(http_allow), ssl_context=_context(), max_connections=MOST_CONNECTIONS)
        self._transport = _McpTransport(below, connection)

    @property
    def lost(self) -> bool:
        """Whether the server does not know the session any more."""
        return self._transport.lost

    def cut(self) -> StepError | None:
        """Return why an answer that came in pieces was cut off by us; None when the server itself broke it off."""
        failure, self._transport.cut = self._transport.cut, None
        return failure

    def failure_in(self, data: Any) -> StepError | None:
        """Return the failure that an answer of ours tells; None for an answer of the server."""
        return self._transport.failures.pop(data.get(SIGNED, ""), None) if isinstance(data, dict) else None

    @asynccontextmanager
    async def streams(self) -> AsyncIterator[tuple[Any, Any]]:
        timeout = httpx2.Timeout(CONNECT_S, read=SILENCE_S)
        assert self._connection.base_url is not None
        async with httpx2.AsyncClient(transport=self._transport, timeout=timeout, trust_env=False) as client:
            url = self._connection.base_url
            async with streamable_http_client(url, http_client=client, max_sse_event_size=MOST_BYTES) as (read, write):
                yield read, write


@lru_cache(maxsize=1)
def _context() -> ssl.SSLContext:
    return certified()


class _McpTransport(httpx2.AsyncBaseTransport):
    """Sends to the connection's origins only, with its headers, and turns what goes wrong into answers."""

    def __init__(self, below: httpx2.AsyncBaseTransport, connection: OpenConnection) -> None:
        self._below, self._connection = below, connection
        self.failures: dict[str, StepError] = {}
        self.lost = False
        self.cut: StepError | None = None

    def _cut(self) -> StepError:
        self.cut = failed("too_large", f"the server sent an answer of more than {MOST_BYTES} bytes")
        return self.cut

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if request.method == "GET":  # the server's own stream: it has nothing to tell us, and would hold a connection
            return httpx2.Response(405, request=request)
        try:
            if not permits(self._connection.origins, str(request.url)):
                allowed = ", ".join(self._connection.origins)
                raise StepError("SECRET_REFUSED", f"the connection {self._connection.name!r} may only be used for {allowed}")
            self._dress(request)
            return await self._answer(request)
        except StepError as exc:
            return self._told(request, exc)

    async def aclose(self) -> None:
        await self._below.aclose()

    def _dress(self, request: httpx2.Request) -> None:
        for name, value in {**self._connection.headers, **self._connection.secret_headers}.items():
            request.headers[name] = value
        request.headers["accept-encoding"] = "identity"  # a small answer must not become a large one
        request.headers["user-agent"] = f"runwell/{__version__}"

    async def _answer(self, request: httpx2.Request) -> httpx2.Response:
        try:
            answer = await self._below.handle_async_request(request)
        except AddressRefused as exc:
            message = f"{exc}; an operator can permit a network with RUNWELL_HTTP_ALLOW"
            raise StepError("HTTP_BLOCKED", message) from exc
        except httpx2.HTTPError as exc:
            raise _broken(exc) from exc
        self.lost = self.lost or (answer.status_code == 404 and "mcp-session-id" in request.headers)
        assert isinstance(answer.stream, httpx2.AsyncByteStream)
        capped = _Capped(answer.stream, self._cut)
        if answer.headers.get("content-encoding", "identity").lower() != "identity":
            await answer.aclose()
            raise failed("protocol", "the server sent a compressed answer, which it was asked not to")
        if answer.status_code in _REASONS or answer.status_code >= 500:
            await answer.aclose()
            raise _refusal(answer)
        if answer.headers.get("content-type", "").lower().startswith("text/event-stream"):
            return httpx2.Response(answer.status_code, headers=answer.headers, stream=capped, extensions=answer.extensions)
        try:
            content = b"".join([part async for part in capped])
        except httpx2.HTTPError as exc:
            raise _broken(exc) from exc
        finally:
            await answer.aclose()
        return httpx2.Response(answer.status_code, headers=_unframed(answer.headers), content=content, extensions=answer.extensions)

    def _told(self, request: httpx2.Request, failure: StepError) -> httpx2.Response:
        """Return an answer that tells the failure to the request of the protocol which was under way."""
        sign = secrets.token_hex(16)
        try:
            request_id = json.loads(request.content).get("id")
        except (ValueError, AttributeError):
            request_id = None
        if request_id is not None:
            self.failures[sign] = failure
        error = {"code": -32_000, "message": failure.message, "data": {SIGNED: sign}}
        body = json.dumps({"jsonrpc": "2.0", "id": request_id, "error": error}).encode()
        return httpx2.Response(400, headers={"content-type": "application/json"}, content=body, request=request)


class _Capped(httpx2.AsyncByteStream):
    """An answer's body, ended when it is too long."""

    def __init__(self, below: httpx2.AsyncByteStream, cut: Callable[[], StepError]) -> None:
        self._below, self._cut = below, cut

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = MOST_BYTES
        async for part in self._below:
            left -= len(part)
            if left < 0:
                raise self._cut()
            yield part

    async def aclose(self) -> None:
        await self._below.aclose()


def _unframed(headers: httpx2.Headers) -> list[tuple[str, str]]:
    return [(name, value) for name, value in headers.multi_items() if name.lower() not in ("content-length", "transfer-encoding")]


def _broken(exc: httpx2.HTTPError) -> StepError:
    again, meaning = failure_of(type(exc))
    return failed("connection" if again else "protocol", f"the server was not reached: {meaning} ({exc})" if str(exc) else meaning)


def _refusal(answer: httpx2.Response) -> StepError:
    status = answer.status_code
    return failed(
        _REASONS.get(status, "server_error"),
        f"the server answered with status {status}",
        status=status,
        retry_after_s=_retry_after(answer.headers),
    )


def _retry_after(headers: Mapping[str, str]) -> float | None:
    value = headers.get("retry-after", "")
    return float(value) if value.isdigit() and len(value) < 10 else None
