"""Exports many runs of a run store on disk, in a process of its own: `fill DIRECTORY RUNS`, then `export DIRECTORY FORMAT FILE`.

The second prints what was exported, and by how much the process grew.
"""

import asyncio
import json
import resource
import sys
import time
from pathlib import Path

import msgspec
from benchmarks.run_generator import RunGenerator

from runwell.model.scope import DEFAULT_SCOPE
from runwell.ports.run_store import RunsAsked
from runwell.query.exports.formats import FORMATS, Shape, writer_for
from runwell.query.exports.writer import whole
from runwell.runstore.store import open_run_store

BATCH = 2_000
ASKED = RunsAsked(scope=DEFAULT_SCOPE)


async def fill(directory: Path, runs: int) -> None:
    store = open_run_store(directory)
    await store.open()
    made = iter(RunGenerator(runs))
    for start in range(0, runs, BATCH):
        batch = [
            msgspec.structs.replace(next(made), org_id=DEFAULT_SCOPE.org_id, project_id=DEFAULT_SCOPE.project_id)
            for _ in range(start, min(start + BATCH, runs))
        ]
        await store.keep(batch, start + BATCH)
    await store.close()


async def export(directory: Path, name: str, file: Path) -> None:
    store = open_run_store(directory)
    await store.open()
    await store.counts(ASKED)
    async for _ in store.records(ASKED):  # what a first query takes is not the export's
        break
    writer = writer_for(Shape(format=next(each for each in FORMATS if each == name)))
    before, began = _peak_mb(), time.perf_counter()
    size = 0
    with file.open("wb") as out:
        async for piece in whole(store.records(ASKED), writer):
            size += out.write(piece)
    told = {"grown_mb": _peak_mb() - before, "mb": _peak_mb(), "seconds": time.perf_counter() - began, "bytes": size}
    await store.close()
    sys.stdout.write(json.dumps(told) + "\n")


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["fill", directory, runs]:
            asyncio.run(fill(Path(directory), int(runs)))
        case ["export", directory, name, file]:
            asyncio.run(export(Path(directory), name, Path(file)))
