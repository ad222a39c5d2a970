"""A journal in memory whose commits and reads the test steers, and processes that die."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from tests.acceptance.workbench import Workbench, run_async

from runwell.model.errors import JournalUnavailable
from runwell.model.events import Event
from runwell.model.run import RunRow
from runwell.storage.memory_journal import MemoryDefinitions, MemoryJournal
from runwell.testing import FakeClock, MemoryApp, assemble_memory


class SteeredJournal(MemoryJournal):
    """`held`: commits wait. `dead`: the process is gone, nothing becomes durable any more. `unreadable`: so many reads fail.
    `slow`: commits take so many more turns of the loop."""

    def __init__(self) -> None:
        super().__init__()
        self.held = self.dead = False
        self.unreadable = 0
        self.slow = 0
        self.on_death: Callable[[], None] = lambda: None

    async def open(self) -> None:
        self.held = self.dead = False
        await super().open()

    def append(self, expected: int, events: Sequence[Event], row: RunRow) -> "asyncio.Future[int]":
        return asyncio.get_running_loop().create_future() if self.dead else super().append(expected, events, row)

    def release(self) -> None:
        self.held = False
        self._commit()

    def die(self) -> None:
        """Lose what is not durable yet, as a kill does."""
        appends, self._pending = self._pending, []
        self._fail(appends)
        self.dead = True
        self.on_death()

    def _commit(self, turn: int = 0) -> None:
        if turn < self.slow:
            asyncio.get_running_loop().call_soon(self._commit, turn + 1)
        elif not self.held:
            super()._commit()

    async def read(self, run_id: str, after: int = 0, limit: int | None = None) -> list[Event]:
        if self.unreadable:
            self.unreadable -= 1
            raise JournalUnavailable("told not to be readable")
        return await super().read(run_id, after, limit)


class Processes:
    """One Runwell after the other on the same journal. Each lives in an `asyncio.run` of its own and is not closed but left."""

    def __init__(self) -> None:
        self.journal, self.definitions = SteeredJournal(), MemoryDefinitions()
        self.clock = FakeClock()

    def live(self, life: Coroutine[Any, Any, None]) -> bool:
        """Live one life and return True, or False if death came first."""

        async def until_death() -> bool:
            death: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self.journal.on_death = lambda: None if death.done() else death.set_result(None)
            living = asyncio.ensure_future(life)
            await asyncio.wait([living, death], return_when=asyncio.FIRST_COMPLETED)
            if living.done():
                living.result()
            return living.done()

        return run_async(until_death())

    def sleep(self, ms: int) -> None:
        """Let time pass while no process lives."""
        self.clock = FakeClock(self.clock.now() + ms)

    async def next(self, bench: Workbench, **parts: Any) -> MemoryApp:
        self.clock = FakeClock(self.clock.now())
        app = assemble_memory([bench.type], journal=self.journal, definitions=self.definitions, clock=self.clock, **parts)
        await app.runtime.open()
        return app
