"""The only place that wires everything."""

import gc
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Unpack

import msgspec

from runwell.adapters.connection_trial import GuardedTrial
from runwell.adapters.http import GuardedHttp
from runwell.adapters.models.router import ModelRouter
from runwell.adapters.models.sources import ModelSources
from runwell.adapters.sandbox import MontySandbox
from runwell.adapters.secrets import EnvironmentSecrets, StoredSecrets
from runwell.adapters.tools.mcp_tools import McpTools
from runwell.adapters.tools.reach import Reach as Reachable
from runwell.engine.compile import Reach
from runwell.model.ids import DEFAULT_ORG
from runwell.model.origins import OriginRules
from runwell.model.run import RunRow
from runwell.model.scope import Scope
from runwell.ports.clock import Clock
from runwell.ports.identity import Identities
from runwell.ports.journal import Definitions, Journal
from runwell.ports.probe import Probe, no_probe
from runwell.ports.steps import Services, StepTypes
from runwell.ports.tools import Tools
from runwell.ports.vault import Vault
from runwell.runtime.clock import SystemClock
from runwell.runtime.hosting import Hosting
from runwell.runtime.publisher import Publisher, ReachOf
from runwell.runtime.runtime import Runtime
from runwell.settings import Settings
from runwell.steps.reach import unreachable
from runwell.steps.registry import step_types
from runwell.storage.homes import home
from runwell.storage.sealing import KeyRing, Sealer
from runwell.storage.sql import Sql
from runwell.storage.sql_connections import SqlConnections
from runwell.storage.sql_definitions import SqlDefinitions
from runwell.storage.sql_identity import sql_identities
from runwell.storage.sql_limits import all_limits
from runwell.storage.sql_secrets import SqlSecrets


class App(msgspec.Struct, frozen=True, kw_only=True):
    """A Runwell that is ready. One in memory has no `sql`, no `vault` and no `tools` but those of its services."""

    runtime: Runtime
    journal: Journal
    definitions: Definitions
    identities: Identities | None = None
    publisher: Publisher
    types: StepTypes
    sql: Sql | None = None
    vault: Vault | None = None
    tools: Tools | None = None


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
    """Open the data directory or database, take up the runs for which `mine` holds, and close it all at the end.

    Raises `DataDirectoryBusy` when another process owns it.
    """
    journal, sql = home(settings.data_dir, settings.database_url, probe)
    vault, services = real_outside(settings, sql)
    clock = SystemClock()
    hosting = Hosting(probe=probe, max_running=settings.max_running)
    parts = assemble(journal, SqlDefinitions(sql), services, clock, reach=partial(reach_within, settings, vault), **hosting)
    app = msgspec.structs.replace(parts, sql=sql, identities=sql_identities(sql, clock), vault=vault, tools=services.tools)
    tune_process()
    try:
        await journal.open()
        app.runtime.limits.load(await all_limits(sql))
        await app.runtime.open(mine)
        yield app
    finally:
        await app.runtime.close(grace_s)
        await sql.close()
        await close_services(services)


def assemble(
    journal: Journal,
    definitions: Definitions,
    services: Services,
    clock: Clock,
    *,
    types: StepTypes | None = None,
    reach: ReachOf | None = None,
    **hosting: Unpack[Hosting],
) -> App:
    """Put a Runwell together from its parts; it is not open yet."""
    known = types or step_types()
    publisher = Publisher(definitions, known, reach)
    runtime = Runtime(
        journal=journal,
        definitions=definitions,
        types=known,
        services=services,
        clock=clock,
        compile_document=publisher.compile,
        **hosting,
    )
    return App(runtime=runtime, journal=journal, definitions=definitions, publisher=publisher, types=known)


def real_services(settings: Settings) -> Services:
    """Return the services that reach the outside, with the environment's secrets and connections alone."""
    return Services(
        models=ModelRouter(http_allow=settings.http_allow),
        http=GuardedHttp(allow=settings.http_allow),
        sandbox=MontySandbox(max_processes=settings.sandbox_processes),
        secrets=EnvironmentSecrets(),
        tools=McpTools(EnvironmentSecrets(), settings.mcp_commands, settings.http_allow),
    )


def real_outside(settings: Settings, sql: Sql) -> tuple[Vault, Services]:
    """Return the vault, and the services with what is stored in it before the environment's."""
    sealer = Sealer(KeyRing(settings.data_dir, settings.secret_key, settings.secret_key_previous))
    secrets, connections = SqlSecrets(sql, sealer), SqlConnections(sql, sealer)
    stored = StoredSecrets(secrets, connections, EnvironmentSecrets())
    services = msgspec.structs.replace(
        real_services(settings),
        models=ModelRouter(ModelSources(os.environ, connections, share_keys=settings.share_model_keys), settings.http_allow),
        secrets=stored,
        tools=McpTools(stored, settings.mcp_commands, settings.http_allow),
    )
    trial = GuardedTrial(connections, services.http)
    return Vault(secrets=secrets, connections=connections, trial=trial, rules=OriginRules(settings.http_allow)), services


async def reach_within(settings: Settings, vault: Vault, scope: Scope) -> Reach:
    """Return what documents can name in the scope."""
    environment = ModelSources(os.environ, share_keys=settings.share_model_keys).environment(scope)
    tenant = scope.org_id != DEFAULT_ORG
    commands = () if tenant else tuple(settings.mcp_commands)
    names = Reachable(environment, await vault.connections.types(scope), tenant=tenant, commands=commands)
    return partial(unreachable, names=names)


async def close_services(services: Services) -> None:
    await services.tools.aclose()
    await services.models.aclose()
    await services.http.aclose()
    await services.sandbox.aclose()
