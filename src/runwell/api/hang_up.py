"""Work that a client waits for, and that ends when the client hangs up."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager
from typing import Final, TypeVar

from starlette.responses import Response
from starlette.types import Receive

T = TypeVar("T")

GONE: Final = Response(status_code=499)
"""To a client that hung up, and reads nothing any more."""


@asynccontextmanager
async def listening(receive: Receive) -> AsyncIterator["asyncio.Task[None]"]:
    """Have a task meanwhile that is done once the client has hung up. The request's body must have been read."""
    task = asyncio.ensure_future(_hang_up(receive))
    try:
        yield task
    finally:
        task.cancel()


async def unless(gone: "asyncio.Task[None]", work: Awaitable[T]) -> T | None:
    """Return what comes of the work; None when the client is gone before, and the work cancelled and over."""
    working = asyncio.ensure_future(work)
    try:
        await asyncio.wait({working, gone}, return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else None
    finally:
        if not working.done():
            working.cancel()
            await asyncio.wait({working})


class StreamedOnce(Response):
    """Server-sent events that are told while they happen, to one client, and cannot be told again: an `Idempotency-Key` stays free."""

    media_type = "text/event-stream"

    def __init__(self, headers: Mapping[str, str] | None = None) -> None:
        self.status_code = 200
        self.background = None
        self.init_headers({"cache-control": "no-store, no-transform", "x-accel-buffering": "no", **(headers or {})})
        self.body = memoryview(b"")  # only now: a stream has no length


async def _hang_up(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
