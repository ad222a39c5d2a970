"""Server-sent events: a stream of messages as an HTTP response that lasts."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from runwell.query.following import Check, Follower, Streams
from runwell.query.messages import Message
from runwell.query.places import Place

_HEADERS: Final = {"cache-control": "no-store, no-transform", "x-accel-buffering": "no"}
_RETRY: Final = b"retry: 2000\n\n"
_CLOSING_S: Final = 0.3


class EventStream(Response):
    """What comes after a place, as server-sent events: without names, for all to reach `onmessage`; events have their cursor as id.

    `replay` is what the same request with the same `Idempotency-Key` gets: a stream is told once.
    """

    media_type = "text/event-stream"

    def __init__(self, streams: Streams, place: Place, check: Check, replay: Response | None = None) -> None:
        self.status_code = 200
        self.background = None
        self.replay = replay
        self.init_headers(_HEADERS | ({} if replay is None else {"location": replay.headers["location"]}))
        self.body = b""  # only now: a stream has no length
        self._streams, self._place, self._check = streams, place, check

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def write(batch: Sequence[Message]) -> None:
            await send({"type": "http.response.body", "body": b"".join(map(_written, batch)), "more_body": True})

        listening: asyncio.Task[None] | None = None

        def started(follower: Follower) -> None:
            nonlocal listening
            listening = asyncio.create_task(_hang_up(receive, follower))

        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": _RETRY, "more_body": True})
        try:
            await self._streams.follow(self._place, write, self._check, started)
            with suppress(TimeoutError, OSError):  # a reader that takes nothing more is left to the server
                async with asyncio.timeout(_CLOSING_S):
                    await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            if listening is not None:
                listening.cancel()


def _written(message: Message) -> bytes:
    return b"data: %b\n\n" % message.body if message.id is None else b"id: %b\ndata: %b\n\n" % (message.id.encode(), message.body)


async def _hang_up(receive: Receive, follower: Follower) -> None:
    """End the stream when its reader is gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
    follower.stop("disconnected")
