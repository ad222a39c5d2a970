"""A power cut at any moment loses nothing that was acknowledged.

A workload's file operations are recorded (powercut.c) and played back to random moments (disk_model.py says
what a disk may hold then). The real journal opens what is left. The same with a planted bug must fail.
"""

import asyncio
import os
import random
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from tests.acceptance.disk_model import Disk, Operation, operations
from tests.acceptance.power_cut_workload import event, open_journal, row

from runwell.model.errors import NotFound
from runwell.model.statuses import TERMINAL
from runwell.storage.tasks import OpenTasks, task_changes

HERE: Final = Path(__file__).parent
CUTS: Final = 250

Acknowledged = dict[str, int]
"""From run to the last event that was acknowledged."""


def record(recorder: Path, path: Path, mode: str) -> list[Operation]:
    """Run the workload in `path` and return what it did."""
    root = path / "root"
    root.mkdir()
    environment = {
        **os.environ,
        "LD_PRELOAD": str(recorder),
        "POWERCUT_ROOT": str(root),
        "POWERCUT_TRACE": str(path / "trace"),
        "POWERCUT_ACKS": str(path / "acks"),
        "PYTHONPATH": str(HERE.parents[1]),
    }
    workload = [sys.executable, "-m", "tests.acceptance.power_cut_workload", str(root / "data"), str(path / "acks"), mode]
    subprocess.run(workload, env=environment, check=True, timeout=120, cwd=HERE.parents[1])
    return list(operations(path / "trace"))


def cuts(trace: list[Operation], rng: random.Random, count: int) -> Iterator[tuple[int, Disk, Acknowledged]]:
    """Yield `count` random moments, in order: half of them anywhere, half right behind an acknowledgement, when least time was left."""
    moments = rng.choices(range(len(trace)), k=count // 2)
    moments += rng.choices([at for at, operation in enumerate(trace) if operation.kind == "A"], k=count - count // 2)
    disk, acknowledged, done = Disk(), dict[str, int](), 0
    for moment in sorted(moments):
        for operation in trace[done : moment + 1]:
            if operation.kind == "A":
                run, seq = operation.first.split()
                acknowledged[run.decode()] = max(int(seq), acknowledged.get(run.decode(), 0))
            else:
                disk.apply(operation)
        done = moment + 1
        yield moment, disk, acknowledged


async def check(data_dir: Path, acknowledged: Acknowledged) -> None:
    """Open what is left with the real journal; fails when anything acknowledged is lost or anything at all is broken."""
    journal = open_journal(data_dir)
    await journal.open()
    try:
        assert await journal.query(lambda c: c.execute("PRAGMA integrity_check").fetchall()) == [("ok",)]
        rows = {found.run_id: found for found in await journal.rows(limit=1_000)}
        assert {run: seq for run, seq in acknowledged.items() if run not in rows or rows[run].seq < seq} == {}
        undecided: OpenTasks = {}
        for run, its_row in rows.items():
            events = await journal.read(run)
            assert events == [event(run, seq) for seq in range(1, its_row.seq + 1)]
            assert its_row == row(run, its_row.seq)
            tasks: OpenTasks = {}
            task_changes(tasks, events, its_row.status in TERMINAL)
            undecided |= tasks
        assert {task.id for task in await journal.pending_tasks()} == undecided.keys()
        for run, its_row in list(rows.items())[:1]:  # and it goes on from here
            await journal.append(its_row.seq, [event(run, its_row.seq + 1)], row(run, its_row.seq + 1))
    finally:
        await journal.close()


def survive(trace: list[Operation], path: Path, seed: int, count: int = CUTS) -> None:
    """Check what is left after `count` power cuts. Fails at the first that lost something."""
    rng = random.Random(seed)
    for moment, disk, acknowledged in cuts(trace, rng, count):
        left = path / f"cut-{moment}"
        disk.after_cut(left, rng)
        asyncio.run(check(left / "data", acknowledged))
        shutil.rmtree(left)


def test_a_power_cut_loses_nothing_acknowledged(recorder: Path, tmp_path: Path) -> None:
    trace = record(recorder, tmp_path, "full")
    _assert_everything_happened(trace)
    survive(trace, tmp_path, seed=1)


def _assert_everything_happened(trace: list[Operation]) -> None:
    kinds = Counter(operation.kind for operation in trace)
    assert kinds["A"] > 400
    assert kinds["R"] > 10  # payloads
    assert kinds["U"] >= 3  # the log, at each closing
    names: dict[int, bytes] = {}
    written: Counter[bytes] = Counter()
    for operation in trace:
        if operation.kind == "O":
            names[operation.fd] = operation.first
        elif operation.kind in "WTS":
            written[operation.kind.encode() + b" " + names[operation.fd]] += 1
    assert written[b"S data/runwell.db-wal"] > 100  # commits
    assert written[b"S data/runwell.db"] > 10  # checkpoints
    assert written[b"T data/runwell.db-wal"] > 3
    assert written[b"W data/runwell.db"] > 100


@pytest.mark.parametrize(("bug", "loss"), [("normal", AssertionError), ("nameless", NotFound)])
def test_a_planted_bug_loses_something(recorder: Path, tmp_path: Path, bug: str, loss: type[Exception]) -> None:
    trace = record(recorder, tmp_path, bug)
    with pytest.raises(loss):
        survive(trace, tmp_path, seed=2)
