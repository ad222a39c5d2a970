"""Kills a Runwell at every numbered crash point, and at random moments, and looks at what is left.

Each trial forks twice: the first child does the workload and dies by SIGKILL; the second one opens
the same directory, takes the runs up, brings all to their end and checks every promise. It prints
one JSON object: how many trials, and each promise that was broken.

    python -m tests.acceptance.crash_driver points|random [--trials N] [--seed N] [--plant BUG] [--database URL]

With a database, each trial has a schema of its own in it; the server lives on, Runwell is what is killed.
"""

import argparse
import asyncio
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Literal

import msgspec
from tests.postgres import query

from runwell.bootstrap import App, assemble, real_services
from runwell.engine.evolve import fold
from runwell.engine.view import run_row
from runwell.model.commands import CompleteTask
from runwell.model.events import TaskCompleted
from runwell.model.ids import new_id
from runwell.model.scope import DEFAULT_SCOPE
from runwell.model.statuses import RunStatus
from runwell.model.step import StepSpec
from runwell.model.waits import TaskWait
from runwell.ports.probe import Probe, no_probe
from runwell.ports.runs import StartRequest
from runwell.ports.steps import StepContext, StepType, Suspended
from runwell.runtime.clock import SystemClock
from runwell.settings import Settings
from runwell.steps.registry import step_types
from runwell.storage.homes import home
from runwell.storage.postgres_url import DatabaseUrl
from runwell.storage.sql_definitions import SqlDefinitions
from runwell.testing import CountPoints, CrashAt

RUNS = 10
DATABASE = ""

DOCUMENTS: list[dict[str, Any]] = [
    {"name": "chain", "steps": [{"id": "a", "type": "effect"}, {"id": "b", "type": "effect", "depends_on": ["a"]}, {"id": "c", "type": "transform", "depends_on": ["b"], "value": "{{ steps.b.result }}"}]},
    {"name": "fan", "steps": [{"id": "each", "type": "for_each", "items": [1, 2, 3], "max_parallel": 2, "steps": [{"id": "do", "type": "effect"}]}]},
    {"name": "ask", "steps": [{"id": "before", "type": "effect"}, {"id": "ok", "type": "approval", "title": "go?", "depends_on": ["before"]}, {"id": "after", "type": "effect", "depends_on": ["ok"]}]},
    {"name": "nap", "steps": [{"id": "sleep", "type": "delay", "for_s": 0.02}, {"id": "after", "type": "effect", "depends_on": ["sleep"]}]},
    {"name": "parent", "steps": [{"id": "child", "type": "workflow", "workflow": "chain"}, {"id": "after", "type": "effect", "depends_on": ["child"]}]},
    {"name": "midway", "steps": [{"id": "ask", "type": "midway"}, {"id": "after", "type": "effect", "depends_on": ["ask"]}]},
    {"name": "again", "steps": [{"id": "loop", "type": "while", "max_iterations": 3, "condition": "true", "steps": [{"id": "do", "type": "effect"}]}]},
]  # fmt: skip


class EffectStep(StepSpec):
    """Writes a line to a file outside of Runwell: what the world saw of an attempt."""

    type: Literal["effect"]


class MidwayStep(StepSpec):
    """Asks a person in the middle of its attempt, then does as `effect` does."""

    type: Literal["midway"]


async def ask_midway(effect: Callable[[StepContext], Any], context: StepContext) -> Any:
    if not any(isinstance(data, TaskCompleted) for data in context.recorded()):
        raise Suspended(TaskWait(key="ask", title="go on?"))
    return await effect(context)


def effects_of(directory: Path) -> Callable[[StepContext], Any]:
    file = os.open(directory / "effects", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    async def effect(context: StepContext) -> Any:
        await asyncio.sleep(0.001)
        os.write(file, f"{context.run_id} {context.step_id} {context.attempt} {context.idempotency_key}\n".encode())
        return context.step_id

    return effect


async def opened(directory: Path, probe: Probe) -> App:
    journal, sql = home(directory, database_of(directory), probe)
    work = effects_of(directory)
    effect = StepType(name="effect", spec=EffectStep, handler=work, unsafe=lambda spec, given: True)
    midway = StepType(name="midway", spec=MidwayStep, handler=partial(ask_midway, work), unsafe=lambda spec, given: True)
    services = real_services(Settings(data_dir=directory))
    parts = assemble(
        journal, SqlDefinitions(sql), services, SystemClock(), types={**step_types(), "effect": effect, "midway": midway}, probe=probe
    )
    app = msgspec.structs.replace(parts, sql=sql)
    await app.runtime.open()
    return app


async def close(app: App) -> None:
    await app.runtime.close()
    if app.sql is not None:
        await app.sql.close()


def database_of(directory: Path) -> DatabaseUrl | None:
    """Return where the trial of this directory keeps its runs; None for the directory itself."""
    return DatabaseUrl(f"{DATABASE}?options=-csearch_path%3D{directory.name.replace('-', '_')}") if DATABASE else None


def new_directory() -> Path:
    directory = Path(tempfile.mkdtemp(prefix="runwell-crash-"))
    if DATABASE:
        asyncio.run(query(DatabaseUrl(DATABASE), f"CREATE SCHEMA {directory.name.replace('-', '_')}"))
    return directory


async def work(directory: Path, probe: Probe, acknowledge: Callable[[str], None]) -> None:
    """Start runs of all kinds at once and approve what asks; tell each start once it is acknowledged."""
    app = await opened(directory, probe)
    versions = [await app.publisher.publish(DEFAULT_SCOPE, app.publisher.compile(document)) for document in DOCUMENTS]

    async def one(number: int) -> None:
        run_id = await app.runtime.start(StartRequest(version=versions[number % len(versions)], run_id=new_id("run")))
        acknowledge(run_id)
        await finish(app, run_id)

    await asyncio.gather(*(one(number) for number in range(RUNS)))
    await close(app)


async def finish(app: App, run_id: str) -> None:
    """Approve what the run asks and wait for its end."""
    ending = asyncio.ensure_future(app.runtime.ended(run_id))
    while not ending.done():
        for task in await app.journal.pending_tasks(run_id=run_id):
            await app.runtime.command(run_id, CompleteTask(task_id=task.id, approved=True, actor="tester"))
        await asyncio.wait([ending], timeout=0.005)
    ending.result()


async def check(directory: Path, acknowledged: list[str]) -> list[str]:
    """Bring every run of the directory to its end and return what is wrong."""
    app = await opened(directory, no_probe)
    wrong: list[str] = []
    rows = await app.journal.rows(limit=10_000)
    await asyncio.wait_for(asyncio.gather(*(finish(app, row.run_id) for row in rows)), 20)
    rows = await app.journal.rows(limit=10_000)
    missing = set(acknowledged) - {row.run_id for row in rows}
    wrong += [f"{run_id}: acknowledged, then lost" for run_id in missing]
    done: dict[tuple[str, str], int] = {}
    for row in rows:
        events = await app.journal.read(row.run_id)
        if [event.seq for event in events] != list(range(1, len(events) + 1)):
            wrong.append(f"{row.run_id}: seq is not gapless")
        state = fold((await app.runtime.plans.get(row.version_hash)).plan, events)
        if state.status is not RunStatus.SUCCEEDED:
            wrong.append(f"{row.run_id}: ended {state.status}: {state.error}")
        if run_row(state) != row:
            wrong.append(f"{row.run_id}: the stored row is not what the events make")
        for event in events:
            if event.type == "step_completed" and event.step_id:
                done[row.run_id, event.step_id] = done.get((row.run_id, event.step_id), 0) + 1
    await close(app)
    wrong += [f"{run} {step}: completed {times} times" for (run, step), times in done.items() if times != 1]
    return wrong + wrong_effects(directory)


def wrong_effects(directory: Path) -> list[str]:
    """Return the steps whose attempts did not all carry one key."""
    keys: dict[tuple[str, str], set[str]] = {}
    for line in (directory / "effects").read_text().splitlines():
        run_id, step_id, _, key = line.split()
        keys.setdefault((run_id, step_id), set()).add(key)
    return [f"{run} {step}: attempts with different keys" for (run, step), held in keys.items() if len(held) != 1]


def in_child(work: Callable[[int], None]) -> tuple[int, int]:
    """Fork; return the child's pid and the end of a pipe that it writes to."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writer)
        return pid, reader
    os.close(reader)
    code = 1
    try:
        work(writer)
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def tell(pipe: int, line: str) -> None:
    os.write(pipe, f"{line}\n".encode())


def read_all(reader: int) -> str:
    with os.fdopen(reader, "rb") as pipe:
        return pipe.read().decode()


def trial(probe: Probe, kill_after_s: float | None, seed: int) -> list[str]:
    """Crash one workload, recover, and return what is wrong."""
    directory = new_directory()
    try:
        pid, reader = in_child(lambda pipe: asyncio.run(work(directory, probe, partial(tell, pipe))))
        if kill_after_s is not None:
            time.sleep(kill_after_s)
            os.kill(pid, signal.SIGKILL)
        acknowledged = read_all(reader).split()
        os.waitpid(pid, 0)
        again = random.Random(seed)
        for _ in range(again.choice((0, 0, 1))):  # sometimes it dies while it recovers, too
            pid, reader = in_child(lambda pipe: asyncio.run(check_wrong(directory, acknowledged)))
            time.sleep(again.uniform(0, 0.05))
            os.kill(pid, signal.SIGKILL)
            read_all(reader)
            os.waitpid(pid, 0)
        pid, reader = in_child(lambda pipe: tell(pipe, json.dumps(asyncio.run(check(directory, acknowledged)))))
        answer = read_all(reader)
        os.waitpid(pid, 0)
        return json.loads(answer) if answer else ["the recovering process died"]
    finally:
        shutil.rmtree(directory, ignore_errors=True)


async def check_wrong(directory: Path, acknowledged: list[str]) -> None:
    await check(directory, acknowledged)


def count_points() -> int:
    """Return how many crash points one whole workload passes."""
    directory = new_directory()
    counting = CountPoints()

    def whole(pipe: int) -> None:
        asyncio.run(work(directory, counting, lambda run_id: None))
        os.write(pipe, str(counting.total).encode())

    pid, reader = in_child(whole)
    text = read_all(reader)
    os.waitpid(pid, 0)
    shutil.rmtree(directory, ignore_errors=True)
    return int(text)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("mode", choices=("points", "random"))
    parser.add_argument("--trials", type=int, default=0, help="at most so many, spread evenly over the points")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plant", choices=("none", "early_ack", "new_keys"), default="none")
    parser.add_argument("--database", default="", help="keep runs there; without it in a directory")
    given = parser.parse_args()
    global DATABASE
    DATABASE = given.database
    plant(given.plant)
    wrong: list[str] = []
    if given.mode == "points":
        total = count_points()
        step = max(1, total // given.trials) if given.trials else 1
        numbers = list(range(1, total + 1, step))
        for number in numbers:
            wrong += [f"point {number}: {what}" for what in trial(CrashAt(number), None, given.seed + number)]
        print(json.dumps({"points": total, "trials": len(numbers), "wrong": wrong}))
    else:
        chance = random.Random(given.seed)
        for number in range(given.trials):
            after = chance.uniform(0.005, 0.6 if DATABASE else 0.12)
            wrong += [f"{after:.4f} s: {what}" for what in trial(no_probe, after, given.seed + number)]
        print(json.dumps({"trials": given.trials, "wrong": wrong}))
    return 1 if wrong else 0


def plant(bug: str) -> None:
    """Break a promise on purpose, to see that the checks find it."""
    if bug == "early_ack":
        from runwell.runtime import runtime

        async def start(self: Any, request: StartRequest) -> str:
            cell, _ = await self._starting.submit(request)
            return str(cell.state.run_id)

        runtime.Runtime.start = start  # type: ignore[method-assign]
    elif bug == "new_keys":
        from runwell.runtime import attempt

        attempt.idempotency_key = lambda run_id, step_id: f"rw-{random.random()}"


if __name__ == "__main__":
    sys.exit(main())
