"""Events on their way into the overlay: from the journal up to its end, then as the feed tells them, without a hole.

`away`: nothing is taken in. `tailing`: the journal is read, from what the overlay has on. `live`: the journal's end was
reached, and the feed tells the rest, which costs no reading. What the feed tells is not to be relied on after trouble with the
journal, and when more was told than is taken in: then it is `tailing` again.
"""

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from typing import Final, Literal

import structlog

from runwell.model.errors import JournalUnavailable, RunwellError
from runwell.model.text_delta import Delta
from runwell.ports.clock import Clock
from runwell.ports.feed import Feed
from runwell.ports.journal import JournalReader, Kept
from runwell.runtime.loop_share import LoopShare
from runwell.runtime.run_overlay import RunOverlay
from runwell.runtime.run_reading import read_run

CHUNK: Final = 500
"""After so many events others get their turn."""

PAGE: Final = 1_000
SLOW_S: Final = 0.1
"""Of the journal so many events are read at once at most, and fewer when that takes longer."""

MAX_HEARD: Final = 50_000
"""So many events of the feed wait at most; beyond that they are read from the journal later."""

Mode = Literal["away", "tailing", "live"]

_log = structlog.get_logger("runwell.projector")


class Intake:
    """`last_heard`: the last position that is known to exist. `behind_since`: since when (ms) it has not been live.

    `busy` is held while events are taken in. `woken` is set when there are some, `caught_up` while it is live.
    `left_out` counts the events that could not be understood.
    """

    def __init__(self, journal: JournalReader, feed: Feed, clock: Clock, overlay: RunOverlay) -> None:
        self.mode: Mode = "away"
        self.share = LoopShare()
        self.last_heard = self.left_out = 0
        self.behind_since: int | None = None
        self.busy = asyncio.Lock()
        self.woken, self.caught_up = asyncio.Event(), asyncio.Event()
        self._journal, self._clock, self._overlay = journal, clock, overlay
        self._heard: deque[Kept] = deque()
        self._listens = False
        self._page = PAGE
        self._unlisten = [feed.listen(self._hear), feed.keeping.listen(lambda _: self.distrust())]

    def close(self) -> None:
        """Hear no more."""
        for unlisten in self._unlisten:
            unlisten()

    @property
    def has_heard(self) -> bool:
        return bool(self._heard)

    @property
    def is_near(self) -> bool:
        """Whether little is missing to the journal's end."""
        return self.last_heard - self._overlay.applied < MAX_HEARD

    def leave(self, mode: Mode) -> None:
        """Be no longer live."""
        self.mode, self._listens = mode, False
        self._heard.clear()
        self.caught_up.clear()
        if self.behind_since is None:
            self.behind_since = self._clock.now()

    def distrust(self) -> None:
        """Read from the journal what is next, for the feed may not tell it."""
        if self.mode != "away":
            self.leave("tailing")
            self.woken.set()

    def _hear(self, item: Kept | Delta) -> None:
        if isinstance(item, Delta):
            return
        self.last_heard = item.position
        if not self._listens:
            return
        if len(self._heard) >= MAX_HEARD:
            self.leave("tailing")
        else:
            self._heard.append(item)
        if not self.woken.is_set():
            self.woken.set()

    async def tail(self) -> None:
        """Take in the next page of the journal; at its end, go live. Raises `RunwellError`."""
        async with self.busy:
            page = await self._next_page()
            if page:
                await self._take(page)
                return
            self._listens = True  # what is told from now on, and what is read from now on, is everything
            end = await self._journal.position()
            page = await self._next_page()
            await self._take(page)
            if not page and self._listens and self.mode == "tailing":
                self._overlay.applied = max(self._overlay.applied, end)  # what was deleted has positions, too
                self.mode, self.behind_since = "live", None
                self.caught_up.set()

    async def _next_page(self) -> list[Kept]:
        """Return what comes next in the journal: less where it takes long, for then the events are large."""
        began = time.perf_counter()
        page = await self._journal.tail(self._overlay.applied, limit=self._page)
        slow = time.perf_counter() - began > SLOW_S
        self._page = max(self._page // 4, 8) if slow else min(self._page * 2, PAGE)
        return page

    async def _take(self, page: Sequence[Kept]) -> None:
        """Take in a page; of one that is too much for memory, some appends."""
        began = time.perf_counter()
        for number, kept in enumerate(page, 1):
            if not self._understood(kept, self._clock.now()):
                await self._look_up(kept)
            if number == len(page) or page[number].position > kept.position:
                self._overlay.applied = kept.position
                if self._overlay.is_full:
                    return
            if number % CHUNK == 0:
                await self.share.give_back(time.perf_counter() - began)
                began = time.perf_counter()

    async def take_heard(self) -> None:
        """Take in what the feed told. Raises `RunwellError`."""
        async with self.busy:
            while self._heard:
                began = time.perf_counter()
                try:
                    await self._take_some()
                except RunwellError:
                    self.distrust()
                    raise
                await self.share.give_back(time.perf_counter() - began)

    async def _take_some(self) -> None:
        """Take in a chunk of what the feed told."""
        heard, overlay, now = self._heard, self._overlay, self._clock.now()
        position = 0
        for _ in range(min(len(heard), CHUNK)):
            kept = heard.popleft()
            if kept.position <= overlay.applied:
                continue  # it was read
            position = kept.position
            overlay.applied = position - 1  # one append has several events
            if not self._understood(kept, now):
                await self._look_up(kept)
            if not heard:
                break
        if position and not heard and self.mode == "live":
            overlay.applied = position

    def _understood(self, kept: Kept, now: int) -> bool:
        """Take in an event; return whether that is done, or the run has to be looked up."""
        try:
            return self._overlay.hear(kept, now)
        except Exception as exc:
            self._leave_out(kept, exc)
            return True

    async def _look_up(self, kept: Kept) -> None:
        """Take in an event of a run that is not known up to it. Raises `JournalUnavailable`."""
        try:
            recorder = await read_run(self._journal, kept.event.run_id)
            if recorder is not None:
                self._overlay.put(recorder, kept.position, self._clock.now())
        except JournalUnavailable:
            raise
        except Exception as exc:
            self._leave_out(kept, exc)

    def _leave_out(self, kept: Kept, exc: Exception) -> None:
        """Something is wrong in one run: the others must not wait for it for ever."""
        self.left_out += 1
        _log.error("run_not_understood", run_id=kept.event.run_id, seq=kept.event.seq, exc_info=exc)
