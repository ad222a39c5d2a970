"""What a stream has heard and not yet sent, within bounds."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator

from runwell.ports.feed import Delta
from runwell.ports.journal import Kept
from runwell.query.messages import Bodies

Heard = tuple[Kept | Delta, bytes]


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

    def drop_before(self, is_sent: Callable[[Kept], bool]) -> None:
        """Let go of what was heard up to the last event that was sent meanwhile: model text before it is stale."""
        heard = list(self._heard)
        stale = next((place for place in range(len(heard), 0, -1) if _was_sent(heard[place - 1], is_sent)), 0)
        for _ in range(stale):
            self._size -= len(self._heard.popleft()[1])


def _was_sent(heard: Heard, is_sent: Callable[[Kept], bool]) -> bool:
    return isinstance(heard[0], Kept) and is_sent(heard[0])
