"""A provider that costs next to nothing, in a process of its own: OpenAI's chat completions, of `tokens-<n>` models.

    .venv/bin/python -m benchmarks.model_server

It prints its port and streams n tokens as fast as they are taken; a model `tokens-<n>-at-<rate>` streams them at a rate.
"""

import asyncio
import json
from typing import Any, Final

HEAD: Final = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
FRAME: Final = {"id": "c", "object": "chat.completion.chunk", "created": 1_792_000_000, "model": "tokens"}
LAST: Final = {**FRAME, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
USAGE: Final = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}


def chunk(value: dict[str, Any] | str) -> bytes:
    line = f"data: {value if isinstance(value, str) else json.dumps(value)}\n\n".encode()
    return b"%x\r\n%s\r\n" % (len(line), line)


TOKEN: Final = chunk({**FRAME, "choices": [{"index": 0, "delta": {"content": "word "}, "finish_reason": None}]})
TAIL: Final = chunk(LAST) + chunk({**FRAME, "choices": [], "usage": USAGE}) + chunk("[DONE]") + b"0\r\n\r\n"


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(int(line.partition(b":")[2]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
            count, _, rate = json.loads(await reader.readexactly(length))["model"].removeprefix("tokens-").partition("-at-")
            writer.write(HEAD)
            await (paced(writer, int(count), float(rate)) if rate else whole(writer, int(count)))
            writer.write(TAIL)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def whole(writer: asyncio.StreamWriter, count: int) -> None:
    writer.write(TOKEN * count)


async def paced(writer: asyncio.StreamWriter, count: int, rate: float) -> None:
    """Write the tokens at the rate; those that a late wake-up owes come together."""
    loop = asyncio.get_running_loop()
    began, sent = loop.time(), 0
    while sent < count:
        due = min(int((loop.time() - began) * rate) + 1, count)
        for _ in range(due - sent):
            writer.write(TOKEN)
        sent = due
        await writer.drain()
        await asyncio.sleep(max(began + sent / rate - loop.time(), 0))


async def main() -> None:
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
