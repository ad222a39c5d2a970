"""A client that costs next to nothing, so that what is measured is the server: one connection, one request at a time."""

import asyncio
import json
from typing import Any


class Connection:
    """A kept-alive HTTP/1.1 connection to a loopback server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str) -> None:
        self._reader, self._writer, self._host = reader, writer, host

    @classmethod
    async def open(cls, port: int) -> "Connection":
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        return cls(reader, writer, f"127.0.0.1:{port}")

    async def request(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Return status and JSON of the answer."""
        content = b"" if body is None else json.dumps(body).encode()
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self._host}", "Content-Type: application/json", f"Content-Length: {len(content)}"]
        self._writer.write("\r\n".join([*lines, "", ""]).encode() + content)
        answer = await self._reader.readuntil(b"\r\n\r\n")
        given = answer.decode("latin-1").split("\r\n")
        length = next(int(line.partition(":")[2]) for line in given if line.lower().startswith("content-length"))
        text = await self._reader.readexactly(length)
        return int(given[0].split()[1]), json.loads(text) if text else None

    async def ok(self, method: str, path: str, body: Any = None) -> Any:
        """Return the JSON of an answer that must be a success."""
        status, answer = await self.request(method, path, body)
        if status >= 300:
            raise RuntimeError(f"{method} {path}: {status} {answer}")
        return answer

    def close(self) -> None:
        self._writer.close()
