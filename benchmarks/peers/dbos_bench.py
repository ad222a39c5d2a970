"""DBOS with its system database on SQLite: the same workload as Runwell's. Runs in its own environment, prints one JSON object.

Threads and tasks are tried, on WAL, which one can set on the file beforehand, and threads also on
the journal mode that DBOS leaves SQLite in (DELETE); the best counts for each measure. SQLite's
default for `synchronous`, FULL, is left in place.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.measure import alone, alone_async, best_of, data_directory, in_tasks, in_threads, median_ms, median_ms_async, print_result
from dbos import DBOS

LEVELS = (1, 4, 16)


@DBOS.step()
def step(number: int) -> int:
    return number


@DBOS.step()
async def async_step(number: int) -> int:
    return number


@DBOS.workflow()
def chain(length: int) -> int:
    return sum(step(number) for number in range(length))


@DBOS.workflow()
async def async_chain(length: int) -> int:
    total = 0
    for number in range(length):
        total += await async_step(number)
    return total


@DBOS.workflow()
async def fan(width: int) -> int:
    return sum(await asyncio.gather(*(async_step(number) for number in range(width))))


@contextmanager
def launched(file: Path, mode: str) -> Iterator[None]:
    """DBOS on an empty database in this journal mode."""
    database = sqlite3.connect(file)
    database.execute(f"PRAGMA journal_mode = {mode}")
    database.close()
    DBOS(config={"name": "bench", "system_database_url": f"sqlite:///{file}", "log_level": "ERROR"})
    DBOS.launch()
    try:
        yield
    finally:
        DBOS.destroy()


def run() -> None:
    chain(3)


async def run_async() -> None:
    await async_chain(3)


def threads() -> dict[str, Any]:
    return {**alone(run), **in_threads(run, LEVELS), "chain100_ms": median_ms(lambda: chain(100))}


async def tasks() -> dict[str, Any]:
    return {
        **await alone_async(run_async),
        **await in_tasks(run_async, LEVELS),
        "chain100_ms": await median_ms_async(lambda: async_chain(100)),
        "fan100_ms": await median_ms_async(lambda: fan(100)),
    }


def main() -> None:
    logging.disable(logging.WARNING)
    sides: list[dict[str, Any]] = []
    with data_directory() as directory:
        with launched(directory / "threads.sqlite", "WAL"):
            sides.append({**threads(), "settings": "threads, WAL"})
        with launched(directory / "tasks.sqlite", "WAL"):
            sides.append({**asyncio.run(tasks()), "settings": "tasks, WAL"})
        with launched(directory / "delete.sqlite", "DELETE"):
            sides.append({**in_threads(run, (1, 4)), "settings": "threads, DELETE"})
    best = best_of(sides)
    best["settings"] += "; synchronous=FULL"
    print_result({"peer": "DBOS", "version": version("dbos"), **best})


if __name__ == "__main__":
    main()
