"""The kinds of journal that the suites run against."""

import sqlite3
from pathlib import Path

import asyncpg

from runwell.ports.journal import Journal
from runwell.storage.blobs import DirectoryBlobs
from runwell.storage.memory_journal import MemoryJournal
from runwell.storage.postgres_journal import PostgresJournal
from runwell.storage.postgres_url import DatabaseUrl
from runwell.storage.sqlite_journal import SqliteJournal


class MemoryBackend:
    persistent = False

    def make(self) -> Journal:
        return MemoryJournal()

    def fail_next(self, journal: Journal) -> None:
        assert isinstance(journal, MemoryJournal)
        journal.fail_next()


class SqliteBackend:
    """Fails as a disk does: out of the commit, once everything was written to the transaction."""

    persistent = True

    def __init__(self, path: Path, kind: type[SqliteJournal] = SqliteJournal, with_blobs: bool = True) -> None:
        self._path, self._kind, self._with_blobs = path, kind, with_blobs
        self._failures = 0

    def make(self) -> SqliteJournal:
        blobs = DirectoryBlobs(self._path / "blobs") if self._with_blobs else None
        return self._kind(self._path, blobs=blobs, probe=self._probe, checkpoint_bytes=100_000)

    def fail_next(self, journal: Journal) -> None:
        self._failures += 1

    def _probe(self, point: str) -> None:
        if point == "journal.before_commit" and self._failures:
            self._failures -= 1
            raise sqlite3.OperationalError("disk I/O error")


class PostgresBackend:
    """Fails as a server does: out of the transaction, once everything was written to it."""

    persistent = True

    def __init__(self, url: DatabaseUrl, path: Path, kind: type[PostgresJournal] = PostgresJournal, with_blobs: bool = True) -> None:
        self._url, self._path, self._kind, self._with_blobs = url, path, kind, with_blobs
        self._failures = 0

    def make(self) -> PostgresJournal:
        blobs = DirectoryBlobs(self._path / "blobs") if self._with_blobs else None
        return self._kind(self._url, blobs=blobs, probe=self._probe)

    def fail_next(self, journal: Journal) -> None:
        self._failures += 1

    def _probe(self, point: str) -> None:
        if point == "journal.before_commit" and self._failures:
            self._failures -= 1
            raise asyncpg.DiskFullError("could not extend file")
