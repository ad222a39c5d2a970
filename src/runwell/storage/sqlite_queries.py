"""What is read from the SQLite journal. Each takes a connection and returns what was durable when it began."""

import sqlite3
from typing import Any, Final

from runwell.model.errors import NotFound
from runwell.model.run import RunRow
from runwell.model.statuses import TERMINAL, RunStatus
from runwell.ports.journal import EventFilter, RunFilter
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
    return Position(run_id, rid, seq, dict(connection.execute("SELECT task_id, step_id FROM task WHERE rid = ? AND open = 1", (rid,))))


def live_positions(connection: sqlite3.Connection) -> tuple[int, list[Position]]:
    """Return the last rid, and where the runs that have not ended are."""
    tasks: dict[int, dict[str, str]] = {}
    for rid, task_id, step_id in connection.execute("SELECT rid, task_id, step_id FROM task WHERE open = 1"):
        tasks.setdefault(rid, {})[task_id] = step_id
    last = max(connection.execute("SELECT max(rid) FROM run").fetchone()[0] or 0, mark(connection, "last_rid"))
    rows = connection.execute("SELECT run_id, rid, seq FROM run WHERE live = 1")
    return last, [Position(run_id, rid, seq, tasks.get(rid)) for run_id, rid, seq in rows]


def records(connection: sqlite3.Connection, run_id: str, after: int, limit: int | None) -> list[str]:
    """Return the run's event records with `seq > after`, in order."""
    sql = f"SELECT body FROM event WHERE rid = (SELECT rid FROM run WHERE {RUN_IS}) AND seq > ?2 ORDER BY seq LIMIT ?3"
    rows = connection.execute(sql, (run_id, after, -1 if limit is None else max(limit, 0)))
    return [body for (body,) in rows]


def some_records(connection: sqlite3.Connection, run_id: str, wanted: EventFilter, limit: int, after: int, before: int | None) -> list[str]:
    """Return records of the wanted events in order: the first after `after`, or the last under `before`."""
    conditions, values = [f"rid = (SELECT rid FROM run WHERE {RUN_IS.replace('?1', '?')})", "seq > ?"], [run_id, run_id, after]
    if before is not None:
        conditions.append("seq < ?")
        values.append(before)
    if wanted.types:
        conditions.append(f"body ->> 'type' IN ({', '.join('?' * len(wanted.types))})")
        values += wanted.types
    if wanted.step_id is not None:
        conditions.append("body ->> 'step_id' = ?")
        values.append(wanted.step_id)
    sql = f"SELECT body FROM event WHERE {' AND '.join(conditions)} ORDER BY seq {'ASC' if before is None else 'DESC'} LIMIT ?"
    found = [body for (body,) in connection.execute(sql, (*values, max(limit, 0)))]
    return found if before is None else found[::-1]


def row(connection: sqlite3.Connection, run_id: str) -> RunRow | None:
    found = connection.execute(f"SELECT body FROM run WHERE {RUN_IS}", (run_id,)).fetchall()
    return decode_row(found[0][0]) if found else None


def cached(connection: sqlite3.Connection, key: bytes) -> tuple[str, str] | None:
    """Return the records of the newest run under the key of the cache, and of its end."""
    sql = """
        SELECT run.body, event.body FROM run JOIN event USING (rid) WHERE cache_key = ? AND event.body ->> 'type' = 'run_succeeded'
        ORDER BY rid DESC, event.seq DESC LIMIT 1
    """
    found: tuple[str, str] | None = connection.execute(sql, (key,)).fetchone()
    return found


def cached_step(connection: sqlite3.Connection, key: bytes) -> str | None:
    """Return the record of the event with the step's result that is kept under the key."""
    found = connection.execute("SELECT body FROM step_result JOIN event USING (rid, seq) WHERE cache_key = ?", (key,)).fetchone()
    return None if found is None else found[0]


def live(connection: sqlite3.Connection) -> list[RunRow]:
    return [decode_row(body) for (body,) in connection.execute("SELECT body FROM run WHERE live = 1 ORDER BY rid")]


def last_position(connection: sqlite3.Connection) -> int:
    """Return the position of the last append; 0 when there is none."""
    return max(connection.execute("SELECT max(position) FROM appended").fetchone()[0] or 0, mark(connection, "last_position"))


def mark(connection: sqlite3.Connection, key: str) -> int:
    """Return how far a number went that must not come again though what had it was deleted."""
    found = connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchall()
    return int(found[0][0]) if found else 0


def tail(connection: sqlite3.Connection, after: int, workflow_id: str | None, limit: int) -> list[tuple[int, str]]:
    """Return position and record of the events after a position; whole appends, at least `limit` events if there are.

    Runs that were deleted are passed over, for which entries may be left.
    """
    mine = f"JOIN run ON run.rid = appended.rid{'' if workflow_id is None else ' AND run.workflow_id = ?3'}"
    sql = f"""
        SELECT position, body FROM (SELECT position, appended.rid, first_seq, last_seq FROM appended {mine}
                                    WHERE position > ?1 ORDER BY position LIMIT ?2) AS part
        JOIN event ON event.rid = part.rid AND event.seq BETWEEN first_seq AND last_seq ORDER BY position, event.seq
    """
    return connection.execute(sql, (after, max(limit, 0), *([] if workflow_id is None else [workflow_id]))).fetchall()


def rows(connection: sqlite3.Connection, wanted: RunFilter, limit: int, before: str | None, after: str | None) -> list[RunRow]:
    """Return rows newest first. Raises `NotFound` when there is no run `before` or `after`."""
    conditions, values = _conditions(wanted)
    for sign, run_id in (("<", before), (">", after)):
        if run_id is not None:
            conditions.append(f"rid {sign} ?")
            values.append(_rid(connection, run_id))
    order = "DESC" if after is None else "ASC"
    sql = f"SELECT body FROM run WHERE {' AND '.join(conditions)} ORDER BY rid {order} LIMIT ?"
    found = [decode_row(body) for (body,) in connection.execute(sql, (*values, max(limit, 0)))]
    return found if after is None else found[::-1]


def status_counts(connection: sqlite3.Connection, wanted: RunFilter) -> dict[RunStatus, int]:
    conditions, values = _conditions(wanted)
    sql = f"SELECT status, count(*) FROM run WHERE {' AND '.join(conditions)} GROUP BY status"
    return {RunStatus(status): count for status, count in connection.execute(sql, values)}


def oldest(connection: sqlite3.Connection, wanted: RunFilter, limit: int, after: str | None) -> list[RunRow]:
    """Return rows in the order of creation. Raises `NotFound` when there is no run `after`."""
    conditions, values = _conditions(wanted)
    if after is not None:
        conditions.append("rid > ?")
        values.append(_rid(connection, after))
    sql = f"SELECT body FROM run WHERE {' AND '.join(conditions)} ORDER BY rid LIMIT ?"
    return [decode_row(body) for (body,) in connection.execute(sql, (*values, max(limit, 0)))]


def _conditions(wanted: RunFilter) -> tuple[list[str], list[Any]]:
    conditions, values = ["1"], list[Any]()
    if wanted.scope is not None:
        conditions.append("project_id = ? AND org_id = ?")
        values += [wanted.scope.project_id, wanted.scope.org_id]
    if wanted.workflow_id is not None:
        conditions.append("workflow_id = ?")
        values.append(wanted.workflow_id)
    if wanted.slug is not None:
        conditions.append("run.body ->> 'workflow_slug' = ?")
        values.append(wanted.slug)
    if wanted.statuses:
        lives = {int(status not in TERMINAL) for status in wanted.statuses}
        conditions.append(f"live IN ({', '.join(map(str, lives))}) AND status IN ({', '.join('?' * len(wanted.statuses))})")
        values += [status.value for status in wanted.statuses]
    if not wanted.testing:
        conditions.append("environment NOT IN ('testing', 'evaluation')")
    if wanted.environment is not None:
        conditions.append("environment = ?")
        values.append(wanted.environment)
        if wanted.environment != "production":
            conditions.append("environment <> 'production'")  # says no more, but lets the index be used
    return conditions, values


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


def task_records(
    connection: sqlite3.Connection,
    wanted: RunFilter,
    run_id: str | None,
    task_id: str | None,
    limit: int | None,
    after: tuple[str, int] | None,
) -> list[tuple[str, str]]:
    """Return record of `task_created` and workflow slug of each undecided task, oldest first. Raises `NotFound`: no task `after`."""
    conditions, values = _conditions(wanted)
    if run_id is not None:
        conditions.append(f"task.rid = (SELECT rid FROM run WHERE {RUN_IS.replace('?1', '?')})")
        values += [run_id, run_id]
    if task_id is not None:
        conditions.append("task.task_id = ?")
        values.append(task_id)
    if after is not None:
        conditions.append("(task.created_at, task.rid, task.seq) > (?, ?, ?)")
        values += _task_key(connection, *after)
    sql = f"""
        SELECT event.body, run.body ->> 'workflow_slug' FROM task JOIN event USING (rid, seq) JOIN run USING (rid)
        WHERE task.open = 1 AND {" AND ".join(conditions)} ORDER BY task.created_at, task.rid, task.seq LIMIT ?
    """
    return connection.execute(sql, (*values, -1 if limit is None else max(limit, 0))).fetchall()


def _task_key(connection: sqlite3.Connection, run_id: str, seq: int) -> tuple[int, int, int]:
    sql = f"SELECT created_at, rid, seq FROM task WHERE rid = (SELECT rid FROM run WHERE {RUN_IS}) AND seq = ?2"
    found: list[tuple[int, int, int]] = connection.execute(sql, (run_id, seq)).fetchall()
    if not found:
        raise NotFound(f"{run_id} asked no task at event {seq} to go on after", hint="list the tasks again from the start")
    return found[0]


def run_of_task(connection: sqlite3.Connection, task_id: str) -> str | None:
    """Return the id of the run that asked the task."""
    found = connection.execute("SELECT run_id FROM task JOIN run USING (rid) WHERE task_id = ?", (task_id,)).fetchone()
    return found[0] if found else None
