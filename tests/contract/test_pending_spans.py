"""Every store of spans that are in no run yet keeps each once, apart by project."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.contract.backend import opened
from tests.contract.backends import SqliteBackend
from tests.contract.samples import run

from runwell.model.scope import Scope
from runwell.model.traces import Span
from runwell.ports.traces import PendingTrace
from runwell.storage.postgres_sql import PostgresSql
from runwell.storage.postgres_url import DatabaseUrl
from runwell.storage.sql import Sql
from runwell.storage.sql_definitions import SqlDefinitions
from runwell.storage.sql_traces import SqlPendingSpans
from runwell.storage.sqlite_sql import SqliteSql

ONE, TWO = Scope("org_1", "prj_1"), Scope("org_2", "prj_2")


def spanned(number: int, trace: str = "a", parent: str | None = None) -> Span:
    return Span(trace_id=trace * 32, span_id=f"{number:016x}", parent_id=parent, name="n", attributes={"text": "\x00ü", "least": -(2**63)})


class PendingSpansContract:
    @asynccontextmanager
    async def opened(self, path: Path) -> AsyncIterator[Sql]:
        raise NotImplementedError
        yield

    def test_each_span_is_kept_once_until_it_is_done(self, tmp_path: Path) -> None:
        async def main() -> None:
            async with self.opened(tmp_path) as sql:
                store = SqlPendingSpans(sql)
                await store.keep(ONE, "ann", [spanned(2, parent="1" * 16), spanned(3)], 1_000)
                await store.keep(ONE, "bob", [spanned(1), spanned(2), spanned(1)], 2_000)
                await store.keep(TWO, "eve", [spanned(1, parent="9" * 16)], 3_000)
                await store.keep(ONE, "ann", [spanned(1, "b")], 4_000)
                found = sorted(await store.traces(), key=lambda trace: trace.last_at)
                assert found == [
                    PendingTrace(scope=ONE, trace_id="a" * 32, count=3, first_at=1_000, last_at=2_000, has_root=True),
                    PendingTrace(scope=TWO, trace_id="a" * 32, count=1, first_at=3_000, last_at=3_000, has_root=False),
                    PendingTrace(scope=ONE, trace_id="b" * 32, count=1, first_at=4_000, last_at=4_000, has_root=True),
                ]
                assert await store.spans(found[0], 10) == ("ann", [spanned(2, parent="1" * 16), spanned(3), spanned(1)])
                assert len((await store.spans(found[0], 2))[1]) == 2
                await store.done(found[0], [spanned(2).span_id, spanned(1).span_id])
                assert (await store.spans(found[0], 10))[1] == [spanned(3)]
                assert len((await store.spans(found[1], 10))[1]) == 1
                await store.done(found[0], [f"{number:016x}" for number in range(2_000)])
                assert len(await store.traces()) == 2

        run(main())

    def test_a_workflow_is_made_beside_one_of_another_kind(self, tmp_path: Path) -> None:
        async def main() -> None:
            async with self.opened(tmp_path) as sql:
                store, definitions = SqlPendingSpans(sql), SqlDefinitions(sql)
                await definitions.put(ONE, "shop", "Shop", "h1", b"{}")
                first = await store.workflow(ONE, "shop", "shop", "h2", b"{}")
                assert (first.slug, first.kind, first.number) == ("shop-traces", "trace", 1)
                assert await store.workflow(ONE, "shop", "shop", "h2", b"{}") == first
                assert (await store.workflow(TWO, "shop", "shop", "h2", b"{}")).slug == "shop"

        run(main())


class TestSqlitePendingSpans(PendingSpansContract):
    @asynccontextmanager
    async def opened(self, path: Path) -> AsyncIterator[Sql]:
        journal = SqliteBackend(path).make()
        async with opened(journal):
            yield SqliteSql(journal)


class TestPostgresPendingSpans(PendingSpansContract):
    @pytest.fixture(autouse=True)
    def _schema(self, postgres_url: DatabaseUrl) -> None:
        self._url = postgres_url

    @asynccontextmanager
    async def opened(self, path: Path) -> AsyncIterator[Sql]:
        sql = PostgresSql(self._url)
        try:
            yield sql
        finally:
            await sql.close()
