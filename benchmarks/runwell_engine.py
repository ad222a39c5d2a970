"""Runwell's own numbers for `benchmarks.engine`: the embedded runtime on SQLite at FULL durability, in this process.

A run counts when its end is durable. The no-op step is a `transform` with a constant value, as the
peers' are functions that return one. Such steps have no side effect, so Runwell does them at once and
commits them together. The rows `async_*` are the same workflows with a step type whose handler is a coroutine:
each step is an attempt of its own, begun and reported on its own.
"""

import asyncio
from typing import Any, Literal

from benchmarks.measure import alone_async, data_directory, in_tasks, median_ms_async

from runwell import __version__
from runwell.bootstrap import App, assemble, close_services, real_services, tune_process
from runwell.model.scope import DEFAULT_SCOPE
from runwell.model.statuses import RunStatus
from runwell.model.step import StepSpec
from runwell.ports.journal import Version
from runwell.ports.runs import StartRequest
from runwell.ports.steps import StepContext, StepType
from runwell.runtime.clock import SystemClock
from runwell.settings import Settings
from runwell.steps.registry import step_types
from runwell.storage.blobs import DirectoryBlobs
from runwell.storage.sql_definitions import SqlDefinitions
from runwell.storage.sqlite_journal import SqliteJournal
from runwell.storage.sqlite_sql import SqliteSql

LEVELS = (16, 64, 256, 512)


class NoopStep(StepSpec):
    """A step whose handler does nothing."""

    type: Literal["noop"]


async def noop(context: StepContext) -> Any:
    return 1


def workflow(name: str, step: dict[str, Any], length: int, *, chained: bool) -> dict[str, Any]:
    steps = [{"id": f"s{i}", **step, "depends_on": [f"s{i - 1}"] if chained and i else []} for i in range(length)]
    return {"name": name, "steps": steps}


def measure() -> dict[str, Any]:
    """Return the numbers in the keys that the peers print."""
    with data_directory() as directory:
        return asyncio.run(_measure(Settings(data_dir=directory)))


async def _measure(settings: Settings) -> dict[str, Any]:
    journal = SqliteJournal(settings.data_dir, blobs=DirectoryBlobs(settings.data_dir / "blobs"))
    services = real_services(settings)
    types = {**step_types(), "noop": StepType(name="noop", spec=NoopStep, handler=noop)}
    app = assemble(journal, SqlDefinitions(SqliteSql(journal)), services, SystemClock(), types=types)
    tune_process()
    await app.runtime.open()
    try:
        return await _numbers(app)
    finally:
        await app.runtime.close()
        await close_services(services)


async def _numbers(app: App) -> dict[str, Any]:
    inline: dict[str, Any] = {"type": "transform", "value": 1}
    run3 = await _runner(app, workflow("three", inline, 3, chained=True))
    chain = await _runner(app, workflow("chain", inline, 100, chained=True))
    fan = await _runner(app, workflow("fan", inline, 100, chained=False))
    async3 = await _runner(app, workflow("async-three", {"type": "noop"}, 3, chained=True))
    async_chain = await _runner(app, workflow("async-chain", {"type": "noop"}, 100, chained=True))
    async_fan = await _runner(app, workflow("async-fan", {"type": "noop"}, 100, chained=False))
    alone = await alone_async(async3)
    return {
        "peer": "Runwell",
        "version": __version__,
        **await in_tasks(run3, LEVELS),
        **await alone_async(run3),
        "chain100_ms": await median_ms_async(chain),
        "fan100_ms": await median_ms_async(fan),
        "async_runs_per_s": (await in_tasks(async3, LEVELS))["runs_per_s"],
        "async_latency_p50_ms": alone["latency_p50_ms"],
        "async_latency_p95_ms": alone["latency_p95_ms"],
        "async_chain100_ms": await median_ms_async(async_chain),
        "async_fan100_ms": await median_ms_async(async_fan),
        "settings": "SQLite WAL, synchronous=FULL, group commit",
    }


async def _runner(app: App, document: dict[str, Any]) -> Any:
    version: Version = await app.publisher.publish(DEFAULT_SCOPE, app.publisher.compile(document))

    async def run() -> None:
        state = await app.runtime.run(StartRequest(version=version))
        if state.status is not RunStatus.SUCCEEDED:
            raise RuntimeError(f"{state.run_id} ended {state.status}")

    return run
