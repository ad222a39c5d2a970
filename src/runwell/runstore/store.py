"""The port `RunStore` on ClickHouse."""

from collections import deque
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from runwell.model.errors import RunStoreUnavailable
from runwell.model.listed_run import ListedRun
from runwell.model.run_record import RunRecord
from runwell.ports.analytics import Analytics
from runwell.ports.run_store import FieldSeen, Place, RunCounts, RunsAsked
from runwell.runstore import reading, removal, schema
from runwell.runstore.analytics import SqlAnalytics
from runwell.runstore.asking import key_of, newer_asked, newest_first
from runwell.runstore.bounds import Bounds
from runwell.runstore.client import Connections
from runwell.runstore.fields_seen import fields_seen
from runwell.runstore.rows import Row, columns_of, row_of
from runwell.runstore.targets import Directory, Server
from runwell.runstore.url import RunStoreUrl

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client  # imported when the store is opened, in a thread


BATCH_RUNS: Final = 2_000
BATCH_BYTES: Final = 32_000_000
"""So many runs are inserted at once: the engine's memory grows with them."""


class ClickHouseRunStore:
    """Runs in a directory (ClickHouse in this process) or on a server."""

    def __init__(self, target: Directory | Server, bounds: Bounds) -> None:
        self._target = target
        self._connections = Connections(target, bounds)
        self.analytics: Analytics = SqlAnalytics(self._connections)
        self._seen = 0
        """The position that whoever writes believes to be kept."""

    async def open(self) -> None:
        """Open what there is. A store that is new is made by the first call that needs it: until then it takes no memory."""
        if not self._connections.is_new:
            await self._connections.open()

    async def close(self) -> None:
        await self._connections.close()

    def trouble(self) -> str | None:
        return None if self._connections.is_new else self._connections.trouble()

    async def position(self) -> int:
        self._seen = 0 if self._connections.is_new else await self._connections.run(schema.position)
        return self._seen

    async def keep(self, records: Sequence[RunRecord], position: int) -> None:
        await self._connections.run(lambda client: _keep(client, records, position, self._seen))
        self._seen = max(self._seen, position)

    async def page(self, asked: RunsAsked, limit: int, *, before: Place | None = None, after: Place | None = None) -> list[ListedRun]:
        return await self._connections.run(lambda client: reading.page(client, asked, limit, before, after), is_search=True)

    async def counts(self, asked: RunsAsked) -> RunCounts:
        return await self._connections.run(lambda client: reading.counts(client, asked), is_search=True)

    async def records(self, asked: RunsAsked, before: Place | None = None) -> AsyncIterator[RunRecord]:
        newer = await self._connections.run(lambda _client: newest_first(newer_asked(asked)), is_search=True)
        waiting = deque(record for record in newer if before is None or key_of(record) < (before.created_at, before.run_id))
        async for record in self._kept(asked, before):
            while waiting and key_of(waiting[0]) > key_of(record):
                yield waiting.popleft()
            yield record
        for record in waiting:
            yield record

    async def fields(self, asked: RunsAsked, since: int) -> list[FieldSeen]:
        return await self._connections.run(lambda client: fields_seen(client, asked, since), is_search=True)

    async def remove_workflow(self, workflow_id: str) -> None:
        await self._connections.run(lambda client: self._remove_workflow(client, workflow_id))

    async def remove_runs(self, run_ids: Collection[str]) -> None:
        await self._connections.run(lambda client: removal.remove_runs(client, run_ids))

    async def clear(self) -> None:
        await self._connections.run(schema.empty_tables)
        self._seen = 0

    async def _kept(self, asked: RunsAsked, before: Place | None) -> AsyncIterator[RunRecord]:
        """Yield what the store has, in blocks: no connection is held while the reader works on them."""
        is_more = True
        while is_more:
            block = await self._connections.run(partial(reading.keys, asked=asked, before=before), is_search=True)
            for group in reading.groups(block):
                for record in await self._connections.run(partial(reading.whole_records, asked=asked, group=group), is_search=True):
                    yield record
            is_more = len(block) == reading.BLOCK_RUNS
            before = Place(*block[-1][:2]) if block else None

    def _remove_workflow(self, client: "Client", workflow_id: str) -> None:
        removal.remove_workflow(client, workflow_id)
        self._target.forget_what_was_put_aside()


def open_run_store(directory: Path, url: RunStoreUrl | None = None, bounds: Bounds | None = None) -> ClickHouseRunStore:
    """Return the store on the server, if there is a URL, else in the directory. Nothing is opened or imported yet."""
    bounds = bounds or Bounds()
    return ClickHouseRunStore(Directory(directory, bounds) if url is None else Server(url, bounds), bounds)


def _keep(client: "Client", records: Sequence[RunRecord], position: int, seen: int) -> None:
    if schema.position(client) < seen:  # whoever read met damage: what was kept before would be missing
        raise RunStoreUnavailable("the run store was built anew", hint="ask for its position, and go on from there")
    for batch in _batches(records):
        names, columns = columns_of(batch)
        client.insert("runs", columns, column_names=names, column_oriented=True, settings=schema.UNBOUNDED)
    schema.keep_position(client, position)


def _batches(records: Sequence[RunRecord]) -> Iterator[list[Row]]:
    batch: list[Row] = []
    size = 0
    for record in records:
        row = row_of(record)
        if batch and (len(batch) == BATCH_RUNS or size + row.size > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(row)
        size += row.size
    if batch:
        yield batch
