"""A commit whose fsync fails is not kept, not even when the process dies before it writes anything else.

SQLite leaves such a commit whole at the end of its log, where the next opening would find it. The writer
writes over it before it tells anybody.
"""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

from tests.acceptance.power_cut_workload import event, open_journal, run_id

from runwell.model.events import Event

ROOT = Path(__file__).parents[2]


def after_death(recorder: Path, path: Path, mode: str) -> tuple[list[Event], list[Event]]:
    """Return the events of the kept run and of the failed one."""
    environment = {
        **os.environ,
        "LD_PRELOAD": str(recorder),
        "POWERCUT_ROOT": str(path / "data"),
        "POWERCUT_TRACE": str(path / "trace"),
        "POWERCUT_ACKS": str(path / "acks"),
        "POWERCUT_FAIL": str(path / "fail"),
    }
    workload = [sys.executable, "-m", "tests.acceptance.failed_sync_workload", str(path / "data"), str(path / "fail"), mode]
    died = subprocess.run(workload, env=environment, check=False, timeout=60, cwd=ROOT)
    assert died.returncode == 7  # it was told of the failure

    async def main() -> tuple[list[Event], list[Event]]:
        journal = open_journal(path / "data")
        await journal.open()
        try:
            return await journal.read(run_id(1)), await journal.read(run_id(2))
        finally:
            await journal.close()

    return asyncio.run(main())


def test_a_commit_whose_fsync_failed_stays_away(recorder: Path, tmp_path: Path) -> None:
    assert after_death(recorder, tmp_path, "fence") == ([event(run_id(1), 1)], [])


def test_without_the_fence_it_comes_back(recorder: Path, tmp_path: Path) -> None:
    assert after_death(recorder, tmp_path, "no-fence") == ([event(run_id(1), 1)], [event(run_id(2), 1)])
