"""What a stream has heard and not yet sent, within bounds."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Set

from runwell.model.text_delta import Delta
from runwell.ports.journal import Kept
from runwell.query.messages import Bodies

Heard = tuple[Kept | Delta, bytes]
AttemptKey = tuple[str, str | None, int | None]
"""Run, step and number of an attempt."""


class Mailbox:
    """Filled by the feed, emptied by the stream.

    More than it may hold it lets go of all at once, and takes nothing until it is `reset`: the journal has it,
    and memory does not grow with how slow a reader is. `on_spill` is told so.
    """

    def __init__(self, bodies: Bodies, max_items: int, max_bytes: int, on_spill: Callable[[], None]) -> None:
        self._bodies = bodies
        self._max_items, self._max_bytes = max_items, max_bytes
        self._on_spill = on_spill
        self._heard: deque[Heard] = deque()
        self._size = 0
        self.has_spilled = False
        self.woken = asyncio.Event()

    def hear(self, item: Kept | Delta) -> None:
        """Take an item of the feed."""
        if self.has_spilled:
            return
        body = self._bodies.of(item)
        self._heard.append((item, body))
        self._size += len(body)
        self.woken.set()
        if len(self._heard) > self._max_items or self._size > self._max_bytes:
            self._heard.clear()
            self._size = 0
            self.has_spilled = True
            self._on_spill()

    def take(self) -> Iterator[Heard]:
        """Yield what was heard, also what comes in meanwhile, until there is nothing."""
        while self._heard:
            item, body = self._heard.popleft()
            self._size -= len(body)
            yield item, body

    def reset(self) -> None:
        """Begin again to take items."""
        self.has_spilled = False

    def drop_text(self, attempts: Set[AttemptKey]) -> None:
        """Let go of the model text of attempts of which the end, or the whole text, was sent meanwhile."""
        if not self._heard or not attempts:
            return
        kept = [(item, body) for item, body in self._heard if isinstance(item, Kept) or _key(item) not in attempts]
        self._heard = deque(kept)
        self._size = sum(len(body) for _, body in kept)


def _key(delta: Delta) -> AttemptKey:
    return delta.run_id, delta.step_id, delta.attempt
