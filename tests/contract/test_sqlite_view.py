"""Looking into a data directory that somebody else owns, or nobody: nothing of it changes."""

import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
from tests.contract.backend import opened
from tests.contract.samples import asks, events, logs, new_run, row, run, seqs

from runwell.model.errors import JournalUnavailable, NotFound
from runwell.model.scope import DEFAULT_SCOPE
from runwell.model.statuses import RunStatus
from runwell.storage.blobs import DirectoryBlobs
from runwell.storage.payloads import RECORD_LIMIT
from runwell.storage.sql_definitions import SqlDefinitions
from runwell.storage.sqlite_documents import SqliteDocuments
from runwell.storage.sqlite_journal import SqliteJournal
from runwell.storage.sqlite_sql import SqliteSql
from runwell.storage.sqlite_view import SqliteView


def journal_at(path: Path) -> SqliteJournal:
    return SqliteJournal(path, blobs=DirectoryBlobs(path / "blobs"))


@asynccontextmanager
async def view_of(path: Path) -> AsyncIterator[SqliteView]:
    view = SqliteView(path, blobs=DirectoryBlobs(path / "blobs"))
    await view.open()
    try:
        yield view
    finally:
        await view.close()
        await view.close()


async def is_empty(path: Path) -> bool:
    async with view_of(path) as view:
        found = [await view.rows(), await view.live(), await view.find("run_"), await view.pending_tasks(), await view.read(new_run())]
        with pytest.raises(NotFound):
            await view.rows(before=new_run())
    return not any(found)


def test_where_nothing_was_kept_all_is_empty(tmp_path: Path) -> None:
    assert run(is_empty(tmp_path / "missing"))
    assert not (tmp_path / "missing").exists()
    (tmp_path / "runwell.db").touch()  # as its owner makes it
    assert run(is_empty(tmp_path))
    with closing(sqlite3.connect(tmp_path / "runwell.db")) as owner:
        owner.execute("PRAGMA journal_mode=WAL")  # what follows is the schema
        assert run(is_empty(tmp_path))


def test_it_follows_the_owner(tmp_path: Path) -> None:
    async def main() -> None:
        run_id = new_run()
        large = "x" * RECORD_LIMIT
        async with opened(journal_at(tmp_path)) as journal, view_of(tmp_path) as view:
            assert await view.rows() == []
            await journal.append(0, logs(run_id, 1, 2, large), row(run_id, 2))
            assert [await view.row(run_id)] == await view.live() == [row(run_id, 2)]
            assert await view.read(run_id) == await journal.read(run_id)
            await journal.append(2, events(run_id, 3, asks("task_1"), step="a"), row(run_id, 3))
            assert (await view.pending_tasks(), await view.find(run_id[:9])) == (await journal.pending_tasks(), [run_id])
            await SqlDefinitions(SqliteSql(journal)).put(DEFAULT_SCOPE, "slug", "name", "hash", b"{}")
            assert await SqliteDocuments(view).by_hash("hash") == b"{}"

    run(main())


def test_owners_come_and_go_while_somebody_looks(tmp_path: Path) -> None:
    async def main() -> None:
        first, second = new_run(), new_run()
        async with opened(journal_at(tmp_path)) as journal:
            await journal.append(0, logs(first, 1, 1), row(first, 1, RunStatus.SUCCEEDED))
        async with view_of(tmp_path) as view:
            async with opened(journal_at(tmp_path)) as journal:
                await journal.append(0, logs(second, 1, 1), row(second, 1, RunStatus.SUCCEEDED))
            assert [found.run_id for found in await view.rows()] == [second, first]
        async with opened(journal_at(tmp_path)) as journal:
            assert len(await journal.rows()) == 2

    run(main())


OWNER = """
import asyncio, os, pathlib, sys
from tests.contract.samples import logs, row
from runwell.storage.sqlite_journal import SqliteJournal

async def main():
    journal = SqliteJournal(pathlib.Path(sys.argv[1]), blobs=None)
    await journal.open()
    await journal.append(0, logs(sys.argv[2], 1, 3), row(sys.argv[2], 3))
    os._exit(0)

asyncio.run(main())
"""


def test_what_a_dead_owner_left_is_read_and_stays(tmp_path: Path) -> None:
    run_id = new_run()
    subprocess.run([sys.executable, "-c", OWNER, str(tmp_path), run_id], cwd=Path(__file__).parents[2], check=True, timeout=60)
    files = [tmp_path / "runwell.db", tmp_path / "runwell.db-wal"]
    left = [file.read_bytes() for file in files]
    assert left[1]

    async def main() -> None:
        async with view_of(tmp_path) as view:
            assert seqs(await view.read(run_id)) == [1, 2, 3]
        assert [file.read_bytes() for file in files] == left
        async with opened(journal_at(tmp_path)) as journal:
            assert seqs(await journal.read(run_id)) == [1, 2, 3]

    run(main())


def test_it_cannot_write(tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(journal_at(tmp_path)):
            pass
        async with view_of(tmp_path) as view:
            with pytest.raises(JournalUnavailable, match="readonly"):
                await view.query(lambda connection: connection.execute("DELETE FROM event"))
        with pytest.raises(JournalUnavailable, match="not open"):
            await view.rows()

    run(main())


def test_what_is_no_journal_is_refused(tmp_path: Path) -> None:
    def refused(path: Path) -> str:
        with pytest.raises(JournalUnavailable) as caught:
            run(is_empty(path))
        return str(caught.value)

    (tmp_path / "runwell.db").write_bytes(b"not a database, but long enough to be taken for one" * 100)
    assert "not a database" in refused(tmp_path)
    assert "is a file" in refused(tmp_path / "runwell.db" / "below")
    (tmp_path / "runwell.db").unlink()
    with closing(sqlite3.connect(tmp_path / "runwell.db")) as connection:
        connection.executescript("CREATE TABLE meta (key, value); INSERT INTO meta VALUES ('schema_version', '99')")
    assert "schema version 99" in refused(tmp_path)
