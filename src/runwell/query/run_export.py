"""Runs that a search finds, as one file or in parts.

The whole file comes as it is made. Whoever breaks off in its middle goes on behind the last run that is there whole, by its id; whoever
asks for parts gets with each the cursor of the next. Either way each run comes once: what is newer than the export's beginning
is left out, and what changes meanwhile comes as it is when its place is reached.
"""

from collections.abc import AsyncIterator
from typing import Final

import msgspec

from runwell.model.ids import id_in
from runwell.model.run_record import RunRecord
from runwell.model.run_search import RunFilters
from runwell.model.scope import Scope
from runwell.ports.journal import Journal
from runwell.ports.run_store import Place
from runwell.query.cursors import Cursor, gone, read_cursor, write_cursor
from runwell.query.exports.formats import Shape, writer_for
from runwell.query.exports.writer import Part, part, whole
from runwell.query.finding import find_run
from runwell.query.run_search import RunIndex, telling
from runwell.query.seen import RUN_ID

EVER: Final = "1970-01-01T00:00:00Z"
"""An export is of all time unless it is asked for less: lists are of the last days."""

_LATEST: Final = 2**53


class ExportAsked(msgspec.Struct, frozen=True, kw_only=True):
    """`cursor`: of the part before, or the id of the last run that came whole. `now`: ms since 1970."""

    filters: RunFilters
    shape: Shape
    cursor: str | None = None
    now: int


class RunExporter:
    """Makes files of what an index finds within a scope. Without a journal no run's id is taken for a cursor."""

    def __init__(self, index: RunIndex, journal: Journal | None, scope: Scope) -> None:
        self._index, self._journal, self._scope = index, journal, scope

    async def whole(self, asked: ExportAsked) -> AsyncIterator[bytes]:
        """Return the file, piece by piece. What can fail at the start fails before this returns. Raises as lists do."""
        writer = writer_for(asked.shape)
        records, _ = await self._records(asked)
        return whole(records, writer)

    async def part(self, asked: ExportAsked, limit: int) -> tuple[bytes, str | None]:
        """Return the file of the next runs, at most `limit`, and the cursor behind them; None at the end. Raises as lists do."""
        writer = writer_for(asked.shape)
        records, moment = await self._records(asked)
        with telling():
            made: Part = await part(records, writer, limit)
        return made.content, None if made.last is None else self._cursor(asked, made.last, moment)

    async def _records(self, asked: ExportAsked) -> tuple[AsyncIterator[RunRecord], int]:
        """Return the runs, and the moment from which relative dates count."""
        place, moment = await self._place(asked)
        filters = asked.filters
        if filters.since is None and filters.until is None:
            filters = msgspec.structs.replace(filters, since=EVER)
        question = await self._index.asked(self._scope, filters, moment)
        records = self._index.store.records(question, place)
        with telling():
            first = await anext(records, None)
        return _chained(first, records), moment

    async def _place(self, asked: ExportAsked) -> tuple[Place | None, int]:
        if asked.cursor is None:
            return None, asked.now
        if self._journal is not None and id_in("run", asked.cursor) is not None:
            row = await find_run(self._journal, self._scope, asked.cursor)
            return Place(row.created_at, row.run_id), asked.now
        match read_cursor(asked.cursor, *self._about(asked)).place:
            case (int(created_at), str(run_id), int(moment)) if RUN_ID.fullmatch(run_id) and all(
                0 <= ms < _LATEST for ms in (created_at, moment)
            ):
                return Place(created_at, run_id), moment
        raise gone()

    def _cursor(self, asked: ExportAsked, last: Place, moment: int) -> str:
        return write_cursor(Cursor("next", (last.created_at, last.run_id, moment)), *self._about(asked))

    def _about(self, asked: ExportAsked) -> tuple[object, ...]:
        return ("export", self._scope, asked.filters)


async def _chained(first: RunRecord | None, others: AsyncIterator[RunRecord]) -> AsyncIterator[RunRecord]:
    if first is not None:
        yield first
        async for record in others:
            yield record
