"""Carrying flows out over httpx2: the only place that does I/O, once waiting and once with `await`."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any, Final, TypeVar

import httpx2

from runwell.sdk.connection import Connection
from runwell.sdk.errors import ServerUnreachable
from runwell.sdk.flow import Course, Emit, Flow, Open, Read, Rest, Send, Step
from runwell.sdk.request import Reply, Request

T = TypeVar("T")

FOREIGN: Final = (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError, httpx2.CookieConflict)
"""Everything that httpx2 raises."""

_NEVER_SENT: Final = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.ProxyError,
    httpx2.UnsupportedProtocol,
    httpx2.InvalidURL,
)


def translated(exc: Exception, connection: Connection) -> ServerUnreachable:
    """Return what an exception of httpx2 means."""
    what = str(exc) or type(exc).__name__
    if isinstance(exc, httpx2.TimeoutException):
        what = f"no answer within {connection.timeout_s:g} s" if isinstance(exc, httpx2.ReadTimeout) else f"{what}: timed out"
    hint = "is it running? `runwell serve` starts one; RUNWELL_SERVER says where it is"
    error = ServerUnreachable(f"{connection.base_url} does not answer: {what}", hint=hint, sent=not isinstance(exc, _NEVER_SENT))
    error.__cause__ = exc
    return error


class Driver:
    """Carries flows out, waiting."""

    def __init__(self, connection: Connection, transport: httpx2.BaseTransport | None = None) -> None:
        self._connection = connection
        self._http = httpx2.Client(timeout=connection.timeout_s, headers=connection.headers, transport=transport)

    def close(self) -> None:
        self._http.close()

    def run(self, flow: Flow[T]) -> T:
        """Return what the flow returns."""
        course = Course(flow)
        for _ in self._walk(course):
            pass
        return course.result

    def items(self, flow: Flow[Any]) -> Iterator[Any]:
        """Yield what the flow hands out."""
        return self._walk(Course(flow))

    def _walk(self, course: Course[Any]) -> Iterator[Any]:
        opened = _Opened()
        try:
            while (step := course.step) is not None:
                if isinstance(step, Emit):
                    yield step.item
                try:
                    answer = self._do(step, opened)
                except FOREIGN as exc:
                    course.fail(translated(exc, self._connection))
                else:
                    course.give(answer)
        finally:
            opened.close()

    def _do(self, step: Step, opened: "_Opened") -> Any:
        match step:
            case Send(request):
                return _whole(self._http.send(_built(self._http, self._connection, request)))
            case Open(request):
                return opened.take(self._http.send(_built(self._http, self._connection, request), stream=True))
            case Read():
                return next(opened.pieces, b"")
            case Rest(seconds):
                time.sleep(seconds)
        return None


class _Opened:
    """The answer that is being read, if there is one."""

    def __init__(self) -> None:
        self._response: httpx2.Response | None = None
        self.pieces: Iterator[bytes] = iter(())

    def take(self, response: httpx2.Response) -> Reply:
        self.close()
        if response.status_code != 200:
            response.read()
            return _whole(response)
        self._response, self.pieces = response, response.iter_bytes()
        return _begun(response)

    def close(self) -> None:
        if self._response is not None:
            self._response.close()
            self._response = None


class AsyncDriver:
    """Carries flows out with `await`."""

    def __init__(self, connection: Connection, transport: httpx2.AsyncBaseTransport | None = None) -> None:
        self._connection = connection
        self._http = httpx2.AsyncClient(timeout=connection.timeout_s, headers=connection.headers, transport=transport)

    async def close(self) -> None:
        await self._http.aclose()

    async def run(self, flow: Flow[T]) -> T:
        """Return what the flow returns."""
        course = Course(flow)
        async for _ in self._walk(course):
            pass
        return course.result

    def items(self, flow: Flow[Any]) -> AsyncIterator[Any]:
        """Yield what the flow hands out."""
        return self._walk(Course(flow))

    async def _walk(self, course: Course[Any]) -> AsyncIterator[Any]:
        opened = _AsyncOpened()
        try:
            while (step := course.step) is not None:
                if isinstance(step, Emit):
                    yield step.item
                try:
                    answer = await self._do(step, opened)
                except FOREIGN as exc:
                    course.fail(translated(exc, self._connection))
                else:
                    course.give(answer)
        finally:
            await opened.close()

    async def _do(self, step: Step, opened: "_AsyncOpened") -> Any:
        match step:
            case Send(request):
                return _whole(await self._http.send(_built(self._http, self._connection, request)))
            case Open(request):
                return await opened.take(await self._http.send(_built(self._http, self._connection, request), stream=True))
            case Read():
                return await anext(opened.pieces, b"")
            case Rest(seconds):
                await asyncio.sleep(seconds)
        return None


class _AsyncOpened:
    """The answer that is being read, if there is one."""

    def __init__(self) -> None:
        self._response: httpx2.Response | None = None
        self.pieces: AsyncIterator[bytes] = _nothing()

    async def take(self, response: httpx2.Response) -> Reply:
        await self.close()
        if response.status_code != 200:
            await response.aread()
            return _whole(response)
        self._response, self.pieces = response, response.aiter_bytes()
        return _begun(response)

    async def close(self) -> None:
        if self._response is not None:
            await self._response.aclose()
            self._response = None


async def _nothing() -> AsyncIterator[bytes]:
    return
    yield b""


def _built(http: httpx2.Client | httpx2.AsyncClient, connection: Connection, request: Request) -> httpx2.Request:
    timeout = httpx2.Timeout(connection.timeout_s, read=request.read_timeout_s or connection.timeout_s)
    return http.build_request(
        request.method,
        connection.base_url + request.path,
        params=list(request.query) or None,
        headers=request.headers,
        content=request.body,
        timeout=timeout,
    )


def _whole(response: httpx2.Response) -> Reply:
    return Reply(status=response.status_code, headers=dict(response.headers), body=response.content)


def _begun(response: httpx2.Response) -> Reply:
    return Reply(status=response.status_code, headers=dict(response.headers))
