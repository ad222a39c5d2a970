"""The documents of workflow versions, for a process that only looks into the data directory."""

import sqlite3

from runwell.storage.sqlite_reading import SqliteReading


class SqliteDocuments:
    """`Documents` of a journal that is open, if only for reading."""

    def __init__(self, journal: SqliteReading) -> None:
        self._journal = journal

    async def by_hash(self, document_hash: str) -> bytes | None:
        def read(connection: sqlite3.Connection) -> bytes | None:
            found = connection.execute("SELECT body FROM document WHERE hash = ?", (document_hash,)).fetchall()
            return found[0][0] if found else None

        return await self._journal.query(read)
