"""The only place that wires everything."""

import gc
import importlib
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Final, Unpack

import msgspec

from runwell.adapters.connection_trial import GuardedTrial
from runwell.adapters.http import GuardedHttp
from runwell.adapters.linear_patterns import linear_pattern
from runwell.adapters.models.connections import addresses
from runwell.adapters.models.router import ModelRouter
from runwell.adapters.models.sources import ModelSources
from runwell.adapters.sandbox import MontySandbox
from runwell.adapters.secrets import EnvironmentSecrets, StoredSecrets
from runwell.adapters.tools.functions import WithFunctions
from runwell.adapters.tools.mcp_tools import McpTools
from runwell.adapters.tools.reach import Reach as Reachable
from runwell.engine.compile import Reach
from runwell.model.canonical import content_hash
from runwell.model.errors import InvalidInput
from runwell.model.event_redaction import RedactedEvents
from runwell.model.ids import DEFAULT_ORG
from runwell.model.origins import OriginRules
from runwell.model.redaction import NOTHING, Redaction
from runwell.model.redactor import Redactor
from runwell.model.run import RunRow
from runwell.model.scope import Scope
from runwell.model.traces import Span, TraceReading
from runwell.ports.clock import Clock
from runwell.ports.feed import Feed
from runwell.ports.feedback import FeedbackTokens
from runwell.ports.identity import Identities
from runwell.ports.journal import Definitions, Journal
from runwell.ports.probe import Probe, no_probe
from runwell.ports.redaction import EventRedactor
from runwell.ports.run_store import RunStore
from runwell.ports.steps import Services, StepTypes
from runwell.ports.tools import Tools
from runwell.ports.vault import Vault
from runwell.runstore.bounds import Bounds
from runwell.runstore.store import open_run_store
from runwell.runtime.clock import SystemClock
from runwell.runtime.evaluation import HostedEvaluation
from runwell.runtime.hosting import Hosting
from runwell.runtime.playground import TryingOut
from runwell.runtime.projector import Projector
from runwell.runtime.publisher import Publisher, ReachOf
from runwell.runtime.runtime import Runtime
from runwell.runtime.traces import TraceRecorder
from runwell.sdk.function_set import FunctionSet, installed_functions
from runwell.settings import Settings
from runwell.steps.reach import unreachable
from runwell.steps.registry import as_tried, step_types
from runwell.steps.workflow_tools import WithWorkflows
from runwell.storage.feedback_tokens import SignedTokens
from runwell.storage.homes import home
from runwell.storage.memory_journal import MemoryJournal
from runwell.storage.sealing import KeyRing, Sealer
from runwell.storage.sql import Sql
from runwell.storage.sql_connections import SqlConnections
from runwell.storage.sql_datasets import SqlDatasets
from runwell.storage.sql_definitions import SqlDefinitions
from runwell.storage.sql_evaluators import SqlEvaluators, SqlPendingEvaluations
from runwell.storage.sql_experiments import SqlExperiments
from runwell.storage.sql_identity import sql_identities
from runwell.storage.sql_limits import all_limits
from runwell.storage.sql_project_settings import all_settings
from runwell.storage.sql_secrets import SqlSecrets
from runwell.storage.sql_traces import SqlPendingSpans
from runwell.storage.sql_workflow_changes import delete_workflows
from runwell.storage.sql_workflows import SqlWorkflows
from runwell.storage.vault_marks import VaultMarks


class App(msgspec.Struct, frozen=True, kw_only=True):
    """A Runwell that is ready. One in memory has no `sql`, no `vault` and no `tools` but those of its services.

    `run_store` is kept by `projector`, which has to be started; both are None where there is none. So has `traces`, where tables are kept.
    """

    runtime: Runtime
    journal: Journal
    definitions: Definitions
    identities: Identities | None = None
    publisher: Publisher
    types: StepTypes
    playground: TryingOut
    sql: Sql | None = None
    vault: Vault | None = None
    tools: Tools | None = None
    run_store: RunStore | None = None
    projector: Projector | None = None
    traces: TraceRecorder | None = None
    evaluation: HostedEvaluation | None = None
    feedback_tokens: FeedbackTokens | None = None


REDACTION: Final = "redaction"
"""Under which key of a project's settings it says what is not to be kept."""


def redactor_for(rules: Redaction) -> Redactor:
    """Return what follows the rules. Raises `InvalidInput` for some that cannot be followed."""
    return Redactor(rules, linear_pattern)


def event_rules(rules: Redaction) -> EventRedactor | None:
    return None if rules == NOTHING else RedactedEvents(redactor_for(rules), content_hash(rules))


async def all_redactions(sql: Sql) -> dict[str, EventRedactor]:
    """Return the rules of every project that has some. Raises when they cannot be followed: better no process than one that keeps all."""
    found = await all_settings(sql, REDACTION, Redaction)
    return {scope.project_id: rules for scope, value in found.items() if (rules := event_rules(value)) is not None}


def tune_process() -> None:
    """Set the garbage collector for a process that hosts many runs: a state is many small objects that live for long.

    With Python's own thresholds it takes a fifth of the time of a busy runtime.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def read_trace(spans: Sequence[Span], now: int, is_late: bool) -> TraceReading:
    """Read a trace by what is loaded with the first one: it knows the prices of all models, which takes a while."""
    reading: Any = importlib.import_module("runwell.adapters.otlp.reading")
    told: TraceReading = reading.read_trace(spans, now, is_late)
    return told


def every_run(row: RunRow) -> bool:
    return True


@asynccontextmanager
async def open_app(
    settings: Settings,
    *,
    mine: Callable[[RunRow], bool] = every_run,
    probe: Probe = no_probe,
    grace_s: float = 5.0,
    run_store: RunStore | None = None,
    functions: FunctionSet | None = None,
) -> AsyncIterator[App]:
    """Open the data directory or database, take up the runs for which `mine` holds, and close it all at the end.

    `run_store` goes before the one of the settings, `functions` before those that the settings name and packages bring along.
    Raises `DataDirectoryBusy` when another process owns it.
    """
    journal, sql = home(settings.data_dir, settings.database_url, probe)
    keys = KeyRing(settings.data_dir, settings.secret_key, settings.secret_key_previous)
    marks = VaultMarks(sql, content_hash(addresses(os.environ)))
    known = installed_functions(settings.tool_modules) if functions is None else functions
    vault, services = real_outside(settings, marks, keys, known)
    clock = SystemClock()
    hosting = Hosting(probe=probe, max_running=settings.max_running, marks=marks.of)
    parts = assemble(journal, SqlDefinitions(sql), services, clock, reach=partial(reach_within, settings, vault, known), **hosting)
    store = run_store_of(settings) if run_store is None else run_store
    projector = None if store is None else Projector(journal, store, parts.runtime.feed, clock, probe)
    evaluation = hosted_evaluation(parts.runtime, sql)
    app = msgspec.structs.replace(
        parts,
        sql=sql,
        identities=sql_identities(sql, clock),
        vault=vault,
        tools=services.tools,
        run_store=store,
        projector=projector,
        traces=(traces := TraceRecorder(parts.runtime, SqlPendingSpans(sql), read_trace, clock, probe)),
        evaluation=evaluation,
        feedback_tokens=SignedTokens(keys),
    )
    tune_process()
    try:
        await journal.open()
        await finish_deletions(journal, sql, is_projected=projector is not None)
        app.runtime.limits.load(await all_limits(sql))
        app.runtime.redaction.load(await all_redactions(sql))
        await app.runtime.open(mine)
        yield app
    finally:
        await traces.close()
        await evaluation.close()
        await app.runtime.close(grace_s)
        if projector is not None:
            await projector.close()
        await sql.close()
        await close_services(services)


async def finish_deletions(journal: Journal, sql: Sql, *, is_projected: bool) -> None:
    """Delete the workflows whose deletion a process left half-way. What is left of their runs the projector sees to, where there is one."""
    cut_off = journal.removals().of("cut_off")
    if cut_off:
        await sql.write(partial(delete_workflows, workflow_ids=cut_off))
    for workflow_id in () if is_projected else cut_off:
        await journal.delete_runs(workflow_id)


@asynccontextmanager
async def open_projection(settings: Settings, run_store: RunStore | None = None) -> AsyncIterator[Projector]:
    """Own the journal without carrying its runs, for work on the run store.

    Raises `DataDirectoryBusy`, and `InvalidInput` without a store.
    """
    store = run_store_of(settings) if run_store is None else run_store
    if store is None:
        raise InvalidInput("there is no run store: RUNWELL_RUNSTORE_URL is none", hint="leave it out, or name a server")
    journal, sql = home(settings.data_dir, settings.database_url)
    projector = Projector(journal, store, Feed(), SystemClock())
    try:
        await journal.open()
        yield projector
    finally:
        await projector.close()
        await journal.close()
        await sql.close()


def run_store_of(settings: Settings) -> RunStore | None:
    """Return the run store, not open yet; None when it is switched off."""
    if settings.runstore_url == "none":
        return None
    bounds = Bounds(memory_mb=settings.runstore_memory_mb, threads=settings.runstore_threads)
    return open_run_store(settings.data_dir / "runstore", settings.runstore_url, bounds)


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
        services=msgspec.structs.replace(services, tools=WithWorkflows(services.tools, definitions)),
        clock=clock,
        compile_document=publisher.compile,
        **hosting,
    )
    playground = TryingOut(runtime, as_tried(known), services, clock, publisher.compile, MemoryJournal)
    return App(runtime=runtime, journal=journal, definitions=definitions, publisher=publisher, types=known, playground=playground)


def real_services(settings: Settings, functions: FunctionSet | None = None) -> Services:
    """Return the services that reach the outside, with the environment's secrets and connections alone."""
    return Services(
        models=ModelRouter(http_allow=settings.http_allow),
        http=GuardedHttp(allow=settings.http_allow),
        sandbox=MontySandbox(max_processes=settings.sandbox_processes),
        secrets=EnvironmentSecrets(),
        tools=WithFunctions(McpTools(EnvironmentSecrets(), settings.mcp_commands, settings.http_allow), functions or FunctionSet()),
    )


def hosted_evaluation(runtime: Runtime, sql: Sql) -> HostedEvaluation:
    """Return what evaluates the runtime's runs; it is not started."""
    return HostedEvaluation(
        runtime,
        SqlWorkflows(sql),
        evaluators=SqlEvaluators(sql),
        pending=SqlPendingEvaluations(sql),
        datasets=SqlDatasets(sql),
        experiments=SqlExperiments(sql),
    )


def real_outside(settings: Settings, sql: Sql, keys: KeyRing, functions: FunctionSet | None = None) -> tuple[Vault, Services]:
    """Return the vault, and the services with what is stored in it before the environment's."""
    sealer = Sealer(keys)
    secrets, connections = SqlSecrets(sql, sealer), SqlConnections(sql, sealer)
    stored = StoredSecrets(secrets, connections, EnvironmentSecrets())
    services = msgspec.structs.replace(
        real_services(settings),
        models=ModelRouter(ModelSources(os.environ, connections, share_keys=settings.share_model_keys), settings.http_allow),
        secrets=stored,
        tools=WithFunctions(McpTools(stored, settings.mcp_commands, settings.http_allow), functions or FunctionSet()),
    )
    trial = GuardedTrial(connections, services.http)
    return Vault(secrets=secrets, connections=connections, trial=trial, rules=OriginRules(settings.http_allow)), services


async def reach_within(settings: Settings, vault: Vault, functions: FunctionSet, scope: Scope) -> Reach:
    """Return what documents can name in the scope."""
    environment = ModelSources(os.environ, share_keys=settings.share_model_keys).environment(scope)
    tenant = scope.org_id != DEFAULT_ORG
    commands = () if tenant else tuple(settings.mcp_commands)
    own = FunctionSet() if tenant else functions
    names = Reachable(environment, await vault.connections.types(scope), tenant=tenant, commands=commands, functions=own)
    return partial(unreachable, names=names)


async def close_services(services: Services) -> None:
    await services.tools.aclose()
    await services.models.aclose()
    await services.http.aclose()
    await services.sandbox.aclose()
