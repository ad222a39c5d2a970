"""The floor: a bare loop that appends one small row and commits, on SQLite in WAL mode with `synchronous=FULL`.

No durable engine on this disk can acknowledge one thing faster. Prints one JSON object.
"""

import sqlite3
import time

from benchmarks.measure import data_directory, percentiles, print_result

SECONDS = 3.0


def measure(seconds: float = SECONDS) -> dict[str, object]:
    with data_directory() as directory:
        database = sqlite3.connect(directory / "floor.sqlite", isolation_level=None)
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        database.execute("CREATE TABLE event (run BLOB, seq INTEGER, data TEXT, PRIMARY KEY (run, seq)) WITHOUT ROWID")
        times: list[float] = []
        began = time.perf_counter()
        while time.perf_counter() - began < seconds:
            start = time.perf_counter()
            database.execute("INSERT INTO event VALUES (?, ?, ?)", (b"0123456789abcdef", len(times), '{"type":"step_completed"}'))
            times.append((time.perf_counter() - start) * 1000)
        elapsed = time.perf_counter() - began
        database.close()
    return {
        "peer": "floor",
        "version": sqlite3.sqlite_version,
        "commits_per_s": round(len(times) / elapsed, 1),
        **percentiles(times),
        "settings": "SQLite WAL, synchronous=FULL, one row a commit",
    }


if __name__ == "__main__":
    print_result(measure())
