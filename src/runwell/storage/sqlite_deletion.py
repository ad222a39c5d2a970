"""Deleting runs from the SQLite journal, in pieces, so that others are served meanwhile. Each works on the writer's thread.

What is deleted is overwritten (`secure_delete`), in the database by this and in the log once that is emptied. The marks in
`meta` keep numbers from coming again, so that what is left of a deletion that a crash ended speaks of no new run.
"""

import sqlite3
from collections.abc import Collection, Sequence
from itertools import accumulate, takewhile
from typing import Final

from runwell.ports.journal import Blobs
from runwell.storage.deleted import EVERYTHING, refuse_live
from runwell.storage.sqlite_queries import RUN_IS, last_position, mark

EVENTS: Final = 20_000
"""About how many events one piece deletes."""

POSITIONS: Final = 50_000
"""How many entries of the order of commits one piece looks at."""


def begin(connection: sqlite3.Connection, workflow_id: str) -> None:
    """Raise `Refused` while runs are live; else it is decided: keep that, and how far the numbers went."""
    live = connection.execute("SELECT count(*) FROM run WHERE workflow_id = ? AND live = 1", (workflow_id,)).fetchone()[0]
    refuse_live(workflow_id, live)
    _keep_marks(connection)
    _note(connection, [workflow_id])


def _keep_marks(connection: sqlite3.Connection) -> None:
    last_rid = max(connection.execute("SELECT max(rid) FROM run").fetchone()[0] or 0, mark(connection, "last_rid"))
    marks = [("last_rid", str(last_rid)), ("last_position", str(last_position(connection)))]
    connection.executemany("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", marks)


def delete_some(connection: sqlite3.Connection, workflow_id: str) -> int:
    """Delete some runs of the workflow with their events and tasks; return how many, 0 when there are none left."""
    found = connection.execute("SELECT rid, seq FROM run WHERE workflow_id = ? ORDER BY rid LIMIT 1000", (workflow_id,)).fetchall()
    few = len(list(takewhile(lambda events: events <= EVENTS, accumulate(seq for _, seq in found))))
    return _delete(connection, [(rid,) for rid, _ in found[: max(few, 1)]])


def ended(connection: sqlite3.Connection, run_ids: Collection[str]) -> dict[str, int]:
    """Return how many events those of the runs have that have ended."""
    found: dict[str, int] = {}
    for run_id in run_ids:
        found.update(connection.execute(f"SELECT run_id, seq FROM run WHERE {RUN_IS} AND live = 0", (run_id,)).fetchall())
    return found


def delete_ended(connection: sqlite3.Connection, run_ids: Sequence[str]) -> int:
    """Delete those of the runs that are there and have ended; return how many."""
    _keep_marks(connection)
    _note(connection, run_ids)
    sql = f"SELECT rid FROM run WHERE {RUN_IS} AND live = 0"
    return _delete(connection, [row for run_id in run_ids for row in connection.execute(sql, (run_id,)).fetchall()])


def removals(connection: sqlite3.Connection) -> list[str]:
    return [one for (one,) in connection.execute("SELECT id FROM removal").fetchall()]


def forget_removals(connection: sqlite3.Connection, ids: Collection[str]) -> None:
    connection.executemany("DELETE FROM removal WHERE id = ?", [(one,) for one in ids])


def name_no_runs(connection: sqlite3.Connection) -> None:
    """Let one mark stand for all runs that were deleted."""
    connection.execute("DELETE FROM removal WHERE id >= 'run_' AND id < 'run`'")
    _note(connection, [EVERYTHING])


def _note(connection: sqlite3.Connection, ids: Collection[str]) -> None:
    connection.executemany("INSERT OR IGNORE INTO removal (id) VALUES (?)", [(one,) for one in ids])


def _delete(connection: sqlite3.Connection, rids: list[tuple[int]]) -> int:
    connection.executemany("INSERT OR IGNORE INTO payload (ref, rid) SELECT ref, 0 FROM payload WHERE rid = ?", rids)
    for table in ("payload", "event", "task", "step_result", "run"):
        connection.executemany(f"DELETE FROM {table} WHERE rid = ?", rids)
    return len(rids)


def sweep(connection: sqlite3.Connection, after: int) -> int | None:
    """Delete entries of the order of commits that speak of no run; return where to go on, None at the end."""
    sql = "SELECT max(position) FROM (SELECT position FROM appended WHERE position > ? ORDER BY position LIMIT ?)"
    last: int | None = connection.execute(sql, (after, POSITIONS)).fetchone()[0]
    if last is not None:
        gone = "NOT EXISTS (SELECT 1 FROM run WHERE run.rid = appended.rid)"
        connection.execute(f"DELETE FROM appended WHERE position > ? AND position <= ? AND {gone}", (after, last))
    return last


def remove_payloads(connection: sqlite3.Connection, blobs: Blobs) -> None:
    """Remove the payloads that no run refers to any more. Only this thread puts payloads, so none is put meanwhile."""
    for (ref,) in connection.execute("SELECT ref FROM payload WHERE rid = 0").fetchall():
        if connection.execute("SELECT 1 FROM payload WHERE ref = ? AND rid > 0", (ref,)).fetchone() is None:
            blobs.remove(ref)
    connection.execute("DELETE FROM payload WHERE rid = 0")
