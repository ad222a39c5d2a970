"""An OpenAI-compatible HTTP server that answers what a test wrote down.

    async with ScriptedServer([refuse(429, retry_after="7"), say("Hello")]) as server:
        ...  # POST {server.base_url}/chat/completions is answered 429, then with "Hello"
        assert server.requests[1].json["model"] == "some-model"

One reply for each request, in turn. The replies themselves are in `scripted_replies`.
"""

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, Final, Literal, Self

import msgspec

PATIENCE_S: Final = 5.0


class ServerRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One request as it came over the wire; header names in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def streams(self) -> bool:
        """Whether a stream is asked for."""
        return bool(self.json.get("stream")) if self.body else False


class Wire(msgspec.Struct, frozen=True):
    """The bytes of a reply, written piece by piece, and what becomes of the connection: `hang` waits for the client to go."""

    pieces: tuple[bytes, ...]
    end: Literal["keep", "close", "hang"] = "keep"


Reply = Callable[[ServerRequest], Wire]


class ScriptedServer:
    """Listens on a loopback port while in its `async with`. `base_url` ends in `/v1`.

    `requests` are those that came; `disconnects` counts the clients that left while a reply hung.
    """

    def __init__(self, replies: Iterable[Reply] | Callable[[ServerRequest], Wire]) -> None:
        self.requests: list[ServerRequest] = []
        self.disconnects = 0
        self.base_url = ""
        self._respond = replies if callable(replies) else _in_turn(replies)
        self._serving: set[asyncio.Task[None]] = set()
        self._news = asyncio.Condition()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.base_url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/v1"
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._server.close()
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)
        await self._server.wait_closed()

    async def asked(self, times: int = 1, patience_s: float = PATIENCE_S) -> None:
        """Wait until so many requests have come. Raises `TimeoutError`."""
        await self._until(lambda: len(self.requests) >= times, patience_s)

    async def left(self, times: int = 1, patience_s: float = PATIENCE_S) -> None:
        """Wait until so many clients have left a hanging reply. Raises `TimeoutError`."""
        await self._until(lambda: self.disconnects >= times, patience_s)

    async def _until(self, reached: Callable[[], bool], patience_s: float) -> None:
        async with asyncio.timeout(patience_s), self._news:
            await self._news.wait_for(reached)

    async def _tell(self) -> None:
        async with self._news:
            self._news.notify_all()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection. Ended by cancellation, which asyncio's server must not see."""
        task = asyncio.ensure_future(self._answer_all(reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)
        await asyncio.wait([task])

    async def _answer_all(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (received := await _read(reader)) is not None:
                self.requests.append(received)
                await self._tell()
                if not await self._answer(self._respond(received), reader, writer):
                    break
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _answer(self, wire: Wire, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Write the reply; say whether the connection goes on."""
        for piece in wire.pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)  # so that pieces may arrive one by one
        if wire.end == "hang":
            with contextlib.suppress(ConnectionError):
                await reader.read()
            self.disconnects += 1
            await self._tell()
        return wire.end == "keep"


def _in_turn(replies: Iterable[Reply]) -> Reply:
    left = deque(replies)

    def respond(request: ServerRequest) -> Wire:
        if not left:
            body = b'{"error": {"message": "the script has no reply left", "type": "invalid_request_error"}}'
            return Wire((b"HTTP/1.1 400 X\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body), body))
        return left.popleft()(request)

    return respond


async def _read(reader: asyncio.StreamReader) -> ServerRequest | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError:
        return None
    request_line, *lines = head.strip().split("\r\n")
    method, path, _ = request_line.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return ServerRequest(method=method, path=path, headers=headers, body=body)
