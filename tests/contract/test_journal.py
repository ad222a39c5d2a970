"""Every journal keeps the contract."""

from pathlib import Path

import pytest
from tests.contract.backend import Backend
from tests.contract.backends import MemoryBackend, SqliteBackend
from tests.contract.journal_contract import JournalContract


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
