"""Ending the process at a known place: probes for tests of what survives.

The runtime and the journal pass named points (`runtime.before_append`, `journal.before_commit`,
`journal.after_commit`, ...) and tell a probe each time. Count them once, then crash at each:

    counting = CountPoints()
    ...                                  # the workload, with probe=counting
    for number in range(1, counting.total + 1):
        ...                              # in a child process, with probe=CrashAt(number)
        ...                              # then open its data directory and look at what is left

Points are passed on the event loop's thread and on the journal's, so which one is the n-th may
differ from time to time where the two run side by side. `CrashAt(n, point)` counts one point only.
"""

import os
import signal
import threading
from collections import Counter


class CountPoints:
    """A probe that counts: `total` calls, and `counts` by point."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._lock = threading.Lock()

    def __call__(self, point: str) -> None:
        with self._lock:
            self.counts[point] += 1

    @property
    def total(self) -> int:
        return self.counts.total()


class CrashAt:
    """A probe that kills its own process (SIGKILL) at the `number`-th call, counted from 1.

    With `point`, only calls of that point count. Nothing of the process runs after it: no
    `finally`, no `atexit`, no buffer is flushed.
    """

    def __init__(self, number: int, point: str | None = None) -> None:
        if number < 1:
            raise ValueError(f"there is no call {number}: the first one is 1")
        self._left = number
        self._point = point
        self._lock = threading.Lock()

    def __call__(self, point: str) -> None:
        if self._point not in (None, point):
            return
        with self._lock:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
