"""Where the tables are: in a directory that this process owns, or on a server."""

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import structlog

from runwell.runstore.bounds import Bounds
from runwell.runstore.engine import import_engine
from runwell.runstore.failures import is_the_stores, reason
from runwell.runstore.schema import broken_parts, make_database, make_tables
from runwell.runstore.url import DATABASE, RunStoreUrl

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client  # imported when the store is opened, in a thread


_log = structlog.get_logger("runwell.runstore")

_IN_USE: Final = ("Cannot lock file", "different path", "Permission denied", "No space left", "Read-only file system", "Cannot allocate")
"""Why a directory cannot be opened that may well be sound."""


class Directory:
    """ClickHouse in this process. Damaged data are put aside, and built anew from the journal."""

    def __init__(self, path: Path, bounds: Bounds) -> None:
        self._path, self._bounds = path, bounds

    def __str__(self) -> str:
        return str(self._path)

    def prepare(self) -> None:
        """Make ready for `connect`. Works in a thread; takes long."""
        import_engine()
        try:
            self._try()
        except Exception as exc:
            if not is_the_stores(exc) or any(words in str(exc) for words in _IN_USE) or not self._path.exists():
                raise
            self.put_aside(reason(exc))
            self._try()

    def connect(self) -> "Client":
        return self._client(DATABASE)

    def put_aside(self, why: str) -> None:
        """Rename the directory. No connection may be open."""
        self.forget_what_was_put_aside()
        if not self._path.exists():
            _log.error("the run store's directory is gone; it is built anew from the journal", directory=str(self._path))
            return
        aside = self._path.with_name(f"{self._path.name}.broken-{datetime.now(UTC):%Y%m%dT%H%M%S}")
        self._path.rename(aside)
        _log.error(
            "the run store is damaged and is built anew from the journal", directory=str(self._path), put_aside=str(aside), reason=why
        )

    def forget_what_was_put_aside(self) -> None:
        """Delete what was put aside: of what must be gone, nothing may be left there either."""
        for aside in self._path.parent.glob(f"{self._path.name}.broken-*"):
            shutil.rmtree(aside, ignore_errors=True) if aside.is_dir() else aside.unlink(missing_ok=True)

    def _try(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        client = self._client(None)
        try:
            make_database(client, DATABASE)
            client.database = DATABASE
            broken = broken_parts(client)
            if not broken:
                make_tables(client)
        finally:
            client.close()
        if broken:
            self.put_aside(f"parts cannot be read: {', '.join(broken[:5])}")
            self._try()

    def _client(self, database: str | None) -> "Client":
        import clickhouse_connect  # noqa: PLC0415 - slow

        return clickhouse_connect.get_client(
            interface="chdb",
            path=str(self._path),
            database=database,
            chdb_options=self._bounds.of_engine(),
            settings=self._bounds.of_query() | _QUIET,
        )


class Server:
    """ClickHouse on a server. What is damaged there is its administrator's."""

    def __init__(self, url: RunStoreUrl, bounds: Bounds) -> None:
        self._url, self._bounds = url, bounds

    def __str__(self) -> str:
        return str(self._url)

    def prepare(self) -> None:
        client = self._client(None)
        try:
            make_database(client, self._url.database)
            client.database = self._url.database
            make_tables(client)
        finally:
            client.close()

    def connect(self) -> "Client":
        return self._client(self._url.database)

    def put_aside(self, why: str) -> None:
        _log.error("the run store's server says that data are damaged", server=str(self._url), reason=why)

    def forget_what_was_put_aside(self) -> None:
        pass

    def _client(self, database: str | None) -> "Client":
        import clickhouse_connect  # noqa: PLC0415 - slow

        return clickhouse_connect.get_client(
            host=self._url.host,
            port=self._url.port,
            username=self._url.user,
            password=self._url.password,
            database=database,
            interface="https" if self._url.is_tls else "http",
            connect_timeout=5,
            send_receive_timeout=self._bounds.query_s + 20,
            autogenerate_session_id=False,
            form_encode_query_params=True,
            settings=self._bounds.of_query(),
        )


_QUIET: Final = {"query_profiler_real_time_period_ns": 0, "query_profiler_cpu_time_period_ns": 0}

Target = Directory | Server
