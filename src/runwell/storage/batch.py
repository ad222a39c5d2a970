"""Appends that become durable together, laid out as the parameters of few statements.

sqlite3 lets go of the GIL at every step of a statement, and beside a busy event loop each way back may
take 5 ms. So what counts is the number of statements, not of rows: each table gets one statement of
up to `ROWS` rows at a time. Statement sizes are powers of two, so that they stay compiled; missing rows
are padded with NULLs, which the statement leaves out.
"""

import asyncio
import functools
import sqlite3
from typing import Any, Final

from runwell.model.events import Event
from runwell.model.run import RunRow
from runwell.model.statuses import TERMINAL
from runwell.ports.journal import Blobs
from runwell.storage.outcome import fail_quietly
from runwell.storage.payloads import RECORD_LIMIT, externalize
from runwell.storage.positions import Position, Positions
from runwell.storage.records import Encoded, cache_key_of

ROWS: Final = 512

_INSERT_EVENTS: Final = "INSERT INTO event (rid, seq, body) {rows}"
_UPSERT_RUNS: Final = """
    INSERT INTO run (rid, run_id, org_id, project_id, workflow_id, status, live, environment, seq, body, cache_key) {rows}
    ON CONFLICT (rid)
    DO UPDATE SET status = excluded.status, live = excluded.live, seq = excluded.seq, body = excluded.body, cache_key = excluded.cache_key
"""
_INSERT_APPENDED: Final = "INSERT INTO appended (position, rid, first_seq, last_seq) {rows}"
_INSERT_TASKS: Final = "INSERT OR REPLACE INTO task (rid, task_id, seq, step_id, created_at, open) {rows}"
_INSERT_PAYLOADS: Final = "INSERT OR IGNORE INTO payload (ref, rid) {rows}"
_INSERT_RESULTS: Final = "INSERT OR REPLACE INTO step_result (cache_key, rid, seq) {rows}"
_SETTLE_TASKS: Final = "UPDATE task SET open = 0 WHERE (rid, task_id) IN ({rows})"


class Batch:
    """Filled on the event loop's thread, then written by the writer's; never both at once."""

    def __init__(self) -> None:
        self._events: list[Any] = []
        self._runs: dict[int, tuple[Any, ...]] = {}
        self._tasks: dict[tuple[int, str], tuple[Any, ...] | None] = {}
        self._large: list[int] = []
        self._results: list[Any] = []
        self._appended: list[int] = []
        self._places: list[int] = []
        self._appends: list[tuple[asyncio.Future[int], Position, int]] = []

    def __len__(self) -> int:
        return len(self._appends)

    def add(
        self,
        place: int,
        position: Position,
        encoded: Encoded,
        row: RunRow,
        tasks: dict[str, Event | None],
        future: "asyncio.Future[int]",
    ) -> None:
        """Add one append, which leads to `position`, at `place` in the order of all; `tasks` as `task_changes` returns them."""
        rid = position.rid
        self._places.append(place)
        self._appended += (place, rid, position.seq + 1 - len(encoded.events), position.seq)
        for seq, record in enumerate(encoded.events, position.seq + 1 - len(encoded.events)):
            if len(record) * 4 > RECORD_LIMIT:
                self._large.append(len(self._events) + 2)
            self._events += (rid, seq, record)
        for key, seq in encoded.results:
            self._results += (key, rid, seq)
        live = row.status not in TERMINAL
        owner = (row.org_id, row.project_id, row.workflow_id)
        end = (position.seq, encoded.row, cache_key_of(row))
        self._runs[rid] = (rid, row.run_id, *owner, row.status.value, int(live), row.environment, *end)
        for task_id, event in tasks.items():
            known = self._tasks.get((rid, task_id))
            asked = known and (*known[:-1], 0) if event is None else (rid, task_id, event.seq, event.step_id or "", event.ts, 1)
            self._tasks[rid, task_id] = asked
        self._appends.append((future, position, 0 if live else position.seq))

    def write(self, connection: sqlite3.Connection, blobs: Blobs | None) -> None:
        """Put large payloads away and execute the statements; the caller owns the transaction."""
        if blobs is not None and self._large:
            self._put_away(connection, blobs)
        _execute(connection, _INSERT_EVENTS, 3, self._events)
        _execute(connection, _UPSERT_RUNS, 11, [value for row in self._runs.values() for value in row])
        _execute(connection, _INSERT_APPENDED, 4, self._appended)
        if self._tasks:
            self._write_tasks(connection)
        if self._results:
            _execute(connection, _INSERT_RESULTS, 3, self._results)

    def _put_away(self, connection: sqlite3.Connection, blobs: Blobs) -> None:
        refs: list[Any] = []
        for index in self._large:

            def put(content: bytes, rid: int = self._events[index - 2]) -> str:
                ref = blobs.put(content)
                refs.extend((ref, rid))
                return ref

            self._events[index] = externalize(self._events[index], put)
        _execute(connection, _INSERT_PAYLOADS, 2, refs)

    def _write_tasks(self, connection: sqlite3.Connection) -> None:
        settled = [value for key, asked in self._tasks.items() if asked is None for value in key]
        _execute(connection, _SETTLE_TASKS, 2, settled)
        _execute(connection, _INSERT_TASKS, 6, [value for asked in self._tasks.values() if asked for value in asked])

    def succeed(self, positions: Positions) -> None:
        """Resolve the futures; runs that have ended need no position any more."""
        for (future, position, ended_at), place in zip(self._appends, self._places, strict=True):
            if ended_at and position.seq == ended_at:
                positions.forget(position)
            if not future.done():
                future.set_result(place)

    def fail(self, positions: Positions, cause: BaseException) -> None:
        """Fail the futures and forget how far their runs were: nothing of the batch is kept."""
        for future, position, _ in self._appends:
            positions.forget(position)
            fail_quietly(future, cause)


def _execute(connection: sqlite3.Connection, statement: str, width: int, values: list[Any]) -> None:
    step = ROWS * width
    for start in range(0, len(values), step):
        part = values[start : start + step]
        size = 1 << (len(part) // width - 1).bit_length()
        part += [None] * (size * width - len(part))
        connection.execute(_sql(statement, width, size), part)


@functools.cache
def _sql(statement: str, width: int, size: int) -> str:
    columns = ", ".join(f"column{number}" for number in range(1, width + 1))
    row = f"({', '.join('?' * width)})"
    rows = f"SELECT {columns} FROM (VALUES {', '.join([row] * size)}) WHERE column1 IS NOT NULL"
    return statement.format(rows=rows)
