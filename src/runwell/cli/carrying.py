"""Following a run as far as it goes, and telling how it stands then."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from runwell.cli.asking import Asker, TerminalAsker
from runwell.cli.complaints import complain
from runwell.cli.console import is_interactive, print_json, stderr, stdout
from runwell.cli.display import Display, Lines, LiveTree
from runwell.cli.exit_codes import Exit, exit_of
from runwell.cli.following import Follower
from runwell.cli.needs import Family, family, needs, resuming, ways_on
from runwell.cli.options import Manner, Options
from runwell.cli.output import Format
from runwell.cli.place import Followed, Place
from runwell.cli.rendering import print_result
from runwell.engine.state import RunState
from runwell.engine.view import run_view
from runwell.model.errors import JournalUnavailable


async def carry(place: Place, run_id: str, options: Options, manner: Manner, asker: Asker | None = None) -> Exit:
    """Follow the run as far as it goes, asking `asker` or whoever sits at the terminal; print how it stands."""
    if asker is None and is_interactive():
        asker = TerminalAsker(stderr())
    try:
        with _display(manner.watch) as display:
            state = await Follower(place, run_id, display, asker).follow()
    except JournalUnavailable as exc:
        complain(exc)
        stderr().print("\n".join(resuming(run_id, options)), soft_wrap=True)
        return Exit.NOT_ENDED
    return await _told(place, state, options, manner)


async def look_on(runs: Followed, run_id: str, options: Options, manner: Manner) -> Exit:
    """Follow the run to its end without touching it; print how it stands then, or when this process is told to go."""
    with _display(manner.watch) as display:
        state = await Follower(runs, run_id, display, None, only_looks=True).follow()
    return await _told(runs, state, options, manner)


async def _told(runs: Followed, state: RunState, options: Options, manner: Manner) -> Exit:
    """Print how the run stands."""
    found = Family([state]) if state.is_terminal else await family(runs, state.run_id)
    if manner.output is Format.JSON:
        print_json(run_view(state))
    else:
        print_result(stdout(), state, int(time.time() * 1000), found.children)
    if not state.is_terminal:
        stderr().print("\n".join(ways_on(needs(found), state.run_id, options)), soft_wrap=True)
    return exit_of(state.status)


@contextmanager
def _display(watch: bool | None) -> Iterator[Display]:
    console = stderr()
    if watch if watch is not None else console.is_terminal:
        with LiveTree(console).drawn() as tree:
            yield tree
    else:
        yield Lines(console)
