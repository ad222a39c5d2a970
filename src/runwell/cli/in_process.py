"""The HTTP interface of this machine's data directory, within this process: for commands that are a question to a server and no more."""

import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2

from runwell.api.application import create_app
from runwell.bootstrap import open_app
from runwell.cli.local_place import no_run
from runwell.logs import configure_logs
from runwell.model.errors import DataDirectoryBusy
from runwell.sdk.client import AsyncClient
from runwell.serving import parts_for
from runwell.settings import Settings


@asynccontextmanager
async def client_here(settings: Settings) -> AsyncIterator[AsyncClient]:
    """Own the data directory, without carrying its runs, and let the run store catch up. Raises `DataDirectoryBusy`."""
    configure_logs(terminal=sys.stderr.isatty(), level=logging.WARNING)
    try:
        async with open_app(settings, mine=no_run) as app:
            if app.projector is not None:
                await app.projector.complete()
            transport = httpx2.ASGITransport(create_app(parts_for(app, settings)))
            async with AsyncClient("http://127.0.0.1", transport=transport) as client:
                yield client
    except DataDirectoryBusy as exc:
        raise DataDirectoryBusy(
            exc.message, hint="if that process is `runwell serve`, ask it with --server URL; else wait for its end"
        ) from exc
