"""`runwell runs stop | pause | send` and `runwell tasks complete`."""

import time
from collections.abc import Sequence
from typing import Any

import msgspec

from runwell.cli.asking import who
from runwell.cli.carrying import carry
from runwell.cli.console import print_json, stderr, stdout
from runwell.cli.display import Lines
from runwell.cli.exit_codes import Exit
from runwell.cli.following import Follower
from runwell.cli.options import Manner, Options
from runwell.cli.output import Format
from runwell.cli.place import Place
from runwell.cli.places import open_to_steer
from runwell.cli.rendering import print_result
from runwell.engine.state import RunState
from runwell.engine.view import run_view
from runwell.model.commands import ArchiveRun, CompleteTask, PauseRun, ReviewRun, SendMessage, UnarchiveRun
from runwell.model.errors import CommandRefused
from runwell.model.events import StopMode
from runwell.model.statuses import RunStatus


async def stop_run(options: Options, prefix: str, mode: StopMode, output: Format) -> Exit:
    """Stop a run, and its child runs; one that is stopped already stays so."""
    async with open_to_steer(options) as place:
        run_id = await place.find_run(prefix)
        state = await place.state(run_id)
        if state.is_terminal and state.status is not RunStatus.STOPPED:
            raise CommandRefused(f"{run_id} has ended already ({state.status})")
        if not state.is_terminal:
            await place.stop(run_id, mode)
            state = await Follower(place, run_id, Lines(stderr()), None).follow()
        _print(state, output)
        return Exit.SUCCEEDED


async def pause_run(options: Options, prefix: str, output: Format) -> Exit:
    """Pause a run: nothing of it starts until it is resumed."""
    async with open_to_steer(options) as place:
        run_id = await place.find_run(prefix)
        _print(await place.command(run_id, PauseRun(actor=who())), output)
        return Exit.SUCCEEDED


async def mark_runs(options: Options, prefixes: Sequence[str], mark: type[ArchiveRun | UnarchiveRun]) -> Exit:
    """Archive runs, or take that back, one after another. What was done before one is refused stays done."""
    async with open_to_steer(options) as place:
        for prefix in prefixes:
            run_id = await place.find_run(prefix)
            await place.command(run_id, mark(actor=who()))
            stderr().print(f"{'Archived' if mark is ArchiveRun else 'Unarchived'} {run_id}.")
    return Exit.SUCCEEDED


async def review_run(options: Options, prefix: str, said: ReviewRun) -> Exit:
    """Say what somebody thinks of the run."""
    async with open_to_steer(options) as place:
        run_id = await place.find_run(prefix)
        await place.command(run_id, msgspec.structs.replace(said, actor=who()))
    stderr().print(f"Reviewed {run_id}{': ' + said.review if said.review else ''}.")
    return Exit.SUCCEEDED


async def send_message(options: Options, prefix: str, name: str, body: Any, manner: Manner) -> Exit:
    """Send a run a message and carry it on."""
    async with open_to_steer(options) as place:
        run_id = await place.find_run(prefix)
        return await _carry_on(place, run_id, SendMessage(actor=who(), name=name, body=body), options, manner)


async def complete_task(options: Options, prefix: str, decision: CompleteTask, manner: Manner) -> Exit:
    """Decide a task, whose id `decision` need not have yet, and carry its run on."""
    async with open_to_steer(options) as place:
        task = await place.find_task(prefix, decision)
        command = msgspec.structs.replace(decision, actor=who(), task_id=task.task_id)
        return await _carry_on(place, task.run_id, command, options, manner)


async def _carry_on(place: Place, run_id: str, command: CompleteTask | SendMessage, options: Options, manner: Manner) -> Exit:
    """Take up the outermost run around `run_id`, give the command, and follow."""
    top = await place.topmost(run_id)
    await place.take_up(top)
    await place.command(run_id, command)
    return await carry(place, top, options, manner)


def _print(state: RunState, output: Format) -> None:
    if output is Format.JSON:
        print_json(run_view(state))
    else:
        print_result(stdout(), state, int(time.time() * 1000))
