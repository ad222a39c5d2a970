"""The journal and the definitions in memory: for tests, and for runs that nobody needs to keep.

They behave as those on disk do: appends become durable a moment later, together, and are kept as JSON,
so that nothing is shared by reference.
"""

import asyncio
from collections import Counter
from collections.abc import Collection, Sequence
from itertools import islice
from typing import NamedTuple

from runwell.model.errors import NotFound
from runwell.model.events import Event, decode_event
from runwell.model.ids import id_in, new_id, short_id
from runwell.model.removals import Removals
from runwell.model.run import SET_APART, RunRow, TaskView
from runwell.model.scope import Scope
from runwell.model.statuses import TERMINAL, RunStatus
from runwell.model.workflow_views import Kind
from runwell.ports.journal import ALL_EVENTS, ALL_RUNS, Cached, EventFilter, Kept, RunFilter, Version
from runwell.storage.deleted import Deleted, refuse_live
from runwell.storage.outcome import closed, fail_quietly, failed
from runwell.storage.positions import Position, Positions
from runwell.storage.records import Encoded, cache_key_of, check_names, decode_row, encode_append
from runwell.storage.tasks import OpenTasks, task_changes, task_view


class _Run:
    """One run as it is kept. `asked` holds the seq of each undecided task's `task_created`."""

    def __init__(self, rid: int) -> None:
        self.rid = rid
        self.records: list[str] = []
        self.row = ""
        self.tasks: OpenTasks = {}
        self.asked: dict[str, int] = {}


class _Append(NamedTuple):
    position: Position
    encoded: Encoded
    events: Sequence[Event]
    status: RunStatus
    key: bytes | None
    future: "asyncio.Future[int]"


class MemoryJournal:
    """`Journal` that lasts as long as the object: closing and opening it again keeps everything."""

    def __init__(self) -> None:
        self._runs: dict[str, _Run] = {}
        self._short: dict[str, str] = {}
        self._askers: dict[str, str] = {}
        self._cached: dict[bytes, dict[int, str]] = {}
        self._results: dict[bytes, tuple[str, int]] = {}
        self._positions = Positions(self._look_up, 0)
        self._appended: list[tuple[str, int, int]] = []
        self._pending: list[_Append] = []
        self._failures = 0
        self._is_open = False
        self._deleted = Deleted()

    def fail_next(self, commits: int = 1) -> None:
        """Let the next commits fail as a full disk would: a switch for tests of what comes after."""
        self._failures = commits

    async def open(self) -> None:
        self._is_open = True

    async def close(self) -> None:
        self._commit()
        self._is_open = False

    def append(self, expected: int, events: Sequence[Event], row: RunRow) -> "asyncio.Future[int]":
        if not self._is_open:
            return failed(closed())
        self._deleted.check(row, expected)
        loop = asyncio.get_running_loop()
        future: asyncio.Future[int] = loop.create_future()
        position = self._positions.claim(row.run_id, expected)
        encoded = encode_append(expected, events, row)
        self._positions.advance(position, row.seq)
        if not self._pending:
            loop.call_soon(self._commit)
        self._pending.append(_Append(position, encoded, tuple(events), row.status, cache_key_of(row), future))
        return future

    def _commit(self) -> None:
        appends, self._pending = self._pending, []
        if appends and self._failures > 0:
            self._failures -= 1
            self._fail(appends)
            return
        for append in appends:
            self._keep(append)
            if not append.future.done():
                append.future.set_result(len(self._appended))

    def _fail(self, appends: Sequence[_Append]) -> None:
        for append in appends:
            self._positions.forget(append.position)
            fail_quietly(append.future, OSError("told to fail by fail_next"))

    def _keep(self, append: _Append) -> None:
        run_id, ended = append.position.run_id, append.status in TERMINAL
        run = self._runs.setdefault(run_id, _Run(append.position.rid))
        self._short[short_id(run_id)] = run_id
        self._appended.append((run_id, len(run.records), len(run.records) + len(append.encoded.events)))
        run.records += append.encoded.events
        run.row = append.encoded.row
        if append.key is not None:
            self._cached.setdefault(append.key, {})[run.rid] = run_id
        self._results |= {key: (run_id, seq) for key, seq in append.encoded.results}
        for task_id, event in task_changes(run.tasks, append.events, ended).items():
            if event is None:
                run.asked.pop(task_id, None)
            else:
                run.asked[task_id] = event.seq
                self._askers[task_id] = run_id
        if ended and append.position.seq == len(run.records):
            self._positions.forget(append.position)

    def _look_up(self, short: str) -> Position | None:
        run_id = self._short.get(short)
        return Position(run_id, self._runs[run_id].rid, len(self._runs[run_id].records)) if run_id else None

    async def delete_runs(self, workflow_id: str) -> int:
        if not self._is_open:
            raise closed()
        async with self._deleted.taking(workflow_id) as close:
            self._commit()
            rows = [row for row in self._rows() if row.workflow_id == workflow_id]
            refuse_live(workflow_id, sum(row.status not in TERMINAL for row in rows))
            close()
            for row in rows:
                self._remove(row)
        return len(rows)

    def removals(self) -> Removals:
        return self._deleted.removals

    async def removed(self, removals: Removals) -> None:
        self._deleted.forget(removals)

    async def delete_ended(self, run_ids: Collection[str]) -> int:
        if not self._is_open:
            raise closed()
        self._commit()
        rows = [row for row in map(self._row, dict.fromkeys(run_ids)) if row is not None and row.status in TERMINAL]
        for row in rows:
            self._remove(row)
        if self._deleted.add_runs([row.run_id for row in rows]):
            self._deleted.name_none()
        return len(rows)

    def _row(self, run_id: str) -> RunRow | None:
        return decode_row(self._runs[run_id].row) if run_id in self._runs else None

    def _remove(self, row: RunRow) -> None:
        run = self._runs.pop(row.run_id)
        del self._short[short_id(row.run_id)]
        if (key := cache_key_of(row)) is not None:
            del self._cached[key][run.rid]
        self._results = {key: kept for key, kept in self._results.items() if kept[0] != row.run_id}

    async def read(self, run_id: str, after: int = 0, limit: int | None = None) -> list[Event]:
        records = self._runs[run_id].records[max(after, 0) :] if run_id in self._runs else []
        return [decode_event(record) for record in records[: None if limit is None else max(limit, 0)]]

    async def events(
        self, run_id: str, wanted: EventFilter = ALL_EVENTS, *, limit: int, after: int = 0, before: int | None = None
    ) -> list[Event]:
        found = [
            event
            for event in await self.read(run_id, after)
            if (before is None or event.seq < before)
            and (not wanted.types or event.type in wanted.types)
            and wanted.step_id in (None, event.step_id)
        ]
        count = max(limit, 0)
        return found[:count] if before is None else found[max(len(found) - count, 0) :]

    async def row(self, run_id: str) -> RunRow | None:
        return self._row(run_id)

    async def cached(self, key: str) -> Cached | None:
        found = self._cached.get(bytes.fromhex(key))
        if not found:
            return None
        run = self._runs[found[max(found)]]
        return Cached(decode_row(run.row), next(end for end in map(decode_event, run.records[::-1]) if end.type == "run_succeeded"))

    async def cached_step(self, key: str) -> Event | None:
        run_id, seq = self._results.get(bytes.fromhex(key), ("", 0))
        return decode_event(self._runs[run_id].records[seq - 1]) if seq else None

    async def live(self) -> list[RunRow]:
        return [row for row in self._rows() if row.status not in TERMINAL]

    async def rows(
        self, wanted: RunFilter = ALL_RUNS, *, limit: int = 50, before: str | None = None, after: str | None = None
    ) -> list[RunRow]:
        known = list(self._runs)
        for run_id in (before, after):
            if run_id is not None and run_id not in self._runs:
                raise NotFound(f"there is no run {run_id!r} to go on after", hint="list the runs again from the start")
        start = 0 if after is None else known.index(after) + 1
        end = len(known) if before is None else known.index(before)
        found = [row for row in self._rows()[start:end] if _is_wanted(row, wanted)]
        count = max(limit, 0)
        return (found[max(len(found) - count, 0) :] if after is None else found[:count])[::-1]

    async def status_counts(self, wanted: RunFilter = ALL_RUNS) -> dict[RunStatus, int]:
        return dict(Counter(row.status for row in self._rows() if _is_wanted(row, wanted)))

    async def oldest(self, wanted: RunFilter = ALL_RUNS, *, limit: int, after: str | None = None) -> list[RunRow]:
        known = list(self._runs)
        if after is not None and after not in self._runs:
            raise NotFound(f"there is no run {after!r} to go on after", hint="list the runs again from the start")
        found = (row for row in self._rows()[0 if after is None else known.index(after) + 1 :] if _is_wanted(row, wanted))
        return list(islice(found, max(limit, 0)))

    async def tail(self, after: int, *, workflow_id: str | None = None, limit: int = 1_000) -> list[Kept]:
        found: list[Kept] = []
        for position, (run_id, start, end) in enumerate(self._appended[max(after, 0) :], max(after, 0) + 1):
            if len(found) >= limit:
                break
            run = self._runs.get(run_id)
            if run is None:
                continue
            if workflow_id is None or decode_row(run.row).workflow_id == workflow_id:
                found += [Kept(position, decode_event(record)) for record in run.records[start:end]]
        return found

    async def position(self) -> int:
        return len(self._appended)

    def _rows(self) -> list[RunRow]:
        return [decode_row(run.row) for run in self._runs.values()]

    async def find(self, prefix: str) -> list[str]:
        return sorted(run_id for run_id in self._runs if run_id.startswith(prefix))[:2]

    async def pending_tasks(
        self,
        *,
        wanted: RunFilter = ALL_RUNS,
        run_id: str | None = None,
        task_id: str | None = None,
        limit: int | None = None,
        after: tuple[str, int] | None = None,
    ) -> list[TaskView]:
        start = (0, 0, 0) if after is None else self._task_key(*after)
        found = [
            ((event.ts, run.rid, event.seq), task_view(event, row.workflow_slug))
            for owner, run in self._runs.items()
            for row in [decode_row(run.row)]
            if run_id in (None, owner) and _is_wanted(row, wanted)
            for task, seq in run.asked.items()
            if task_id in (None, task)
            for event in [decode_event(run.records[seq - 1])]
        ]
        views = [view for key, view in sorted(found, key=lambda entry: entry[0]) if key > start]
        return views[: None if limit is None else max(limit, 0)]

    def _task_key(self, run_id: str, seq: int) -> tuple[int, int, int]:
        run = self._runs.get(run_id)
        event = decode_event(run.records[seq - 1]) if run and 0 < seq <= len(run.records) else None
        if run is None or event is None or event.type != "task_created":
            raise NotFound(f"{run_id} asked no task at event {seq} to go on after", hint="list the tasks again from the start")
        return event.ts, run.rid, seq

    async def run_of_task(self, task_id: str) -> str | None:
        return self._askers.get(task_id)


def _is_wanted(row: RunRow, wanted: RunFilter) -> bool:
    return (
        wanted.scope in (None, Scope(row.org_id, row.project_id))
        and wanted.workflow_id in (None, row.workflow_id)
        and wanted.slug in (None, row.workflow_slug)
        and (not wanted.statuses or row.status in wanted.statuses)
        and (wanted.testing or row.environment not in SET_APART)
        and wanted.environment in (None, row.environment)
    )


class MemoryDefinitions:
    """`Definitions` that last as long as the object."""

    def __init__(self) -> None:
        self._versions: dict[tuple[Scope, str], list[Version]] = {}
        self._documents: dict[str, bytes] = {}

    async def put(self, scope: Scope, slug: str, name: str, document_hash: str, document: bytes, kind: Kind = "workflow") -> Version:
        check_names(scope.org_id, scope.project_id, slug, name, document_hash)
        versions = self._versions.setdefault((scope, slug), [])
        for version in versions:
            if version.hash == document_hash:
                return version
        workflow_id = versions[0].workflow_id if versions else new_id("wf")
        kind = versions[0].kind if versions else kind
        version = Version(workflow_id=workflow_id, slug=slug, name=name, number=len(versions) + 1, hash=document_hash, kind=kind)
        versions.append(version)
        self._documents.setdefault(document_hash, bytes(document))
        return version

    async def get(self, scope: Scope, slug: str, version: int | None = None) -> Version | None:
        versions = self._versions.get((scope, slug), [])
        number = len(versions) if version is None else version
        return versions[number - 1] if 0 < number <= len(versions) else None

    async def workflow_id_of(self, scope: Scope, text: str) -> str | None:
        mine = {slug: versions[0].workflow_id for (owner, slug), versions in self._versions.items() if owner == scope}
        workflow_id = id_in("wf", text)
        return workflow_id if workflow_id in mine.values() else mine.get(text)

    async def by_hash(self, document_hash: str) -> bytes | None:
        return self._documents.get(document_hash)
