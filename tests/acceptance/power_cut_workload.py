"""Appends to many runs at once and tells which appends were acknowledged: the process that loses its power.

Usage: python power_cut_workload.py DATA_DIR ACKS_FILE MODE, where MODE is `full`, or plants a bug: `normal`
(SQLite's synchronous=NORMAL) or `nameless` (payload directories are not synced).
"""

import asyncio
import os
import random
import sys
from pathlib import Path

from runwell.model.events import Event, Log, StepCompleted, TaskCreated
from runwell.model.run import RunRow
from runwell.model.statuses import RunStatus
from runwell.storage import blobs, durable
from runwell.storage.blobs import DirectoryBlobs
from runwell.storage.sqlite_journal import SqliteJournal

SESSIONS = 3
RUNS = 30
TASKS = 12
APPENDS = 14
"""Per task and session."""


def run_id(number: int) -> str:
    return f"run_{number:08x}{'0' * 24}"


def event(run: str, seq: int) -> Event:
    """The one event that a run has at this place, so that whoever reads it can tell whether it is whole."""
    rng = random.Random(f"{run}/{seq}")
    data: Log | StepCompleted | TaskCreated
    if rng.random() < 0.04:
        data = StepCompleted(result=rng.randbytes(rng.randint(40_000, 70_000)).hex())
    elif rng.random() < 0.05:
        data = TaskCreated(task_id=f"task_{run}_{seq}", task_type="approval", title="?", payload=rng.random())
    else:
        data = Log(message=rng.randbytes(rng.randint(5, 400)).hex())
    names = {Log: "log", StepCompleted: "step_completed", TaskCreated: "task_created"}
    return Event(seq, run, names[type(data)], 1_792_000_000_000 + seq, "step", 1, None, data)


def row(run: str, seq: int) -> RunRow:
    return RunRow(
        run_id=run,
        org_id="org_1",
        project_id="prj_1",
        workflow_id="wf_1",
        workflow_slug="cut",
        workflow_name="Cut",
        version=1,
        version_hash="h",
        status=RunStatus.SUCCEEDED if seq > 60 else RunStatus.RUNNING,
        seq=seq,
    )


def open_journal(data_dir: Path, mode: str = "full") -> SqliteJournal:
    return SqliteJournal(
        data_dir,
        blobs=DirectoryBlobs(data_dir / "blobs"),
        synchronous="NORMAL" if mode == "normal" else "FULL",
        checkpoint_bytes=60_000,
    )


async def session(journal: SqliteJournal, acks: int, seed: int) -> None:
    await journal.open()
    position = {its_row.run_id: its_row.seq for its_row in await journal.rows(limit=RUNS)}
    rng = random.Random(seed)

    async def task() -> None:
        for _ in range(APPENDS):
            run = run_id(rng.randrange(RUNS))
            at = position.get(run, 0)
            position[run] = last = at + rng.randint(1, 3)
            await journal.append(at, [event(run, seq) for seq in range(at + 1, last + 1)], row(run, last))
            os.write(acks, f"{run} {last}\n".encode())
            await asyncio.sleep(rng.choice([0, 0, 0.001, 0.01]))

    await asyncio.gather(*(task() for _ in range(TASKS)))
    await asyncio.sleep(0.1)  # a quiet moment, for a checkpoint
    await journal.close()


def main() -> None:
    data_dir, acks_file, mode = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    if mode == "nameless":
        durable.make_directory(data_dir)
        vars(durable)["sync_directory"] = vars(blobs)["sync_directory"] = lambda path: None
    acks = os.open(acks_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for seed in range(SESSIONS):
        asyncio.run(session(open_journal(data_dir, mode), acks, seed))


if __name__ == "__main__":
    main()
