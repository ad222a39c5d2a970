"""An OpenAI-compatible HTTP server that answers what a test wrote down.

    async with ScriptedServer([refuse(429, retry_after="7"), say("Hello")]) as server:
        ...  # POST {server.base_url}/chat/completions is answered 429, then with "Hello"
        assert server.requests[1].json["model"] == "some-model"

One reply for each request, in turn. The replies themselves are in `scripted_replies`.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final, Literal

import msgspec

from runwell.testing.loopback import LoopbackServer, ServerRequest

PATIENCE_S: Final = 5.0


class Wire(msgspec.Struct, frozen=True):
    """The bytes of a reply, written piece by piece, and what becomes of the connection: `hang` waits for the client to go."""

    pieces: tuple[bytes, ...]
    end: Literal["keep", "close", "hang"] = "keep"


Reply = Callable[[ServerRequest], Wire]


class ScriptedServer(LoopbackServer):
    """Answers by script while in its `async with`. `disconnects` counts the clients that left while a reply hung."""

    def __init__(self, replies: Iterable[Reply] | Reply) -> None:
        super().__init__()
        self.disconnects = 0
        self._respond = replies if callable(replies) else _in_turn(replies)
        self._news = asyncio.Condition()

    @property
    def base_url(self) -> str:
        """Where the protocol begins: it ends in `/v1`."""
        return f"http://127.0.0.1:{self.port}/v1"

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

    async def answer(self, request: ServerRequest, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        await self._tell()
        wire = self._respond(request)
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
