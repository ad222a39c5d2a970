"""`runwell demo --serve`: a server with workflows and runs of every kind, ready to be looked at."""

import asyncio
import logging
import socket
import sys
import tempfile
from pathlib import Path
from typing import Final

import msgspec
from rich.console import Console

import runwell
from runwell.cli.console import stdout
from runwell.cli.demo_world.seeding import fill
from runwell.cli.exit_codes import Exit
from runwell.cli.options import Options
from runwell.logs import configure_logs
from runwell.model.errors import RunwellError
from runwell.serving import ServeOptions, serve

_HOST: Final = "127.0.0.1"
_GRACE_S: Final = 1
"""What is in flight is the slow model's: nobody who ends the demo wants to wait for it."""


async def serve_demo(options: Options, port: int) -> Exit:
    """Serve a fresh data directory, or the one that was named, and fill it. Called again, what is there stays."""
    where = options.data_dir or Path(tempfile.mkdtemp(prefix="runwell-demo-"))
    configure_logs(terminal=sys.stderr.isatty(), level=logging.WARNING)
    filling: list[asyncio.Task[None]] = []

    def ready(address: str, link: str | None) -> None:
        console = stdout()
        console.print(f"Runwell is ready at {address}", soft_wrap=True)
        console.print(f"No key and no sign-in is needed; the models are made up. Kept in {where}. Ctrl-C ends it.", soft_wrap=True)
        sys.stdout.flush()
        filling.append(asyncio.create_task(_fill(console, address)))

    try:
        settings = msgspec.structs.replace(Options(data_dir=where).settings(), grace_s=_GRACE_S)
        await serve(settings, ServeOptions(host=_HOST, port=_free(port), sign_in=False), ready=ready)
    finally:
        for task in filling:
            task.cancel()
        await asyncio.gather(*filling, return_exceptions=True)
    return Exit.SUCCEEDED


async def _fill(console: Console, address: str) -> None:
    try:
        async with runwell.AsyncClient(address) as client:
            started = await fill(client)
    except* RunwellError as group:
        console.print(f"The example runs could not all be started: {group.exceptions[0]}", soft_wrap=True)
    else:
        console.print(f"It now shows {started} example runs." if started else "The example runs are still there.", soft_wrap=True)
    sys.stdout.flush()


def _free(port: int) -> int:
    """Return the port, or 0, for any, when somebody listens there."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except OSError:
            return 0
    return port
