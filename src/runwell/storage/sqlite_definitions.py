"""Workflow versions in the journal's SQLite file."""

import sqlite3
from typing import Any

from runwell.model.ids import new_id
from runwell.ports.journal import Version
from runwell.storage.records import check_names
from runwell.storage.sqlite_journal import SqliteJournal
from runwell.storage.sqlite_reading import SqliteReading

_SELECT = "SELECT workflow_id, slug, name, number, hash FROM workflow JOIN version USING (workflow_id) WHERE org_id = ? AND slug = ?"


class SqliteDocuments:
    """`Documents` of a journal that is open, if only for reading."""

    def __init__(self, journal: SqliteReading) -> None:
        self._reading = journal

    async def by_hash(self, document_hash: str) -> bytes | None:
        def read(connection: sqlite3.Connection) -> bytes | None:
            found = connection.execute("SELECT body FROM document WHERE hash = ?", (document_hash,)).fetchall()
            return found[0][0] if found else None

        return await self._reading.query(read)


class SqliteDefinitions(SqliteDocuments):
    """`Definitions` beside an open journal, through its writer."""

    def __init__(self, journal: SqliteJournal) -> None:
        super().__init__(journal)
        self._journal = journal

    async def put(self, org_id: str, slug: str, name: str, document_hash: str, document: bytes) -> Version:
        check_names(org_id, slug, name, document_hash)
        return await self._journal.transact(lambda connection: _put(connection, org_id, slug, name, document_hash, document))

    async def get(self, org_id: str, slug: str, version: int | None = None) -> Version | None:
        if version is None:
            return await self._journal.query(lambda connection: _one(connection, "ORDER BY number DESC LIMIT 1", org_id, slug))
        return await self._journal.query(lambda connection: _one(connection, "AND number = ?", org_id, slug, version))


def _put(connection: sqlite3.Connection, org_id: str, slug: str, name: str, document_hash: str, document: bytes) -> Version:
    known = _one(connection, "AND hash = ?", org_id, slug, document_hash)
    if known is not None:
        return known
    newest = _one(connection, "ORDER BY number DESC LIMIT 1", org_id, slug)
    workflow_id = newest.workflow_id if newest else new_id("wf")
    number = newest.number + 1 if newest else 1
    if newest is None:
        connection.execute("INSERT INTO workflow (workflow_id, org_id, slug) VALUES (?, ?, ?)", (workflow_id, org_id, slug))
    connection.execute("INSERT OR IGNORE INTO document (hash, body) VALUES (?, ?)", (document_hash, document))
    connection.execute(
        "INSERT INTO version (workflow_id, number, name, hash) VALUES (?, ?, ?, ?)", (workflow_id, number, name, document_hash)
    )
    return Version(workflow_id=workflow_id, slug=slug, name=name, number=number, hash=document_hash)


def _one(connection: sqlite3.Connection, rest: str, *values: Any) -> Version | None:
    found = connection.execute(f"{_SELECT} {rest}", values).fetchall()
    if not found:
        return None
    workflow_id, slug, name, number, document_hash = found[0]
    return Version(workflow_id=workflow_id, slug=slug, name=name, number=number, hash=document_hash)
