"""A clock that a test moves by hand."""

import asyncio
import heapq
from collections.abc import Callable
from typing import Any, Final

START_MS: Final = 1_792_000_000_000
"""Where a fake clock begins: 2026-10-14T17:46:40Z."""

_BLIND_TURNS: Final = 50
"""Turns of the loop that `settle` waits where it cannot see whether anything is ready."""


class FakeClock:
    """Implements `runwell.ports.clock.Clock`: time stands still until `advance` or `advance_to` moves it.

    Both go from timer to timer: a timer fires at its own moment, never early, and what it sets off
    has come to rest before the next one. So a test of an hour of retries takes a millisecond and
    sees every wait in its order.

        clock = FakeClock()
        clock.call_at(clock.now() + 5_000, lambda: print("five seconds"))
        await clock.advance(4_999)  # nothing
        await clock.advance(1)      # "five seconds"
    """

    def __init__(self, now: int = START_MS) -> None:
        self._now = now
        self._timers: list[_Timer] = []
        self._count = 0

    def now(self) -> int:
        return self._now

    def call_at(self, when: int, callback: Callable[[], None]) -> "_Timer":
        self._count += 1
        timer = _Timer(when, self._count, callback)
        if when <= self._now:
            asyncio.get_running_loop().call_soon(timer.fire)
        else:
            heapq.heappush(self._timers, timer)
        return timer

    @property
    def next_at(self) -> int | None:
        """The moment (ms since 1970) of the next timer; None when none is set."""
        while self._timers and self._timers[0].done:
            heapq.heappop(self._timers)
        return self._timers[0].when if self._timers else None

    async def advance(self, ms: int) -> None:
        """Let `ms` milliseconds pass."""
        await self.advance_to(self._now + ms)

    async def advance_to(self, moment: int) -> None:
        """Let time pass until `moment` (ms since 1970). Raises `ValueError` when that is in the past."""
        if moment < self._now:
            raise ValueError(f"{moment} is {self._now - moment} ms in the past: time does not run backwards")
        await self.settle()
        while (at := self.next_at) is not None and at <= moment:
            self._now = at
            self._fire_due()
            await self.settle()
        self._now = moment

    def _fire_due(self) -> None:
        loop = asyncio.get_running_loop()
        while (at := self.next_at) is not None and at <= self._now:
            loop.call_soon(heapq.heappop(self._timers).fire)

    async def settle(self) -> None:
        """Let the loop run until nothing in it is ready.

        What other threads and the network do is not waited for: only they know when they are done.
        """
        loop: Any = asyncio.get_running_loop()
        ready = getattr(loop, "_ready", None)  # of asyncio's own loops; others hide theirs
        turns = 0
        while turns == 0 or (ready if ready is not None else turns < _BLIND_TURNS):
            await asyncio.sleep(0)
            turns += 1


class _Timer:
    """Implements `runwell.ports.clock.TimerHandle`. Ordered by moment, then by who asked first."""

    __slots__ = ("_callback", "_number", "done", "when")

    def __init__(self, when: int, number: int, callback: Callable[[], None]) -> None:
        self.when = when
        self.done = False
        self._number = number
        self._callback = callback

    def __lt__(self, other: "_Timer") -> bool:
        return (self.when, self._number) < (other.when, other._number)

    def fire(self) -> None:
        if not self.done:
            self.done = True
            self._callback()

    def cancel(self) -> None:
        self.done = True
