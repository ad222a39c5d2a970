"""Appends that become durable together: laid out as arrays, for one statement that keeps them all.

Every way to the server and back costs a run's latency, so it is one where that can be: the statement is its own transaction.
All on the event loop's thread, in the order in which they were submitted.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Any, Final, NamedTuple

from runwell.model.errors import JournalUnavailable, PositionConflict
from runwell.model.events import Event
from runwell.model.run import RunRow
from runwell.model.statuses import TERMINAL
from runwell.ports.journal import Blobs
from runwell.ports.probe import Probe
from runwell.storage.outcome import fail_quietly, refuse_quietly
from runwell.storage.payloads import RECORD_LIMIT, externalize
from runwell.storage.postgres_claims import Claim, Claims
from runwell.storage.postgres_session import original, stored
from runwell.storage.records import Encoded, cache_key_of
from runwell.storage.tasks import task_changes

PART_CHARACTERS: Final = 16_000_000
"""How much of the events one statement carries."""

_LOOK_UP: Final = """
    SELECT substr(run_id, 5, 24) AS short, run_id, rid, seq, task_id, step_id
    FROM run LEFT JOIN (SELECT rid, task_id, step_id FROM task WHERE open) AS asked USING (rid)
    WHERE substr(run_id, 5, 24) = ANY($1::text[]) ORDER BY short
"""
_INSERT_EVENTS: Final = """
    INSERT INTO event (rid, seq, type, step_id, body)
    SELECT * FROM unnest($1::bigint[], $2::integer[], $3::text[], $4::text[], $5::text[])
"""
_KEEP: Final = """
    WITH mine AS (SELECT FROM journal_owner WHERE epoch = $1 FOR SHARE),
    events AS (
      INSERT INTO event (rid, seq, type, step_id, body)
      SELECT given.* FROM mine, unnest($2::bigint[], $3::integer[], $4::text[], $5::text[], $6::text[]) AS given
    ),
    runs AS (
      INSERT INTO run (rid, run_id, org_id, project_id, workflow_id, workflow_slug, status, live, environment, seq, body,
                       cache_key)
      SELECT given.* FROM mine, unnest($7::bigint[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[],
                                       $14::boolean[], $15::text[], $16::integer[], $17::text[], $18::bytea[]) AS given
      ON CONFLICT (rid) DO UPDATE SET status = excluded.status, live = excluded.live, seq = excluded.seq, body = excluded.body,
                                      cache_key = excluded.cache_key
    ),
    placed AS (
      INSERT INTO appended (position, rid, first_seq, last_seq)
      SELECT given.* FROM mine, unnest($19::bigint[], $20::bigint[], $21::integer[], $22::integer[]) AS given
    ),
    settled AS (
      UPDATE task SET open = false FROM mine, unnest($23::bigint[], $24::text[]) AS given (rid, task_id)
      WHERE (task.rid, task.task_id) = (given.rid, given.task_id)
    ),
    asked AS (
      INSERT INTO task (rid, task_id, seq, step_id, created_at, open)
      SELECT given.* FROM mine, unnest($25::bigint[], $26::text[], $27::integer[], $28::text[], $29::bigint[], $30::boolean[]) AS given
      ON CONFLICT (rid, task_id)
      DO UPDATE SET seq = excluded.seq, step_id = excluded.step_id, created_at = excluded.created_at, open = excluded.open
    ),
    results AS (
      INSERT INTO step_result (cache_key, rid, seq)
      SELECT given.* FROM mine, unnest($31::bytea[], $32::bigint[], $33::integer[]) AS given
      ON CONFLICT (cache_key) DO UPDATE SET rid = excluded.rid, seq = excluded.seq
    )
    SELECT EXISTS (SELECT FROM mine)
"""

_Rows = list[tuple[Any, ...]]


class Append(NamedTuple):
    """One append as it was submitted, at its `place` in the order of all."""

    place: int
    claim: Claim
    expected: int
    events: Sequence[Event]
    encoded: Encoded
    row: RunRow
    future: "asyncio.Future[int]"


class PostgresBatch:
    """`committing`: it was sent, so that a lost connection leaves its outcome open."""

    def __init__(self) -> None:
        self._appends: list[Append] = []
        self._ends: dict[int, int] = {}
        self.committing = False

    def __len__(self) -> int:
        return len(self._appends)

    @property
    def last_place(self) -> int:
        return self._appends[-1].place

    def add(self, append: Append) -> None:
        self._appends.append(append)

    async def check(self, connection: Any, claims: Claims) -> None:
        """Look up the runs that are taken on trust; appends that expected something else fail here, and leave the batch."""
        trusted: dict[str, Append] = {}
        for append in self._appends:
            if not append.claim.checked and append.claim.refusal is None:
                trusted.setdefault(stored(append.row.run_id)[4:28], append)
        if trusted:
            rows = await connection.fetch(_LOOK_UP, list(trusted))
            found = {short: [_original(row) for row in same] for short, same in groupby(rows, lambda row: row[0])}
            for short, append in trusted.items():
                claims.check(append.claim, append.expected, found.get(short, ()))
        for append in self._appends:
            if append.claim.refusal is not None:
                refuse_quietly(append.future, _refusal(append))
        self._appends = [append for append in self._appends if append.claim.refusal is None]

    async def write(self, connection: Any, epoch: int, blobs: Blobs | None, probe: Probe) -> None:
        """Put large payloads away and keep everything in one transaction, if the journal's epoch is still `epoch`."""
        events = [event for append in self._appends for event in _laid_out(append)]
        if blobs is not None and any(len(record) * 4 > RECORD_LIMIT for *_, record in events):
            events = await asyncio.to_thread(_externalized, events, blobs.put)
        *early, last = _parts(events)
        probe("journal.before_commit")
        self.committing = True
        if early:
            async with connection.transaction():
                for part in early:
                    await connection.execute(_INSERT_EVENTS, *_columns(part, 5))
                await self._keep(connection, epoch, last)
        else:
            await self._keep(connection, epoch, last)  # one statement is a transaction of its own
        probe("journal.after_commit")

    async def _keep(self, connection: Any, epoch: int, events: _Rows) -> None:
        appended = [(append.place, append.claim.rid, append.expected + 1, append.row.seq) for append in self._appends]
        results = {key: (key, append.claim.rid, seq) for append in self._appends for key, seq in append.encoded.results}
        tasks = self._tasks()
        settled = [key for key, asked in tasks.items() if asked is None]
        columns = [
            *_columns(events, 5),
            *_columns(self._runs(), 12),
            *_columns(appended, 4),
            *_columns(settled, 2),
            *_columns([asked for asked in tasks.values() if asked], 6),
            *_columns(list(results.values()), 3),
        ]
        if not await connection.fetchval(_KEEP, epoch, *columns):
            raise JournalUnavailable("another Runwell has taken over the journal", hint="stop this process, or start it anew")

    def _runs(self) -> _Rows:
        runs: dict[int, tuple[Any, ...]] = {}
        for append in self._appends:
            row, rid = append.row, append.claim.rid
            live = row.status not in TERMINAL
            if not live:
                self._ends[rid] = row.seq
            names = (stored(row.run_id), stored(row.org_id), stored(row.project_id), stored(row.workflow_id), stored(row.workflow_slug))
            end = (row.seq, append.encoded.row, cache_key_of(row))
            runs[rid] = (rid, *names, row.status.value, live, stored(row.environment), *end)
        return list(runs.values())

    def _tasks(self) -> dict[tuple[int, str], tuple[Any, ...] | None]:
        """Bring the claims' tasks up to date and return what changed."""
        tasks: dict[tuple[int, str], tuple[Any, ...] | None] = {}
        for append in self._appends:
            rid = append.claim.rid
            for task_id, event in task_changes(append.claim.tasks, append.events, append.row.status in TERMINAL).items():
                key = (rid, stored(task_id))
                asked = tasks.get(key)
                if event is not None:
                    tasks[key] = (*key, event.seq, stored(event.step_id or ""), event.ts, True)
                else:
                    tasks[key] = asked and (*asked[:-1], False)
        return tasks

    def succeed(self, claims: Claims) -> None:
        """Resolve the futures; runs that have ended need no claim any more."""
        for append in self._appends:
            if self._ends.get(append.claim.rid) == append.claim.seq:
                claims.forget(append.claim)
            if not append.future.done():
                append.future.set_result(append.place)

    def fail(self, claims: Claims, cause: BaseException) -> None:
        """Fail the futures and forget how far their runs were: nothing of the batch is kept."""
        for append in self._appends:
            claims.forget(append.claim)
            fail_quietly(append.future, cause)


def _laid_out(append: Append) -> Iterator[tuple[Any, ...]]:
    for event, record in zip(append.events, append.encoded.events, strict=True):
        yield append.claim.rid, event.seq, event.type, event.step_id and stored(event.step_id), record


def _externalized(events: _Rows, put: Callable[[bytes], str]) -> _Rows:
    return [(*key, externalize(record, put)) for *key, record in events]


def _parts(events: _Rows) -> Iterator[_Rows]:
    """Cut the events so that no statement carries much more than `PART_CHARACTERS`."""
    start = size = 0
    for end, (*_, record) in enumerate(events, 1):
        size += len(record)
        if size > PART_CHARACTERS or end == len(events):
            yield events[start:end]
            start, size = end, 0


def _columns(rows: Sequence[tuple[Any, ...]], width: int) -> list[Sequence[Any]]:
    return list(zip(*rows, strict=True)) if rows else [()] * width


def _original(row: Any) -> tuple[Any, ...]:
    _, run_id, rid, seq, task_id, step_id = row
    return original(run_id), rid, seq, task_id and original(task_id), step_id and original(step_id)


def _refusal(append: Append) -> Exception:
    refusal = append.claim.refusal
    if isinstance(refusal, PositionConflict):
        return PositionConflict(append.row.run_id, append.expected, refusal.actual)
    return refusal or AssertionError("asked only of a refused claim")
