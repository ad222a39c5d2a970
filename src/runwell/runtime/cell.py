"""A run in memory, and the work that is in flight for it."""

import asyncio
from collections import deque

import msgspec

from runwell.engine.actions import StartAttempt
from runwell.engine.state import RunState
from runwell.ports.clock import TimerHandle


class Cell(msgspec.Struct, kw_only=True, eq=False, weakref=True):
    """One run. Only the dispatcher changes it, on the loop's thread.

    `careful`: the run was taken over from a process that may have died, so every attempt's start is
    made durable before the attempt. `durable` is the future of its last append.
    """

    state: RunState
    careful: bool = False
    lost: bool = False
    durable: "asyncio.Future[int] | None" = None
    tasks: "dict[str, asyncio.Task[None]]" = {}
    deadlines: dict[str, TimerHandle] = {}
    inline: deque[StartAttempt] = msgspec.field(default_factory=deque)

    @property
    def is_kept(self) -> bool:
        """Whether all that is known here of the run is durable."""
        if self.lost or self.durable is None:
            return not self.lost
        return self.durable.done() and not self.durable.cancelled() and self.durable.exception() is None

    def end_attempt(self, step_id: str) -> None:
        """Forget an attempt's task and deadline, and cancel the task if it still runs."""
        timer = self.deadlines.pop(step_id, None)
        if timer is not None:
            timer.cancel()
        task = self.tasks.pop(step_id, None)
        if task is not None:
            task.cancel()

    def end_all(self) -> None:
        for step_id in list(self.tasks):
            self.end_attempt(step_id)
