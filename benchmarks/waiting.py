"""Ten thousand runs that wait for a person: what they cost, and whether one of them still answers at once.

    .venv/bin/python -m benchmarks.waiting [--runs 10000]

Each phase is a process of its own, on one data directory. Limits that the product promises: under
300 MB, a command as fast as on an idle process, a restart in under 2 s.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.machine import describe
from benchmarks.measure import Alone, data_directory, percentiles
from rich.console import Console
from rich.table import Table

from runwell.bootstrap import App, open_app
from runwell.model.commands import CompleteTask
from runwell.model.scope import DEFAULT_SCOPE
from runwell.ports.runs import StartRequest
from runwell.settings import Settings

SAMPLES = 200
LIMITS = {"memory_mb": 300.0, "restart_s": 2.0}
DOCUMENT: dict[str, Any] = {
    "name": "ask",
    "steps": [
        {"id": "draft", "type": "transform", "value": "Dear {{ input.name }}, your order {{ input.order }} is on its way."},
        {
            "id": "ok",
            "type": "approval",
            "depends_on": ["draft"],
            "title": "Send to {{ input.name }}?",
            "payload": "{{ steps.draft.result }}",
        },
    ],
}


def memory_mb() -> float:
    """Return the resident memory of this process now, in MB."""
    status = Path("/proc/self/status").read_text()
    return round(int(status.partition("VmRSS:")[2].split()[0]) / 1024, 1)


async def start_waiting(app: App, count: int) -> None:
    version = await app.publisher.publish(DEFAULT_SCOPE, app.publisher.compile(DOCUMENT))

    async def some(numbers: range) -> None:
        for number in numbers:
            await app.runtime.start(StartRequest(version=version, input={"name": f"Customer {number}", "order": number}))

    await asyncio.gather(*(some(range(part, count, 200)) for part in range(200)))


async def approve(app: App, count: int) -> Alone:
    """Return how long approving takes, from the command to its durable end, one after another."""
    times = []
    for task in (await app.journal.pending_tasks())[:count]:
        began = time.perf_counter()
        await app.runtime.command(task.run_id, CompleteTask(task_id=task.id, approved=True, actor="bench"))
        times.append((time.perf_counter() - began) * 1000)
    return percentiles(times)


async def fill(directory: Path, runs: int) -> dict[str, Any]:
    async with open_app(Settings(data_dir=directory)) as app:
        empty = memory_mb()
        await start_waiting(app, SAMPLES)
        idle = await approve(app, SAMPLES)
        began = time.perf_counter()
        await start_waiting(app, runs + SAMPLES)
        return {
            "memory_empty_mb": empty,
            "idle": idle,
            "starts_per_s": round(runs / (time.perf_counter() - began)),
            "busy": await approve(app, SAMPLES),
            "memory_mb": memory_mb(),
        }


async def restart(directory: Path) -> dict[str, Any]:
    began = time.perf_counter()
    async with open_app(Settings(data_dir=directory)) as app:
        took = time.perf_counter() - began
        waiting = len(await app.journal.live())
        return {
            "restart_s": round(took, 3),
            "waiting": waiting,
            "after_restart": await approve(app, SAMPLES),
            "memory_restarted_mb": memory_mb(),
        }


def phase(directory: Path, name: str, runs: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.waiting", "--phase", name, "--directory", str(directory), "--runs", str(runs)]
    found: dict[str, Any] = json.loads(subprocess.run(command, capture_output=True, text=True, check=True, timeout=300).stdout)
    return found


def report(found: dict[str, Any]) -> Table:
    shown = Table("", "measured", "limit", title=f"{found['waiting']:,} runs waiting for approval")
    shown.add_row("memory, MB (an empty process)", f"{found['memory_mb']} ({found['memory_empty_mb']})", f"{LIMITS['memory_mb']:g}")
    idle, busy, after = found["idle"]["latency_p50_ms"], found["busy"]["latency_p50_ms"], found["after_restart"]["latency_p50_ms"]
    shown.add_row("approve one, p50 ms, idle process", f"{idle}", "")
    shown.add_row("approve one, p50 ms, among all", f"{busy} ({busy / idle:.2f}x)", "1x")
    shown.add_row("restart, s", f"{found['restart_s']}", f"{LIMITS['restart_s']:g}")
    shown.add_row("approve one after it, p50 ms (loads the run)", f"{after}", "")
    shown.add_row("memory after it, MB", f"{found['memory_restarted_mb']}", f"{LIMITS['memory_mb']:g}")
    shown.add_row("starts/s while filling", f"{found['starts_per_s']:,}", "")
    return shown


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--phase", choices=("fill", "restart"))
    parser.add_argument("--directory", type=Path)
    given = parser.parse_args()
    if given.phase:
        work = fill(given.directory, given.runs) if given.phase == "fill" else restart(given.directory)
        print(json.dumps(asyncio.run(work)))
        return
    with data_directory() as directory:
        found = phase(directory, "fill", given.runs) | phase(directory, "restart", given.runs)
        machine = describe(directory)
    console = Console()
    console.print(machine)
    console.print(report(found))


if __name__ == "__main__":
    main()
