"""HTTP to the outside: the port's implementation over the guarded transport.

Redirects are followed by hand, because each hop is another request to another address: it is
vetted anew, and what was meant for one origin does not reach the next. No cookies are kept
between exchanges, and none of httpx2's client defaults apply.
"""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import httpx2

from runwell.adapters.addresses import AddressPolicy
from runwell.adapters.guarded_transport import AddressRefused, GuardedTransport
from runwell.model.errors import FailureCode, StepError
from runwell.model.version import __version__
from runwell.ports.http import HttpRequest, HttpResponse

__all__ = ["GuardedHttp", "GuardedTransport"]

REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
FRAMING: Final = frozenset({"connection", "content-length", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"})
"""Headers of one connection. The transport writes them; a document's own are dropped."""
BOUND_TO_ORIGIN: Final = frozenset({"authorization", "cookie", "proxy-authorization", "host", "referer", "origin"})
OF_A_BODY: Final = frozenset({"content-type", "content-encoding", "content-language", "content-location"})
DEFAULTS: Final = (("accept", "*/*"), ("accept-encoding", "gzip, deflate"), ("user-agent", f"runwell/{__version__}"))
ENCODING_SLACK: Final = 65_536
"""Bytes that an encoded body may be longer than its decoded form."""

FAILURES: Final[dict[type[Exception], tuple[bool, str]]] = {
    httpx2.ConnectTimeout: (True, "the connection was not made in time"),
    httpx2.ReadTimeout: (True, "the answer did not come in time"),
    httpx2.WriteTimeout: (True, "the request could not be sent in time"),
    httpx2.PoolTimeout: (True, "no connection became free in time"),
    httpx2.TimeoutException: (True, "it took too long"),
    httpx2.ConnectError: (True, "no connection"),
    httpx2.ReadError: (True, "the connection broke while the answer was read"),
    httpx2.WriteError: (True, "the connection broke while the request was sent"),
    httpx2.CloseError: (True, "the connection could not be closed"),
    httpx2.NetworkError: (True, "the network failed"),
    httpx2.ProxyError: (True, "a proxy failed"),
    httpx2.RemoteProtocolError: (True, "the server broke off or did not speak HTTP"),
    httpx2.LocalProtocolError: (False, "the request is not valid HTTP; check its method and headers"),
    httpx2.UnsupportedProtocol: (False, "only http and https are possible"),
    httpx2.ProtocolError: (True, "the HTTP protocol was broken"),
    httpx2.TransportError: (True, "the exchange failed"),
    httpx2.DecodingError: (False, "the answer's body does not match its Content-Encoding"),
    httpx2.TooManyRedirects: (False, "too many redirects"),
    httpx2.HTTPStatusError: (False, "the answer's status is an error"),
    httpx2.HTTPError: (True, "the exchange failed"),
    httpx2.InvalidURL: (False, "the URL is not valid"),
    httpx2.CookieConflict: (False, "cookies of the same name"),
    httpx2.StreamError: (True, "the answer's body could not be read"),
}
"""httpx2's exceptions: whether another attempt can help, and what it was. Looked up along the class's bases."""


class GuardedHttp:
    """Sends requests to public addresses, and to the networks (CIDR) in `allow`.

    `transport` replaces the guarded transport; it must guard as well. One instance belongs to one event loop.
    """

    def __init__(self, allow: Sequence[str] = (), *, transport: httpx2.AsyncBaseTransport | None = None) -> None:
        self._transport = transport or GuardedTransport(AddressPolicy(allow))

    async def send(self, request: HttpRequest) -> HttpResponse:
        exchange = _Exchange(self._transport, request)
        try:
            async with asyncio.timeout(request.timeout_s):
                return await exchange.run()
        except TimeoutError as exc:
            raise exchange.failure(
                f"no complete answer within {request.timeout_s:g} s; raise the step's timeout_s", retryable=True
            ) from exc

    async def aclose(self) -> None:
        await self._transport.aclose()


class _Exchange:
    """One request and the redirects that follow it."""

    def __init__(self, transport: httpx2.AsyncBaseTransport, request: HttpRequest) -> None:
        self._transport = transport
        self._request = request
        self._method = request.method.upper()
        self._body = request.body
        self._headers = _checked_headers(request)
        self._shown = _shown(request.url if request.shown_url is None else request.shown_url)

    async def run(self) -> HttpResponse:
        url = self._target(self._request.url)
        for _ in range(self._request.max_redirects + 1):
            answer = await self._hop(url)
            if isinstance(answer, HttpResponse):
                return answer
            url = self._redirected(url, answer)
        allowed, target = self._request.max_redirects, "" if self._is_secret else f" to {_shown(str(url))!r}"
        raise self.failure(f"redirected{target}, after as many redirects as are followed here ({allowed}); use the final URL")

    @property
    def _is_secret(self) -> bool:
        """Whether a secret stands in the URL. Then a redirect's target may hold it, too."""
        return self._request.shown_url is not None

    async def _hop(self, url: httpx2.URL) -> "HttpResponse | httpx2.Response":
        """Make one request; return the whole answer, or the redirect, closed."""
        if not self._is_secret:
            self._shown = _shown(str(url))
        try:
            response = await self._transport.handle_async_request(self._outgoing(url))
            try:
                if response.status_code in REDIRECTS and "location" in response.headers:
                    return response
                return await self._read(response, url)
            finally:
                await response.aclose()
        except AddressRefused as exc:
            what = str(exc) if self._names_host(url) else "the host is at an address that must not be reached"
            raise self.failure(f"{what}; an operator can permit a network with RUNWELL_HTTP_ALLOW", code="HTTP_BLOCKED") from exc
        except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.CookieConflict, httpx2.StreamError) as exc:
            raise self._translated(exc, self._names_host(url)) from exc

    def _names_host(self, url: httpx2.URL) -> bool:
        """Whether messages show the host of this URL anyway, so that they may say more of it."""
        return not self._is_secret or _host(self._shown) == url.host

    def _outgoing(self, url: httpx2.URL) -> httpx2.Request:
        timeouts = dict.fromkeys(("connect", "read", "write", "pool"), self._request.timeout_s)
        headers = [(name.encode(), value.encode()) for name, value in self._headers]
        return httpx2.Request(self._method, url, headers=headers, content=self._body or None, extensions={"timeout": timeouts})

    async def _read(self, response: httpx2.Response, url: httpx2.URL) -> HttpResponse:
        limit = self._request.max_bytes
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        response.stream = _Capped(response.stream, limit + ENCODING_SLACK, self._too_large)
        body = bytearray()
        async for part in response.aiter_bytes():
            body += part
            if len(body) > limit:
                raise self._too_large()
        return HttpResponse(
            status=response.status_code,
            headers={name.lower(): value for name, value in response.headers.items()},
            body=bytes(body),
            url=str(url),
            encoding=response.charset_encoding,
        )

    def _redirected(self, url: httpx2.URL, response: httpx2.Response) -> httpx2.URL:
        """Return where the redirect leads, and make what is sent fit for it."""
        target = self._target(response.headers["location"], url)
        status = response.status_code
        if (status == 303 and self._method != "HEAD") or (status in (301, 302) and self._method == "POST"):
            self._method, self._body = "GET", b""
            self._drop(OF_A_BODY)
        if _origin(target) != _origin(url):
            self._drop(BOUND_TO_ORIGIN | self._request.secret_headers)
        return target

    def _target(self, location: str, base: httpx2.URL | None = None) -> httpx2.URL:
        """Return the URL that `location` names, seen from `base`. Raises `StepError` for one that is not to be asked."""
        try:
            url = (base.join(location) if base else httpx2.URL(location)).copy_with(fragment=None)
        except httpx2.InvalidURL as exc:
            raise self._translated(exc, not self._is_secret) from exc
        if url.scheme not in ("http", "https"):
            which = "its scheme" if self._is_secret else f"the scheme {url.scheme!r}"
            raise self.failure(f"{which} is not allowed; only http and https are", code="HTTP_BLOCKED")
        if url.userinfo:
            raise self.failure("a URL with a user name or password is not allowed; send an Authorization header", code="HTTP_BLOCKED")
        if not url.host:
            raise self.failure("the URL names no host")
        return url

    def _drop(self, names: frozenset[str]) -> None:
        lower = {name.lower() for name in names}
        self._headers = [(name, value) for name, value in self._headers if name not in lower]

    def _translated(self, exc: Exception, tells: bool) -> StepError:
        """Return the failure. `tells`: the exception's own words, which name the host, may be shown."""
        retryable, meaning = failure_of(type(exc))
        if _is_bad_certificate(exc):
            retryable, meaning = False, "the server's certificate is not trusted"
        # What the library says of a broken request may quote a header's value, or the URL.
        quotes = isinstance(exc, httpx2.LocalProtocolError) or (self._is_secret and isinstance(exc, httpx2.InvalidURL))
        said = ("" if quotes else str(exc)) if tells else "more would tell a part of the secret URL"
        return self.failure(f"{meaning} ({said})" if said else meaning, retryable=retryable)

    def _too_large(self) -> StepError:
        return self.failure(f"the answer is larger than {self._request.max_bytes} bytes; ask for less, or raise limits.output_bytes")

    def failure(self, why: str, *, code: FailureCode = "HTTP_FAILED", retryable: bool = False) -> StepError:
        return StepError(code, f"{self._method} {self._shown!r}: {why}", retryable=retryable)


class _Capped(httpx2.AsyncByteStream):
    """A body as it comes over the wire, ended when it is too long.

    Counting what is decoded is not enough: what follows the end of a compressed body decodes to nothing, forever.
    """

    def __init__(self, inner: httpx2.AsyncByteStream, limit: int, too_large: Callable[[], StepError]) -> None:
        self._inner, self._left, self._too_large = inner, limit, too_large

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._inner:
            self._left -= len(part)
            if self._left < 0:
                raise self._too_large()
            yield part

    async def aclose(self) -> None:
        await self._inner.aclose()


def failure_of(kind: type[Exception]) -> tuple[bool, str]:
    """Return whether another attempt can help after this exception of httpx2, and what happened."""
    return next(FAILURES[base] for base in kind.__mro__ if base in FAILURES)


def _checked_headers(request: HttpRequest) -> list[tuple[str, str]]:
    """Return the headers to send, names in lower case, with defaults. Raises `StepError` for what no header may hold."""
    sent = [(name.lower(), value.strip()) for name, value in request.headers]
    for name, value in sent:
        if not TOKEN.fullmatch(name):
            raise StepError("HTTP_FAILED", f"{name!r} is not a header name; use letters, digits and hyphens")
        if CONTROL.search(value):
            raise StepError("HTTP_FAILED", f"the header {name!r} holds a line break or control character; remove it")
    given = {name for name, _ in sent}
    kept = [(name, value) for name, value in sent if name not in FRAMING]
    return kept + [(name, value) for name, value in DEFAULTS if name not in given]


def _origin(url: httpx2.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port or {"http": 80, "https": 443}.get(url.scheme)


def _shown(url: str) -> str:
    """Return the URL as messages show it: never a password."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, parts.query, ""))


def _host(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def _is_bad_certificate(exc: BaseException | None) -> bool:
    while exc is not None:
        if isinstance(exc, ssl.SSLCertVerificationError):
            return True
        exc = exc.__cause__ or exc.__context__
    return False
