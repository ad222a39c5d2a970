"""What tests of several kinds need."""

import os
from collections.abc import Iterator

import pytest
from tests.postgres import PostgresServer, binaries, running_server

from runwell.storage.postgres_url import DatabaseUrl


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server, shared by all tests. Without its programs they are skipped, but fail in CI."""
    if binaries() is None and os.environ.get("CI") != "true":
        pytest.skip("PostgreSQL's server is not installed")
    with running_server() as server:
        yield server


@pytest.fixture
def postgres_url(postgres: PostgresServer) -> DatabaseUrl:
    """An empty schema in PostgreSQL."""
    return postgres.new_schema()
