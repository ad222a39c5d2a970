"""A Runwell that is killed in the middle of projection, and a look at what is left; each in a process of its own.

    python -m tests.acceptance.projection_driver work DIRECTORY [--point POINT --number N]
    python -m tests.acceptance.projection_driver check DIRECTORY [--rebuild]
    python -m tests.acceptance.projection_driver delete DIRECTORY --point POINT --number N
    python -m tests.acceptance.projection_driver look DIRECTORY

`work` starts runs until it is killed, by itself at the N-th pass of a crash point if one is named. `check` lets the run store
catch up and prints one JSON object: how many runs there are, and what of the store is not as the journal says.

`delete` keeps runs of two workflows, deletes one of them and is killed within that. `look` is the next process, which nobody
asks for anything: it prints how many runs lists show and the store has at once, and what is left in the end.
"""

import argparse
import asyncio
import json
import random
import sys
from pathlib import Path
from typing import Any

import msgspec

from runwell.api.routes.workflow_deletion import delete_whole
from runwell.bootstrap import App, open_app, open_projection
from runwell.model.ids import DEFAULT_ORG, DEFAULT_PROJECT
from runwell.model.principal import LOCAL
from runwell.model.removals import NO_REMOVALS
from runwell.model.run_record import RunRecord
from runwell.model.scope import DEFAULT_SCOPE, Scope
from runwell.ports.probe import Probe, no_probe
from runwell.ports.run_store import RunsAsked, RunStore
from runwell.ports.runs import StartRequest
from runwell.runtime.projector import Projector
from runwell.runtime.run_reading import read_run
from runwell.serving import parts_for
from runwell.settings import Settings
from runwell.storage.sqlite_view import SqliteView
from runwell.testing import CrashAt

CHAIN = [{"id": f"s{n}", "type": "transform", "value": f"{n} {{{{ input.n }}}}"} for n in range(4)]
LOOP = {"id": "each", "type": "for_each", "items": [1, 2, 3], "steps": [{"id": "do", "type": "transform", "value": "{{ item }}"}]}
DOCUMENTS: list[dict[str, Any]] = [
    {"name": "chain", "steps": CHAIN, "output": "{{ steps.s3.result }}"},
    {"name": "fails", "steps": [{"id": "boom", "type": "transform", "value": "{{ input.missing.deeply }}"}]},
    {"name": "loop", "steps": [LOOP]},
    {"name": "ask", "steps": [{"id": "ok", "type": "approval", "title": "go?"}]},
    {"name": "nap", "steps": [{"id": "sleep", "type": "delay", "for_s": 0.3}]},
]

HERE = Scope(DEFAULT_ORG, DEFAULT_PROJECT)


def settings_of(directory: Path) -> Settings:
    return Settings(data_dir=directory, runstore_memory_mb=1_024, runstore_threads=1)


async def work(directory: Path, probe: Probe) -> None:
    async with open_app(settings_of(directory), probe=probe) as app:
        assert app.projector is not None
        app.projector.start()
        versions = [await app.publisher.publish(DEFAULT_SCOPE, app.publisher.compile(document)) for document in DOCUMENTS]
        await app.projector.catch_up()
        sys.stdout.write("working\n")
        sys.stdout.flush()
        await asyncio.gather(*(_start_runs(app, versions, seed) for seed in range(4)))


async def _start_runs(app: App, versions: list[Any], seed: int) -> None:
    chance = random.Random(seed)
    while True:
        version = chance.choice(versions)
        await app.runtime.start(StartRequest(version=version, input={"n": chance.random(), "text": "ümläut 'quoted' \\ \n" * 3}))
        await asyncio.sleep(chance.random() * 0.02)


async def delete(directory: Path, crash: Probe) -> None:
    armed: list[Probe] = []
    async with open_app(settings_of(directory), probe=lambda point: armed[0](point) if armed else None) as app:
        assert app.projector is not None
        app.projector.start()
        for name in ("gone", "stays"):
            version = await app.publisher.publish(DEFAULT_SCOPE, app.publisher.compile({**DOCUMENTS[0], "name": name}))
            for n in range(5):
                await app.runtime.ended(await app.runtime.start(StartRequest(version=version, input={"n": n})))
        await app.projector.complete()
        sys.stdout.write("working\n")
        sys.stdout.flush()
        armed.append(crash)
        await delete_whole(parts_for(app, settings_of(directory)), LOCAL, "gone", stop=False)


async def look(directory: Path) -> dict[str, Any]:
    """Nobody asks for the deletion."""
    async with open_app(settings_of(directory)) as app:
        projector, store = app.projector, app.run_store
        assert projector is not None
        assert store is not None
        asked = [RunsAsked(scope=HERE, removals=removals) for removals in (projector.removals(), NO_REMOVALS)]
        counts = [(await store.counts(one)).count for one in asked]
        projector.start()
        async with asyncio.timeout(30):
            while app.journal.removals():  # noqa: ASYNC110 - nothing tells its end
                await asyncio.sleep(0.02)
        left = {
            "kept": (await store.counts(RunsAsked(scope=HERE))).count,
            "journal": sorted({row.workflow_slug for row in await app.journal.rows()}),
            "workflows": await app.definitions.workflow_id_of(HERE, "gone"),
        }
        return {"shown": counts[0], "kept_at_first": counts[1], **left}


async def check(directory: Path, *, rebuild: bool) -> dict[str, Any]:
    async with open_projection(settings_of(directory)) as projector:
        await projector.complete()
        truth = await _truth(directory)
        wrong = await _differences(projector, truth)
        if rebuild:
            before = await _everything(projector.store)
            await projector.rebuild()
            wrong += [f"a rebuild changed {run_id}" for run_id, _ in before.items() ^ (await _everything(projector.store)).items()]
        return {"runs": len(truth), "wrong": wrong[:20]}


async def _truth(directory: Path) -> dict[str, RunRecord]:
    view = SqliteView(directory, blobs=None)
    await view.open()
    try:
        run_ids = [row.run_id for row in await view.rows(limit=1_000_000)]
        read = {run_id: await read_run(view, run_id) for run_id in run_ids}
        return {run_id: recorder.record() for run_id, recorder in read.items() if recorder is not None}
    finally:
        await view.close()


async def _differences(projector: Projector, truth: dict[str, RunRecord]) -> list[str]:
    store = projector.store
    wrong = [f"{len(projector.overlay())} runs are not written"] if projector.overlay() else []
    listed = [record async for record in store.records(RunsAsked(scope=HERE))]
    kept = {record.run_id: record for record in listed}
    wrong += [f"{len(listed) - len(kept)} runs are there twice"] if len(listed) != len(kept) else []
    wrong += [f"{run_id} is missing" for run_id in truth.keys() - kept.keys()]
    wrong += [f"{run_id} is in no journal" for run_id in kept.keys() - truth.keys()]
    wrong += [f"{run_id} is not as it was" for run_id in truth.keys() & kept.keys() if dump(truth[run_id]) != dump(kept[run_id])]
    count = (await store.counts(RunsAsked(scope=HERE))).count
    return wrong + ([f"{count} are counted"] if count != len(truth) else [])


async def _everything(store: RunStore) -> dict[str, str]:
    return {record.run_id: dump(record) async for record in store.records(RunsAsked(scope=HERE))}


def dump(record: RunRecord) -> str:
    return msgspec.json.encode(record, order="deterministic").decode()


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["work", "check", "delete", "look"])
    parser.add_argument("directory", type=Path)
    parser.add_argument("--point")
    parser.add_argument("--number", type=int, default=1)
    parser.add_argument("--rebuild", action="store_true")
    options = parser.parse_args(arguments)
    crash = CrashAt(options.number, options.point) if options.point else no_probe
    if options.what == "work":
        asyncio.run(work(options.directory, crash))
    elif options.what == "delete":
        asyncio.run(delete(options.directory, crash))
    elif options.what == "look":
        sys.stdout.write(json.dumps(asyncio.run(look(options.directory))) + "\n")
    else:
        sys.stdout.write(json.dumps(asyncio.run(check(options.directory, rebuild=options.rebuild))) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
