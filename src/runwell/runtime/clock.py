"""The real clock."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

from runwell.ports.clock import TimerHandle

_LONGEST_SLEEP_MS: Final = 3_600_000
"""The loop's clock stops while a laptop sleeps and the wall clock can be set: look again at least hourly."""


class SystemClock:
    """Wall time; timers run on the current event loop."""

    def now(self) -> int:
        return time.time_ns() // 1_000_000

    def call_at(self, when: int, callback: Callable[[], None]) -> TimerHandle:
        return _Timer(self, when, callback)


class _Timer:
    """A timer on the wall clock: it looks again when the loop woke it too early."""

    __slots__ = ("_callback", "_clock", "_handle", "_when")

    def __init__(self, clock: SystemClock, when: int, callback: Callable[[], None]) -> None:
        self._clock, self._when, self._callback = clock, when, callback
        self._arm()

    def _arm(self) -> None:
        wait = min(self._when - self._clock.now(), _LONGEST_SLEEP_MS)
        self._handle = asyncio.get_running_loop().call_later(max(wait, 0) / 1000, self._fire)

    def _fire(self) -> None:
        if self._clock.now() < self._when:
            self._arm()
        else:
            self._callback()

    def cancel(self) -> None:
        self._handle.cancel()
