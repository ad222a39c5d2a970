"""The run store at a million runs: lists, search, series, counts, cache look-ups, ingest; SQLite with FTS5 and DuckDB beside it.

python -m benchmarks.runstore [--runs 1000000] [--ten-times] [--no-peers] [--data DIRECTORY]
"""

import argparse
import asyncio
import resource
import sqlite3
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, nullcontext
from itertools import islice
from pathlib import Path
from typing import Any, Final

import msgspec
from benchmarks.machine import describe
from benchmarks.measure import data_directory
from benchmarks.peers_of_store import DuckDb, Peer, Sqlite, input_hash, row_of
from benchmarks.run_generator import END, RunGenerator, scope_of
from rich.console import Console
from rich.table import Table

from runwell.model.run import RunRow
from runwell.model.run_query import Query
from runwell.model.run_record import RunRecord
from runwell.ports.analytics import FiguresAsked
from runwell.ports.run_store import Place, RunsAsked
from runwell.runstore.store import ClickHouseRunStore, open_run_store
from runwell.search.parser import parse
from runwell.storage.records import cache_key_of
from runwell.storage.sqlite_journal import SqliteJournal

BATCH: Final = 2_000
REPEATS: Final = 40
HOUR_MS: Final = 3_600_000
MONTH_HOURS: Final = 30 * 24
TENANT: Final = scope_of(0)
"""The largest one: about a quarter of all runs."""

LIMITS: Final = {
    "list page, p95 ms": 20.0,
    "any word, p95 ms": 100.0,
    "hourly series of 30 days, p95 ms": 60.0,
    "cache look-up, p95 ms": 1.0,
    "ingest, rows/s of a core": 5_000.0,
}

Figures = dict[str, float | None]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=int, default=1_000_000)
    parser.add_argument("--ten-times", action="store_true", help="at ten times as many runs, too: how each grows")
    parser.add_argument("--no-peers", action="store_true", help="the run store alone")
    parser.add_argument("--data", type=Path, help="keep what is loaded there; loaded once, it is only asked the next time")
    asked = parser.parse_args()
    console = Console(width=None if Console().is_terminal else 140)
    sizes = [asked.runs, asked.runs * 10] if asked.ten_times else [asked.runs]
    for runs in sizes:
        with nullcontext(asked.data / str(runs)) if asked.data else data_directory() as folder:
            folder.mkdir(parents=True, exist_ok=True)
            console.print(describe(folder))
            console.print(_table(runs, asyncio.run(measure(folder, runs, with_peers=not asked.no_peers))))


class Loaded(msgspec.Struct):
    """What was measured while the runs were loaded, and some of them."""

    sides: dict[str, Figures]
    sample: list[RunRecord]


async def measure(folder: Path, runs: int, *, with_peers: bool) -> dict[str, Figures]:
    """Return what was measured, by side."""
    store = open_run_store(folder / "runstore")
    generator = RunGenerator(runs)
    peers: list[Peer] = [Sqlite(folder), DuckDb(folder)] if with_peers else []
    journal = JournalRows(folder)
    await store.open()
    kept = folder / "loaded.json"
    if not kept.exists():
        if (folder / "journal").exists():
            raise SystemExit(f"{folder} was loaded only in part; remove it")
        kept.write_bytes(msgspec.json.encode(await _load(folder, runs, store, generator, journal, peers)))
    loaded = msgspec.json.decode(kept.read_bytes(), type=Loaded)
    sides, words = loaded.sides, _words(generator)
    asked: dict[str, Figures] = {"run store": await _ask_store(store, words, loaded.sample) | await journal.ask(loaded.sample)}
    for peer in peers:
        asked[peer.name] = await _ask_peer(peer, words, loaded.sample)
    asked["run store"]["memory of asking, MB"] = _memory_mb()
    await store.close()
    return {name: figures | sides[name] for name, figures in asked.items()}


async def _load(
    folder: Path, runs: int, store: ClickHouseRunStore, generator: RunGenerator, journal: "JournalRows", peers: list[Peer]
) -> Loaded:
    for peer in peers:
        peer.make()
    await journal.make()
    spent = dict.fromkeys(("run store", *(peer.name for peer in peers)), 0.0)
    sides: dict[str, Figures] = {name: {} for name in spent}
    cores = 0.0
    records = iter(generator)
    sample: list[RunRecord] = []
    number = 0
    while batch := list(islice(records, BATCH)):
        number += len(batch)
        began, cpu = time.perf_counter(), time.process_time()
        await store.keep(batch, number)
        spent["run store"] += time.perf_counter() - began
        cores += time.process_time() - cpu
        journal.add(batch)
        sample += [record for record in batch if record.scope == TENANT][:1]
        rows = [row_of(record) for record in batch] if peers else []
        for peer in peers:
            began = time.perf_counter()
            peer.load(rows)
            spent[peer.name] += time.perf_counter() - began
    for peer in peers:
        began = time.perf_counter()
        peer.finish()
        spent[peer.name] += time.perf_counter() - began
    sides["run store"] = {
        "ingest, rows/s of a core": runs / cores,
        "ingest, rows/s": runs / spent["run store"],
        "bytes a run": _size(folder / "runstore") / runs,
        "memory of loading, MB": _memory_mb(),
    }
    for peer in peers:
        sides[peer.name] = {"ingest, rows/s": runs / spent[peer.name], "bytes a run": peer.size() / runs}
    return Loaded(sides, sample)


def _words(generator: RunGenerator) -> list[str]:
    """Return frequent, middling and rare words."""
    return [generator.words[rank] for rank in (30, 100, 300, 1_000, 3_000, 10_000, 20_000, 39_000)]


async def _ask_store(store: ClickHouseRunStore, words: list[str], sample: list[RunRecord]) -> Figures:
    figures = store.analytics
    hours = tuple(END - hour * HOUR_MS for hour in range(MONTH_HOURS, 0, -1))

    def asked(text: str) -> RunsAsked:
        return RunsAsked(scope=TENANT, query=_read(text))

    week = asked("status:failed started:>-7d")
    now = Place(END, "")
    anything = asked("")
    pages = await store.page(anything, 50)
    for _ in range(40):
        pages += await store.page(anything, 50, before=Place(pages[-1].created_at, pages[-1].run_id))
    places = [Place(record.created_at, record.run_id) for record in pages[::50]]
    series = FiguresAsked(scope=TENANT, begin=hours[0], end=END, buckets=hours)
    return {
        **await _timed("list page", lambda turn: store.page(anything, 50, before=places[turn % len(places)])),
        **await _timed("failed in 7 days", lambda _: store.page(week, 50, before=now)),
        **await _timed("any word", lambda turn: store.page(asked(words[turn % len(words)]), 50)),
        **await _timed("field", lambda _: store.page(asked('output.sentiment:"negative"'), 50)),
        **await _timed("count", lambda _: store.counts(week)),
        **await _timed("hourly series of 30 days", lambda _: figures.statuses(series)),
        **await _timed("one run by id", lambda turn: store.page(asked(f"run:{sample[turn % len(sample)].run_id}"), 1)),
    }


def _read(text: str) -> Query:
    return parse(text, now=END)


async def _ask_peer(peer: Peer, words: list[str], sample: list[RunRecord]) -> Figures:
    def later(ask: Callable[[int], Any]) -> Callable[[int], Awaitable[Any]]:
        async def asking(turn: int) -> Any:
            return ask(turn)

        return asking

    def cached(turn: int) -> str | None:
        record = sample[turn % len(sample)]
        return peer.cached(record.scope, record.version_hash, input_hash(record))

    return {
        **await _timed("failed in 7 days", later(lambda _: peer.page(TENANT, END))),
        **await _timed("any word", later(lambda turn: peer.word(TENANT, words[turn % len(words)]))),
        **await _timed("field", later(lambda _: peer.field(TENANT))),
        **await _timed("count", later(lambda _: peer.count(TENANT, END))),
        **await _timed("hourly series of 30 days", later(lambda _: peer.series(TENANT, END))),
        **await _timed("cache look-up", later(cached)),
    }


async def _timed(name: str, ask: Callable[[int], Awaitable[Any]]) -> Figures:
    """Ask until 40 answers came, or ten seconds passed."""
    for turn in range(3):
        await ask(turn)
    times: list[float] = []
    end = time.perf_counter() + 10
    while len(times) < REPEATS and (time.perf_counter() < end or len(times) < 5):
        began = time.perf_counter()
        await ask(len(times))
        times.append((time.perf_counter() - began) * 1_000)
    ordered = sorted(times)
    return {f"{name}, p50 ms": statistics.median(ordered), f"{name}, p95 ms": ordered[int(len(ordered) * 0.95)]}


class JournalRows:
    """The runs' current-state rows in a SQLite journal, where cache look-ups are made. Put there without their events."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "journal"
        self._journal = SqliteJournal(self._folder, blobs=None)
        self._count = 0

    async def make(self) -> None:
        await self._journal.open()
        await self._journal.close()

    def add(self, records: list[RunRecord]) -> None:
        with closing(sqlite3.connect(self._folder / "runwell.db")) as database, database:
            database.executemany("INSERT INTO run VALUES (?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?)", self._rows(records))

    async def ask(self, sample: list[RunRecord]) -> Figures:
        await self._journal.open()
        keys = [(record.org_id, record.version_hash, input_hash(record)) for record in sample]
        try:
            return await _timed("cache look-up", lambda turn: self._journal.cached(*keys[turn % len(keys)]))
        finally:
            await self._journal.close()

    def _rows(self, records: list[RunRecord]) -> Iterator[tuple[Any, ...]]:
        for record in records:
            self._count += 1
            row = _state_row(record)
            body = msgspec.json.encode(row).decode()
            ids = (row.run_id, row.org_id, row.project_id, row.workflow_id)
            yield (self._count, *ids, row.status.value, row.environment, row.seq, body, cache_key_of(row))


def _state_row(record: RunRecord) -> RunRow:
    known = {name: getattr(record, name) for name in RunRow.__struct_fields__ if name in RunRecord.__struct_fields__}
    return RunRow(**known, seq=record.rev, input_hash=input_hash(record), cost_nanos=record.usage.cost_nanos)


def _size(path: Path) -> int:
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


def _memory_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _table(runs: int, sides: dict[str, Figures]) -> Table:
    table = Table(title=f"{runs:,} runs", title_justify="left")
    table.add_column("what")
    for side in sides:
        table.add_column(side, justify="right")
    table.add_column("limit", justify="right")
    names = list(dict.fromkeys(name for figures in sides.values() for name in figures))
    for name in names:
        limit = LIMITS.get(name)
        table.add_row(
            name, *(_shown(figures.get(name)) for figures in sides.values()), "" if limit is None else _judged(limit, name, sides)
        )
    return table


def _judged(limit: float, name: str, sides: dict[str, Figures]) -> str:
    measured = sides["run store"][name]
    met = measured is not None and (measured >= limit if "rows/s" in name else measured <= limit)
    return f"{'met' if met else 'MISSED'} {limit:,.0f}"


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}" if value >= 100 else f"{value:.2f}"


if __name__ == "__main__":
    main()
