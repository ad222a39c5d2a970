"""A run's events in pages."""

from collections.abc import AsyncIterator
from typing import Final

import msgspec

from runwell.model.events import Event, event_json
from runwell.model.run_parts import EventView
from runwell.ports.journal import ALL_EVENTS, EventFilter, Journal
from runwell.query.cursors import Cursor, read_cursor, write_cursor
from runwell.query.seen import seen_seq

PAGE_BYTES: Final = 16_000_000
"""A page is cut after so many bytes of events, whatever its limit."""

_PART: Final = 100


class EventPage(msgspec.Struct, frozen=True, kw_only=True):
    """Events in order of `seq`."""

    data: list[EventView]
    next_cursor: str | None = None
    prev_cursor: str | None = None


class EventPart(msgspec.Struct, frozen=True, kw_only=True):
    """An `EventPage`, encoded already."""

    data: list[msgspec.Raw]
    next_cursor: str | None
    prev_cursor: str | None


class EventBounds(msgspec.Struct, frozen=True, kw_only=True):
    """Which part of a run's events: those after a `seq`, or the last under one."""

    after: int = 0
    before: int | None = None
    limit: int = 200


async def list_events(journal: Journal, run_id: str, wanted: EventFilter, bounds: EventBounds, cursor: str | None) -> EventPart:
    """Return a page of events. Raises `InvalidInput` for a cursor of another list."""
    page = await gather(journal, run_id, wanted, bounds, cursor)
    return EventPart(data=page.records, next_cursor=page.next_cursor, prev_cursor=page.prev_cursor)


class Gathered(msgspec.Struct, frozen=True, kw_only=True):
    """A page of events, with their JSON forms."""

    events: list[Event]
    records: list[msgspec.Raw]
    next_cursor: str | None
    prev_cursor: str | None


async def gather(journal: Journal, run_id: str, wanted: EventFilter, bounds: EventBounds, cursor: str | None) -> Gathered:
    """Return the page of the wanted events at the cursor, or else at the bounds. Raises `InvalidInput` for a cursor of another list."""
    if cursor is not None:
        at = read_cursor(cursor, "events", run_id, wanted)
        bounds = EventBounds(limit=bounds.limit, **({"after": seen_seq(at)} if at.direction == "next" else {"before": seen_seq(at)}))
    found, more = await _read(journal, run_id, msgspec.structs.replace(wanted, lean=True), bounds)
    forwards = bounds.before is None
    earlier, later = (bounds.after > 0, more) if forwards else (more, True)
    return Gathered(
        events=[event for event, _ in found],
        records=[record for _, record in found],
        next_cursor=write_cursor(Cursor("next", (found[-1][0].seq,)), "events", run_id, wanted) if later and found else None,
        prev_cursor=write_cursor(Cursor("prev", (found[0][0].seq,)), "events", run_id, wanted) if earlier and found else None,
    )


async def _read(journal: Journal, run_id: str, wanted: EventFilter, bounds: EventBounds) -> tuple[list[tuple[Event, msgspec.Raw]], bool]:
    """Return the page's events in order, and whether there are more beyond it."""
    found: list[tuple[Event, msgspec.Raw]] = []
    size, more = 0, True
    after, before = bounds.after, bounds.before
    while more:
        part = await journal.events(run_id, wanted, limit=_PART, after=after, before=before)
        for event in part if before is None else reversed(part):
            if len(found) == bounds.limit or size > PAGE_BYTES:
                return found if before is None else found[::-1], True
            found.append((event, msgspec.Raw(event_json(event))))
            size += len(bytes(found[-1][1]))
        more = len(part) == _PART
        if more:
            after, before = (part[-1].seq, None) if before is None else (after, part[0].seq)
    return found if before is None else found[::-1], False


async def all_events(journal: Journal, run_id: str, wanted: EventFilter = ALL_EVENTS, until: int | None = None) -> AsyncIterator[Event]:
    """Yield the events of a run, in order, up to and with `until`, reading a part at a time."""
    after, more = 0, True
    while more:
        part = await journal.events(run_id, wanted, limit=_PART, after=after)
        for event in part:
            if until is not None and event.seq > until:
                return
            yield event
        more = len(part) == _PART
        after = part[-1].seq if part else after
