"""The benchmark's own arithmetic: what it measures is checked by running it."""

import json
import sys
from io import StringIO
from pathlib import Path

import pytest
from benchmarks import floor
from benchmarks.engine import aims, table
from benchmarks.measure import best_of, in_threads, percentiles
from benchmarks.peers.environment import ROOT, BenchmarkFailed, result_of
from rich.console import Console

FLOOR = {"peer": "floor", "version": "3", "commits_per_s": 9000.0, "latency_p50_ms": 0.1, "latency_p95_ms": 0.2, "settings": ""}
RUNWELL = {"peer": "Runwell", "version": "0", "runs_per_s": 6000.0, "concurrency": 64, "latency_p50_ms": 0.3, "chain100_ms": 10.0}
PEER = {"peer": "Other", "version": "1", "runs_per_s": 200.0, "concurrency": 4, "latency_p50_ms": 6.0, "chain100_ms": 5.0}


def test_percentiles() -> None:
    assert percentiles([float(n) for n in range(100)]) == {"latency_p50_ms": 49.5, "latency_p95_ms": 95.0}


def test_a_peer_is_shown_at_its_best() -> None:
    threads = {
        "settings": "threads",
        "runs_per_s": 10.0,
        "concurrency": 4,
        "latency_p50_ms": 2.0,
        "latency_p95_ms": 3.0,
        "chain100_ms": 9.0,
    }
    tasks = {"settings": "tasks", "runs_per_s": 5.0, "concurrency": 1, "latency_p50_ms": 1.0, "latency_p95_ms": 4.0, "fan100_ms": 7.0}
    assert best_of([tasks, threads]) == {
        "runs_per_s": 10.0,
        "concurrency": 4,
        "latency_p50_ms": 1.0,
        "latency_p95_ms": 4.0,
        "chain100_ms": 9.0,
        "fan100_ms": 7.0,
        "settings": "threads (runs/s otherwise: tasks: 5.0)",
    }


def test_throughput_counts_runs() -> None:
    found = in_threads(lambda: None, levels=(1, 2), window_s=0.01)
    assert found["runs_per_s"] > 0
    assert found["concurrency"] in (1, 2)


def test_the_floor_is_measured_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNWELL_BENCH_DIR", str(tmp_path))
    found = floor.measure(seconds=0.02)
    assert found.keys() == FLOOR.keys()
    assert json.loads(json.dumps(found)) == found
    assert list(tmp_path.iterdir()) == []


def test_the_aims_are_judged() -> None:
    assert aims(FLOOR, RUNWELL, [PEER]) == [
        ("at least 5,000 runs/s: 6,000.0", True),
        ("p50 latency at most 2x the floor's: 3.0x", False),
        ("at least 30x the runs/s of Other: 30.0x", True),
    ]


def test_the_table_shows_ratios() -> None:
    out = StringIO()
    Console(file=out, width=120).print(table(FLOOR, RUNWELL, [PEER]))
    lines = out.getvalue()
    for shown in ("200 (30.0x)", "6.00 (20.0x)", "5.00 (0.5x)", "9,000.0", "Other 1"):
        assert shown in lines


def test_a_benchmark_that_fails_is_named() -> None:
    with pytest.raises(BenchmarkFailed, match=r"benchmarks\.gone ended with exit code 1"):
        result_of(sys.executable, "benchmarks.gone")


@pytest.mark.parametrize("peer", ["langgraph", "dbos"])
def test_the_peers_are_pinned_with_hashes(peer: str) -> None:
    lines = (ROOT / f"benchmarks/peers/{peer}.txt").read_text().replace("\\\n", " ").splitlines()
    assert lines
    assert all("==" in line and "--hash=sha256:" in line for line in lines)
