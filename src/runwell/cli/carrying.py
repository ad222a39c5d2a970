"""Taking a run up and carrying it on in this process, and telling how it stands when that is over."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from runwell.bootstrap import App
from runwell.cli.asking import Asker, TerminalAsker
from runwell.cli.console import is_interactive, print_json, stderr, stdout
from runwell.cli.display import Display, Lines, LiveTree
from runwell.cli.exit_codes import Exit, exit_of
from runwell.cli.following import Follower
from runwell.cli.needs import Family, descendants, family, needs, ways_on
from runwell.cli.options import Manner, Options
from runwell.cli.output import Format
from runwell.cli.rendering import print_result
from runwell.engine.view import run_view
from runwell.model.run import RunRow


def no_run(row: RunRow) -> bool:
    """For `open_app`: take up nothing yet."""
    return False


async def take_up(app: App, run_id: str) -> None:
    """Make this process carry the run and its child runs; others of the data directory are left alone."""
    mine = descendants(await app.journal.live(), run_id)
    await app.runtime.open(lambda row: row.run_id in mine)


async def carry(app: App, run_id: str, options: Options, manner: Manner, asker: Asker | None = None) -> Exit:
    """Follow the run as far as it goes, asking `asker` or whoever sits at the terminal; print how it stands."""
    if asker is None and is_interactive():
        asker = TerminalAsker(stderr())
    with _display(manner.watch) as display:
        state = await Follower(app.runtime, run_id, display, asker).follow()
    found = Family([state]) if state.is_terminal else await family(app.runtime, run_id)
    if manner.output is Format.JSON:
        print_json(run_view(state))
    else:
        print_result(stdout(), state, int(time.time() * 1000), found.children)
    if not state.is_terminal:
        stderr().print("\n".join(ways_on(needs(found), run_id, options)), soft_wrap=True)
    return exit_of(state.status)


@contextmanager
def _display(watch: bool | None) -> Iterator[Display]:
    console = stderr()
    if watch if watch is not None else console.is_terminal:
        with LiveTree(console).drawn() as tree:
            yield tree
    else:
        yield Lines(console)
