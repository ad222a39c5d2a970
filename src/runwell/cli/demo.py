"""`runwell demo`: the ticket triage of examples/, with the demo model, asking for its approval."""

import tempfile
from importlib import resources
from pathlib import Path
from typing import Final

import msgspec
from rich.console import Console

import runwell
from runwell.cli.asking import show_question, who
from runwell.cli.console import is_interactive, stderr
from runwell.cli.exit_codes import Exit
from runwell.cli.needs import Need
from runwell.cli.options import Manner, Options
from runwell.cli.output import Format
from runwell.cli.running import NewRun, run_file
from runwell.model.commands import Command, CompleteTask
from runwell.model.errors import NotFound

EXAMPLE: Final = "ticket-triage.yaml"


class Approving:
    """Approves, and says so, where nobody is there to ask."""

    def __init__(self, console: Console) -> None:
        self._console = console

    async def answer(self, need: Need) -> Command | None:
        if need.kind != "approval":
            return None
        show_question(self._console, need)
        self._console.print("Nobody is there to ask (stdin is no terminal), so the demo approves.", style="yellow")
        return CompleteTask(actor=who(), task_id=need.task_id, approved=True, comment="approved by the demo")


async def run_demo(options: Options) -> Exit:
    """Run the example in a fresh data directory, or in the one that was named."""
    console = stderr()
    where = options.data_dir or Path(tempfile.mkdtemp(prefix="runwell-demo-"))
    example = example_file()
    sample = msgspec.json.decode(example.with_suffix(".input.json").read_bytes())
    console.print(f"The demo runs {example}", f"and keeps its run in {where}", sep="\n", soft_wrap=True)
    console.print("No model is asked: demo: answers of itself, and says so.\n", soft_wrap=True)
    asker = None if is_interactive() else Approving(console)
    manner = Manner(output=Format.TABLE)
    code = await run_file(Options(data_dir=where), str(example), NewRun(input=sample), manner, asker)
    console.print(f"\nSee what was kept: {Options(data_dir=where).command('runs', 'list')}", soft_wrap=True)
    return code


def example_file() -> Path:
    """Return the example: packaged with an installed Runwell, in examples/ of a source tree."""
    packaged = Path(str(resources.files(runwell) / "examples" / EXAMPLE))
    source = Path(runwell.__file__).parents[2] / "examples" / EXAMPLE
    for path in (packaged, source):
        if path.is_file():
            return path
    raise NotFound(f"the example {EXAMPLE!r} is not part of this installation", hint="reinstall runwell")
