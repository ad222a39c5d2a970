"""Appends of many runs share commits: collected on the event loop's thread, written by the writer's.

Appends collect in the pending batch. When the writer is idle, the batch is swapped for an empty one and
handed over; when its outcome comes back, its futures are resolved and the next batch goes. Both happen
on the loop's thread only: were the writer to swap, an append could add its rows to a batch that is
already being written, and lose them.

A failed commit fails its whole batch and everything submitted meanwhile, for that stands on events that
do not exist. How far those runs are is then looked up anew, so no gap can ever be written.
"""

import asyncio
from functools import partial
from typing import ClassVar

from runwell.model.events import Event
from runwell.model.run import RunRow
from runwell.ports.journal import Blobs
from runwell.ports.probe import Probe
from runwell.storage.batch import Batch
from runwell.storage.positions import Position, Positions
from runwell.storage.records import Encoded
from runwell.storage.writer import Writer


class GroupCommit:
    """All methods belong to the event loop's thread."""

    batch_type: ClassVar[type[Batch]] = Batch

    def __init__(self, writer: Writer, positions: Positions, blobs: Blobs | None, probe: Probe, last: int = 0) -> None:
        self._place = last  # of the last append that was added, in the order of all
        self._writer, self._positions, self._blobs, self._probe = writer, positions, blobs, probe
        self._pending = self.batch_type()
        self._writing = False
        self._drained: asyncio.Future[None] | None = None
        self._begun = self._ended = 0  # batches that were handed over, and that have their outcome
        self._watchers: list[asyncio.Future[None]] = []

    def add(self, position: Position, encoded: Encoded, row: RunRow, tasks: dict[str, Event | None]) -> "asyncio.Future[int]":
        """Add an append, which is durable when the future is done."""
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._place += 1
        self._pending.add(self._place, position, encoded, row, tasks, future)
        if not self._writing:
            self._writing = True
            self._hand_over()  # at once: what is added while it is written makes the next batch
        return future

    async def drain(self) -> None:
        """Wait until everything that was added has its outcome; nothing may be added meanwhile."""
        if self._writing:
            self._drained = asyncio.get_running_loop().create_future()
            await self._drained

    async def settled(self) -> None:
        """Wait until everything that was added before has its outcome."""
        last = self._begun + (len(self._pending) > 0)
        while self._writing and self._ended < last:
            watcher: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._watchers.append(watcher)
            await watcher

    def _swapped(self) -> Batch:
        batch, self._pending = self._pending, self.batch_type()
        return batch

    def _hand_over(self) -> None:
        batch = self._swapped()
        self._begun += 1
        self._probe("journal.before_handover")
        self._writer.put(partial(batch.write, blobs=self._blobs), partial(self._settle, batch))

    def _settle(self, batch: Batch, _: object, error: Exception | None) -> None:
        if error is None:
            batch.succeed(self._positions)
        else:
            batch.fail(self._positions, error)
            self._swapped().fail(self._positions, error)
        self._probe("journal.after_resolve")
        self._ended += 1
        watchers, self._watchers = self._watchers, []
        for watcher in watchers:
            if not watcher.done():
                watcher.set_result(None)
        self._writing = len(self._pending) > 0
        if self._writing:
            self._hand_over()
        elif self._drained is not None:
            self._drained.set_result(None)
