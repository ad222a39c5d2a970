"""The same runs in SQLite with FTS5 and in DuckDB, asked the same questions: what the run store is measured against."""

import hashlib
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, Protocol

import duckdb
import msgspec
import pyarrow as pa

from runwell.model.canonical import canonical_json
from runwell.model.run_record import RunRecord
from runwell.model.scope import Scope
from runwell.search.flatten import flatten

WEEK_MS: Final = 7 * 86_400_000
MONTH_MS: Final = 30 * 86_400_000
HOUR_MS: Final = 3_600_000

_COLUMNS: Final = (
    "run_id",
    "org_id",
    "project_id",
    "workflow_id",
    "version_hash",
    "input_hash",
    "status",
    "created_at",
    "started_at",
    "duration_ms",
    "cost_nanos",
    "card",
    "input",
    "output",
    "text",
)
_NUMBERS: Final = frozenset({"created_at", "started_at", "duration_ms", "cost_nanos"})

Row = tuple[Any, ...]


class Peer(Protocol):
    """Answers with the ids of the newest 50, a number, or rows of a series."""

    name: str

    def make(self) -> None: ...
    def load(self, rows: Iterable[Row]) -> None: ...
    def finish(self) -> None: ...
    def page(self, scope: Scope, end: int) -> list[str]: ...
    def word(self, scope: Scope, word: str) -> list[str]: ...
    def field(self, scope: Scope) -> list[str]: ...
    def count(self, scope: Scope, end: int) -> int: ...
    def series(self, scope: Scope, end: int) -> int: ...
    def cached(self, scope: Scope, version_hash: str, input_hash: str) -> str | None: ...
    def size(self) -> int: ...


def row_of(record: RunRecord) -> Row:
    """Return what both peers keep of a run; the texts and their order are those of the run store."""
    given, made = msgspec.json.encode(record.input), msgspec.json.encode(record.output)
    card = {"workflow": record.workflow_slug, "version": record.version, "failed_step": record.failed_step, "trigger": record.trigger}
    return (
        record.run_id,
        record.org_id,
        record.project_id,
        record.workflow_id,
        record.version_hash,
        input_hash(record),
        record.status.value,
        record.created_at,
        record.started_at,
        record.duration_ms,
        record.usage.cost_nanos,
        msgspec.json.encode(card).decode(),
        given.decode(),
        made.decode(),
        flatten(record).text,
    )


def input_hash(record: RunRecord) -> str:
    return hashlib.sha256(canonical_json(record.input)).hexdigest()


class Sqlite:
    """One table with indices for lists, and an FTS5 index over the texts."""

    name = f"SQLite {sqlite3.sqlite_version} FTS5"

    def __init__(self, folder: Path) -> None:
        self._path = folder / "peer.sqlite"
        self._db = sqlite3.connect(self._path)
        self._db.executescript(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -200000; PRAGMA mmap_size = 4000000000;"
        )

    def make(self) -> None:
        columns = ", ".join(f"{name} {'INTEGER' if name in _NUMBERS else 'TEXT'}" for name in _COLUMNS)
        self._db.executescript(
            f"""
            CREATE TABLE runs ({columns});
            CREATE VIRTUAL TABLE words USING fts5(text, content='runs', content_rowid='rowid');
            """
        )

    def load(self, rows: Iterable[Row]) -> None:
        held = list(rows)
        last = self._db.execute("SELECT coalesce(max(rowid), 0) FROM runs").fetchone()[0]
        with self._db:
            self._db.executemany(f"INSERT INTO runs VALUES ({', '.join('?' * len(_COLUMNS))})", held)
            self._db.executemany(
                "INSERT INTO words (rowid, text) VALUES (?, ?)", [(last + place, row[-1]) for place, row in enumerate(held, 1)]
            )

    def finish(self) -> None:
        self._db.executescript(
            """
            CREATE INDEX listed ON runs (org_id, project_id, created_at);
            CREATE INDEX by_status ON runs (org_id, project_id, status, created_at);
            CREATE INDEX reusable ON runs (org_id, version_hash, input_hash) WHERE status = 'succeeded';
            PRAGMA wal_checkpoint(TRUNCATE); ANALYZE;
            """
        )

    def page(self, scope: Scope, end: int) -> list[str]:
        return self._ids("status = 'failed' AND created_at > ?", scope, end - WEEK_MS)

    def word(self, scope: Scope, word: str) -> list[str]:
        return self._ids("rowid IN (SELECT rowid FROM words WHERE words MATCH ?)", scope, f'"{word}"')

    def field(self, scope: Scope) -> list[str]:
        return self._ids("json_extract(output, '$.sentiment') = ?", scope, "negative")

    def count(self, scope: Scope, end: int) -> int:
        asked = "SELECT count(*) FROM runs WHERE org_id = ? AND project_id = ? AND status = 'failed' AND created_at > ?"
        return int(self._db.execute(asked, (scope.org_id, scope.project_id, end - WEEK_MS)).fetchone()[0])

    def series(self, scope: Scope, end: int) -> int:
        asked = f"""SELECT created_at / {HOUR_MS}, workflow_id, count(*), sum(status = 'succeeded'), sum(cost_nanos) FROM runs
            WHERE org_id = ? AND project_id = ? AND created_at > ? GROUP BY 1, 2"""
        return len(self._db.execute(asked, (scope.org_id, scope.project_id, end - MONTH_MS)).fetchall())

    def cached(self, scope: Scope, version_hash: str, input_hash: str) -> str | None:
        asked = "SELECT run_id FROM runs WHERE org_id = ? AND version_hash = ? AND input_hash = ? AND status = 'succeeded' LIMIT 1"
        found = self._db.execute(asked, (scope.org_id, version_hash, input_hash)).fetchone()
        return None if found is None else str(found[0])

    def size(self) -> int:
        return self._path.stat().st_size

    def _ids(self, condition: str, scope: Scope, value: Any) -> list[str]:
        asked = f"SELECT run_id, card FROM runs WHERE org_id = ? AND project_id = ? AND {condition} ORDER BY created_at DESC LIMIT 50"
        return [row[0] for row in self._db.execute(asked, (scope.org_id, scope.project_id, value))]


class DuckDb:
    """One table in the order of its rows' creation; words are looked for by scanning."""

    name = f"DuckDB {duckdb.__version__}"

    def __init__(self, folder: Path) -> None:
        self._path = folder / "peer.duckdb"
        self._db = duckdb.connect(str(self._path), config={"threads": 1, "memory_limit": "4GB"})

    def make(self) -> None:
        columns = ", ".join(f"{name} {'BIGINT' if name in _NUMBERS else 'VARCHAR'}" for name in _COLUMNS)
        self._db.execute(f"CREATE TABLE runs ({columns})")

    def load(self, rows: Iterable[Row]) -> None:
        batch = pa.table(dict(zip(_COLUMNS, map(list, zip(*rows, strict=True)), strict=True)))
        self._db.register("batch", batch)
        self._db.execute("INSERT INTO runs SELECT * FROM batch")
        self._db.unregister("batch")

    def finish(self) -> None:
        self._db.execute("CHECKPOINT")

    def page(self, scope: Scope, end: int) -> list[str]:
        return self._ids("status = 'failed' AND created_at > ?", scope, end - WEEK_MS)

    def word(self, scope: Scope, word: str) -> list[str]:
        return self._ids("regexp_matches(text, ?)", scope, rf"\b{word}\b")

    def field(self, scope: Scope) -> list[str]:
        return self._ids("json_extract_string(output, '$.sentiment') = ?", scope, "negative")

    def count(self, scope: Scope, end: int) -> int:
        asked = "SELECT count(*) FROM runs WHERE org_id = ? AND project_id = ? AND status = 'failed' AND created_at > ?"
        return int(self._all(asked, scope, end - WEEK_MS)[0][0])

    def series(self, scope: Scope, end: int) -> int:
        asked = f"""SELECT created_at // {HOUR_MS}, workflow_id, count(*), count_if(status = 'succeeded'), sum(cost_nanos) FROM runs
            WHERE org_id = ? AND project_id = ? AND created_at > ? GROUP BY 1, 2"""
        return len(self._all(asked, scope, end - MONTH_MS))

    def cached(self, scope: Scope, version_hash: str, input_hash: str) -> str | None:
        asked = """SELECT run_id FROM runs WHERE org_id = ? AND project_id = ? AND version_hash = ? AND input_hash = ?
            AND status = 'succeeded' LIMIT 1"""
        found = self._all(asked, scope, version_hash, input_hash)
        return str(found[0][0]) if found else None

    def size(self) -> int:
        return self._path.stat().st_size

    def _ids(self, condition: str, scope: Scope, value: Any) -> list[str]:
        asked = f"SELECT run_id, card FROM runs WHERE org_id = ? AND project_id = ? AND {condition} ORDER BY created_at DESC LIMIT 50"
        return [row[0] for row in self._all(asked, scope, value)]

    def _all(self, asked: str, scope: Scope, *values: Any) -> list[Any]:
        return self._db.execute(asked, [scope.org_id, scope.project_id, *values]).fetchall()
