"""HTTP/1.1 on a loopback port, as far as tests need it: requests come in whole, what answers them is the subclass's."""

import asyncio
import contextlib
import json
import ssl
from typing import Any, Self

import msgspec


class ServerRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One request as it came over the wire; header names in lower case, `target` with its query."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def streams(self) -> bool:
        """Whether a stream is asked for."""
        return bool(self.json.get("stream")) if self.body else False


class LoopbackServer:
    """Listens while in its `async with`. `requests` are those that came, over so many `connections`."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[ServerRequest] = []
        self.connections = 0
        self.port = 0
        self._tls = tls
        self._serving: set[asyncio.Task[None]] = set()

    async def answer(self, request: ServerRequest, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Write the answer; say whether the connection goes on."""
        raise NotImplementedError

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._server.close()
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection. Ended by cancellation, which asyncio's server must not see."""
        self.connections += 1
        task = asyncio.ensure_future(self._answer_all(reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)
        await asyncio.wait([task])

    async def _answer_all(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (received := await _read(reader)) is not None:
                self.requests.append(received)
                if not await self.answer(received, reader, writer):
                    break
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                await writer.wait_closed()


async def _read(reader: asyncio.StreamReader) -> ServerRequest | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("utf-8", "replace")
    except asyncio.IncompleteReadError:
        return None
    request_line, *lines = head.strip().split("\r\n")
    method, target, _ = request_line.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return ServerRequest(method=method, target=target, headers=headers, body=body)
