"""Every store of definitions keeps versions immutable, numbered and found by their hash."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.contract.backend import opened
from tests.contract.backends import SqliteBackend
from tests.contract.samples import run

from runwell.model.errors import InvalidInput, JournalUnavailable
from runwell.model.ids import new_id
from runwell.model.scope import Scope
from runwell.ports.journal import Definitions
from runwell.storage.memory_journal import MemoryDefinitions
from runwell.storage.postgres_sql import PostgresSql
from runwell.storage.postgres_url import DatabaseUrl
from runwell.storage.sql_definitions import SqlDefinitions
from runwell.storage.sqlite_sql import SqliteSql

ONE, TWO, OTHER_PROJECT = Scope("org_1", "prj_1"), Scope("org_2", "prj_2"), Scope("org_1", "prj_3")


class DefinitionsContract:
    @asynccontextmanager
    async def opened(self, path: Path) -> AsyncIterator[Definitions]:
        raise NotImplementedError
        yield

    def test_versions_are_numbered_by_slug(self, tmp_path: Path) -> None:
        async def main() -> None:
            async with self.opened(tmp_path) as definitions:
                first = await definitions.put(ONE, "triage", "Triage", "h1", b'{"a":1}')
                second = await definitions.put(ONE, "triage", "Triage 2", "h2", b'{"a":2}')
                assert (first.number, second.number) == (1, 2)
                assert first.workflow_id == second.workflow_id
                assert first.workflow_id.startswith("wf_")
                assert await definitions.get(ONE, "triage") == second
                assert await definitions.get(ONE, "triage", 1) == first
                assert await definitions.by_hash("h1") == b'{"a":1}'

        run(main())

    def test_the_same_document_is_the_same_version(self, tmp_path: Path) -> None:
        async def main() -> None:
            async with self.opened(tmp_path) as definitions:
                first = await definitions.put(ONE, "triage", "Triage", "h1", b"{}")
                second = await definitions.put(ONE, "triage", "Triage", "h2", b"[]")
                assert await definitions.put(ONE, "triage", "Triage", "h1", b"{}") == first
                assert await definitions.get(ONE, "triage") == second

        run(main())

    def test_slugs_and_organizations_are_apart(self, tmp_path: Path) -> None:
        async def main() -> None:
            async with self.opened(tmp_path) as definitions:
                owners = [(ONE, "a"), (ONE, "b"), (TWO, "a"), (OTHER_PROJECT, "a")]
                made = [await definitions.put(scope, slug, "Name", "h", b"{}") for scope, slug in owners]
                assert {version.number for version in made} == {1}
                assert len({version.workflow_id for version in made}) == 4
                assert await definitions.get(TWO, "b") is None

        run(main())

    def test_what_is_not_there(self, tmp_path: Path) -> None:
        async def main() -> None:
            async with self.opened(tmp_path) as definitions:
                assert await definitions.get(ONE, "triage") is None
                assert await definitions.by_hash("h") is None
                await definitions.put(ONE, "triage", "Triage", "h", b"{}")
                for number in (-1, 0, 2):
                    assert await definitions.get(ONE, "triage", number) is None

        run(main())

    def test_a_workflow_is_found_by_id_bare_id_and_slug_in_its_scope_only(self, tmp_path: Path) -> None:
        async def main() -> None:
            async with self.opened(tmp_path) as definitions:
                made = await definitions.put(ONE, "triage", "Triage", "h", b"{}")
                bare = made.workflow_id.removeprefix("wf_")
                lookalike = await definitions.put(ONE, bare, "Named as an id is", "h", b"{}")
                for text in ("triage", made.workflow_id, bare, bare.upper()):
                    assert await definitions.workflow_id_of(ONE, text) == made.workflow_id
                    for scope in (TWO, OTHER_PROJECT):
                        assert await definitions.workflow_id_of(scope, text) is None
                assert await definitions.workflow_id_of(ONE, lookalike.workflow_id) == lookalike.workflow_id
                for nothing in ("", "tria", "wf_", "wf_triage", "\x00", new_id("wf"), "'; --", "%"):
                    assert await definitions.workflow_id_of(ONE, nothing) is None

        run(main())

    def test_concurrent_publishing_makes_no_version_twice(self, tmp_path: Path) -> None:
        async def main() -> None:
            async with self.opened(tmp_path) as definitions:
                puts = [definitions.put(ONE, "triage", "Triage", f"h{n % 10}", b"{}") for n in range(50)]
                made = await asyncio.gather(*puts)
                assert sorted({version.number for version in made}) == list(range(1, 11))
                assert len({(version.number, version.hash) for version in made}) == 10

        run(main())

    def test_a_name_that_is_no_text_is_refused(self, tmp_path: Path) -> None:
        async def main() -> None:
            async with self.opened(tmp_path) as definitions:
                for name in ("\ud800", "a\x00b"):
                    with pytest.raises(InvalidInput):
                        await definitions.put(ONE, "triage", name, "h", b"{}")
                assert await definitions.get(ONE, "triage") is None

        run(main())


class TestMemoryDefinitions(DefinitionsContract):
    @asynccontextmanager
    async def opened(self, path: Path) -> AsyncIterator[Definitions]:
        yield MemoryDefinitions()


class TestSqlDefinitions(DefinitionsContract):
    @asynccontextmanager
    async def opened(self, path: Path) -> AsyncIterator[Definitions]:
        journal = SqliteBackend(path).make()
        async with opened(journal):
            yield SqlDefinitions(SqliteSql(journal))

    def test_versions_outlive_the_process(self, tmp_path: Path) -> None:
        async def main() -> None:
            async with self.opened(tmp_path) as definitions:
                first = await definitions.put(ONE, "triage", "Triage", "h", b"{}")
            async with self.opened(tmp_path) as definitions:
                assert await definitions.get(ONE, "triage") == first
                assert await definitions.by_hash("h") == b"{}"

        run(main())

    def test_a_failed_commit_publishes_nothing(self, tmp_path: Path) -> None:
        async def main() -> None:
            backend = SqliteBackend(tmp_path)
            journal = backend.make()
            async with opened(journal):
                definitions = SqlDefinitions(SqliteSql(journal))
                backend.fail_next(journal)
                with pytest.raises(JournalUnavailable):
                    await definitions.put(ONE, "triage", "Triage", "h", b"{}")
                assert await definitions.get(ONE, "triage") is None

        run(main())


class TestPostgresDefinitions(DefinitionsContract):
    @pytest.fixture(autouse=True)
    def _schema(self, postgres_url: DatabaseUrl) -> None:
        self._url = postgres_url

    @asynccontextmanager
    async def opened(self, path: Path) -> AsyncIterator[Definitions]:
        sql = PostgresSql(self._url)
        try:
            yield SqlDefinitions(sql)
        finally:
            await sql.close()

    def test_versions_outlive_the_process(self, tmp_path: Path) -> None:
        async def main() -> None:
            async with self.opened(tmp_path) as definitions:
                first = await definitions.put(ONE, "triage", "Triage", "h", b"{}")
            async with self.opened(tmp_path) as definitions:
                assert await definitions.get(ONE, "triage") == first
                assert await definitions.by_hash("h") == b"{}"

        run(main())

    def test_two_processes_publish_no_version_twice(self, tmp_path: Path) -> None:
        async def main() -> None:
            async with self.opened(tmp_path) as one, self.opened(tmp_path) as two:  # the tables are made only once, too
                puts = [side.put(ONE, "triage", "Triage", f"h{n % 25}", b"{}") for n in range(25) for side in (one, two)]
                made = await asyncio.gather(*puts)
                assert sorted({version.number for version in made}) == list(range(1, 26))
                assert len({(version.number, version.hash) for version in made}) == 25

        run(main())
