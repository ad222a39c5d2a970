"""The SQLite file of a data directory: how it is opened, and its schema.

One connection writes and checkpoints, always the same; all others only read. SQLite before 3.51.3 can
corrupt a write-ahead log when two connections write or checkpoint at once, and the last connection to
close checkpoints, so the writing one is closed last. Those who only read may be other processes: a read-only
connection cannot checkpoint, not even as the last to close. It may rebuild the log's index, which is shared
memory and no part of what is kept.

Never open an existing database file by other means in this process: closing any descriptor of it would drop
SQLite's locks.
"""

import contextlib
import os
import sqlite3
from importlib import resources
from pathlib import Path
from typing import Final, Literal

from runwell.model.errors import JournalUnavailable

DATABASE_FILE: Final = "runwell.db"
SCHEMA_VERSION: Final = 4
BUSY_MS: Final = 5_000
"""How long to wait for a lock that only a foreign program can hold."""

Synchronous = Literal["FULL", "NORMAL"]
"""FULL: durable before it is acknowledged. NORMAL loses acknowledged events at a power cut; only tests want it."""


def open_writer(path: Path, synchronous: Synchronous) -> sqlite3.Connection:
    """Return the writing connection; the schema is there afterwards. Raises `sqlite3.Error`, `OSError`, `JournalUnavailable`."""
    _create(path)
    connection = _connect(f"{path.absolute().as_uri()}?mode=rw")
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA synchronous={synchronous}")
        connection.execute("PRAGMA cache_size=-32000")
        connection.execute("PRAGMA secure_delete=ON")  # what is deleted is overwritten
        _prepare(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _create(path: Path) -> None:
    """Make a missing file, for this user only: SQLite would let others read it. Its log and shared memory get the same rights."""
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))


def open_reader(path: Path) -> sqlite3.Connection:
    """Return a connection that can neither write nor checkpoint."""
    connection = _connect(f"{path.absolute().as_uri()}?mode=ro")
    connection.execute("PRAGMA query_only=1")
    return connection


def open_onlooker(path: Path) -> sqlite3.Connection:
    """Return a reader for somebody who does not own the data directory; an empty journal where nothing was kept yet.

    Raises `sqlite3.Error`, `OSError`, `JournalUnavailable`.
    """
    # SQLite must not touch a file of no bytes: its owner is about to turn it to WAL and needs it alone for that.
    if not path.exists() or path.stat().st_size == 0:
        return _empty()
    connection = open_reader(path)
    try:
        if _is_prepared(connection):
            return connection
    except BaseException:
        connection.close()
        raise
    connection.close()
    return _empty()


def _empty() -> sqlite3.Connection:
    connection = _connect("file::memory:")
    _prepare(connection)
    return connection


def _connect(uri: str) -> sqlite3.Connection:
    connection = sqlite3.connect(uri, uri=True, timeout=BUSY_MS / 1000, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA wal_autocheckpoint=0")
    return connection


_UPGRADES: Final = {
    1: """
        ALTER TABLE run ADD COLUMN cache_key BLOB;
        CREATE INDEX run_cache ON run (cache_key, rid) WHERE cache_key IS NOT NULL;
    """,
    2: "CREATE TABLE removal (id TEXT PRIMARY KEY) WITHOUT ROWID;",
    3: """
        CREATE TABLE step_result (cache_key BLOB PRIMARY KEY, rid INTEGER NOT NULL, seq INTEGER NOT NULL) WITHOUT ROWID;
        CREATE INDEX step_result_run ON step_result (rid);
    """,
}
"""What leads from a version of the schema to the next."""


def _prepare(connection: sqlite3.Connection) -> None:
    if _is_prepared(connection):
        for older in range(_version(connection), SCHEMA_VERSION):
            mark = f"UPDATE meta SET value = '{older + 1}' WHERE key = 'schema_version';"
            connection.executescript(f"BEGIN IMMEDIATE;\n{_UPGRADES[older]}\n{mark}\nCOMMIT;")
    else:
        schema = resources.files("runwell.storage").joinpath("schema.sql").read_text()
        version = f"INSERT INTO meta VALUES ('schema_version', '{SCHEMA_VERSION}'), ('failed_commits', '0');"
        connection.executescript(f"BEGIN IMMEDIATE;\n{schema}\n{version}\nCOMMIT;")


def _is_prepared(connection: sqlite3.Connection) -> bool:
    """Whether the schema is there, in this version or an older one. Raises `JournalUnavailable` for that of a newer Runwell."""
    if not connection.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'meta'").fetchone()[0]:
        return False
    if (version := _version(connection)) > SCHEMA_VERSION:
        raise JournalUnavailable(
            f"the journal has schema version {version}; this Runwell knows up to {SCHEMA_VERSION}",
            hint="a newer Runwell wrote it: upgrade",
        )
    return True


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT value FROM meta WHERE key = 'schema_version'").fetchone()[0])
