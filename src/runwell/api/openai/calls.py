"""A call of a client of OpenAI's protocol: a run that lasts as long as its caller listens."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final, Protocol

from fastapi import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from runwell.api.answers import Answer
from runwell.api.hang_up import GONE, StreamedOnce, listening, unless
from runwell.api.openai.errors import RUN_ID, Failure, failure_of
from runwell.model.errors import RunwellError
from runwell.query.live_run import Ending, LiveRun

BEGIN_S: Final = 10.0
"""A stream whose model says nothing for so long begins all the same, so that nobody on the way takes it for dead.

Until then a failure has its own status, by which clients choose their exception."""

HEARTBEAT_S: Final = 15.0


class Writer(Protocol):
    """How a streamed answer is written."""

    def begin(self) -> bytes: ...
    def text(self, text: str) -> bytes: ...
    def end(self, ending: Ending) -> bytes: ...
    def failed(self, failure: Failure) -> bytes: ...


async def whole_answer(request: Request, run: LiveRun, answer: Callable[[Ending], Any]) -> Response:
    """Carry the run out and return its answer. A client that hangs up stops it."""
    try:
        async with listening(request.receive) as gone:
            ending = await unless(gone, _ending(run))
    finally:
        await run.close()
    if ending is None:
        return GONE
    if ending.error is not None:
        return failure_of(ending.error).answer(run.run_id)
    return Answer(answer(ending), headers={RUN_ID: run.run_id})


async def streamed_answer(request: Request, run: LiveRun, writer: Writer) -> Response:
    """Return a stream of what the run says, once it says something; one that fails before that has the status of its failure."""
    handed_over = False
    try:
        async with listening(request.receive) as gone:
            first = await unless(gone, _first(run))
        if first is None:
            return GONE
        if isinstance(first, Ending) and first.error is not None:
            return failure_of(first.error).answer(run.run_id)
        handed_over = True
        return AnswerStream(run, writer, first)
    finally:
        if not handed_over:
            await run.close()


async def _ending(run: LiveRun) -> Ending:
    await run.open()
    return await run.ending()


async def _first(run: LiveRun) -> str | Ending:
    """Return what the run says first; empty text when it has not said anything for long."""
    await run.open()
    with suppress(TimeoutError):
        async with asyncio.timeout(BEGIN_S):
            return await run.next()
    return ""


class AnswerStream(StreamedOnce):
    """What a run says, as server-sent events, from `first` on. It closes the run."""

    def __init__(self, run: LiveRun, writer: Writer, first: str | Ending) -> None:
        super().__init__({RUN_ID: run.run_id})
        self._run, self._writer, self._first = run, writer, first

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def write(body: bytes, *, more: bool = True) -> None:
            await send({"type": "http.response.body", "body": body, "more_body": more})

        try:
            async with listening(receive) as gone:
                await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
                await unless(gone, self._tell(write))
        finally:
            await self._run.close()

    async def _tell(self, write: Callable[..., Awaitable[None]]) -> None:
        said = self._first
        await write(self._writer.begin())
        try:
            while not isinstance(said, Ending):
                await write(self._writer.text(said) if said else b": waiting\n\n")
                said = await self._next()
            last = self._writer.end(said) if said.error is None else self._writer.failed(failure_of(said.error))
        except RunwellError as exc:
            last = self._writer.failed(failure_of(exc))
        await write(last, more=False)

    async def _next(self) -> str | Ending:
        """Return what the run says next; empty text when that takes long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(HEARTBEAT_S):
                return await self._run.next()
        return ""
