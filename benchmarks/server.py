"""The server over HTTP: starts a second, commands among ten thousand live runs, events to a WebSocket, memory.

    .venv/bin/python -m benchmarks.server [--runs 10000]

One `runwell serve` process on a SQLite data directory of its own, at full durability; this process is the client
and has the other core. Limits that the product promises: start and stop within 25 ms at p99 while 10,000 runs
live, an event at a WebSocket within 100 ms at p99 while 1,000 events a second happen.
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import websockets
from benchmarks.http_client import Connection
from benchmarks.machine import describe
from benchmarks.measure import data_directory
from rich.console import Console
from rich.table import Table

LIMITS: Final = {"start_p99_ms": 25.0, "stop_p99_ms": 25.0, "event_p99_ms": 100.0, "ready_s": 2.0, "idle_mb": 300.0}
SAMPLES: Final = 500
CONNECTIONS: Final = 32
EVENTS_A_RUN: Final = 9
"""Of `WORK`: created, started, three steps started and completed, succeeded."""

WORK: Final = {
    "name": "work",
    "steps": [
        {"id": "a", "type": "transform", "value": "{{ input.n }}"},
        {"id": "b", "type": "transform", "depends_on": ["a"], "value": "{{ steps.a.result + 1 }}"},
        {"id": "c", "type": "transform", "depends_on": ["b"], "value": "{{ steps.b.result + 1 }}"},
    ],
}
ASK: Final = {"name": "ask", "steps": [{"id": "ok", "type": "approval", "title": "Send {{ input.n }}?"}]}


@contextmanager
def server(directory: Path) -> Iterator[tuple[subprocess.Popen[str], int, float]]:
    """Run a server; give its process, its port and how long it took to be ready, in s."""
    environ = {**os.environ, "RUNWELL_RATE_LIMIT": "none"}
    command = [sys.executable, "-m", "runwell", "--data-dir", str(directory), "serve", "--no-auth", "--port", "0"]
    began = time.perf_counter()
    with (directory / "server.log").open("w") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env=environ)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if "ready at" not in line:
            raise RuntimeError(f"the server did not start: {(directory / 'server.log').read_text()[-2000:]}")
        yield process, int(line.rsplit(":", 1)[1]), time.perf_counter() - began
    finally:
        process.terminate()
        process.wait(30)


class Quantiles(NamedTuple):
    p50_ms: float
    p99_ms: float


def quantiles(times_ms: list[float]) -> Quantiles:
    ordered = sorted(times_ms)
    return Quantiles(statistics.median(ordered), ordered[int(len(ordered) * 0.99)])


def memory_mb(process: subprocess.Popen[str]) -> float:
    status = Path(f"/proc/{process.pid}/status").read_text()
    return round(int(status.partition("VmRSS:")[2].split()[0]) / 1024, 1)


@asynccontextmanager
async def connections(port: int, count: int) -> AsyncIterator[list[Connection]]:
    opened = [await Connection.open(port) for _ in range(count)]
    try:
        yield opened
    finally:
        for connection in opened:
            connection.close()


async def publish(port: int, document: Any) -> str:
    """Return the id of a workflow that is published."""
    connection = await Connection.open(port)
    made = await connection.ok("POST", "/v1/workflows", {"document": document})
    await connection.ok("POST", f"/v1/workflows/{made['id']}/versions", {"activate": True})
    connection.close()
    return str(made["id"])


def start_command(number: int) -> dict[str, Any]:
    return {"command": "start", "params": {"input": {"n": number}}}


async def start_many(port: int, workflow: str, count: int) -> tuple[list[str], float]:
    """Return the ids of the runs and starts a second, at `CONNECTIONS` at once."""
    numbers = iter(range(count))
    made: list[str] = []

    async def some(connection: Connection) -> None:
        for number in numbers:
            made.append((await connection.ok("POST", f"/v1/workflows/{workflow}/command", start_command(number)))["run_id"])

    async with connections(port, CONNECTIONS) as opened:
        began = time.perf_counter()
        await asyncio.gather(*map(some, opened))
        return made, count / (time.perf_counter() - began)


async def timed(port: int, path: str, bodies: list[dict[str, Any]]) -> Quantiles:
    """Return how long the posts take, one after another."""
    times = []
    async with connections(port, 1) as [connection]:
        for body in bodies:
            began = time.perf_counter()
            await connection.ok("POST", path, body)
            times.append((time.perf_counter() - began) * 1000)
    return quantiles(times)


async def watch(port: int, workflow: str, rate: int, seconds: float) -> tuple[Quantiles, float]:
    """Return how long after its moment an event arrives at a WebSocket, and events a second, while runs are started evenly."""
    delays: list[float] = []

    async def listen(socket: Any) -> None:
        async for message in socket:
            event = json.loads(message)
            if "seq" in event:
                delays.append(time.time() * 1000 - event["ts"])

    async with websockets.connect(f"ws://127.0.0.1:{port}/v1/workflows/{workflow}/stream") as socket, connections(port, 8) as opened:
        listening = asyncio.ensure_future(listen(socket))
        began = time.perf_counter()
        free = asyncio.Queue[Connection]()
        for connection in opened:
            free.put_nowait(connection)

        async def one(number: int) -> None:
            connection = await free.get()
            await connection.ok("POST", f"/v1/workflows/{workflow}/command", start_command(number))
            free.put_nowait(connection)

        starts = []
        for number in range(int(rate * seconds)):
            await asyncio.sleep(max(began + number / rate - time.perf_counter(), 0))
            starts.append(asyncio.ensure_future(one(number)))
        await asyncio.gather(*starts)
        took = time.perf_counter() - began
        await asyncio.sleep(0.5)
        listening.cancel()
    return quantiles(delays), len(delays) / took


async def measure(directory: Path, runs: int) -> dict[str, Any]:
    with server(directory) as (process, port, ready_s):
        idle_mb = memory_mb(process)
        work, ask = await publish(port, WORK), await publish(port, ASK)
        _, starts = await start_many(port, work, 2_000)
        waiting, _ = await start_many(port, ask, runs)
        start = await timed(port, f"/v1/workflows/{ask}/command", [start_command(number) for number in range(SAMPLES)])
        stops = [{"command": "stop", "run_id": run_id} for run_id in waiting[:SAMPLES]]
        stop = await timed(port, f"/v1/workflows/{ask}/command", stops)
        full_mb = memory_mb(process)
        event, rate = await watch(port, work, 1_000 // EVENTS_A_RUN, 10.0)
    return {
        "ready_s": ready_s,
        "idle_mb": idle_mb,
        "full_mb": full_mb,
        "starts": starts,
        "start": start,
        "stop": stop,
        "event": event,
        "rate": rate,
    }


def report(found: dict[str, Any], runs: int) -> Table:
    table = Table("What", "Measured", "Limit", title=f"runwell serve, SQLite at FULL, {runs:,} live runs")
    start, stop, event = found["start"], found["stop"], found["event"]
    table.add_row("ready after", f"{found['ready_s']:.2f} s", f"{LIMITS['ready_s']} s")
    table.add_row("memory, idle", f"{found['idle_mb']} MB", f"{LIMITS['idle_mb']} MB")
    table.add_row("memory with the live runs", f"{found['full_mb']} MB", "")
    table.add_row(f"starts over HTTP, {CONNECTIONS} at once", f"{found['starts']:,.0f}/s", "")
    for name, alone, key in (
        ("start", start, "start_p99_ms"),
        ("stop", stop, "stop_p99_ms"),
        ("event to WebSocket", event, "event_p99_ms"),
    ):
        table.add_row(f"{name}: p50, p99", f"{alone.p50_ms:.2f} ms, {alone.p99_ms:.2f} ms", f"p99 {LIMITS[key]} ms")
    table.add_row("events a second meanwhile", f"{found['rate']:,.0f}", "1,000")
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=10_000)
    options = parser.parse_args()
    console = Console()
    with data_directory() as directory:
        console.print(describe(directory))
        console.print(report(asyncio.run(measure(directory, options.runs)), options.runs))


if __name__ == "__main__":
    main()
