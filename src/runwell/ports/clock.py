"""Time, so that tests can own it."""

from collections.abc import Callable
from typing import Protocol


class TimerHandle(Protocol):
    def cancel(self) -> None: ...


class Clock(Protocol):
    def now(self) -> int:
        """Return milliseconds since 1970, UTC."""
        ...

    def call_at(self, when: int, callback: Callable[[], None]) -> TimerHandle:
        """Call `callback` on the event loop's thread once `now() >= when`; never earlier."""
        ...
