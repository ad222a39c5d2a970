"""Draws the README's picture, docs/images/run.svg: a real run of examples/ticket-triage.yaml as the terminal shows it."""

import asyncio
import json
from pathlib import Path

from rich.console import Console

from runwell.adapters.documents import read_document
from runwell.cli.rendering import live_tree
from runwell.engine.state import RunState
from runwell.testing import memory_app

ROOT = Path(__file__).parents[1]


async def waiting_run() -> RunState:
    """Return a run of the example that waits for its approval."""
    document = read_document((ROOT / "examples" / "ticket-triage.yaml").read_text()).data
    given = json.loads((ROOT / "examples" / "ticket-triage.input.json").read_text())
    async with memory_app() as app:
        run_id = await app.start(document, given)
        while (state := await app.runtime.state(run_id)).status != "waiting":
            await app.clock.settle()
        return state


def main() -> None:
    console = Console(record=True, width=100, force_terminal=True, file=open("/dev/null", "w"))  # noqa: SIM115 (it lives as long as the process)
    state = asyncio.run(waiting_run())
    console.print(live_tree(console, state, {}, state.created_at + 1_900, ""))
    target = ROOT / "docs" / "images" / "run.svg"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(console.export_svg(title="runwell run examples/ticket-triage.yaml"))


if __name__ == "__main__":
    main()
