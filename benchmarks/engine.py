"""Measures the engine beside a bare commit loop, LangGraph and DBOS, on one disk and the same cores.

    make bench                          # or: .venv/bin/python -m benchmarks.engine --cores 1 --json results.json

Each side runs alone, in its own process and its own environment.
"""

import argparse
import importlib
import json
import sys
from pathlib import Path
from typing import Any

from benchmarks.machine import describe, pin
from benchmarks.measure import ENVS
from benchmarks.peers.environment import PEERS, BenchmarkFailed, prepare, result_of
from rich.console import Console
from rich.table import Table

Result = dict[str, Any]

ROWS = {
    "runs_per_s": "runs/s, 3 no-op steps",
    "concurrency": "  at concurrency",
    "latency_p50_ms": "latency alone, p50 ms",
    "latency_p95_ms": "latency alone, p95 ms",
    "chain100_ms": "chain of 100 steps, ms",
    "fan100_ms": "fan of 100 steps, ms",
    "async_runs_per_s": "runs/s, 3 steps with handlers",
    "async_latency_p50_ms": "  latency alone, p50 ms",
    "async_chain100_ms": "  chain of 100 steps, ms",
    "async_fan100_ms": "  fan of 100 steps, ms",
}
AIM_RUNS_PER_S, AIM_TIMES_FLOOR, AIM_TIMES_PEERS = 5_000, 2, 30


def measure_runwell() -> Result:
    """Return Runwell's own numbers, in the keys that the peers print."""
    result: Result = importlib.import_module("benchmarks.runwell_engine").measure()
    return result


def measure_peers(names: list[str], say: Console) -> list[Result]:
    pythons = {}
    for name in names:
        say.print(f"preparing the environment of {name}")
        pythons[name] = prepare(name)
    results = []
    for name, python in pythons.items():
        say.print(f"measuring {name}")
        results.append(result_of(python, f"benchmarks.peers.{name}_bench"))
    return results


def table(floor: Result, runwell: Result | None, peers: list[Result]) -> Table:
    """Return all numbers side by side; behind a peer's, how many times better Runwell's is."""
    shown = Table("", "floor", "Runwell", *(f"{peer['peer']} {peer['version']}" for peer in peers))
    for column in shown.columns[1:]:
        column.justify = "right"
    shown.add_row("commits/s", f"{floor['commits_per_s']:,}", *[""] * (len(peers) + 1))
    for key, label in ROWS.items():
        mine = runwell.get(key) if runwell else None
        theirs = [f"{_number(peer.get(key))}{_ratio(key, mine, peer.get(key))}" for peer in peers]
        shown.add_row(label, _number(floor.get(key)), _number(mine), *theirs)
    return shown


def aims(floor: Result, runwell: Result, peers: list[Result]) -> list[tuple[str, bool]]:
    """Return each aim in words, with what was reached, and whether that is enough."""
    found = [
        (f"at least {AIM_RUNS_PER_S:,} runs/s: {runwell['runs_per_s']:,}", runwell["runs_per_s"] >= AIM_RUNS_PER_S),
        (
            f"p50 latency at most {AIM_TIMES_FLOOR}x the floor's: {runwell['latency_p50_ms'] / floor['latency_p50_ms']:.1f}x",
            runwell["latency_p50_ms"] <= AIM_TIMES_FLOOR * floor["latency_p50_ms"],
        ),
    ]
    for peer in peers:
        times = runwell["runs_per_s"] / peer["runs_per_s"]
        found.append((f"at least {AIM_TIMES_PEERS}x the runs/s of {peer['peer']}: {times:.1f}x", times >= AIM_TIMES_PEERS))
    return found


def main(arguments: list[str]) -> int:
    options = _options(arguments)
    say = Console(stderr=True)
    cores = pin(options.cores)
    ENVS.mkdir(exist_ok=True)
    try:
        peers = measure_peers(options.peers, say)
        say.print("measuring the floor")
        floor = result_of(sys.executable, "benchmarks.floor")
    except BenchmarkFailed as exc:
        say.print(str(exc), markup=False)
        return 1
    runwell = None
    if not options.without_runwell:
        say.print("measuring Runwell")
        runwell = measure_runwell()
    machine = {"cores used": ", ".join(map(str, cores)) or "not pinned", **describe(ENVS)}
    _print(Console(), machine, floor, runwell, peers)
    if options.json:
        options.json.write_text(json.dumps({"machine": machine, "floor": floor, "runwell": runwell, "peers": peers}, indent=2) + "\n")
    return 0


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.engine")
    parser.add_argument("--cores", type=int, default=1, help="how many cores all sides are bound to (default 1)")
    parser.add_argument("--peers", nargs="*", choices=PEERS, default=list(PEERS), help="whom to measure beside Runwell (default: all)")
    parser.add_argument("--without-runwell", action="store_true", help="measure the floor and the peers only")
    parser.add_argument("--json", type=Path, help="also write everything to this file")
    return parser.parse_args(arguments)


def _print(out: Console, machine: dict[str, str], floor: Result, runwell: Result | None, peers: list[Result]) -> None:
    out.print(table(floor, runwell, peers))
    for reached, enough in aims(floor, runwell, peers) if runwell else []:
        out.print(f"{'met   ' if enough else 'MISSED'}  {reached}", markup=False)
    out.print()
    for name, value in machine.items():
        out.print(f"{name}: {value}", markup=False, soft_wrap=True)
    for side in (floor, *([runwell] if runwell else []), *peers):
        out.print(f"{side['peer']} {side['version']}: {side['settings']}", markup=False, soft_wrap=True)


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 100 or isinstance(value, int) else f"{value:.2f}"


def _ratio(key: str, mine: float | None, theirs: float | None) -> str:
    if not mine or not theirs or key == "concurrency":
        return ""
    return f" ({(mine / theirs if key == 'runs_per_s' else theirs / mine):.1f}x)"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
