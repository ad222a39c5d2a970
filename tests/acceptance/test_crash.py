"""Nothing acknowledged is lost, and nothing is doubled, whenever the process is killed."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.postgres import PostgresServer

ROOT = Path(__file__).parents[2]


def drive(*arguments: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.acceptance.crash_driver", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280, check=False)
    assert done.stdout, done.stderr[-4_000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.crash
def test_killed_at_every_crash_point() -> None:
    found = drive("points")
    assert found["wrong"] == []
    assert found["trials"] == found["points"] > 50


@pytest.mark.crash
def test_killed_at_200_random_moments() -> None:
    found = drive("random", "--trials", "200")
    assert found["wrong"] == []


@pytest.mark.crash
def test_killed_at_crash_points_with_runs_in_postgres(postgres: PostgresServer) -> None:
    found = drive("points", "--trials", "30", "--database", postgres.base_url)
    assert found["wrong"] == []
    assert found["points"] > 50


@pytest.mark.crash
def test_killed_at_30_random_moments_with_runs_in_postgres(postgres: PostgresServer) -> None:
    found = drive("random", "--trials", "30", "--database", postgres.base_url)
    assert found["wrong"] == []


@pytest.mark.crash
def test_a_start_acknowledged_too_early_is_found_in_postgres(postgres: PostgresServer) -> None:
    found = drive("points", "--trials", "20", "--plant", "early_ack", "--database", postgres.base_url)
    assert any("then lost" in what for what in found["wrong"])


@pytest.mark.crash
def test_a_start_acknowledged_too_early_is_found() -> None:
    found = drive("points", "--trials", "60", "--plant", "early_ack")
    assert any("then lost" in what for what in found["wrong"])


@pytest.mark.crash
def test_a_key_that_changes_between_attempts_is_found() -> None:
    found = drive("points", "--trials", "60", "--plant", "new_keys")
    assert any("different keys" in what for what in found["wrong"])
