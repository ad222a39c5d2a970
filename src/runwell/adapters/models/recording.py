"""What goes over the wire and comes back, kept for the record of a model call.

The vendors' libraries share one HTTP client for a connection, so a call finds its own exchanges by a context variable. The
bodies are taken where they leave and arrive: under the libraries, over the sockets. Headers, where the keys are, are not kept.
"""

import zlib
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

import httpx2
import msgspec

from runwell.model.raw_body import RAW_LIMIT, RawBody, shown_body
from runwell.model.scrubber import Scrubber

_ENCODINGS: Final = "gzip, deflate"
"""What providers may compress their answers with: what is read here without further libraries."""


class _Body:
    """The first part of a body, and how long it was."""

    def __init__(self, content: bytes = b"") -> None:
        self._parts = [content[:RAW_LIMIT]] if content else []
        self._kept = min(len(content), RAW_LIMIT)
        self.total = len(content)
        self.cut = False

    def add(self, part: bytes) -> None:
        self.total += len(part)
        if self._kept < RAW_LIMIT:
            self._parts.append(part[: RAW_LIMIT - self._kept])
            self._kept += len(self._parts[-1])

    @property
    def content(self) -> bytes:
        return b"".join(self._parts)


class Recorder:
    """The exchanges of one model call. Where a library or we ask twice, the last one counts."""

    def __init__(self) -> None:
        self._request: tuple[httpx2.Request, _Body] | None = None
        self._response: tuple[httpx2.Response, _Body] | None = None

    def sent(self, request: httpx2.Request, content: bytes) -> None:
        self._request, self._response = (request, _Body(content)), None

    def answered(self, response: httpx2.Response) -> _Body:
        body = _Body()
        self._response = (response, body)
        return body

    def request(self, scrubber: Scrubber) -> RawBody | None:
        if self._request is None:
            return None
        request, body = self._request
        url = scrubber.text(f"{request.url.scheme}://{request.url.netloc.decode('ascii', 'replace')}{request.url.path}")
        kind = request.headers.get("content-type")
        return msgspec.structs.replace(shown_body(body.content, body.total, scrubber), url=url, content_type=kind)

    def response(self, scrubber: Scrubber) -> RawBody | None:
        if self._response is None:
            return None
        response, body = self._response
        content, total = _decoded(body, response.headers.get("content-encoding", ""))
        kind = response.headers.get("content-type")
        raw = shown_body(content, total, scrubber)
        return msgspec.structs.replace(raw, status=response.status_code, content_type=kind and scrubber.text(kind), cut=body.cut)


_now: ContextVar[Recorder | None] = ContextVar("runwell_model_call", default=None)


@contextmanager
def recording() -> Iterator[Recorder]:
    """Keep what is exchanged within."""
    recorder = Recorder()
    token = _now.set(recorder)
    try:
        yield recorder
    finally:
        _now.reset(token)


class RecordingClient(httpx2.AsyncClient):
    """Tells the recorder of the call, if there is one, what passes. The body passes as it comes, piece by piece."""

    async def send(self, request: httpx2.Request, *, stream: bool = False, **options: Any) -> httpx2.Response:
        recorder = _now.get()
        if recorder is None:
            return await super().send(request, stream=stream, **options)
        request.headers["accept-encoding"] = _ENCODINGS
        recorder.sent(request, await request.aread())
        response = await super().send(request, stream=True, **options)
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        response.stream = _Copied(response.stream, recorder.answered(response))
        if not stream:
            try:
                await response.aread()
            except BaseException:
                await response.aclose()
                raise
        return response


class _Copied(httpx2.AsyncByteStream):
    def __init__(self, below: httpx2.AsyncByteStream, body: _Body) -> None:
        self._below, self._body = below, body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for part in self._below:
                self._body.add(part)
                yield part
        except httpx2.HTTPError:
            self._body.cut = True
            raise

    async def aclose(self) -> None:
        await self._below.aclose()


def _decoded(body: _Body, encoding: str) -> tuple[bytes, int]:
    """Return the content, decoded as far as it is kept and known, and its length; that of a compressed one is what was read of it."""
    content = body.content
    if encoding.strip().lower() not in ("gzip", "deflate"):
        return content, body.total
    reader = zlib.decompressobj(wbits=47)  # gzip and zlib
    try:
        plain = reader.decompress(content, RAW_LIMIT)
    except zlib.error:
        return content, body.total
    more = len(reader.unconsumed_tail) + (body.total - len(content))
    return plain, len(plain) + more
