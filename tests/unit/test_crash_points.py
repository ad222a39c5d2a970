"""The probes of runwell.testing: counting points, and dying at one."""

import signal
import subprocess
import sys

import pytest

from runwell.testing import CountPoints, CrashAt

DYING = """
from runwell.testing import CrashAt
probe = CrashAt({arguments})
for number, point in enumerate(["a", "b", "a", "b", "a"], 1):
    print(number, flush=True)
    probe(point)
"""


@pytest.mark.parametrize(("arguments", "reached"), [("1", 1), ("4", 4), ("2, 'b'", 4), ("3, 'a'", 5)])
def test_the_process_dies_at_the_numbered_call(arguments: str, reached: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", DYING.format(arguments=arguments)], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == -signal.SIGKILL
    assert done.stdout.split() == [str(number) for number in range(1, reached + 1)]


def test_a_point_that_is_never_reached_kills_nobody() -> None:
    probe = CrashAt(1, "elsewhere")
    probe("here")


def test_calls_count_from_one() -> None:
    with pytest.raises(ValueError, match="the first one is 1"):
        CrashAt(0)


def test_points_are_counted_by_name() -> None:
    probe = CountPoints()
    for point in ("a", "b", "a"):
        probe(point)
    assert probe.total == 3
    assert probe.counts == {"a": 2, "b": 1}
