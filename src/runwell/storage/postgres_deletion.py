"""Deleting runs from the journal in PostgreSQL, in pieces, so that others are served meanwhile.

Each piece is a transaction beside the owner's session and asks for its epoch, as every commit does. What is deleted is
out of every query at once and out of the files when PostgreSQL vacuums; payloads outside of the database stay, for
nothing tells cheaply who else refers to them. The marks in `journal_owner` keep numbers from coming again.
"""

from itertools import accumulate, takewhile
from typing import Any, Final

from runwell.model.errors import JournalUnavailable
from runwell.storage.deleted import refuse_live
from runwell.storage.postgres_session import DRIVER_ERRORS, connect, unavailable
from runwell.storage.postgres_url import DatabaseUrl

EVENTS: Final = 20_000
"""About how many events one piece deletes."""

POSITIONS: Final = 50_000
"""How many entries of the order of commits one piece looks at."""

_MARK: Final = """
    UPDATE journal_owner SET last_rid = greatest(last_rid, (SELECT max(rid) FROM run)),
                             last_position = greatest(last_position, (SELECT max(position) FROM appended))
"""
_SOME: Final = "SELECT rid, seq FROM run WHERE workflow_id = $1 ORDER BY rid LIMIT 1000"
_LAST: Final = "SELECT max(position) FROM (SELECT position FROM appended WHERE position > $1 ORDER BY position LIMIT $2) AS part"
_SWEEP: Final = """
    DELETE FROM appended WHERE position > $1 AND position <= $2 AND NOT EXISTS (SELECT FROM run WHERE run.rid = appended.rid)
"""


class Deletion:
    """Deletes with a connection of its own. Raises `JournalUnavailable` when the journal is no longer of this epoch."""

    def __init__(self, url: DatabaseUrl, epoch: int, workflow_id: str) -> None:
        self._url, self._epoch, self._workflow_id = url, epoch, workflow_id

    async def refuse_live(self) -> None:
        """Raise `Refused` while runs are live; else keep how far the numbers went."""

        async def work(connection: Any) -> None:
            live = await connection.fetchval("SELECT count(*) FROM run WHERE workflow_id = $1 AND live", self._workflow_id)
            refuse_live(self._workflow_id, live)
            await connection.execute(_MARK)

        await self._do(work)

    async def delete(self) -> int:
        """Delete all runs of the workflow; return how many."""
        count = 0
        while deleted := await self._do(self._delete_some):
            count += deleted
        place: int | None = 0
        while place is not None:
            place = await self._do(lambda connection, after=place: _sweep(connection, after))
        return count

    async def _delete_some(self, connection: Any) -> int:
        found = await connection.fetch(_SOME, self._workflow_id)
        few = len(list(takewhile(lambda events: events <= EVENTS, accumulate(seq for _, seq in found))))
        rids = [rid for rid, _ in found[: max(few, 1)]]
        for table in ("event", "task", "run"):
            await connection.execute(f"DELETE FROM {table} WHERE rid = ANY($1::bigint[])", rids)
        return len(rids)

    async def _do(self, work: Any) -> Any:
        try:
            connection = await connect(self._url)
            try:
                async with connection.transaction():
                    if await connection.fetchval("SELECT true FROM journal_owner WHERE epoch = $1 FOR SHARE", self._epoch) is None:
                        raise JournalUnavailable("another Runwell has taken over the journal", hint="stop this process, or start it anew")
                    return await work(connection)
            finally:
                await connection.close()
        except DRIVER_ERRORS as exc:
            raise unavailable(self._url, exc) from exc


async def _sweep(connection: Any, after: int) -> int | None:
    """Delete entries of the order of commits that speak of no run; return where to go on, None at the end."""
    last: int | None = await connection.fetchval(_LAST, after, POSITIONS)
    if last is not None:
        await connection.execute(_SWEEP, after, last)
    return last
