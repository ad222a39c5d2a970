"""When runs want to be woken: one heap, one timer.

An alarm that is taken back stays in the heap until it comes to the top or the heap is mostly such
leftovers; then it is built anew. So a run that ends long before its time limit costs nothing for long.
"""

import heapq
from collections.abc import Callable
from typing import Final

from runwell.ports.clock import Clock, TimerHandle

_SPARE: Final = 100
"""Leftovers that are not worth building the heap anew."""


class Alarms:
    """At most one alarm per run. `wake(run_id)` is called once per alarm, never early."""

    def __init__(self, clock: Clock, wake: Callable[[str], None]) -> None:
        self._clock = clock
        self._wake = wake
        self._at: dict[str, int] = {}
        self._heap: list[tuple[int, str]] = []
        self._timer: TimerHandle | None = None
        self._armed_for: int | None = None

    def set(self, run_id: str, at: int | None) -> None:
        """Wake the run at `at` (ms since 1970) and at no other time; None: not at all."""
        if self._at.get(run_id) == at:
            return
        if at is None:
            del self._at[run_id]
        else:
            self._at[run_id] = at
            heapq.heappush(self._heap, (at, run_id))
        if len(self._heap) > 2 * len(self._at) + _SPARE:
            self._heap = [(at, run_id) for run_id, at in self._at.items()]
            heapq.heapify(self._heap)
        self._arm()

    def close(self) -> None:
        self._at.clear()
        self._heap.clear()
        self._arm()

    def _arm(self) -> None:
        while self._heap and self._at.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        first = self._heap[0][0] if self._heap else None
        if first == self._armed_for:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._armed_for = first
        self._timer = None if first is None else self._clock.call_at(first, self._fire)

    def _fire(self) -> None:
        self._timer = self._armed_for = None
        now = self._clock.now()
        due = []
        while self._heap and self._heap[0][0] <= now:
            at, run_id = heapq.heappop(self._heap)
            if self._at.get(run_id) == at:
                del self._at[run_id]
                due.append(run_id)
        self._arm()
        for run_id in due:
            self._wake(run_id)
