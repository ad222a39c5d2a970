"""Traces across processes: the real SDK and curl against a real server, and kills in between."""

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.acceptance.served import serving
from tests.spans import agent_trace, as_json, as_protobuf, new_trace_id, request

from runwell.model.scope import DEFAULT_SCOPE
from runwell.runtime.traces import run_id_of

ROOT = Path(__file__).parents[2]
PATIENCE_S = 40.0
PROTOBUF = {"content-type": "application/x-protobuf"}


def found(address: str, query: str) -> dict[str, Any]:
    """Return the one run that a search finds, once it does."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        runs = httpx2.get(f"{address}/v1/runs", params={"q": query}).raise_for_status().json()["data"]
        if runs:
            (run,) = runs
            return dict(run)
        time.sleep(0.2)
    raise AssertionError(f"no run for {query!r}")


def test_the_real_sdk_in_another_process_makes_a_run(tmp_path: Path) -> None:
    with serving(tmp_path) as (address, _):
        script = [sys.executable, "-m", "tests.acceptance.otel_script", f"{address}/v1/traces"]
        done = subprocess.run(script, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
        assert "error" not in done.stderr.lower(), done.stderr
        run_id = run_id_of(DEFAULT_SCOPE, done.stdout.strip())
        assert found(address, '"4711 is late"')["id"] == run_id
        assert found(address, "workflow:parcel-watch metadata.session_id:night-shift model:gpt-4o-mini cost:>0")["id"] == run_id
        run = httpx2.get(f"{address}/v1/runs/{run_id}").json()
        assert run["cost_usd"] == "0.00063"
        assert [(step["path"], step["type"], step["status"]) for step in run["steps"]] == [
            ("execute_tool-list_parcels", "tool", "succeeded"),
            ("chat-gpt-4o-mini", "llm", "succeeded"),
            ("call-carrier", "span", "failed"),
        ]
        assert run["steps"][2]["error"]["message"] == "TimeoutError: the carrier did not answer"
        assert run["span"]["attributes"]["warehouse.dock"] == 7
        assert run["span"]["events"][0]["name"] == "carrier given up"
        (call,) = httpx2.get(f"{address}/v1/runs/{run_id}/generations").json()["data"]
        assert call["response"] == "Parcel 4711 is late."
        count = httpx2.get(f"{address}/v1/analytics/runs-count", params={"window": "1h"}).json()
        assert count["total"]["runs"] == 1
        exported = httpx2.get(f"{address}/v1/runs/export", params={"format": "otlp"}).content
        assert b"Parcel 4711 is late." in exported


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
def test_curl_sends_json(tmp_path: Path) -> None:
    trace_id = new_trace_id()
    (tmp_path / "trace.json").write_bytes(as_json(request(agent_trace(trace_id))))
    with serving(tmp_path) as (address, _):
        curl = ["curl", "-sS", "-f", "-H", "content-type: application/json", "--data-binary", f"@{tmp_path / 'trace.json'}"]
        done = subprocess.run([*curl, f"{address}/v1/traces"], capture_output=True, text=True, timeout=60, check=True)
        assert json.loads(done.stdout) == {}
        assert found(address, "trigger:otlp")["id"] == run_id_of(DEFAULT_SCOPE, trace_id)


@pytest.mark.crash
def test_a_server_that_is_killed_between_batches_loses_no_span(tmp_path: Path) -> None:
    trace_id = new_trace_id()
    spans = agent_trace(trace_id)
    with serving(tmp_path) as (address, process):
        httpx2.post(f"{address}/v1/traces", content=as_protobuf(request(spans[3:])), headers=PROTOBUF).raise_for_status()
        process.send_signal(signal.SIGKILL)
        process.wait()
    with serving(tmp_path) as (address, process):
        httpx2.post(f"{address}/v1/traces", content=as_protobuf(request(spans[:2])), headers=PROTOBUF).raise_for_status()
        process.send_signal(signal.SIGKILL)
        process.wait()
    with serving(tmp_path) as (address, _):
        run = found(address, "trigger:otlp")
        httpx2.post(f"{address}/v1/traces", content=as_protobuf(request(spans)), headers=PROTOBUF).raise_for_status()
        deadline = time.monotonic() + PATIENCE_S
        while len(told := httpx2.get(f"{address}/v1/runs/{run['id']}").json()["steps"]) < 4 and time.monotonic() < deadline:
            time.sleep(0.2)
        assert len(told) == 4
        assert httpx2.get(f"{address}/v1/runs/{run['id']}").json()["cost_usd"] == "0.00063"


def drive(directory: Path, trace_id: str, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.acceptance.traces_driver", str(directory), trace_id, *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.crash
@pytest.mark.parametrize(
    "point", ["traces.kept", "traces.before_append", "journal.before_commit", "journal.after_commit", "traces.recorded"]
)
def test_killed_at_any_point_each_span_is_there_once(tmp_path: Path, point: str) -> None:
    trace_id = new_trace_id()
    for number in (1, 2):
        killed = drive(tmp_path, trace_id, "--point", point, "--number", str(number))
        assert killed.returncode in (-signal.SIGKILL, 0), killed.stderr[-2_000:]
        assert killed.returncode != 0 or point == "traces.before_append"  # there is one first append
        drive(tmp_path, trace_id, "--check")
    assert drive(tmp_path, trace_id).returncode == 0
    told = json.loads(drive(tmp_path, trace_id, "--check").stdout.splitlines()[-1])
    assert sorted(step["span"]["span_id"] for step in told["run"]["steps"]) == [f"{number:016x}" for number in range(2, 6)]
    assert told["events"].count("span_recorded") == 5
    assert told["events"].count("generation_completed") == 2
    assert [kind for kind in told["events"] if kind.startswith("run_")] == ["run_created", "run_started", "run_succeeded"]
    assert told["run"]["cost_usd"] == "0.00063"
