"""The runs of which the run store has nothing, or only an older revision; and what is to be written of them, and when.

A run is `dirty` from its first event that no written record holds on: `since` is that event's position. So the
store may be told that it has everything up to the lowest `since`, that one excluded: that is the checkpoint. What comes after
the checkpoint makes this overlay again, however the process ended.

Written is a run that has ended; one at rest, which is live and did not change for a while; and one that has been dirty
for very long, though it changes all the time, for it holds up the checkpoint. What is written and ended or at rest is forgotten
here: when it wakes, it is read from the journal again. Only the recorders of some long runs at rest stay.
"""

from collections import OrderedDict
from collections.abc import Callable, Collection
from typing import Final

import msgspec

from runwell.model.run_record import RunRecord
from runwell.ports.journal import Kept
from runwell.runtime.run_recorder import RunRecorder

RESTING_MS: Final = 5_000
"""A live run that did not change for so long is at rest."""

HELD_MS: Final = 60_000
"""A run that has been dirty for so long is written as it is."""

BATCH_RUNS: Final = 2_000
BATCH_BYTES: Final = 33_554_432

MAX_RUNS: Final = 20_000
MAX_BYTES: Final = 268_435_456
"""From so many runs, or so many bytes of them, on the overlay is full."""

LONG_EVENTS: Final = 500
MAX_LONG: Final = 50
"""The recorders of so many runs at rest with more than so many events stay: reading those again is dear."""


class _Entry:
    """`changed`: when the last event came; `dirty_at`: when it became dirty. `after`: as `since`, of what comes while it is written."""

    __slots__ = ("after", "changed", "dirty_at", "recorder", "since", "writing")

    def __init__(self, recorder: RunRecorder) -> None:
        self.recorder = recorder
        self.since: int | None = None
        self.after: int | None = None
        self.writing = False
        self.changed = self.dirty_at = 0

    def touch(self, position: int, now: int) -> None:
        self.changed = now
        if self.since is None:
            self.since, self.dirty_at = position, now
        elif self.writing and self.after is None:
            self.after = position


class Batch(msgspec.Struct, frozen=True):
    """Records to write, and the position up to which the store has everything once they are."""

    records: list[RunRecord]
    position: int


class RunOverlay:
    """No I/O, no clock: `now` is in ms. `applied` is the position up to which all events were heard.

    `_read_to` holds how far some runs are in the store, as the journal may tell of a run's events after the run itself
    was read beyond them.
    """

    def __init__(self, applied: int = 0) -> None:
        self._deleted: set[str] = set()
        self.restart(applied)

    def restart(self, applied: int) -> None:
        """Forget everything but which workflows are deleted: what comes next is behind this position."""
        self.applied = applied
        self.bytes = 0
        self._entries: dict[str, _Entry] = {}
        self._long: OrderedDict[str, RunRecorder] = OrderedDict()
        self._read_to: OrderedDict[str, int] = OrderedDict()
        self._ended = 0
        self._shown: tuple[RunRecord, ...] | None = None

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def is_full(self) -> bool:
        return len(self._entries) >= MAX_RUNS or self.bytes >= MAX_BYTES

    @property
    def is_bursting(self) -> bool:
        """Whether it is so full that it must be given up."""
        return len(self._entries) >= 2 * MAX_RUNS or self.bytes >= 2 * MAX_BYTES

    @property
    def has_batch(self) -> bool:
        """Whether so many runs have ended that they make a whole batch."""
        return self._ended >= BATCH_RUNS

    def hear(self, kept: Kept, now: int) -> bool:
        """Take in an event. False: the run is not known here up to this event; `put` it, and nothing was done."""
        event = kept.event
        entry = self._entries.get(event.run_id)
        if entry is None:
            return event.seq <= self._read_to.get(event.run_id, 0) or self._begin(kept, now)
        recorder = entry.recorder
        if event.seq > recorder.rev + 1:
            return False
        if event.seq <= recorder.rev:
            return True
        ended, size = recorder.has_ended, recorder.size
        recorder.add(event)
        self._shown = None
        if recorder.size != size:
            self.bytes += recorder.size - size
        if recorder.has_ended is not ended:
            self._ended += 1
        entry.changed = now
        if entry.since is None or entry.writing:
            entry.touch(kept.position, now)
        return True

    def _begin(self, kept: Kept, now: int) -> bool:
        """Take in the event of a run that begins or whose recorder stayed; False for any other."""
        event = kept.event
        recorder = RunRecorder(event) if event.seq == 1 else self._long.pop(event.run_id, None)
        if recorder is None or event.seq > recorder.rev + 1:
            return False
        recorder.add(event)
        self.put(recorder, kept.position, now)
        return True

    def put(self, recorder: RunRecorder, position: int, now: int) -> None:
        """Take in a run for the sake of an event at `position`, as it was read from the journal, perhaps beyond that."""
        if recorder.created.workflow_id in self._deleted:
            return
        entry = self._entries.get(recorder.run_id)
        if entry is None:
            entry = self._entries[recorder.run_id] = _Entry(recorder)
        else:
            self._count(entry.recorder, -1)
            entry.recorder = recorder
        self._count(recorder, 1)
        self._shown = None
        entry.touch(position, now)

    def _count(self, recorder: RunRecorder, sign: int) -> None:
        self.bytes += sign * recorder.size
        self._ended += sign * recorder.has_ended

    def dirty(self) -> tuple[RunRecord, ...]:
        """Return the runs that the store has not as they are, those that are being written among them."""
        if self._shown is None:
            self._shown = tuple([entry.recorder.record() for entry in self._entries.values() if entry.since is not None])
        return self._shown

    def oldest(self) -> int | None:
        """Return since when (ms) something has been dirty; None when nothing is."""
        return min((entry.dirty_at for entry in self._entries.values() if entry.since is not None), default=None)

    def take(self, now: int, *, everything: bool = False) -> Batch:
        """Return what is due to be written, or, with `everything`, what is dirty; a batch at most. `settle` or `give_back` comes next."""
        records: list[RunRecord] = []
        size, position = 0, self.applied
        for entry in self._entries.values():
            if entry.since is None:
                continue
            if (everything or _is_due(entry, now)) and len(records) < BATCH_RUNS and size < BATCH_BYTES:
                entry.writing, entry.after = True, None
                records.append(entry.recorder.record())
                size += entry.recorder.size
            else:
                position = min(position, entry.since - 1)
        return Batch(records, position)

    def settle(self, batch: Batch, now: int) -> None:
        """Take note that the batch is in the store."""
        for record in batch.records:
            entry = self._entries.get(record.run_id)
            if entry is not None:
                entry.writing, entry.since, entry.after = False, entry.after, None
                entry.dirty_at = now
        self._shown = None
        self.forget_resting(now)

    def give_back(self, batch: Batch) -> None:
        """Take note that nothing is known of the batch: it is dirty as before."""
        for record in batch.records:
            entry = self._entries.get(record.run_id)
            if entry is not None:
                entry.writing, entry.after = False, None

    def forget_resting(self, now: int) -> None:
        """Forget the runs that the store has and that nothing happens to; of a full overlay, all that the store has."""
        full = self.is_full
        for run_id, entry in list(self._entries.items()):
            if entry.since is None and (full or entry.recorder.has_ended or now - entry.changed >= RESTING_MS):
                self._drop(run_id)
                self._read_to[run_id] = entry.recorder.rev
                if not entry.recorder.has_ended and entry.recorder.rev > LONG_EVENTS:
                    self._long[run_id] = entry.recorder
        for held, most in ((self._long, MAX_LONG), (self._read_to, MAX_RUNS)):
            while len(held) > most:
                held.popitem(last=False)

    def forget_workflow(self, workflow_id: str) -> None:
        """Forget the runs of a workflow whose runs are deleted, and take in none any more."""
        self._deleted.add(workflow_id)
        self._forget(lambda recorder: recorder.created.workflow_id == workflow_id)

    def forget_runs(self, run_ids: Collection[str]) -> None:
        """Forget these runs, dirty or not."""
        gone = frozenset(run_ids)
        self._forget(lambda recorder: recorder.run_id in gone)

    def _forget(self, is_gone: Callable[[RunRecorder], bool]) -> None:
        for run_id in [run_id for run_id, entry in self._entries.items() if is_gone(entry.recorder)]:
            self._drop(run_id)
        for run_id in [run_id for run_id, recorder in self._long.items() if is_gone(recorder)]:
            del self._long[run_id]
        self._shown = None

    def _drop(self, run_id: str) -> None:
        self._count(self._entries.pop(run_id).recorder, -1)


def _is_due(entry: _Entry, now: int) -> bool:
    return entry.recorder.has_ended or now - entry.changed >= RESTING_MS or now - entry.dirty_at >= HELD_MS
