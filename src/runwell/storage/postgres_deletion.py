"""Deleting runs from the journal in PostgreSQL, in pieces, so that others are served meanwhile.

Each piece is a transaction beside the owner's session and asks for its epoch, as every commit does. What is deleted is
out of every query at once and out of the files when PostgreSQL vacuums; payloads outside of the database stay, for
nothing tells cheaply who else refers to them. The marks in `journal_owner` keep numbers from coming again.
"""

from collections.abc import Collection, Sequence
from itertools import accumulate, takewhile
from typing import Any, Final

from runwell.model.errors import JournalUnavailable
from runwell.storage.deleted import EVERYTHING, refuse_live
from runwell.storage.postgres_session import DRIVER_ERRORS, connect, original, stored, unavailable
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
_ENDED: Final = "substr(run_id, 5, 24) = ANY($1::text[]) AND run_id = ANY($2::text[]) AND NOT live"
_LAST: Final = "SELECT max(position) FROM (SELECT position FROM appended WHERE position > $1 ORDER BY position LIMIT $2) AS part"
_NOTE: Final = "INSERT INTO removal (id) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING"
_SWEEP: Final = """
    DELETE FROM appended WHERE position > $1 AND position <= $2 AND NOT EXISTS (SELECT FROM run WHERE run.rid = appended.rid)
"""


class Deletion:
    """Deletes with a connection of its own. Raises `JournalUnavailable` when the journal is no longer of this epoch."""

    def __init__(self, url: DatabaseUrl, epoch: int) -> None:
        self._url, self._epoch = url, epoch

    async def begin(self, workflow_id: str) -> None:
        """Raise `Refused` while runs are live; else it is decided: keep that, and how far the numbers went."""

        async def work(connection: Any) -> None:
            live = await connection.fetchval("SELECT count(*) FROM run WHERE workflow_id = $1 AND live", workflow_id)
            refuse_live(workflow_id, live)
            await connection.execute(_MARK)
            await connection.execute(_NOTE, [workflow_id])

        await self._do(work)

    async def delete(self, workflow_id: str) -> int:
        """Delete all runs of the workflow; return how many."""
        count = 0
        while deleted := await self._do(lambda connection: _delete_some(connection, workflow_id)):
            count += deleted
        await self.sweep()
        return count

    async def ended(self, run_ids: Collection[str]) -> dict[str, int]:
        """Return how many events those of the runs have that have ended."""

        async def work(connection: Any) -> dict[str, int]:
            wanted = [stored(run_id) for run_id in run_ids]
            found = await connection.fetch(f"SELECT run_id, seq FROM run WHERE {_ENDED}", [run_id[4:28] for run_id in wanted], wanted)
            return {original(run_id): seq for run_id, seq in found}

        known: dict[str, int] = await self._do(work)
        return known

    async def delete_ended(self, run_ids: Sequence[str]) -> int:
        """Delete those of the runs that are there and have ended; return how many."""
        count: int = await self._do(lambda connection: _delete_ended(connection, run_ids))
        return count

    async def forget_removals(self, ids: Collection[str]) -> None:
        kept = [stored(one) for one in ids]
        await self._do(lambda connection: connection.execute("DELETE FROM removal WHERE id = ANY($1::text[])", kept))

    async def name_no_runs(self) -> None:
        """Let one mark stand for all runs that were deleted."""

        async def work(connection: Any) -> None:
            await connection.execute("DELETE FROM removal WHERE id >= 'run_' AND id < 'run`'")
            await connection.execute(_NOTE, [EVERYTHING])

        await self._do(work)

    async def sweep(self) -> None:
        place: int | None = 0
        while place is not None:
            place = await self._do(lambda connection, after=place: _sweep(connection, after))

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


async def _delete_some(connection: Any, workflow_id: str) -> int:
    found = await connection.fetch(_SOME, workflow_id)
    few = len(list(takewhile(lambda events: events <= EVENTS, accumulate(seq for _, seq in found))))
    return await _delete(connection, [rid for rid, _ in found[: max(few, 1)]])


async def _delete_ended(connection: Any, run_ids: Sequence[str]) -> int:
    await connection.execute(_MARK)
    wanted = [stored(run_id) for run_id in run_ids]
    await connection.execute(_NOTE, wanted)
    found = await connection.fetch(f"SELECT rid FROM run WHERE {_ENDED}", [run_id[4:28] for run_id in wanted], wanted)
    return await _delete(connection, [rid for (rid,) in found])


async def _delete(connection: Any, rids: list[int]) -> int:
    for table in ("event", "task", "step_result", "run"):
        await connection.execute(f"DELETE FROM {table} WHERE rid = ANY($1::bigint[])", rids)
    return len(rids)


async def _sweep(connection: Any, after: int) -> int | None:
    """Delete entries of the order of commits that speak of no run; return where to go on, None at the end."""
    last: int | None = await connection.fetchval(_LAST, after, POSITIONS)
    if last is not None:
        await connection.execute(_SWEEP, after, last)
    return last
