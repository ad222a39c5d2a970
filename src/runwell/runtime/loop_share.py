"""How much of the process's time work in the background takes while others need it.

Whether others need it tells the processor time of the whole process, for the loop alone may be waiting for a thread that works;
and how late the loop is, for the machine may have other work than ours.
"""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

SHARE: Final = 0.05
"""Of the time, while others use it and nobody wants the work."""

SHARE_WANTED: Final = 0.5
WANTED_S: Final = 10.0
"""The share while others use the time, for so long after somebody last wanted the work."""

BUSY: Final = 0.5
"""The others use it when the process takes so much of one processor."""

LATE: Final = 2.0
"""Or when the loop is so many times later than it should be."""

REST: Final = 2.0
"""Whether they do is looked at for so many times the time of the work."""


class LoopShare:
    """The part of one piece of work."""

    def __init__(self) -> None:
        self._waiting = 0
        self._hurry = asyncio.Event()
        self._wanted_at = -WANTED_S

    @contextmanager
    def hurried(self) -> Iterator[None]:
        """Somebody waits for the work: meanwhile it takes what it needs."""
        self._waiting += 1
        self._wanted_at = time.monotonic()
        self._hurry.set()
        try:
            yield
        finally:
            self._waiting -= 1
            if not self._waiting:
                self._hurry.clear()

    async def give_back(self, worked_s: float) -> None:
        """Let the others have their part, for work that took so long: until they had it, or want no more."""
        is_wanted = time.monotonic() - self._wanted_at < WANTED_S
        owed = worked_s * (1 / (SHARE_WANTED if is_wanted else SHARE) - 1)
        rest = max(worked_s * REST, 0.002)
        while owed > 0 and not self._waiting:
            began, used = time.perf_counter(), time.process_time()
            with suppress(TimeoutError):
                async with asyncio.timeout(rest):
                    await self._hurry.wait()
            passed = time.perf_counter() - began
            if passed < rest * LATE and time.process_time() - used < passed * BUSY:
                return
            owed -= passed
        await asyncio.sleep(0)
