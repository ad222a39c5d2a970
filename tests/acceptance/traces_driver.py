"""A Runwell that takes in a trace in pieces and is killed at a crash point; each time in a process of its own.

    python -m tests.acceptance.traces_driver DIRECTORY TRACE_ID [--point POINT --number N] [--check]

`--check` sends nothing: it records what was left, and prints the run as JSON.
"""

import argparse
import asyncio
import json
import sys
from pathlib import Path

import msgspec
from tests.spans import agent_trace, as_protobuf, request

from runwell.adapters.otlp.forms import FORMS
from runwell.bootstrap import open_app
from runwell.engine.view import run_view
from runwell.model.scope import DEFAULT_SCOPE
from runwell.ports.probe import Probe, no_probe
from runwell.runtime.traces import run_id_of
from runwell.settings import Settings
from runwell.testing import CrashAt


async def work(directory: Path, trace_id: str, probe: Probe) -> None:
    """Send the trace in two pieces, the root in the first, and twice; record each."""
    spans = agent_trace(trace_id)
    async with open_app(Settings(data_dir=directory, runstore_url="none"), probe=probe) as app:
        assert app.traces is not None
        for part in ([*spans[3:], spans[0]], spans[1:3], spans[2:], spans[:2]):
            batch = FORMS["application/x-protobuf"].read(as_protobuf(request(part)))
            await app.traces.take(DEFAULT_SCOPE, "usr_ann", batch.spans)
            await app.traces.settle(everything=True)


async def check(directory: Path, trace_id: str) -> None:
    async with open_app(Settings(data_dir=directory, runstore_url="none")) as app:
        assert app.traces is not None
        await app.traces.settle(everything=True)
        run_id = run_id_of(DEFAULT_SCOPE, trace_id)
        if await app.journal.row(run_id) is None:
            sys.stdout.write("null\n")
            return
        view = run_view(await app.runtime.state(run_id))
        events = [event.type for event in await app.journal.read(run_id)]
        sys.stdout.write(json.dumps({"run": json.loads(msgspec.json.encode(view)), "events": events}) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=Path)
    parser.add_argument("trace_id")
    parser.add_argument("--point")
    parser.add_argument("--number", type=int, default=1)
    parser.add_argument("--check", action="store_true")
    given = parser.parse_args()
    probe: Probe = no_probe if given.point is None else CrashAt(given.number, given.point)
    asyncio.run(check(given.directory, given.trace_id) if given.check else work(given.directory, given.trace_id, probe))


if __name__ == "__main__":
    main()
