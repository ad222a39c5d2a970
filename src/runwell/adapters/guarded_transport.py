"""The one way out: an httpx2 transport that reaches public addresses only.

A name is resolved once for each connection; every address is vetted; the literal vetted address
is dialled, so that no second look-up can answer differently (DNS rebinding). The name stays the
name for TLS and for the `Host` header. Whatever speaks HTTP to addresses that a document or a
user chose goes through this transport. It reads no proxies or certificates from the environment.
"""

import asyncio
import logging
import socket
import ssl
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import certifi
import httpcore2
import httpx2

from runwell.adapters.addresses import AddressPolicy

Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
"""From host and port to the literal addresses, best first. Raises `OSError` when there are none."""

# At DEBUG, httpcore2 logs the headers of answers, which may echo a secret.
logging.getLogger("httpcore2").setLevel(logging.INFO)


class AddressRefused(httpx2.ConnectError):
    """Every address of the host is one that must not be reached. The message names host and addresses."""


class _Refused(httpcore2.ConnectError):
    """`AddressRefused`, as long as it travels through httpcore2."""


EXCEPTIONS: Final[dict[type[Exception], type[httpx2.TransportError]]] = {
    _Refused: AddressRefused,
    httpcore2.ConnectTimeout: httpx2.ConnectTimeout,
    httpcore2.ReadTimeout: httpx2.ReadTimeout,
    httpcore2.WriteTimeout: httpx2.WriteTimeout,
    httpcore2.PoolTimeout: httpx2.PoolTimeout,
    httpcore2.TimeoutException: httpx2.TimeoutException,
    httpcore2.ConnectError: httpx2.ConnectError,
    httpcore2.ReadError: httpx2.ReadError,
    httpcore2.WriteError: httpx2.WriteError,
    httpcore2.NetworkError: httpx2.NetworkError,
    httpcore2.ProxyError: httpx2.ProxyError,
    httpcore2.UnsupportedProtocol: httpx2.UnsupportedProtocol,
    httpcore2.LocalProtocolError: httpx2.LocalProtocolError,
    httpcore2.RemoteProtocolError: httpx2.RemoteProtocolError,
    httpcore2.ProtocolError: httpx2.ProtocolError,
    httpcore2.ConnectionNotAvailable: httpx2.NetworkError,
    OSError: httpx2.NetworkError,
}
"""Every exception that httpcore2 and the sockets below it raise; the special before the general."""


async def resolve(host: str, port: int) -> Sequence[str]:
    """Ask the system's resolver once. It also reads forms like `0x7f.1`; what comes back is vetted, not what was asked."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[4][0]) for address in found))


class VettedNetwork(httpcore2.AsyncNetworkBackend):
    """Dials vetted literal addresses only, one after the other until one connects."""

    def __init__(self, policy: AddressPolicy, resolver: Resolver = resolve, dial: httpcore2.AsyncNetworkBackend | None = None) -> None:
        self._policy = policy
        self._resolve = resolver
        self._dial = dial or httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        addresses = await self._vetted(host, port)
        share = timeout / len(addresses) if timeout else None
        failures: list[str] = []
        for address in addresses:
            try:
                return await self._dial.connect_tcp(address, port, share, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as exc:
                failures.append(f"{address} port {port}: {str(exc) or 'no answer'}")
        raise httpcore2.ConnectError("; ".join(failures))

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None
    ) -> httpcore2.AsyncNetworkStream:
        raise httpcore2.UnsupportedProtocol("unix sockets are not reachable")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def _vetted(self, host: str, port: int) -> Sequence[str]:
        try:
            addresses = await self._resolve(host, port)
        except (OSError, UnicodeError) as exc:
            raise httpcore2.ConnectError(f"the name {host!r} does not resolve ({exc})") from exc
        refusals = {address: self._policy.refusal(address) for address in addresses}
        vetted = [address for address, refusal in refusals.items() if refusal is None]
        if not vetted:
            raise _Refused(f"{host!r} is " + ", ".join(f"{address} ({refusal})" for address, refusal in refusals.items()))
        return vetted


class GuardedTransport(httpx2.AsyncBaseTransport):
    """Give it to an `httpx2.AsyncClient`, or send through it directly. Connections are pooled.

    Raises `AddressRefused`, and otherwise what an httpx2 transport raises.
    """

    def __init__(
        self,
        policy: AddressPolicy,
        *,
        resolver: Resolver = resolve,
        dial: httpcore2.AsyncNetworkBackend | None = None,
        ssl_context: ssl.SSLContext | None = None,
        max_connections: int = 512,
    ) -> None:
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=ssl_context or certified(),
            max_connections=max_connections,
            max_keepalive_connections=64,
            keepalive_expiry=30.0,
            network_backend=VettedNetwork(policy, resolver, dial),
        )

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if request.url.scheme not in ("http", "https"):
            raise httpx2.UnsupportedProtocol(f"{request.url.scheme!r} is neither http nor https")
        inner = httpcore2.Request(
            method=request.method,
            url=httpcore2.URL(scheme=request.url.raw_scheme, host=request.url.raw_host, port=request.url.port, target=request.url.raw_path),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        with translated():
            answer = await self._pool.handle_async_request(inner)
        return httpx2.Response(answer.status, headers=answer.headers, stream=_Stream(answer), extensions=answer.extensions)

    async def aclose(self) -> None:
        await self._pool.aclose()


class _Stream(httpx2.AsyncByteStream):
    """The answer's body as it arrives, with httpx2's exceptions. Who iterates again gets what is left: the vendors' libraries do."""

    def __init__(self, answer: httpcore2.Response) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with translated():
            assert isinstance(self._answer.stream, AsyncIterable)
            async for part in self._answer.stream:
                yield part

    async def aclose(self) -> None:
        with translated():
            await self._answer.aclose()


@contextmanager
def translated() -> Iterator[None]:
    """Raise httpx2's exception for each of httpcore2's and of the sockets below."""
    try:
        yield
    except httpx2.HTTPError:
        raise
    except tuple(EXCEPTIONS) as exc:
        kind = next(to for known, to in EXCEPTIONS.items() if isinstance(exc, known))
        raise kind(str(exc)) from exc


def certified() -> ssl.SSLContext:
    """Return a verifying client context over certifi's authorities. `create_default_context` would heed `SSLKEYLOGFILE`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cafile=certifi.where())
    return context
