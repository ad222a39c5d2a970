"""Runs that go on elsewhere, followed by their events: each is folded here to the state that it has there."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, suppress
from typing import Protocol

from runwell.engine.evolve import evolve, fold
from runwell.engine.plan import Plan
from runwell.engine.state import RunState
from runwell.model.commands import Command
from runwell.model.errors import CommandRefused, NotFound, RunwellError
from runwell.model.events import Event, RunCreated
from runwell.model.text_delta import Delta
from runwell.ports.feed import Listener
from runwell.ports.journal import Kept
from runwell.ports.keeping import TroubleListener


class RunSource(Protocol):
    """Where events come from."""

    async def find_run(self, text: str) -> str: ...

    async def events(self, run_id: str, after: int = 0) -> list[Event]: ...

    async def plan(self, run_id: str, created: RunCreated) -> Plan:
        """Return the plan of the run's version."""
        ...

    def live(self, run_id: str, after: int) -> AsyncIterator[Event | Delta]:
        """Yield what happens until the run has ended."""
        ...


class _Run:
    """One run. Once `pumping` is done nothing more comes, for the reason of `error` if there is one."""

    def __init__(self, state: RunState) -> None:
        self.state = state
        self.pumping: asyncio.Task[None] | None = None
        self.error: RunwellError | None = None


class FoldedRuns:
    """Follows each run that it is asked about, from then on, until `close`."""

    def __init__(self, source: RunSource) -> None:
        self._source = source
        self._opened: dict[str, asyncio.Task[_Run]] = {}
        self._listeners: list[Listener] = []

    async def close(self) -> None:
        tasks = [*self._opened.values()]
        tasks += [run.pumping for opened in self._opened.values() if (run := _result(opened)) is not None and run.pumping is not None]  # type: ignore[misc]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def find_run(self, text: str) -> str:
        return await self._source.find_run(text)

    async def state(self, run_id: str) -> RunState:
        """Return the run's state. Raises what ended the following of it."""
        run = await self._run(run_id)
        if run.error is not None:
            raise run.error
        return run.state

    async def ended(self, run_id: str) -> None:
        """Wait until the run has ended, or cannot be followed any more."""
        run = await self._run(run_id)
        if run.pumping is not None:
            await asyncio.shield(run.pumping)

    def listen(self, listener: Listener) -> Callable[[], None]:
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def watch_keeping(self, listener: TroubleListener) -> Callable[[], None]:
        """Whoever carries the runs sees to it."""
        return lambda: None

    async def command(self, run_id: str, command: Command) -> RunState:
        raise CommandRefused(f"{run_id} is only looked at here")

    async def live_family(self, run_id: str) -> set[str]:
        """Nothing is carried on here."""
        return set()

    async def refresh(self, run_id: str) -> RunState:
        """Return the run's state with all that is durable by now."""
        run = await self._run(run_id)
        for event in await self._source.events(run_id, run.state.seq):
            self._take(run, event)
        return run.state

    async def _run(self, run_id: str) -> _Run:
        opened = self._opened.get(run_id)
        if opened is None or (opened.done() and opened.exception() is not None):
            opened = self._opened[run_id] = asyncio.create_task(self._open(run_id))
        return await asyncio.shield(opened)

    async def _open(self, run_id: str) -> _Run:
        events = await self._source.events(run_id)
        if not events:
            raise NotFound(f"there is no run {run_id!r}")
        run = _Run(fold(await self._source.plan(run_id, events[0].of(RunCreated)), events))
        if not run.state.is_terminal:
            run.pumping = asyncio.create_task(self._pump(run_id, run))
        return run

    async def _pump(self, run_id: str, run: _Run) -> None:
        try:
            async with aclosing(self._source.live(run_id, run.state.seq)) as items:  # type: ignore[type-var]
                async for item in items:
                    if isinstance(item, Event):
                        self._take(run, item)
                    else:
                        self._tell(item)
        except RunwellError as exc:
            run.error = exc

    def _take(self, run: _Run, event: Event) -> None:
        if event.seq == run.state.seq + 1:
            evolve(run.state, event)
            self._tell(Kept(0, event))

    def _tell(self, item: Kept | Delta) -> None:
        for listener in list(self._listeners):
            listener(item)


def _result(opened: "asyncio.Task[_Run]") -> _Run | None:
    with suppress(BaseException):
        return opened.result() if opened.done() else None
    return None
