"""Every journal keeps the contract."""

from pathlib import Path

import pytest
from tests.contract.backend import Backend
from tests.contract.backends import MemoryBackend, PostgresBackend, SqliteBackend
from tests.contract.journal_contract import JournalContract

from runwell.storage.postgres_url import DatabaseUrl


class TestMemoryJournal(JournalContract):
    @pytest.fixture
    def backend(self) -> Backend:
        return MemoryBackend()


class TestSqliteJournal(JournalContract):
    @pytest.fixture
    def backend(self, tmp_path: Path) -> Backend:
        return SqliteBackend(tmp_path / "data")


class TestSqliteJournalWithoutBlobs(JournalContract):
    @pytest.fixture
    def backend(self, tmp_path: Path) -> Backend:
        return SqliteBackend(tmp_path / "data", with_blobs=False)


class TestPostgresJournal(JournalContract):
    @pytest.fixture
    def backend(self, postgres_url: DatabaseUrl, tmp_path: Path) -> Backend:
        return PostgresBackend(postgres_url, tmp_path)


class TestPostgresJournalWithoutBlobs(JournalContract):
    @pytest.fixture
    def backend(self, postgres_url: DatabaseUrl, tmp_path: Path) -> Backend:
        return PostgresBackend(postgres_url, tmp_path, with_blobs=False)
