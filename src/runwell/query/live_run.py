"""A run whose caller waits for it: started, followed through the feed, and stopped when the caller goes away before its end."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, Final

import msgspec

from runwell.model.commands import StopRun
from runwell.model.errors import ErrorInfo, Refused, RunwellError
from runwell.model.events import (
    Event,
    EventData,
    GenerationCompleted,
    RunCreated,
    RunFailed,
    RunInternalError,
    RunLimitExceeded,
    RunServedFromCache,
    RunStopped,
    RunSucceeded,
    RunWaiting,
)
from runwell.model.scope import Scope
from runwell.model.statuses import TERMINAL
from runwell.model.text_delta import Delta
from runwell.ports.journal import EventFilter, Journal, Kept
from runwell.ports.runs import Runs, StartRequest

_GOOD: Final = (RunSucceeded, RunServedFromCache)
_BAD: Final = (RunFailed, RunStopped, RunLimitExceeded, RunInternalError)
_WANTED: Final = (
    "generation_completed",
    "run_succeeded",
    "run_served_from_cache",
    "run_failed",
    "run_stopped",
    "run_limit_exceeded",
    "run_internal_error",
)
_SOMEBODY: Final = ("approval", "message")
"""For these a run may wait longer than any caller."""
_PAGE: Final = 100


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """How a run ended: its output, or why it has none. `calls` are its model calls.

    One that waits for somebody has ended for its caller, with `RUN_WAITING`; it is not stopped.
    """

    run_id: str
    output: Any = None
    error: ErrorInfo | None = None
    calls: tuple[GenerationCompleted, ...] = ()


class LiveRun:
    """`open` it, ask for what is `next` until that is the `Ending`, and `close` it whatever happened."""

    def __init__(self, runs: Runs, journal: Journal, request: StartRequest, run_id: str) -> None:
        self.run_id = run_id
        self.created_at = 0
        self._runs, self._journal = runs, journal
        self._request = msgspec.structs.replace(request, run_id=run_id)
        self._scope = Scope(request.org_id, request.project_id)
        self._text: list[str] = []
        self._calls: dict[int, GenerationCompleted] = {}
        self._attempts: dict[str, int] = {}
        self._last: EventData | None = None
        self._whole = self._anew = False
        self._woken = asyncio.Event()
        self._unlisten = runs.feed.listen(self._hear, run_id)

    async def open(self) -> None:
        """Start the run. One that has this id already is followed as it is. Raises as `Runs.start` does."""
        row = await self._runs.start(self._request)
        self.created_at = row.created_at
        if row.status in TERMINAL and self._last is None:
            await self._look_up()

    async def close(self) -> None:
        """Let go of the run, and stop it when it has not ended."""
        self._unlisten()
        if self._last is None:
            await asyncio.shield(asyncio.ensure_future(self._stop()))

    async def next(self) -> str | Ending:
        """Return the text that the models wrote since the last time, or, behind all of it, the ending.

        Raises `Refused` when a model begins its answer anew: what was returned of it does not count any more.
        """
        while True:
            if self._anew:
                raise Refused("the model's answer broke off, and began anew", hint="send the request again")
            if self._text:
                text, self._text = "".join(self._text), []
                return text
            if self._last is not None:
                return await self._ending(self._last)
            self._woken.clear()
            await self._woken.wait()

    async def ending(self) -> Ending:
        """Wait for the end, whatever is written until then."""
        while self._last is None:
            self._woken.clear()
            await self._woken.wait()
        return await self._ending(self._last)

    def _hear(self, item: Kept | Delta) -> None:
        if isinstance(item, Delta):
            self._anew |= self._attempts.setdefault(item.step_id, item.attempt) != item.attempt
            self._text.append(item.text)
        else:
            self._see(item.event)
        self._woken.set()

    def _see(self, event: Event) -> None:
        data = event.data
        if isinstance(data, GenerationCompleted):
            self._calls[event.seq] = data
        elif isinstance(data, RunCreated):
            self._whole = True
        elif isinstance(data, _GOOD + _BAD) or (isinstance(data, RunWaiting) and data.waiting_for in _SOMEBODY):
            self._last = data

    async def _ending(self, last: EventData) -> Ending:
        if not self._whole:
            await self._look_up()
        if isinstance(last, _GOOD):
            return Ending(run_id=self.run_id, output=last.output, calls=tuple(self._calls.values()))
        if isinstance(last, RunWaiting):
            message = f"the run waits for somebody's {last.waiting_for}, and goes on without its caller: {self.run_id}"
            return Ending(run_id=self.run_id, error=ErrorInfo(code="RUN_WAITING", message=message), calls=tuple(self._calls.values()))
        assert isinstance(last, _BAD)
        return Ending(run_id=self.run_id, error=last.error, calls=tuple(self._calls.values()))

    async def _look_up(self) -> None:
        """Read what a run that began before this one listened has said."""
        self._whole, after = True, 0
        while found := await self._journal.events(self.run_id, EventFilter(types=_WANTED, lean=True), limit=_PAGE, after=after):
            self._see_all(found)
            after = found[-1].seq

    def _see_all(self, events: Iterable[Event]) -> None:
        for event in events:
            self._see(event)

    async def _stop(self) -> None:
        with suppress(RunwellError):
            await self._runs.command(self._scope, self.run_id, StopRun(actor=self._request.actor))
