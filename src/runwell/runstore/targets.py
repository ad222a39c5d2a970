"""Where the tables are: in a directory that this process owns, or on a server."""

import fcntl
import os
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import structlog

from runwell.runstore.bounds import Bounds
from runwell.runstore.engine import handlers_kept, import_engine
from runwell.runstore.failures import InUse, cannot_start, is_broken, reason
from runwell.runstore.schema import UNBOUNDED, broken_parts, make_database, make_tables
from runwell.runstore.url import DATABASE, RunStoreUrl

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client  # imported when the store is opened, in a thread


_log = structlog.get_logger("runwell.runstore")

_ROOM_MB: Final = 64
"""An engine that does not start where less is free may well have found a sound directory."""


class Directory:
    """ClickHouse in this process. Damaged data are put aside, and built anew from the journal."""

    def __init__(self, path: Path, bounds: Bounds) -> None:
        self._path, self._bounds = path, bounds

    def __str__(self) -> str:
        return str(self._path)

    def is_new(self) -> bool:
        """Whether there is nothing yet."""
        return not self._path.exists()

    def prepare(self) -> None:
        """Make ready for `connect`. Works in a thread; takes long."""
        import_engine()
        self._check_owner()
        try:
            self._try()
        except Exception as exc:
            if not (is_broken(exc) or (cannot_start(exc) and self._is_usable(str(exc)))):
                raise
            self.put_aside(reason(exc))
            self._try()

    def connect(self) -> "Client":
        return self._client(DATABASE, self._bounds.of_query())

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

    def _check_owner(self) -> None:
        """Raise `InUse` when another process has it open: the engine says so on the standard error only."""
        status = self._path / "status"
        if status.is_file():
            with status.open("rb") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError as exc:
                    raise InUse(f"another process uses {self._path}") from exc

    def _is_usable(self, why: str) -> bool:
        """Whether the engine would have started there, had it found nothing."""
        above = self._path.parent
        if "different path" in why or "already" in why or not os.access(self._path, os.W_OK) or not os.access(above, os.W_OK):
            return False
        return shutil.disk_usage(above).free > _ROOM_MB << 20

    def _try(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        client = self._client(None, self._bounds.of_query() | UNBOUNDED)
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

    def _client(self, database: str | None, settings: dict[str, Any]) -> "Client":
        import clickhouse_connect  # noqa: PLC0415 - slow

        with handlers_kept():
            return clickhouse_connect.get_client(
                interface="chdb",
                path=str(self._path),
                database=database,
                chdb_options=self._bounds.of_engine(),
                settings=settings | _QUIET,
            )


class Server:
    """ClickHouse on a server. What is damaged there is its administrator's."""

    def __init__(self, url: RunStoreUrl, bounds: Bounds) -> None:
        self._url, self._bounds = url, bounds

    def __str__(self) -> str:
        return str(self._url)

    def is_new(self) -> bool:
        return False

    def prepare(self) -> None:
        client = self._client(None, self._bounds.of_query() | UNBOUNDED)
        try:
            make_database(client, self._url.database)
            client.database = self._url.database
            make_tables(client)
        finally:
            client.close()

    def connect(self) -> "Client":
        return self._client(self._url.database, self._bounds.of_query())

    def put_aside(self, why: str) -> None:
        _log.error("the run store's server says that data are damaged", server=str(self._url), reason=why)

    def forget_what_was_put_aside(self) -> None:
        pass

    def _client(self, database: str | None, settings: dict[str, Any]) -> "Client":
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
            settings=settings,
        )


_QUIET: Final = {"query_profiler_real_time_period_ns": 0, "query_profiler_cpu_time_period_ns": 0}

Target = Directory | Server
