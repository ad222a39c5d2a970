"""The run store in this process, on a server and in memory."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from tests.clickhouse_server import PASSWORD, USER, ClickHouseServer
from tests.contract.run_store_contract import Opened, RunStoreContract, opening
from tests.contract.run_store_fields import RunStoreFieldsContract

from runwell.runstore.store import open_run_store
from runwell.runstore.url import RunStoreUrl
from runwell.testing.memory_run_store import MemoryRunStore


class TestInThisProcess(RunStoreContract, RunStoreFieldsContract):
    @pytest.fixture
    def opened(self, tmp_path: Path) -> Opened:
        return lambda: opening(open_run_store(tmp_path / "runs"))


class TestOnAServer(RunStoreContract, RunStoreFieldsContract):
    @pytest.fixture
    def opened(self, tmp_path: Path) -> Iterator[Opened]:
        server = ClickHouseServer(tmp_path / "server")
        url = RunStoreUrl(f"clickhouse://{USER}:{quote(PASSWORD, safe='')}@{server.address}/kept_runs")
        yield lambda: opening(open_run_store(tmp_path, url))
        server.close()


class TestInMemory(RunStoreContract, RunStoreFieldsContract):
    @pytest.fixture
    def opened(self) -> Opened:
        store = MemoryRunStore()
        return lambda: opening(store)
