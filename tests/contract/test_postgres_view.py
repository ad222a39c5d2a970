"""Looking into a database that somebody else owns, or nobody: nothing of it changes."""

from pathlib import Path

import pytest
from tests.contract.backend import opened
from tests.contract.samples import asks, event, logs, new_run, row, run
from tests.postgres import PostgresServer, query

from runwell.model.errors import JournalUnavailable
from runwell.model.scope import DEFAULT_SCOPE
from runwell.storage.homes import home, view
from runwell.storage.postgres_url import DatabaseUrl
from runwell.storage.sql_definitions import SqlDefinitions

TABLES = "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()"


def test_where_nothing_was_kept_all_is_empty_and_stays_so(postgres_url: DatabaseUrl, tmp_path: Path) -> None:
    async def main() -> None:
        async with view(tmp_path, postgres_url) as (journal, documents):
            assert [await journal.rows(), await journal.live(), await journal.find("run_"), await journal.pending_tasks()] == [[]] * 4
            assert await documents.by_hash("h") is None
        assert await query(postgres_url, TABLES) == [(0,)]

    run(main())
    assert list(tmp_path.iterdir()) == []


def test_it_follows_the_owner(postgres_url: DatabaseUrl, tmp_path: Path) -> None:
    async def main() -> None:
        journal, sql = home(tmp_path, postgres_url)
        async with opened(journal):
            await SqlDefinitions(sql).put(DEFAULT_SCOPE, "triage", "Triage", "h", b"{}")
            run_id = new_run()
            await journal.append(0, [event(run_id, 1, asks("task_1"), step="s")], row(run_id, 1))
            async with view(tmp_path, postgres_url) as (seen, documents):
                assert [task.id for task in await seen.pending_tasks()] == ["task_1"]
                await journal.append(1, logs(run_id, 2, 1, "x" * 70_000), row(run_id, 2))
                assert await seen.read(run_id, after=1) == logs(run_id, 2, 1, "x" * 70_000)  # its payload is in the data directory
                assert await seen.row(run_id) == row(run_id, 2)
                assert await documents.by_hash("h") == b"{}"
        await sql.close()

    run(main())


def test_a_server_that_is_away(postgres: PostgresServer, postgres_url: DatabaseUrl, tmp_path: Path) -> None:
    async def look() -> None:
        async with view(tmp_path, postgres_url):
            pass

    postgres.stop()
    try:
        with pytest.raises(JournalUnavailable, match="PostgreSQL at"):
            run(look())
    finally:
        postgres.start()
