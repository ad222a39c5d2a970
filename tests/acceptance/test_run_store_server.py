"""The run store of a real server: filled in the background, told by /metrics, flushed at the end, rebuilt by the command."""

import json
import re
import signal
import time
from pathlib import Path

import httpx2
from tests.acceptance.command_line import PATIENCE_S, CommandLine
from tests.acceptance.documents import APPROVAL, SUM
from tests.acceptance.served import serving


def metric(address: str, name: str) -> float:
    found = re.search(rf"^{name} (\S+)$", httpx2.get(f"{address}/metrics", timeout=PATIENCE_S).text, re.MULTILINE)
    assert found is not None, name
    return float(found[1])


def until(address: str, name: str, least: float) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while metric(address, name) < least:
        assert time.monotonic() < deadline, f"{name} is {metric(address, name)}"
        time.sleep(0.05)


def test_a_server_fills_its_run_store_and_a_rebuild_finds_the_same(tmp_path: Path) -> None:
    cli = CommandLine(tmp_path)
    cli.write("sum.yaml", SUM)
    cli.write("ask.yaml", APPROVAL)
    with serving(tmp_path) as (address, process):
        cli.env["RUNWELL_SERVER"] = address
        for n in range(3):
            assert cli.run("run", "sum.yaml", "-i", json.dumps({"a": n, "b": 1})).returncode == 0
        until(address, "runwell_run_store_written_runs", 3)
        assert cli.run("run", "ask.yaml", "-i", '{"amount": 3}', "--no-watch").returncode == 3
        assert metric(address, "runwell_run_store_left_out_runs") == 0
        assert metric(address, "runwell_run_store_lag_seconds") < 60
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 0
    assert '"error"' not in (tmp_path / "server.log").read_text()
    del cli.env["RUNWELL_SERVER"]
    cli.env["RUNWELL_DATA_DIR"] = str(tmp_path / "served")
    rebuilt = cli.run("runs", "rebuild", "-o", "json")
    assert json.loads(rebuilt.stdout) == {"runs": 4, "left_out": 0}
    with serving(tmp_path) as (address, _):
        refused = cli.run("runs", "rebuild")
        assert (refused.returncode, "stop the process that carries the runs" in refused.stderr) == (2, True)


def test_without_a_run_store_a_server_serves_all_the_same(tmp_path: Path) -> None:
    with serving(tmp_path, RUNWELL_RUNSTORE_URL="none") as (address, _):
        assert "runwell_run_store" not in httpx2.get(f"{address}/metrics").text
        assert not (tmp_path / "served" / "runstore").exists()
