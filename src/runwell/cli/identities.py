"""Users, keys and organizations of a data directory that no server owns."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from runwell.bootstrap import open_app
from runwell.cli.local_place import no_run
from runwell.cli.options import Options
from runwell.model.errors import DataDirectoryBusy, InvalidInput
from runwell.ports.identity import Identities


@asynccontextmanager
async def identities_of(options: Options, what: str, path: str | None) -> AsyncIterator[Identities]:
    """Open the data directory. Raises `DataDirectoryBusy` with the way that is left, and `InvalidInput` where a server is meant.

    `what` the command is about; `path`: where a server's interface has them, if it has.
    """
    there = "" if path is None else f"make, list and revoke its {what} at {path}; "
    if options.server is not None:
        hint = f"{there}for the data directory, leave --server and RUNWELL_SERVER out"
        raise InvalidInput(f"{what} works on a data directory, not on the server {options.server!r}", hint=hint)
    try:
        async with open_app(options.settings(), mine=no_run) as app:
            assert app.identities is not None
            yield app.identities
    except DataDirectoryBusy as exc:
        hint = "stop the process that owns it, and start it again afterwards"
        if path is not None:
            hint = f"while a server owns it, {what} are made, listed and revoked there: at {path}, or on its page; or stop it"
        raise DataDirectoryBusy(exc.message, hint=hint) from exc
