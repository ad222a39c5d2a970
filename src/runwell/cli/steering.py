"""`runwell runs stop | pause | send` and `runwell tasks complete`."""

import time
from typing import Any

from runwell.bootstrap import App, open_app
from runwell.cli.asking import who
from runwell.cli.carrying import carry, no_run, take_up
from runwell.cli.console import print_json, stdout
from runwell.cli.display import Lines
from runwell.cli.exit_codes import Exit
from runwell.cli.finding import find_run, find_task
from runwell.cli.following import Follower
from runwell.cli.needs import descendants, topmost
from runwell.cli.options import Manner, Options
from runwell.cli.output import Format
from runwell.cli.rendering import print_result
from runwell.engine.state import RunState
from runwell.engine.view import run_view
from runwell.model.commands import CompleteTask, PauseRun, SendMessage, StopRun
from runwell.model.errors import CommandRefused
from runwell.model.events import StopMode


async def stop_run(options: Options, prefix: str, mode: StopMode, output: Format) -> Exit:
    """Stop a run that no process carries, and its child runs. Gracefully: what was in flight when its process ended is let go."""
    async with open_app(options.settings(), mine=no_run) as app:
        run_id = await find_run(app.journal, prefix)
        state = await app.runtime.state(run_id)
        if state.is_terminal:
            raise CommandRefused(f"{run_id} has ended already ({state.status})")
        for each in sorted(descendants(await app.journal.live(), run_id)):
            await app.runtime.command(each, StopRun(actor=who(), mode=mode))
        await take_up(app, run_id)
        state = await Follower(app.runtime, run_id, Lines(stdout()), None).follow()
        _print(state, output)
        return Exit.SUCCEEDED


async def pause_run(options: Options, prefix: str, output: Format) -> Exit:
    """Pause a run: nothing of it starts until it is resumed."""
    async with open_app(options.settings(), mine=no_run) as app:
        run_id = await find_run(app.journal, prefix)
        _print(await app.runtime.command(run_id, PauseRun(actor=who())), output)
        return Exit.SUCCEEDED


async def send_message(options: Options, prefix: str, name: str, body: Any, manner: Manner) -> Exit:
    """Send a run a message and carry it on."""
    async with open_app(options.settings(), mine=no_run) as app:
        run_id = await find_run(app.journal, prefix)
        return await _carry_on(app, run_id, SendMessage(actor=who(), name=name, body=body), options, manner)


async def complete_task(options: Options, prefix: str, decision: CompleteTask, manner: Manner) -> Exit:
    """Decide a task, whose id `decision` need not have yet, and carry its run on."""
    async with open_app(options.settings(), mine=no_run) as app:
        task = await find_task(app.journal, prefix)
        command = CompleteTask(actor=who(), task_id=task.id, approved=decision.approved, result=decision.result, comment=decision.comment)
        return await _carry_on(app, task.run_id, command, options, manner)


async def _carry_on(app: App, run_id: str, command: CompleteTask | SendMessage, options: Options, manner: Manner) -> Exit:
    """Take up the outermost run around `run_id`, give the command, and follow."""
    top = await topmost(app.journal, run_id)
    await take_up(app, top)
    await app.runtime.command(run_id, command)
    return await carry(app, top, options, manner)


def _print(state: RunState, output: Format) -> None:
    if output is Format.JSON:
        print_json(run_view(state))
    else:
        print_result(stdout(), state, int(time.time() * 1000))
