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
from runwell.cli.place import NewRun
from runwell.cli.running import run_file
from runwell.model.commands import Command, CompleteTask
from runwell.model.errors import NotFound
from runwell.viewing import open_view

EXAMPLE: Final = "ticket-triage.yaml"

_WELCOME: Final = """\
A customer wants money back. This workflow sorts the ticket, asks a person whether to refund, and drafts the reply.
The model is a stand-in that makes its answers up, so that no key is needed."""

_YOUR_PART: Final = "You are the person: approve, reject, or edit the amount. The result shows what you decided."


class Approving:
    """Approves, and says so, where nobody is there to ask."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def end_line(self) -> None:
        """No question stays open."""

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
    asks = is_interactive()
    console.print(_WELCOME, soft_wrap=True)
    if asks:
        console.print(_YOUR_PART, soft_wrap=True)
    console.print(f"\nThe workflow:  {example}\nKept in:       {where}\n", style="dim", soft_wrap=True)
    options = Options(data_dir=where)
    code = await run_file(options, str(example), NewRun(input=sample), Manner(output=Format.TABLE), None if asks else Approving(console))
    await _tell_what_was_kept(console, options)
    return code


async def _tell_what_was_kept(console: Console, options: Options) -> None:
    async with open_view(options.settings()) as view:
        (row,) = await view.journal.rows(limit=1)
    console.print("\nThe run was kept. Look at it again:", style="bold")
    for about, words in (("the whole run", ("runs", "show", row.run_id)), ("event by event", ("runs", "events", row.run_id))):
        console.print(f"  {about}:  {options.command(*words)}", soft_wrap=True)


def example_file() -> Path:
    """Return the example: packaged with an installed Runwell, in examples/ of a source tree."""
    packaged = Path(str(resources.files(runwell) / "examples" / EXAMPLE))
    source = Path(runwell.__file__).parents[2] / "examples" / EXAMPLE
    for path in (packaged, source):
        if path.is_file():
            return path
    raise NotFound(f"the example {EXAMPLE!r} is not part of this installation", hint="reinstall runwell")
