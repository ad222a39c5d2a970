"""What Runwell adds to a model call: an llm step beside a bare client call, a hit of the cache, and tokens streamed to many readers.

    .venv/bin/python -m benchmarks.models [--calls 300] [--readers 100]

The provider is a process of its own on loopback that answers at once, so that all time is the clients' and Runwell's. Both
sides stream, with the same library underneath, and take turns. A run counts when its end is durable (SQLite at FULL).
Aims: at most 5 ms more for a run with one llm step than for the bare call; at most 5 ms (p99) from the request for a run that the
cache serves to the answer that it has succeeded, durably, over HTTP.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from benchmarks.http_client import Connection
from benchmarks.machine import describe
from benchmarks.measure import data_directory
from benchmarks.server import Quantiles, publish, quantiles, server
from openai import AsyncOpenAI
from rich.console import Console
from rich.table import Table

from runwell.adapters.models.router import ModelRouter
from runwell.bootstrap import App, open_app
from runwell.model.scope import DEFAULT_SCOPE
from runwell.model.statuses import RunStatus
from runwell.ports.models import Message, ModelRequest, Models
from runwell.ports.runs import StartRequest
from runwell.settings import Settings

AIM_MS: Final = 5.0
SETTLING_S: Final = 3.0
SHORT: Final = "tokens-20"
TOKENS: Final = 2_000
RATE: Final = 400
"""Tokens a second of the model that many read; a fast one of 2026 writes about as many."""


@contextmanager
def provider() -> Iterator[int]:
    """Run the provider; give its port, by which the connection `bench` leads to it."""
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.model_server"], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        os.environ["RUNWELL_CONNECTION_BENCH_BASE_URL"] = f"http://127.0.0.1:{port}/v1"
        yield port
    finally:
        process.terminate()
        process.wait(10)


def ask(model: str) -> dict[str, Any]:
    return {"name": "ask", "steps": [{"id": "ask", "type": "llm", "model": f"bench:{model}", "prompt": "Hello"}]}


async def overhead(directory: Path, port: int, calls: int) -> dict[str, Quantiles]:
    """Return how long a bare call, one by the models port, and a run with one llm step take, one at a time and in turn."""
    client = AsyncOpenAI(api_key="none", base_url=f"http://127.0.0.1:{port}/v1", max_retries=0)
    models = ModelRouter()
    async with open_app(Settings(data_dir=directory)) as app:
        sides = {"bare": bare(client), "port": by_port(models), "run": await by_run(app)}
        times: dict[str, list[float]] = {name: [] for name in sides}
        for number in range(calls + 20):
            for name, side in sides.items():
                began = time.perf_counter()
                await side()
                if number >= 20:  # the first ones load the library and warm up
                    times[name].append((time.perf_counter() - began) * 1000)
    await client.close()
    await models.aclose()
    return {name: quantiles(found) for name, found in times.items()}


def bare(client: AsyncOpenAI) -> Callable[[], Awaitable[None]]:
    async def call() -> None:
        stream = await client.chat.completions.create(
            model=SHORT, messages=[{"role": "user", "content": "Hello"}], stream=True, stream_options={"include_usage": True}
        )
        async for _ in stream:
            pass

    return call


def by_port(models: Models) -> Callable[[], Awaitable[None]]:
    request = ModelRequest(scope=DEFAULT_SCOPE, model=f"bench:{SHORT}", messages=(Message(role="user", content="Hello"),))

    async def call() -> None:
        await models.generate(request, on_delta=lambda text: None)

    return call


async def by_run(app: App) -> Callable[[], Awaitable[None]]:
    version = await app.publisher.publish(DEFAULT_SCOPE, app.publisher.compile(ask(SHORT)), None)

    async def call() -> None:
        state = await app.runtime.run(StartRequest(version=version))
        if state.status is not RunStatus.SUCCEEDED:
            raise RuntimeError(f"{state.run_id} ended {state.status}")

    return call


async def hits(port: int, calls: int) -> Quantiles:
    """Return how long it takes over HTTP to start a run that has the output of an earlier one, one at a time on one connection."""
    document = ask(SHORT)
    document["steps"][0]["params"] = {"temperature": 0}
    workflow = await publish(port, {**document, "name": "cached"})
    connection = await Connection.open(port)
    body = {"command": "start", "params": {"input": {"ticket": "Where is my parcel? " * 20}}}
    path = f"/v1/workflows/{workflow}/command"
    first = await connection.ok("POST", path, body)
    while (await connection.ok("GET", f"/v1/runs/{first['run_id']}"))["status"] != "succeeded":  # noqa: ASYNC110 - nobody tells it here
        await asyncio.sleep(0.05)
    await connection.ok("GET", "/v1/runs")  # the run store opens, once in a server's life
    await asyncio.sleep(SETTLING_S)
    times: list[float] = []
    for number in range(calls + 50):
        began = time.perf_counter()
        answer = await connection.ok("POST", path, body)
        if number >= 50:
            times.append((time.perf_counter() - began) * 1000)
        if answer["status"] != "succeeded":
            raise RuntimeError(f"{answer['run_id']} was not served from the cache")
    connection.close()
    return quantiles(times)


async def fan_out(port: int, readers: int) -> tuple[float, float]:
    """Return how many tokens a second all readers got together, and how many of all that were streamed."""
    await listen(port, await start(port, SHORT))  # loads the library
    run_id = await start(port, f"tokens-{TOKENS}-at-{RATE}")
    began = time.perf_counter()
    counts = await asyncio.gather(*(listen(port, run_id) for _ in range(readers)))
    return sum(counts) / (time.perf_counter() - began), sum(counts) / (readers * TOKENS)


async def start(port: int, model: str) -> str:
    """Return the id of a run that asks the model."""
    workflow = await publish(port, {**ask(model), "name": model})
    starter = await Connection.open(port)
    started = await starter.ok("POST", f"/v1/workflows/{workflow}/command", {"command": "start"})
    starter.close()
    return str(started["run_id"])


async def listen(port: int, run_id: str) -> int:
    """Read the run's stream to its end; return how many tokens came."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**22)
    writer.write(f"GET /v1/runs/{run_id}/stream HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: text/event-stream\r\n\r\n".encode())
    tokens = 0
    while line := await reader.readline():
        if not line.startswith(b"data:"):
            continue
        told = json.loads(line[5:])
        if told["type"] == "delta":
            tokens += told["text"].count("word")
        elif told["type"] == "run_succeeded":
            break
    writer.close()
    return tokens


def report(found: dict[str, Quantiles], hit: Quantiles, streamed: tuple[float, float], readers: int) -> Table:
    table = Table("What", "p50", "p99", "Aim", title="A model call of 20 streamed tokens, provider on loopback")
    names = {"bare": "bare call of OpenAI's client", "port": "by the models port", "run": "a run with one llm step"}
    for side, name in names.items():
        table.add_row(name, f"{found[side].p50_ms:.2f} ms", f"{found[side].p99_ms:.2f} ms", "")
    more = found["run"].p50_ms - found["bare"].p50_ms
    table.add_row("what the run adds", f"{more:.2f} ms", "", f"{AIM_MS:g} ms")
    table.add_row("a run that the cache serves, over HTTP", f"{hit.p50_ms:.2f} ms", f"{hit.p99_ms:.2f} ms", f"p99 {AIM_MS:g} ms")
    table.add_row(f"tokens/s at {readers} readers together", f"{streamed[0]:,.0f}", f"{streamed[1]:.1%} came live", f"{RATE * readers:,}")
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--calls", type=int, default=300)
    parser.add_argument("--readers", type=int, default=100)
    options = parser.parse_args()
    console = Console()
    with data_directory() as directory, provider() as port:
        console.print(describe(directory))
        found = asyncio.run(overhead(directory / "embedded", port, options.calls))
        (directory / "served").mkdir()
        with server(directory / "served") as (_, served, _):
            hit = asyncio.run(hits(served, options.calls))
            streamed = asyncio.run(fan_out(served, options.readers))
        console.print(report(found, hit, streamed, options.readers))


if __name__ == "__main__":
    main()
