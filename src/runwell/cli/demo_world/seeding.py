"""Fill a server with the demo's world. All goes through its HTTP interface: the runs are as real as anybody's."""

import asyncio
import time
from importlib import resources
from typing import Any, Final

import msgspec
import yaml

import runwell
from runwell.model.errors import NotFound
from runwell.model.judgement import Verdict
from runwell.model.statuses import TERMINAL, RunStatus

_PATIENCE_S: Final = 30.0
_LOOK_S: Final = 0.05
_TAKEN_UP_S: Final = 0.4
"""How long a run is given to take up what it was told."""

_MOST_AT_ONCE: Final = 6

Doing = str | dict[str, Any]


class SeedRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run, the status that it is to reach, and what is then done to it."""

    input: Any
    until: str
    then: tuple[Doing, ...] = ()
    times: int = 1
    tags: tuple[str, ...] = ()
    metadata: dict[str, str] = {}
    environment: str = "production"
    live: bool = False


class Seed(msgspec.Struct, frozen=True, kw_only=True):
    """A workflow with its runs."""

    document: dict[str, Any]
    kind: str = "workflow"
    runs: tuple[SeedRun, ...] = ()


def read_world() -> list[Seed]:
    """Return what the demo consists of."""
    text = (resources.files(runwell) / "cli" / "demo_world" / "world.yaml").read_text(encoding="utf-8")
    return msgspec.convert(yaml.safe_load(text), list[Seed])


async def fill(client: "runwell.AsyncClient") -> int:
    """Make what is missing; return how many runs were started. Called again, only what ends by itself is started anew."""
    started = 0
    turns = asyncio.Semaphore(_MOST_AT_ONCE)
    async with asyncio.TaskGroup() as tasks:
        for seed in read_world():
            slug, is_new = await _published(client, seed)
            runs = [run for run in seed.runs if is_new or (run.live and not await _is_under_way(client, slug))]
            started += sum(run.times for run in runs)
            tasks.create_task(_start_all(client, slug, runs, turns))
    return started


async def _published(client: "runwell.AsyncClient", seed: Seed) -> tuple[str, bool]:
    slug = seed.document["name"].lower().replace(" ", "-")
    try:
        made = await client.workflows.get(slug)
        return slug, made.active_version is None
    except NotFound:
        await client.workflows.create(seed.document, slug=slug, kind="agent" if seed.kind == "agent" else "workflow")
        await client.workflows.publish(slug)
        return slug, True


async def _is_under_way(client: "runwell.AsyncClient", slug: str) -> bool:
    page = await client.runs.list(workflow=slug, limit=1, status=["queued", "running", "draining"]).page()
    return bool(page.data)


async def _start_all(client: "runwell.AsyncClient", slug: str, runs: list[SeedRun], turns: asyncio.Semaphore) -> None:
    """One after the other: what is had from the cache, or queued, comes after what it is had from, or queues for."""
    for run in runs:
        for _ in range(run.times):
            async with turns:
                await _start(client, slug, run)


async def _start(client: "runwell.AsyncClient", slug: str, run: SeedRun) -> None:
    accepted = await client.workflows.start(slug, run.input, tags=run.tags, metadata=run.metadata or None, environment=run.environment)
    await _reached(client, accepted.run_id, RunStatus(run.until))
    for doing in run.then:
        await _do(client, accepted.run_id, doing)


async def _reached(client: "runwell.AsyncClient", run_id: str, wanted: RunStatus) -> None:
    """Wait until the run has the status. One that ended otherwise is left as it is: the demo shows what happened."""
    end = time.monotonic() + _PATIENCE_S
    while time.monotonic() < end:
        status = RunStatus((await client.runs.summary(run_id)).status)
        if status is wanted or status in TERMINAL:
            return
        await asyncio.sleep(_LOOK_S)


async def _do(client: "runwell.AsyncClient", run_id: str, doing: Doing) -> None:
    what, value = (doing, None) if isinstance(doing, str) else next(iter(doing.items()))
    match what:
        case "pause":
            await client.runs.pause(run_id)
        case "stop":
            await client.runs.stop(run_id)
            await _reached(client, run_id, RunStatus.STOPPED)
        case "drain":
            await client.runs.stop(run_id, mode="graceful", drain_timeout_s=86_400)
        case "archive":
            await client.runs.archive(run_id)
        case "approve" | "reject":
            await _decide(client, run_id, value, approved=what == "approve")
        case "say":
            await client.runs.data(run_id, str(value))
            await asyncio.sleep(_TAKEN_UP_S)
        case "comment":
            await client.runs.comment(run_id, str(value))
        case "review":
            await client.runs.review(run_id, msgspec.convert(value, Verdict))
        case _:
            raise ValueError(f"the demo knows no {what!r}")


async def _decide(client: "runwell.AsyncClient", run_id: str, value: Any, *, approved: bool) -> None:
    page = await client.tasks.pending(run_id=run_id).page()
    for task in page.data:
        if approved:
            await client.tasks.complete(task.id, approved=True, result=value, comment="As agreed on the phone.")
        else:
            await client.tasks.complete(task.id, approved=False, comment=str(value))
    await _reached(client, run_id, RunStatus.SUCCEEDED)
