"""From the journal to the run store: every run's record, written in batches, with the position up to which all is written.

It is in one of three modes. `away`: where the store is, is not known; nothing is taken in until the store says its position.
`tailing`: it reads the journal from there on. `live`: it has read up to the journal's end and goes on with what the feed tells,
which costs no reading. From `live` it goes back to `tailing` when the feed told more than was taken in, or when there was
trouble with the journal; and to `away` when the store cannot be written and memory is full. Going back loses nothing:
what is not in the store comes after its position (`RunOverlay`), and a record written twice is there once.

So a process may end at any moment: the next one begins at the store's position, `away`, with nothing in memory.
"""

import asyncio
import time
from collections import deque
from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import Final, Literal

import structlog

from runwell.model.errors import JournalUnavailable, RunStoreUnavailable, RunwellError
from runwell.model.run_record import RunRecord
from runwell.model.text_delta import Delta
from runwell.ports.clock import Clock
from runwell.ports.feed import Feed
from runwell.ports.journal import JournalReader, Kept
from runwell.ports.probe import Probe, no_probe
from runwell.ports.projection import Lag
from runwell.ports.run_store import RunStore
from runwell.runtime.run_overlay import Batch, RunOverlay
from runwell.runtime.run_reading import read_run

WRITE_MS: Final = 1_000
TICK_S: Final = 0.05
CHUNK: Final = 250
"""After so many events others get their turn."""

PAGE: Final = 1_000
SLOW_S: Final = 0.1
"""Of the journal so many events are read at once at most, and fewer when that takes longer."""

MAX_HEARD: Final = 50_000
"""So many events of the feed wait at most; beyond that they are read from the journal later."""

RETRY_MS: Final = (1_000, 30_000)
"""How long after a failure the store is tried again: at first, and at most."""

PATIENCE_S: Final = 2.0
CLOSE_S: Final = 10.0

Mode = Literal["away", "tailing", "live"]

_log = structlog.get_logger("runwell.projector")


class Projector:
    """`Projection` of one journal into one store. Nobody else writes that store. All calls from the event loop's thread.

    `start` and `close` it; or, without a background task, `tick` it. `written` counts the records, `left_out` those that
    the store did not take for what is in them.
    """

    def __init__(self, journal: JournalReader, store: RunStore, feed: Feed, clock: Clock, probe: Probe = no_probe) -> None:
        self.store = store
        self.mode: Mode = "away"
        self.written = self.left_out = 0
        self._journal, self._feed, self._clock, self._probe = journal, feed, clock, probe
        self._overlay = RunOverlay()
        self._heard: deque[Kept] = deque()
        self._last_heard = 0
        self._listens = False
        self._is_open = self._is_closing = False
        self._kept = 0
        self._wrote_at = self._retry_at = self._retry_ms = 0
        self._page = PAGE
        self._behind_since: int | None = None
        self._taking, self._writing = asyncio.Lock(), asyncio.Lock()
        self._woken = asyncio.Event()
        self._caught_up = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._unlisten = [feed.listen(self._hear), feed.keeping.listen(lambda _: self._distrust())]

    # Life

    def start(self) -> None:
        """Begin to work in the background."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name="runwell-projector")

    async def close(self) -> None:
        """Write what can be written within a few seconds, and close the store. The journal may be closed already."""
        for unlisten in self._unlisten:
            unlisten()
        self._is_closing = True
        self._woken.set()
        if self._task is not None:
            await asyncio.wait([self._task], timeout=CLOSE_S)
            self._task.cancel()
        with suppress(TimeoutError, RunwellError):
            async with asyncio.timeout(CLOSE_S):
                if self.mode == "live":
                    await self._take_heard()
                if self.mode != "away":
                    await self.write_all()
        if self._is_open:
            await self.store.close()

    async def _run(self) -> None:
        while not self._is_closing:
            began = time.perf_counter()
            try:
                await self.tick()
            except Exception as exc:  # a defect; whoever asks sees by the lag that something is wrong
                _log.error("projector_failed", exc_info=exc)
                self._fail("the projector failed", self._clock.now())
            busy = time.perf_counter() - began
            if self.mode == "tailing" and self._retry_at <= self._clock.now():
                await asyncio.sleep(min(busy, 1.0))  # half of the time belongs to the runs
            else:
                await self._rest()

    async def _rest(self) -> None:
        """Wait for something to do; then a little longer, as much comes at once."""
        if not self._heard and not self._is_closing:
            self._woken.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(None if self.mode == "live" and not len(self._overlay) else WRITE_MS / 1000):
                    await self._woken.wait()
        await asyncio.sleep(TICK_S)

    async def tick(self) -> None:
        """Do what is due now."""
        now = self._clock.now()
        if self.mode == "away" and now >= self._retry_at:
            await self._find_place()
        if self.mode == "tailing":
            await self._tail_page()
        if self.mode == "live":
            await self._take_heard()
        if self._overlay.is_bursting and self.mode == "live":
            self._go_away()
        full = self._overlay.is_full
        if self.mode != "away" and now >= self._retry_at and (full or self._overlay.has_batch or now - self._wrote_at >= WRITE_MS):
            await self.write(everything=full)

    async def rebuild(self) -> None:
        """Delete everything in the store and write it again from the journal. Raises `RunStoreUnavailable` and `JournalUnavailable`."""
        await self._open_store()
        async with self._writing, self._taking:
            await self.store.clear()
            self._go_away()
        await self.complete()

    async def complete(self) -> None:
        """Bring the store up to the journal's end. Raises `RunStoreUnavailable` and `JournalUnavailable`."""
        while self.mode != "live":
            self._retry_at = 0
            await self.tick()
            if self._retry_at:
                raise RunStoreUnavailable(self.store.trouble() or "the run store or the journal failed; the log says how")
        if not await self.write_all():
            raise RunStoreUnavailable(self.store.trouble() or "the run store took not everything")

    # What is asked

    async def catch_up(self) -> None:
        if self.mode == "live":
            await self._take_heard()
        elif not self._retry_ms and (self.mode == "away" or self._last_heard - self._overlay.applied < MAX_HEARD):
            with suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE_S):
                    await self._caught_up.wait()

    def overlay(self) -> Sequence[RunRecord]:
        return self._overlay.dirty()

    def lag(self) -> Lag:
        positions = max(self._last_heard - self._kept, 0)
        since = self._behind_since if self.mode != "live" else self._overlay.oldest()
        seconds = 0.0 if since is None or not positions else max(self._clock.now() - since, 0) / 1000
        return Lag(positions=positions, seconds=seconds, complete=self.mode == "live")

    def __len__(self) -> int:
        return len(self._overlay)

    async def remove_workflow(self, workflow_id: str) -> None:
        async with self._writing, self._taking:
            self._overlay.forget_workflow(workflow_id)
            await self._open_store()
            await self.store.remove_workflow(workflow_id)

    async def remove_runs(self, run_ids: Collection[str]) -> None:
        await self._take_heard()
        async with self._writing, self._taking:
            self._overlay.forget_runs(run_ids)
            await self._open_store()
            await self.store.remove_runs(run_ids)

    # Where it is

    async def _open_store(self) -> None:
        if not self._is_open:
            await self.store.open()
            self._is_open = True

    async def _find_place(self) -> None:
        """Begin behind what the store has."""
        async with self._writing, self._taking:
            now = self._clock.now()
            try:
                await self._open_store()
                position, last = await self.store.position(), await self._journal.position()
                if position > last:
                    _log.warning("run_store_of_another_journal", position=position, journal=last)
                    await self.store.clear()
                    position = 0
            except RunwellError as exc:
                self._fail(exc.message, now)
                return
            self._overlay.restart(position)
            self._kept, self._last_heard = position, max(last, self._last_heard)
            self._recovered()
            self._leave_live("tailing", now)

    def _leave_live(self, mode: Mode, now: int) -> None:
        self.mode, self._listens = mode, False
        self._heard.clear()
        self._caught_up.clear()
        if self._behind_since is None:
            self._behind_since = now

    def _go_away(self) -> None:
        """Give up what is in memory; the store's position says where to go on."""
        self._overlay.restart(self._kept)
        self._leave_live("away", self._clock.now())

    def _distrust(self) -> None:
        """Read from the journal what is next, for the feed may not tell it."""
        if self.mode != "away":
            self._leave_live("tailing", self._clock.now())
            self._woken.set()

    def _fail(self, why: str, now: int) -> None:
        if not self._retry_ms:
            _log.warning("run_store_behind", why=why, place=self.mode)
        self._retry_ms = min(max(self._retry_ms * 2, RETRY_MS[0]), RETRY_MS[1])
        self._retry_at = now + self._retry_ms

    def _recovered(self) -> None:
        if self._retry_ms:
            _log.info("run_store_goes_on", position=self._kept)
        self._retry_at = self._retry_ms = 0

    # Taking in

    def _hear(self, item: Kept | Delta) -> None:
        if isinstance(item, Delta):
            return
        self._last_heard = item.position
        if not self._listens:
            return
        if len(self._heard) >= MAX_HEARD:
            self._leave_live("tailing", self._clock.now())
        else:
            self._heard.append(item)
        if not self._woken.is_set():
            self._woken.set()

    async def _tail_page(self) -> None:
        """Take in the next page of the journal; at its end, go live."""
        if self._overlay.is_full or self._clock.now() < self._retry_at:
            return  # the store is slower than the journal
        async with self._taking:
            try:
                page = await self._next_page()
                if not page and not self._listens:  # what is told from now on, and what is read from now on, is everything
                    self._listens = True
                    page = await self._next_page()
                await self._take(page)
            except RunwellError as exc:
                self._fail(exc.message, self._clock.now())
                return
            if not page and self._listens and self.mode == "tailing":
                self.mode, self._behind_since = "live", None
                self._caught_up.set()

    async def _next_page(self) -> list[Kept]:
        """Return what comes next in the journal: less where it takes long, for then the events are large."""
        began = time.perf_counter()
        page = await self._journal.tail(self._overlay.applied, limit=self._page)
        slow = time.perf_counter() - began > SLOW_S
        self._page = max(self._page // 4, 8) if slow else min(self._page * 2, PAGE)
        return page

    async def _take(self, page: Sequence[Kept]) -> None:
        """Take in a page; of one that is too much for memory, some appends."""
        for number, kept in enumerate(page, 1):
            await self._take_one(kept)
            if number == len(page) or page[number].position > kept.position:
                self._overlay.applied = kept.position
                if self._overlay.is_full:
                    return
            if number % CHUNK == 0:
                await asyncio.sleep(0)

    async def _take_one(self, kept: Kept) -> None:
        """Raises `JournalUnavailable`."""
        try:
            if not self._overlay.hear(kept, self._clock.now()):
                recorder = await read_run(self._journal, kept.event.run_id)
                if recorder is not None:
                    self._overlay.put(recorder, kept.position, self._clock.now())
        except JournalUnavailable:
            raise
        except Exception as exc:  # something in one run: the others must not wait for it for ever
            self.left_out += 1
            _log.error("run_not_understood", run_id=kept.event.run_id, seq=kept.event.seq, exc_info=exc)

    async def _take_heard(self) -> None:
        """Take in what the feed told."""
        async with self._taking:
            number = position = 0
            while self._heard:
                kept = self._heard.popleft()
                position = kept.position
                if position <= self._overlay.applied:
                    continue  # it was read
                self._overlay.applied = position - 1  # one append has several events
                try:
                    await self._take_one(kept)
                except RunwellError as exc:
                    self._distrust()
                    self._fail(exc.message, self._clock.now())
                    return
                number += 1
                if number % CHUNK == 0:
                    await asyncio.sleep(0)
            if position and self.mode == "live":
                self._overlay.applied = max(position, self._overlay.applied)

    # Writing

    async def write(self, *, everything: bool = False) -> bool:
        """Write a batch of what is due, or of all that the store has not; return whether anything was written."""
        async with self._writing:
            self._wrote_at = now = self._clock.now()
            batch = self._overlay.take(now, everything=everything)
            if not batch.records and not (everything and batch.position > self._kept):
                self._overlay.forget_resting(now)
                return False
            self._probe("projector.before_keep")
            try:
                if self._retry_ms and await self.store.position() != self._kept:
                    self._go_away()  # what it kept and what not is not known
                    return False
                await self._keep(batch)
            except RunStoreUnavailable as exc:
                self._overlay.give_back(batch)
                self._fail(exc.message, now)
                return False
            self._probe("projector.after_keep")
            self._overlay.settle(batch, self._clock.now())
            self._kept = batch.position
            self.written += len(batch.records)
            self._recovered()
            return True

    async def write_all(self) -> bool:
        """Write all that the store has not; return whether that was possible."""
        while await self.write(everything=True):
            pass
        return not self._overlay.dirty()

    async def _keep(self, batch: Batch) -> None:
        try:
            await self.store.keep(batch.records, batch.position)
        except RunStoreUnavailable:
            raise
        except Exception as exc:  # something in one record: the others must not wait for it for ever
            _log.error("run_store_refused_a_batch", exc_info=exc, runs=len(batch.records))
            for record in batch.records:
                await self._keep_one(record)
            await self.store.keep([], batch.position)

    async def _keep_one(self, record: RunRecord) -> None:
        try:
            await self.store.keep([record], self._kept)
        except RunStoreUnavailable:
            raise
        except Exception as exc:
            self.left_out += 1
            _log.error("run_left_out_of_the_run_store", run_id=record.run_id, exc_info=exc)
