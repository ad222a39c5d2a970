"""A loopback HTTP server whose answers a test writes by hand, byte by byte."""

import asyncio
import ssl
from collections.abc import Callable

from runwell.testing.loopback import LoopbackServer
from runwell.testing.loopback import ServerRequest as Received

__all__ = ["LocalServer", "Received", "Respond", "answer"]

Respond = Callable[[Received], bytes]


def answer(status: int = 200, body: bytes = b"", **headers: str) -> bytes:
    """Return a whole HTTP answer; underscores in header names become hyphens."""
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    head = "\r\n".join([f"HTTP/1.1 {status} X", f"content-length: {len(body)}", *lines])
    return head.encode() + b"\r\n\r\n" + body


class LocalServer(LoopbackServer):
    """`async with LocalServer(respond) as server`: `server.url("/path")` reaches it on 127.0.0.1."""

    def __init__(
        self, respond: Respond = lambda received: answer(), *, tls: ssl.SSLContext | None = None, close_after_answer: bool = False
    ) -> None:
        super().__init__(tls)
        self.respond = respond
        self._close_after_answer = close_after_answer

    def url(self, target: str = "/", host: str = "127.0.0.1", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}{target}"

    async def answer(self, request: Received, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        writer.write(self.respond(request))
        await writer.drain()
        return not self._close_after_answer
