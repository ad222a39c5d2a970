"""What is read from the SQLite journal. Each takes a connection and returns what was durable when it began."""

import sqlite3
from typing import Any, Final

from runwell.model.errors import NotFound
from runwell.model.run import RunRow
from runwell.model.statuses import TERMINAL, RunStatus
from runwell.storage.positions import Position
from runwell.storage.records import decode_row

RUN_IS: Final = "substr(run_id, 5, 24) = substr(?1, 5, 24) AND run_id = ?1"
"""The run whose whole id is the first parameter, found by its 24-hex id."""


def position(connection: sqlite3.Connection, short: str) -> Position | None:
    """Return where the run with this 24-hex id is, with its undecided tasks."""
    found = connection.execute("SELECT run_id, rid, seq FROM run WHERE substr(run_id, 5, 24) = ?", (short,)).fetchall()
    if not found:
        return None
    run_id, rid, seq = found[0]
    return Position(run_id, rid, seq, dict(connection.execute("SELECT task_id, step_id FROM task WHERE rid = ?", (rid,))))


def live_positions(connection: sqlite3.Connection) -> tuple[int, list[Position]]:
    """Return the last rid, and where the runs that have not ended are."""
    tasks: dict[int, dict[str, str]] = {}
    for rid, task_id, step_id in connection.execute("SELECT rid, task_id, step_id FROM task"):
        tasks.setdefault(rid, {})[task_id] = step_id
    last = connection.execute("SELECT max(rid) FROM run").fetchone()[0] or 0
    rows = connection.execute("SELECT run_id, rid, seq FROM run WHERE live = 1")
    return last, [Position(run_id, rid, seq, tasks.get(rid)) for run_id, rid, seq in rows]


def records(connection: sqlite3.Connection, run_id: str, after: int, limit: int | None) -> list[str]:
    """Return the run's event records with `seq > after`, in order."""
    sql = f"SELECT body FROM event WHERE rid = (SELECT rid FROM run WHERE {RUN_IS}) AND seq > ?2 ORDER BY seq LIMIT ?3"
    rows = connection.execute(sql, (run_id, after, -1 if limit is None else max(limit, 0)))
    return [body for (body,) in rows]


def row(connection: sqlite3.Connection, run_id: str) -> RunRow | None:
    found = connection.execute(f"SELECT body FROM run WHERE {RUN_IS}", (run_id,)).fetchall()
    return decode_row(found[0][0]) if found else None


def live(connection: sqlite3.Connection) -> list[RunRow]:
    return [decode_row(body) for (body,) in connection.execute("SELECT body FROM run WHERE live = 1 ORDER BY rid")]


def rows(connection: sqlite3.Connection, status: RunStatus | None, workflow: str | None, limit: int, before: str | None) -> list[RunRow]:
    """Return rows newest first. Raises `NotFound` when there is no run `before`."""
    conditions, values = ["1"], list[Any]()
    if status is not None:
        conditions.append(f"live = {int(status not in TERMINAL)} AND status = ?")
        values.append(status.value)
    if workflow is not None:
        conditions.append("workflow_slug = ?")
        values.append(workflow)
    if before is not None:
        conditions.append("rid < ?")
        values.append(_rid(connection, before))
    sql = f"SELECT body FROM run WHERE {' AND '.join(conditions)} ORDER BY rid DESC LIMIT ?"
    return [decode_row(body) for (body,) in connection.execute(sql, (*values, max(limit, 0)))]


def _rid(connection: sqlite3.Connection, run_id: str) -> int:
    found = connection.execute(f"SELECT rid FROM run WHERE {RUN_IS}", (run_id,)).fetchall()
    if not found:
        raise NotFound(f"there is no run {run_id!r} to go on after", hint="list the runs again from the start")
    rid: int = found[0][0]
    return rid


def find(connection: sqlite3.Connection, prefix: str) -> list[str]:
    short = prefix[4:28]
    sql = "SELECT run_id FROM run WHERE substr(run_id, 5, 24) >= ? AND substr(run_id, 5, 24) < ? ORDER BY substr(run_id, 5, 24) LIMIT 3"
    found = connection.execute(sql, (short, short + "\U0010ffff"))
    return [run_id for (run_id,) in found if run_id.startswith(prefix)][:2]


def task_records(connection: sqlite3.Connection, run_id: str | None, task_id: str | None) -> list[tuple[str, str]]:
    """Return record of `task_created` and workflow slug of each undecided task, oldest first."""
    conditions, values = ["1"], list[str]()
    if run_id is not None:
        conditions.append(f"task.rid = (SELECT rid FROM run WHERE {RUN_IS})")
        values.append(run_id)
    if task_id is not None:
        conditions.append("task.task_id = ?")
        values.append(task_id)
    sql = f"""
        SELECT event.body, run.workflow_slug FROM task JOIN event USING (rid, seq) JOIN run USING (rid)
        WHERE {" AND ".join(conditions)} ORDER BY task.created_at, task.rid, task.seq
    """
    return connection.execute(sql, values).fetchall()
