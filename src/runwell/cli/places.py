"""The place that the options name: the only file that asks whether it is here or a server."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from runwell.cli.agent_places import Agents, LocalAgents, RemoteAgents
from runwell.cli.folded_runs import FoldedRuns
from runwell.cli.keeping import located
from runwell.cli.local_place import LocalChecks, LocalPlace, LocalReader, no_run
from runwell.cli.options import Options
from runwell.cli.place import Checks, Followed, Lists, Place, Reader
from runwell.cli.remote_documents import RemoteChecks
from runwell.cli.remote_place import RemotePlace, RemoteReader
from runwell.cli.run_lists import JournalLists, RemoteLists, StoreLists, is_plain
from runwell.cli.runs_wanted import RunsWanted
from runwell.model.errors import DataDirectoryBusy, JournalUnavailable
from runwell.sdk.client import AsyncClient
from runwell.viewing import open_view


@asynccontextmanager
async def open_place(options: Options) -> AsyncIterator[Place]:
    """Open the place to start and steer runs. Raises `DataDirectoryBusy` for a data directory that another process owns."""
    async with AsyncExitStack() as stack:
        if options.server is None:
            from runwell.bootstrap import open_app

            settings = options.settings()
            name = str(settings.database_url or settings.data_dir)
            try:
                yield LocalPlace(await stack.enter_async_context(open_app(settings, mine=no_run)), name)
            except JournalUnavailable as exc:
                raise located(exc, name) from exc
        else:
            place = RemotePlace(await stack.enter_async_context(_client(options)))
            stack.push_async_callback(place.close)
            yield place


@asynccontextmanager
async def open_to_steer(options: Options) -> AsyncIterator[Place]:
    """Open the place for a command about a run that is there. Raises as `open_place` does, saying who takes the command instead."""
    try:
        async with open_place(options) as place:
            yield place
    except DataDirectoryBusy as exc:
        raise DataDirectoryBusy(exc.message, hint=_ELSEWHERE) from exc


_ELSEWHERE: Final = (
    "that process carries the runs: press Ctrl-C there to stop its run, or, if it is `runwell serve`,"
    " give it this command with --server URL"
)


@asynccontextmanager
async def open_reader(options: Options) -> AsyncIterator[Reader]:
    """Open the place to look at its runs, also while another process carries them."""
    async with AsyncExitStack() as stack:
        if options.server is None:
            yield LocalReader(await stack.enter_async_context(open_view(options.settings())))
        else:
            yield RemoteReader(await stack.enter_async_context(_client(options)))


@asynccontextmanager
async def open_lists(options: Options, wanted: RunsWanted) -> AsyncIterator[Lists]:
    """Open the place to find runs. Here, what only the run store can answer needs a data directory that nobody owns."""
    async with AsyncExitStack() as stack:
        if options.server is not None:
            yield RemoteLists(await stack.enter_async_context(_client(options)))
        elif is_plain(wanted):
            yield JournalLists((await stack.enter_async_context(open_view(options.settings()))).journal)
        else:
            from runwell.bootstrap import open_app

            try:
                yield StoreLists(await stack.enter_async_context(open_app(options.settings(), mine=no_run)))
            except DataDirectoryBusy as exc:
                raise DataDirectoryBusy(exc.message, hint=_ASK_THERE) from exc


_ASK_THERE: Final = (
    "that process has the run store: if it is `runwell serve`, ask it with --server URL; else wait for its end."
    " `runwell runs list` takes --status, --workflow and --limit meanwhile"
)


@asynccontextmanager
async def open_agents(options: Options) -> AsyncIterator[Agents]:
    """Open the place to look at agents. Here, that needs a data directory that nobody owns."""
    async with AsyncExitStack() as stack:
        if options.server is not None:
            yield RemoteAgents(await stack.enter_async_context(_client(options)))
            return
        from runwell.bootstrap import open_app
        from runwell.storage.sql_workflows import SqlWorkflows

        try:
            app = await stack.enter_async_context(open_app(options.settings(), mine=no_run))
        except DataDirectoryBusy as exc:
            raise DataDirectoryBusy(exc.message, hint="if that process is `runwell serve`, ask it with --server URL") from exc
        assert app.sql is not None
        yield LocalAgents(SqlWorkflows(app.sql))


@asynccontextmanager
async def open_watch(options: Options) -> AsyncIterator[Followed]:
    """Open the place to follow runs that go on without this process."""
    async with AsyncExitStack() as stack:
        if options.server is None:
            runs = FoldedRuns(LocalReader(await stack.enter_async_context(open_view(options.settings()))))
        else:
            runs = FoldedRuns(RemoteReader(await stack.enter_async_context(_client(options))))
        stack.push_async_callback(runs.close)
        yield runs


@asynccontextmanager
async def open_checks(options: Options) -> AsyncIterator[Checks]:
    """Return how documents are checked. No data directory is touched."""
    if options.server is None:
        yield LocalChecks()
        return
    async with _client(options) as client:
        yield RemoteChecks(client)


def _client(options: Options) -> AsyncClient:
    return AsyncClient(options.server, options.api_key())
