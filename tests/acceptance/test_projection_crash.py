"""The run store is as a rebuild would make it, whenever the process is killed; and without its directory it is made again.

Here with real kills and the real store; `tests/unit/test_projector.py` lets the process die at each point of a hundred histories.
"""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
DRIVER = [sys.executable, "-m", "tests.acceptance.projection_driver"]


KILLS = int(os.environ.get("RUNWELL_KILLS", "4"))
"""How often a process is killed at random; each time takes some seconds, and what has to be checked grows."""


def work_until_killed(directory: Path, after_s: float | None, *crash: str, what: str = "work") -> None:
    """Let a Runwell work, and kill it so long after it began; without that it kills itself."""
    child = subprocess.Popen([*DRIVER, what, str(directory), *crash], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == "working\n", child.communicate(timeout=10)[1][-2_000:]
        if after_s is not None:
            time.sleep(after_s)
            child.kill()
        assert child.wait(timeout=60) == -signal.SIGKILL
    finally:
        child.kill()
        child.communicate(timeout=10)


def check(directory: Path, *options: str, what: str = "check") -> dict[str, Any]:
    done = subprocess.run(
        [*DRIVER, what, str(directory), *options], cwd=ROOT, capture_output=True, text=True, timeout=120 + 20 * KILLS, check=False
    )
    assert done.returncode == 0, done.stderr[-3_000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.crash
@pytest.mark.parametrize("point", ["projector.before_keep", "projector.after_keep"])
def test_killed_around_a_batch(tmp_path: Path, point: str) -> None:
    for number in (1, 2, 3):
        work_until_killed(tmp_path, None, "--point", point, "--number", str(number))
        found = check(tmp_path)
        assert found["wrong"] == []
        assert found["runs"] > 0
    assert check(tmp_path, "--rebuild")["wrong"] == []


@pytest.mark.crash
@pytest.mark.parametrize(
    ("point", "number", "kept"),
    [
        ("journal.after_commit", 1, 10),  # it is decided, and nothing is deleted
        ("journal.after_commit", 2, 10),  # the runs are gone from the journal
        ("projector.before_remove", 1, 10),
        ("projector.after_remove", 1, 5),
    ],
)
def test_killed_in_a_deletion(tmp_path: Path, point: str, number: int, kept: int) -> None:
    work_until_killed(tmp_path, None, "--point", point, "--number", str(number), what="delete")
    found = check(tmp_path, what="look")
    assert found == {"shown": 5, "kept_at_first": kept, "kept": 5, "journal": ["stays"], "workflows": None}
    assert check(tmp_path)["wrong"] == []


@pytest.mark.crash
@pytest.mark.timeout(300 + 120 * KILLS)
def test_killed_at_random_moments(tmp_path: Path) -> None:
    chance = random.Random(7)
    for _ in range(KILLS):
        work_until_killed(tmp_path, chance.random() * 2.5)
        if chance.random() < 0.5:
            assert check(tmp_path)["wrong"] == []
    found = check(tmp_path, "--rebuild")
    assert found["wrong"] == []
    assert found["runs"] > 0


@pytest.mark.crash
def test_a_store_whose_directory_is_gone_is_made_again(tmp_path: Path) -> None:
    work_until_killed(tmp_path, 1.5)
    assert check(tmp_path)["wrong"] == []
    shutil.rmtree(tmp_path / "runstore")
    work_until_killed(tmp_path, 0.5)
    found = check(tmp_path)
    assert found["wrong"] == []
    assert found["runs"] > 0
