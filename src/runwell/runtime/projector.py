"""From the journal to the run store: every run's record, written in batches, with the position up to which all is written.

Events come in through `Intake` and make the `RunOverlay`, from which batches are written. Where the store is, it says itself:
at the start, and again after a failure. What it has not comes after that position, so the overlay is made of it again. When the
store cannot be written and memory is full, the overlay is given up; that loses nothing, and a record written twice is there once.

So a process may end at any moment: the next one begins at the store's position with nothing in memory.
"""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import structlog

from runwell.model.errors import RunStoreUnavailable, RunwellError
from runwell.model.removals import Removals
from runwell.model.run_record import RunRecord
from runwell.ports.clock import Clock
from runwell.ports.feed import Feed
from runwell.ports.journal import Journal
from runwell.ports.probe import Probe, no_probe
from runwell.ports.projection import Lag
from runwell.ports.run_store import RunStore
from runwell.runtime.intake import Intake, Mode
from runwell.runtime.remover import Remover
from runwell.runtime.run_overlay import Batch, RunOverlay

WRITE_MS: Final = 1_000
TICK_S: Final = 0.05
IDLE_S: Final = 10.0
RETRY_MS: Final = (1_000, 30_000)
"""How long after a failure it is tried again: at first, and at most."""

PATIENCE_S: Final = 2.0
CLOSE_S: Final = 10.0

_log = structlog.get_logger("runwell.projector")


class Projector:
    """`Projection` of one journal into one store. Nobody else writes that store. All calls from the event loop's thread.

    `start` and `close` it; or, without a background task, `tick` it. `written` counts the records.
    """

    def __init__(self, journal: Journal, store: RunStore, feed: Feed, clock: Clock, probe: Probe = no_probe) -> None:
        self.store = store
        self.written = 0
        self._journal, self._clock, self._probe = journal, clock, probe
        self._overlay = RunOverlay()
        self._intake = Intake(journal, feed, clock, self._overlay)
        self._remover = Remover(journal, store, self._overlay, self._intake.busy, probe)
        self._is_open = self._is_closing = False
        self._kept = self._refused = 0
        self._wrote_at = self._retry_at = self._retry_ms = 0
        self._writing = asyncio.Lock()  # before `Intake.busy`, where both are held
        self._task: asyncio.Task[None] | None = None

    # Life

    def start(self) -> None:
        """Begin to work in the background."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name="runwell-projector")

    async def close(self) -> None:
        """Write what can be written within a few seconds, and close the store. The journal may be closed already."""
        self._intake.close()
        self._is_closing = True
        self._intake.woken.set()
        with self._intake.share.hurried(), suppress(TimeoutError, RunwellError):
            if self._task is not None:
                await asyncio.wait([self._task], timeout=CLOSE_S)
                self._task.cancel()
            async with asyncio.timeout(CLOSE_S):
                await self._intake.take_heard()
                if self.mode != "away":
                    await self.write_all()
        if self._is_open:
            await self.store.close()

    async def _run(self) -> None:
        while not self._is_closing:
            try:
                await self.tick()
            except Exception as exc:  # a defect; whoever asks sees by the lag that something is wrong
                _log.error("projector_failed", exc_info=exc)
                self._fail("a defect of Runwell")
            if self.mode == "tailing" and self._may_try():
                await asyncio.sleep(0)
            else:
                await self._rest()

    async def _rest(self) -> None:
        """Wait for something to do; then a little longer, as much comes at once."""
        if not self._intake.has_heard and not self._is_closing:
            self._intake.woken.clear()
            with suppress(TimeoutError):
                idle = self.mode == "live" and not self.held and not self._remover.is_due
                async with asyncio.timeout(IDLE_S if idle else WRITE_MS / 1000):
                    await self._intake.woken.wait()
        await asyncio.sleep(TICK_S)

    async def tick(self) -> None:
        """Do what is due now."""
        try:
            if self.mode == "away" and self._may_try():
                await self._find_place()
            if self.mode == "tailing" and self._may_try() and not self._overlay.is_full:
                await self._intake.tail()
            if self.mode == "live":
                await self._intake.take_heard()
            if self._may_try() and self._remover.is_due:
                await self.remove_deleted()
        except RunwellError as exc:
            self._fail(exc.message)
        if self._overlay.is_bursting and self.mode == "live":
            self._go_away()
        full, late = self._overlay.is_full, self._clock.now() - self._wrote_at >= WRITE_MS
        if self.mode != "away" and self._may_try() and (full or late or self._overlay.has_batch):
            began = time.perf_counter()
            await self.write(everything=full)
            await self._intake.share.give_back(time.perf_counter() - began)

    async def rebuild(self) -> None:
        """Delete everything in the store and write it again from the journal. Raises `RunStoreUnavailable` and `JournalUnavailable`."""
        async with self._writing, self._intake.busy:
            await self._open_store()
            await self.store.clear()
            self._kept = 0
            self._go_away()
        await self.complete()

    async def complete(self) -> None:
        """Bring the store up to the journal's end. Raises `RunStoreUnavailable`."""
        with self._intake.share.hurried():
            while self.mode != "live":
                self._retry_at = 0
                await self.tick()
                if self._retry_at:
                    raise RunStoreUnavailable(self.store.trouble() or "the run store or the journal failed; the log says how")
        await self.remove_deleted()
        if not await self.write_all():
            raise RunStoreUnavailable(self.store.trouble() or "the run store took not everything")

    # What is asked

    @property
    def mode(self) -> Mode:
        return self._intake.mode

    @property
    def left_out(self) -> int:
        """How many records or events were left out for what is in them."""
        return self._refused + self._intake.left_out

    @property
    def held(self) -> int:
        """How many runs are in memory."""
        return len(self._overlay)

    async def catch_up(self) -> None:
        if self._task is None and self.mode != "live":
            await self._become_live()
        if self.mode == "live":
            try:
                with self._intake.share.hurried():
                    await self._intake.take_heard()
            except RunwellError as exc:
                self._fail(exc.message)
        elif not self._retry_ms and (self.mode == "away" or self._intake.is_near):
            with suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE_S):
                    await self._intake.caught_up.wait()

    async def _become_live(self) -> None:
        """Do what the background task would do."""
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                with self._intake.share.hurried():
                    while self.mode != "live" and not self._retry_ms:
                        await self.tick()

    def overlay(self) -> Sequence[RunRecord]:
        return self._overlay.dirty()

    def lag(self) -> Lag:
        positions = max(self._intake.last_heard - self._kept, 0)
        since = self._overlay.oldest() if self.mode == "live" else self._intake.behind_since
        seconds = 0.0 if since is None or not positions else max(self._clock.now() - since, 0) / 1000
        return Lag(positions=positions, seconds=seconds, complete=self.mode == "live")

    @property
    def pending(self) -> Removals:
        """What was deleted and the store may still have, though it may not be named."""
        return self._journal.removals()

    def removals(self) -> Removals:
        return self._remover.named()

    async def remove_deleted(self) -> None:
        await self._remover.finish_journal()
        try:
            if self.mode == "live":
                await self._intake.take_heard()
            async with self._writing:
                if self._remover.is_due:
                    await self._open_store()
                    await self._empty_store()
                    await self._remover.remove()
        finally:
            self._intake.woken.set()  # what is left is for the background

    async def _empty_store(self) -> None:
        if self._remover.is_too_much:
            async with self._intake.busy:
                await self.store.clear()
                self._kept = 0
                self._go_away()
            await self._remover.emptied()

    # Where it is

    async def _open_store(self) -> None:
        if not self._is_open:
            await self.store.open()
            self._is_open = True

    async def _find_place(self) -> None:
        """Begin behind what the store has. Raises `RunwellError`."""
        async with self._writing, self._intake.busy:
            if self.mode != "away":
                return
            await self._open_store()
            position, last = await self.store.position(), await self._journal.position()
            if position > last:
                _log.warning("run_store_of_another_journal", position=position, journal=last)
                await self.store.clear()
                position = 0
            self._overlay.restart(position)
            self._kept, self._intake.last_heard = position, max(last, self._intake.last_heard)
            self._recovered()
            self._intake.leave("tailing")

    def _go_away(self) -> None:
        """Give up what is in memory; the store's position says where to go on."""
        self._overlay.restart(self._kept)
        self._intake.leave("away")

    def _may_try(self) -> bool:
        return self._clock.now() >= self._retry_at

    def _fail(self, why: str) -> None:
        if not self._retry_ms:
            _log.warning("run_store_behind", why=why, mode=self.mode)
        self._retry_ms = min(max(self._retry_ms * 2, RETRY_MS[0]), RETRY_MS[1])
        self._retry_at = self._clock.now() + self._retry_ms

    def _recovered(self) -> None:
        if self._retry_ms:
            _log.info("run_store_goes_on", position=self._kept)
        self._retry_at = self._retry_ms = 0

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
                self._fail(exc.message)
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
            self._refused += 1
            _log.error("run_left_out_of_the_run_store", run_id=record.run_id, exc_info=exc)
