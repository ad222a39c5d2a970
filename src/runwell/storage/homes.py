"""Where everything is kept: a data directory, or a PostgreSQL database beside one that keeps the large payloads only."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from runwell.ports.journal import Documents, Journal, JournalReader
from runwell.ports.probe import Probe, no_probe
from runwell.storage.blobs import DirectoryBlobs
from runwell.storage.memory_journal import MemoryDefinitions, MemoryJournal
from runwell.storage.postgres_url import DatabaseUrl
from runwell.storage.sqlite_documents import SqliteDocuments
from runwell.storage.sqlite_journal import SqliteJournal
from runwell.storage.sqlite_view import SqliteView

if TYPE_CHECKING:  # SQLAlchemy takes a quarter of a second to import, and whoever only looks does not need it
    from runwell.storage.sql import Sql


def home(data_dir: Path, url: DatabaseUrl | None, probe: Probe = no_probe) -> "tuple[Journal, Sql]":
    """Return the journal, not open yet, and the tables beside it, which are closed after it."""
    blobs = DirectoryBlobs(data_dir / "blobs")
    if url is None:
        from runwell.storage.sqlite_sql import SqliteSql

        journal = SqliteJournal(data_dir, blobs=blobs, probe=probe)
        return journal, SqliteSql(journal)
    from runwell.storage.postgres_journal import PostgresJournal
    from runwell.storage.postgres_sql import PostgresSql

    return PostgresJournal(url, blobs=blobs, probe=probe), PostgresSql(url)


@asynccontextmanager
async def view(data_dir: Path, url: DatabaseUrl | None) -> AsyncIterator[tuple[JournalReader, Documents]]:
    """Look at what is kept, whoever owns it; what does not exist is empty, and is not made."""
    blobs = DirectoryBlobs(data_dir / "blobs")
    if url is None:
        kept = SqliteView(data_dir, blobs=blobs)
        await kept.open()
        try:
            yield kept, SqliteDocuments(kept)
        finally:
            await kept.close()
        return
    from runwell.storage.postgres_reading import PostgresDocuments, PostgresView

    seen = PostgresView(url, blobs=blobs)
    try:
        if await seen.open():
            yield seen, PostgresDocuments(seen)
        else:
            yield MemoryJournal(), MemoryDefinitions()
    finally:
        await seen.close()
