"""`runwell demo --serve`: what `make demo` shows."""

import json
import subprocess
import urllib.request
from typing import Any

from tests.acceptance.command_line import CommandLine

from runwell.model.statuses import RunStatus

NOT_SHOWN = {RunStatus.QUOTA_EXCEEDED, RunStatus.INTERNAL_ERROR}
"""No run can end so: credits are not counted yet, and an internal error would be our mistake."""


def _served(cli: CommandLine) -> tuple["subprocess.Popen[str]", str, str]:
    """Start the demo; return it, its address and what it says when it has been filled."""
    process = cli.start("--data-dir", "shown", "demo", "--serve", "--port", "0")
    assert process.stdout is not None
    address = process.stdout.readline().rpartition(" ")[2].strip()
    process.stdout.readline()
    return process, address, process.stdout.readline()


def _runs(address: str) -> list[dict[str, Any]]:
    with urllib.request.urlopen(f"{address}/v1/runs?limit=100&archived=true") as answer:
        return list(json.load(answer)["data"])


def _end(process: "subprocess.Popen[str]") -> None:
    process.terminate()
    process.communicate(timeout=60)


def test_it_shows_runs_in_every_state_and_can_be_called_again(cli: CommandLine) -> None:
    process, address, said = _served(cli)
    try:
        assert said.startswith("It now shows ")
        runs = _runs(address)
    finally:
        _end(process)
    assert {run["status"] for run in runs} == set(RunStatus) - NOT_SHOWN
    assert {run["waiting_for"] for run in runs} >= {"approval", "message"}
    assert any(run["archived_at"] for run in runs)
    process, address, said = _served(cli)
    try:
        again = _runs(address)
    finally:
        _end(process)
    assert {run["id"] for run in runs} <= {run["id"] for run in again}
    assert len(again) <= len(runs) + 1  # what was under way goes on, but a stopping run has stopped
    assert said.startswith(("The example runs are still there.", "It now shows 1 example"))
    assert "draining" in {run["status"] for run in again}
