"""Lists of runs: the run store's answer and what it has not yet, as one page, newest first.

A cursor holds the last run that was seen, and the moment and the newest run of the first page. From that moment relative dates
count on every page, and what is newer than that run belongs to another list: so all pages, and the count that comes with
any of them, are of one list, and runs that come meanwhile are no reason to repeat or to skip any.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import msgspec

from runwell.model.errors import RunStoreUnavailable
from runwell.model.listed_run import ListedRun
from runwell.model.run_overview import RunSummary, record_summary
from runwell.model.run_record import RunRecord
from runwell.model.run_search import Facets, RunFilters, RunPage
from runwell.model.scope import Scope
from runwell.ports.projection import Projection
from runwell.ports.run_store import Place, RunsAsked, RunStore
from runwell.query.cursors import Cursor, gone, read_cursor, write_cursor
from runwell.query.exports.columns import Column
from runwell.query.run_filters import run_query
from runwell.query.run_values import values_of
from runwell.query.seen import RUN_ID

_LATEST: Final = 2**53
"""No moment is later, in ms since 1970."""


class RunIndex(msgspec.Struct, frozen=True):
    """What lists of runs are read from."""

    store: RunStore
    projection: Projection

    async def asked(self, scope: Scope, filters: RunFilters, now: int) -> RunsAsked:
        """Return the question to the store, with what it has not yet. Raises `InvalidInput` for a query that cannot be read."""
        return msgspec.structs.replace(await self.asked_all(scope), query=run_query(filters, now))

    async def asked_all(self, scope: Scope) -> RunsAsked:
        """Return the question to the store about all runs of the scope."""
        await self.projection.catch_up()
        return RunsAsked(scope=scope, newer=self.projection.overlay(), removals=self.projection.removals())


class PageAsked(msgspec.Struct, frozen=True, kw_only=True):
    """Which page of a list. `now`: ms since 1970. `count`: also how many runs the whole list holds. `columns`: values of each run."""

    limit: int
    cursor: str | None = None
    count: bool = False
    columns: tuple[Column, ...] = ()
    now: int


class _Seen(msgspec.Struct, frozen=True):
    """Where a page begins; the list's own moment and newest run."""

    moment: int
    newest: Place | None = None
    before: Place | None = None
    after: Place | None = None


async def list_runs(index: RunIndex, scope: Scope, filters: RunFilters, page: PageAsked) -> RunPage:
    """Return a page of runs. Raises `InvalidInput` for a cursor that does not belong to this list, and for a bad query."""
    about = ("runs", scope, filters)
    seen = _seen(page, about)
    asked = msgspec.structs.replace(await index.asked(scope, filters, seen.moment), newest=seen.newest)
    with telling():
        found = await index.store.page(asked, page.limit + 1, before=seen.before, after=seen.after)
        more = len(found) > page.limit
        shown = found[-page.limit :] if seen.after else found[: page.limit]
        values = await values_of(index.store, asked, shown, page.columns)
    older, newer = (True, more) if seen.after else (more, seen.before is not None)
    if seen.newest is None and shown:
        seen = msgspec.structs.replace(seen, newest=_place_of(shown[0]))
    answer = RunPage(
        data=[_row(record, values.get(record.run_id, {}) if page.columns else msgspec.UNSET) for record in shown],
        next_cursor=write_cursor(_cursor("next", shown[-1], seen), *about) if older and shown else None,
        prev_cursor=write_cursor(_cursor("prev", shown[0], seen), *about) if newer and shown else None,
        behind_ms=_behind(index.projection),
    )
    return await _counted(index, msgspec.structs.replace(asked, newest=seen.newest), answer) if page.count else answer


def _row(record: ListedRun, values: dict[str, str] | msgspec.UnsetType) -> RunSummary:
    row = record_summary(record)
    return row if values is msgspec.UNSET else msgspec.structs.replace(row, values=values)


@contextmanager
def telling() -> Iterator[None]:
    """Let who asks in vain know what goes on all the same."""
    try:
        yield
    except RunStoreUnavailable as exc:
        hint = exc.hint or "runs go on and nothing is lost: ask again later, or for a single run"
        raise RunStoreUnavailable(f"there are no lists of runs just now: {exc.message}", hint=hint) from exc


def _behind(projection: Projection) -> int | msgspec.UnsetType:
    """Return for how long, in ms, something may be missing; unset when nothing is."""
    lag = projection.lag()
    return msgspec.UNSET if lag.complete else round(lag.seconds * 1000)


async def _counted(index: RunIndex, asked: RunsAsked, page: RunPage) -> RunPage:
    """Add how many runs the list has; one whose first page is empty has none, whatever has come since."""
    if asked.newest is None:
        return msgspec.structs.replace(page, count=0, facets=Facets(statuses={}, workflows={}))
    with telling():
        counts = await index.store.counts(asked)
    facets = Facets(statuses=counts.statuses, workflows=counts.workflows, workflow_names=counts.names)
    return msgspec.structs.replace(page, count=counts.count, facets=facets)


def _cursor(direction: str, record: RunRecord, seen: _Seen) -> Cursor:
    newest = seen.newest or _place_of(record)
    place = (record.created_at, record.run_id, seen.moment, newest.created_at, newest.run_id)
    return Cursor("prev" if direction == "prev" else "next", place)


def _place_of(record: RunRecord) -> Place:
    return Place(record.created_at, record.run_id)


def _seen(page: PageAsked, about: tuple[object, ...]) -> _Seen:
    if page.cursor is None:
        return _Seen(page.now)
    at = read_cursor(page.cursor, *about)
    match at.place:
        case (int(created_at), str(run_id), int(moment), int(newest_at), str(newest_id)) if all(
            RUN_ID.fullmatch(each) for each in (run_id, newest_id)
        ) and all(0 <= ms < _LATEST for ms in (created_at, moment, newest_at)):
            place, newest = Place(created_at, run_id), Place(newest_at, newest_id)
            return _Seen(moment, newest, before=place) if at.direction == "next" else _Seen(moment, newest, after=place)
    raise gone()
