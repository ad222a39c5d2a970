"""How all sides are measured, so that they are measured alike. Standard library only: each peer's environment runs it.

A side is asked for four things: how many runs a second at the concurrency that suits it best, how
long one run takes when nothing else goes on, and how long a run with a chain of 100 steps and
one with 100 parallel steps take. Its first runs warm it up and do not count.
"""

import asyncio
import json
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypedDict

ENVS: Final = Path(__file__).parent / ".envs"
CONCURRENCY: Final = (1, 4, 16, 64)
WINDOW_S: Final = 1.0
"""How long one level of concurrency is tried."""

WARM_UP: Final = 5
ALONE: Final = 100
"""Runs for the latency alone, as far as `ALONE_S` lasts."""
ALONE_S: Final = 1.5
REPEATS: Final = 5
"""Runs of the chain and the fan; the median counts."""

Run = Callable[[], object]
AsyncRun = Callable[[], Awaitable[object]]


class Alone(TypedDict):
    latency_p50_ms: float
    latency_p95_ms: float


class Throughput(TypedDict):
    runs_per_s: float
    concurrency: int


@contextmanager
def data_directory() -> Iterator[Path]:
    """An empty directory for databases, on the disk that the benchmark is about (that of this checkout, or RUNWELL_BENCH_DIR)."""
    parent = Path(os.environ.get("RUNWELL_BENCH_DIR") or ENVS)
    parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=parent, prefix="data-", ignore_cleanup_errors=True) as name:
        yield Path(name)


def percentiles(times_ms: list[float]) -> Alone:
    ordered = sorted(times_ms)
    return {"latency_p50_ms": round(statistics.median(ordered), 3), "latency_p95_ms": round(ordered[int(len(ordered) * 0.95)], 3)}


def alone(run: Run) -> Alone:
    """Measure one run after another."""
    for _ in range(WARM_UP):
        run()
    times: list[float] = []
    end = time.perf_counter() + ALONE_S
    while len(times) < ALONE and (time.perf_counter() < end or not times):
        times.append(_timed(run))
    return percentiles(times)


async def alone_async(run: AsyncRun) -> Alone:
    for _ in range(WARM_UP):
        await run()
    times: list[float] = []
    end = time.perf_counter() + ALONE_S
    while len(times) < ALONE and (time.perf_counter() < end or not times):
        times.append(await _timed_async(run))
    return percentiles(times)


def median_ms(run: Run) -> float:
    run()
    return round(statistics.median(_timed(run) for _ in range(REPEATS)), 3)


async def median_ms_async(run: AsyncRun) -> float:
    await run()
    return round(statistics.median([await _timed_async(run) for _ in range(REPEATS)]), 3)


def in_threads(run: Run, levels: tuple[int, ...] = CONCURRENCY, window_s: float = WINDOW_S) -> Throughput:
    """Return the best throughput of `levels` threads that make run after run."""

    def level(threads: int) -> Throughput:
        ends: list[float] = []
        start = time.perf_counter()

        def work() -> None:
            while not ends or time.perf_counter() < start + window_s:
                run()
                ends.append(time.perf_counter())

        workers = [threading.Thread(target=work) for _ in range(threads)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        return _rate(ends, start, threads)

    return max((level(threads) for threads in levels), key=lambda found: found["runs_per_s"])


async def in_tasks(run: AsyncRun, levels: tuple[int, ...] = CONCURRENCY, window_s: float = WINDOW_S) -> Throughput:
    """Return the best throughput of `levels` tasks that make run after run."""

    async def level(tasks: int) -> Throughput:
        ends: list[float] = []
        start = time.perf_counter()

        async def work() -> None:
            while not ends or time.perf_counter() < start + window_s:
                await run()
                ends.append(time.perf_counter())

        await asyncio.gather(*(work() for _ in range(tasks)))
        return _rate(ends, start, tasks)

    return max([await level(tasks) for tasks in levels], key=lambda found: found["runs_per_s"])


def best_of(sides: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the best of several ways to run a peer, each measure on its own: the comparison is never against a bad setting.

    `settings` names the way with the highest throughput, then the others with theirs.
    """
    fastest = max(sides, key=lambda side: float(side["runs_per_s"]))
    quickest = min((side for side in sides if "latency_p50_ms" in side), key=lambda side: float(side["latency_p50_ms"]))
    slower = [f"{side['settings']}: {side['runs_per_s']}" for side in sides if side is not fastest]
    return {
        "runs_per_s": fastest["runs_per_s"],
        "concurrency": fastest["concurrency"],
        "latency_p50_ms": quickest["latency_p50_ms"],
        "latency_p95_ms": quickest["latency_p95_ms"],
        "chain100_ms": min(side["chain100_ms"] for side in sides if "chain100_ms" in side),
        "fan100_ms": min(side["fan100_ms"] for side in sides if "fan100_ms" in side),
        "settings": f"{fastest['settings']} (runs/s otherwise: {', '.join(slower)})",
    }


def print_result(result: dict[str, Any]) -> None:
    """Print the one JSON object that a benchmark's process has to say."""
    print(json.dumps(result), flush=True)


def _timed(run: Run) -> float:
    start = time.perf_counter()
    run()
    return (time.perf_counter() - start) * 1000


async def _timed_async(run: AsyncRun) -> float:
    start = time.perf_counter()
    await run()
    return (time.perf_counter() - start) * 1000


def _rate(ends: list[float], start: float, concurrency: int) -> Throughput:
    return {"runs_per_s": round(len(ends) / (max(ends) - start), 1), "concurrency": concurrency}
