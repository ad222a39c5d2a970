"""Where a stream is in its events: what comes next, what was sent already, what is missing in between."""

from collections import OrderedDict
from typing import Final, Protocol

from runwell.model.statuses import TERMINAL
from runwell.ports.journal import Journal, Kept
from runwell.query.messages import Cursor, Gap

ENDINGS: Final = frozenset(
    {"run_succeeded", "run_failed", "run_stopped", "run_limit_exceeded", "run_internal_error", "run_served_from_cache"}
)
"""The events that end a run. Only what is in `AFTERWARDS` comes after them."""

RUNS_KNOWN: Final = 10_000
"""Of so many runs of a workflow a stream knows the last event that it sent."""

_ALL_OF_IT: Final = 10**15
"""More than any run's last `seq`."""


class Place(Protocol):
    """`about` is what the feed is asked for; `has_ended` says that nothing more will come."""

    about: str
    has_ended: bool

    @property
    def cursor(self) -> str:
        """What `after` takes to go on from here."""
        ...

    async def begin(self) -> Gap | None:
        """Find the place in the journal; say so when it is not there."""
        ...

    async def page(self, limit: int) -> list[Kept]:
        """Return the next events of the journal, about `limit`; empty when there are no more."""
        ...

    def is_sent(self, kept: Kept) -> bool: ...

    def missing(self, kept: Kept) -> tuple[int, int] | None:
        """Return the first and the last `seq` that should have come before this event and did not."""
        ...

    def passed(self, kept: Kept) -> None:
        """Note that the event was sent."""
        ...


class RunPlace:
    """After event `seq` of a run."""

    def __init__(self, journal: Journal, run_id: str, seq: int) -> None:
        self.about = run_id
        self.has_ended = False
        self._journal = journal
        self._seq = seq

    @property
    def cursor(self) -> str:
        return str(self._seq)

    async def begin(self) -> Gap | None:
        row = await self._journal.row(self.about)
        self.has_ended = row is not None and row.status in TERMINAL
        last = 0 if row is None else row.seq
        if self._seq <= last:
            return None
        gap = Gap(run_id=self.about, first=last + 1, last=self._seq, reason="ahead_of_journal")
        self._seq = last
        return gap

    async def page(self, limit: int) -> list[Kept]:
        return [Kept(0, event) for event in await self._journal.read(self.about, self._seq, limit)]

    def is_sent(self, kept: Kept) -> bool:
        return kept.event.seq <= self._seq

    def missing(self, kept: Kept) -> tuple[int, int] | None:
        return None if kept.event.seq == self._seq + 1 else (self._seq + 1, kept.event.seq - 1)

    def passed(self, kept: Kept) -> None:
        self._seq = kept.event.seq
        self.has_ended = self.has_ended or kept.event.type in ENDINGS


class WorkflowPlace:
    """After a cursor in the events of all runs of a workflow; without one, at the journal's end.

    Positions have holes, so that an event is missing shows in its run's `seq` only. Of a run that was
    not heard of yet every event counts as the next one: the feed tells all that the journal has not.
    """

    def __init__(self, journal: Journal, workflow_id: str, after: Cursor | None) -> None:
        self.about = workflow_id
        self.has_ended = False
        self._journal = journal
        self._after = after or Cursor(0, 0)
        self._from_now = after is None
        self._paged_to = 0
        self._known: OrderedDict[str, int] = OrderedDict()

    @property
    def cursor(self) -> str:
        return str(self._after)

    async def begin(self) -> Gap | None:
        last = await self._journal.position()
        given = self._after.position
        if not self._from_now and given <= last:
            return None
        self._after, self._paged_to = Cursor(last, _ALL_OF_IT), last
        return None if self._from_now else Gap(first=last + 1, last=given, reason="ahead_of_journal")

    async def page(self, limit: int) -> list[Kept]:
        position = self._after.position
        if position != self._paged_to:  # of the append at this position there may be more
            found = await self._journal.tail(position - 1, workflow_id=self.about, limit=limit)
            self._paged_to = position
            left = [kept for kept in found if not self.is_sent(kept)]
            if left:
                return self._paged(left)
        return self._paged(await self._journal.tail(position, workflow_id=self.about, limit=limit))

    def _paged(self, found: list[Kept]) -> list[Kept]:
        if found:
            self._paged_to = found[-1].position
        return found

    def is_sent(self, kept: Kept) -> bool:
        known = self._known.get(kept.event.run_id)
        return Cursor(kept.position, kept.event.seq) <= self._after if known is None else kept.event.seq <= known

    def missing(self, kept: Kept) -> tuple[int, int] | None:
        known = self._known.get(kept.event.run_id, kept.event.seq - 1)
        return None if kept.event.seq == known + 1 else (known + 1, kept.event.seq - 1)

    def passed(self, kept: Kept) -> None:
        run_id = kept.event.run_id
        self._after = max(self._after, Cursor(kept.position, kept.event.seq))
        self._known[run_id] = kept.event.seq
        self._known.move_to_end(run_id)
        if len(self._known) > RUNS_KNOWN:
            self._known.popitem(last=False)
