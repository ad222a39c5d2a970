"""Options that several commands share, and how a command ends."""

import asyncio
from collections.abc import Coroutine
from typing import Annotated, Any, NoReturn

import typer

from runwell.cli.exit_codes import Exit
from runwell.cli.options import Options
from runwell.cli.output import Format
from runwell.model.caching import CacheUse

Output = Annotated[
    Format | None, typer.Option("--output", "-o", metavar="table|json", help="Default: a table on a terminal, JSON when piped.")
]
Watch = Annotated[bool | None, typer.Option("--watch/--no-watch", help="Draw the run live. Default: on a terminal.")]
Cache = Annotated[
    CacheUse | None, typer.Option("--cache", metavar="auto|always|never", help="Whether an earlier run's output will do. Default: auto.")
]
RunId = Annotated[str, typer.Argument(metavar="RUN_ID", help="A run's id, or as much of its beginning as is unique.")]
TaskId = Annotated[str, typer.Argument(metavar="TASK_ID", help="A task's id, or as much of its beginning as is unique.")]


def options_of(context: typer.Context) -> Options:
    """Return the options that stand before the command's name."""
    options = context.find_object(Options)
    return options if options is not None else Options()


def finish(work: Coroutine[Any, Any, Exit]) -> NoReturn:
    """Carry the work out and end the command with the exit code that it returns."""
    try:
        code = asyncio.run(work)
    except KeyboardInterrupt:
        code = Exit.INTERRUPTED
    raise typer.Exit(code)
