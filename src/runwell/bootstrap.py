"""The only place that wires everything."""

import gc
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import msgspec

from runwell.adapters.http import GuardedHttp
from runwell.adapters.models.router import ModelRouter
from runwell.adapters.sandbox import MontySandbox
from runwell.adapters.secrets import EnvironmentSecrets
from runwell.model.run import RunRow
from runwell.ports.clock import Clock
from runwell.ports.identity import Identities
from runwell.ports.journal import Definitions, Journal
from runwell.ports.probe import Probe, no_probe
from runwell.ports.steps import Services, StepTypes
from runwell.runtime.clock import SystemClock
from runwell.runtime.publisher import Publisher
from runwell.runtime.runtime import Runtime
from runwell.settings import Settings
from runwell.steps.registry import step_types
from runwell.storage.blobs import DirectoryBlobs
from runwell.storage.sql_definitions import SqlDefinitions
from runwell.storage.sql_identity import sql_identities
from runwell.storage.sqlite_journal import SqliteJournal
from runwell.storage.sqlite_sql import SqliteSql


class App(msgspec.Struct, frozen=True, kw_only=True):
    """A Runwell that is ready."""

    runtime: Runtime
    journal: Journal
    definitions: Definitions
    identities: Identities | None = None
    publisher: Publisher
    types: StepTypes


def tune_process() -> None:
    """Set the garbage collector for a process that hosts many runs: a state is many small objects that live for long.

    With Python's own thresholds it takes a fifth of the time of a busy runtime.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def every_run(row: RunRow) -> bool:
    return True


@asynccontextmanager
async def open_app(
    settings: Settings, *, mine: Callable[[RunRow], bool] = every_run, probe: Probe = no_probe, grace_s: float = 5.0
) -> AsyncIterator[App]:
    """Open the data directory, take up the runs for which `mine` holds, and close it all at the end.

    Raises `DataDirectoryBusy` when another process owns the directory.
    """
    journal = SqliteJournal(settings.data_dir, blobs=DirectoryBlobs(settings.data_dir / "blobs"), probe=probe)
    services = real_services(settings)
    sql, clock = SqliteSql(journal), SystemClock()
    app = assemble(journal, SqlDefinitions(sql), services, clock, probe=probe, max_running=settings.max_running)
    app = msgspec.structs.replace(app, identities=sql_identities(sql, clock))
    tune_process()
    try:
        await app.runtime.open(mine)
        yield app
    finally:
        await app.runtime.close(grace_s)
        await close_services(services)


def assemble(
    journal: Journal,
    definitions: Definitions,
    services: Services,
    clock: Clock,
    *,
    types: StepTypes | None = None,
    probe: Probe = no_probe,
    max_running: int = 1_000,
    max_resident: int = 20_000,
) -> App:
    """Put a Runwell together from its parts; it is not open yet."""
    known = types or step_types()
    publisher = Publisher(definitions, known)
    runtime = Runtime(
        journal=journal,
        definitions=definitions,
        types=known,
        services=services,
        clock=clock,
        compile_document=publisher.compile,
        probe=probe,
        max_running=max_running,
        max_resident=max_resident,
    )
    return App(runtime=runtime, journal=journal, definitions=definitions, publisher=publisher, types=known)


def real_services(settings: Settings) -> Services:
    """Return the services that reach the outside."""
    return Services(
        models=ModelRouter(),
        http=GuardedHttp(allow=settings.http_allow),
        sandbox=MontySandbox(max_processes=settings.sandbox_processes),
        secrets=EnvironmentSecrets(),
    )


async def close_services(services: Services) -> None:
    await services.models.aclose()
    await services.http.aclose()
    await services.sandbox.aclose()
