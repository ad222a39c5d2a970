"""The server: the embedded runtime and the HTTP interface over it, in one process.

At SIGTERM or SIGINT it takes no new connection, ends the live streams, lets requests and steps in flight end
within the grace time, and leaves the rest to the next start.
"""

import asyncio
import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from functools import partial
from typing import Final

import msgspec
import structlog
import uvicorn

from runwell.adapters.document_yaml import YamlText
from runwell.adapters.models.catalog import ModelCatalog
from runwell.adapters.models.sources import ModelSources
from runwell.adapters.oidc import OidcProvider
from runwell.adapters.otlp.forms import FORMS
from runwell.api.access import Access, AccessRules
from runwell.api.application import create_app
from runwell.api.around import Around
from runwell.api.authentication import Authentication
from runwell.api.first_run import first_run_token
from runwell.api.idempotency import Idempotency
from runwell.api.metrics import Metrics
from runwell.api.own_origin import is_loopback
from runwell.api.parts import Parts, anybody, welcome
from runwell.api.passwords import Passwords
from runwell.api.rate_limit import RateLimit, StrangerLimit
from runwell.api.throttle import SignInThrottle
from runwell.api.tickets import redeem_ticket
from runwell.bootstrap import REDACTION, App, event_rules, open_app, redactor_for
from runwell.model.errors import InvalidInput
from runwell.model.redaction import Redaction
from runwell.model.retention import Retention
from runwell.model.scope import Scope
from runwell.ports.clock import Clock
from runwell.ports.keeping import Trouble
from runwell.query.chat_workflow import ChatWorkflow
from runwell.query.following import Streams
from runwell.runstore.switched_off import SwitchedOff
from runwell.runtime.clock import SystemClock
from runwell.runtime.cutter import Cutter
from runwell.runtime.hosted import HostedRuns
from runwell.runtime.projector import Projector
from runwell.settings import Settings, shown_settings
from runwell.storage.sql_holds import SqlHolds
from runwell.storage.sql_idempotency import SqlIdempotencyKeys
from runwell.storage.sql_limits import SqlLimitSettings
from runwell.storage.sql_project_settings import SqlProjectSettings, all_settings
from runwell.storage.sql_views import SqlViews
from runwell.storage.sql_workflows import SqlWorkflows

REQUESTS_S: Final = 5
"""How long requests in flight may take when the server ends."""

UNTAKEN_MS: Final = 30_000
"""How long the other side may take nothing of what was sent before the connection is given up."""

RETENTION: Final = "retention"
"""Under which key of a project's settings its rules are."""

_log = structlog.get_logger("runwell.server")


class ServeOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Where to listen. `sign_in`: callers need a key or a session; without it only loopback is served."""

    host: str = "127.0.0.1"
    port: int = 7878
    sign_in: bool = True


def parts_for(app: App, settings: Settings, *, sign_in: bool = False, loopback: bool = True) -> Parts:
    """Return what the HTTP interface is made of.

    `sign_in`: only who has a key or a session is let in; otherwise whoever reaches it is the local user. `loopback`:
    it listens there only. Close `access.provider` at the end, where there is one.
    """
    if app.sql is None or app.identities is None or app.vault is None or app.tools is None or app.traces is None:
        raise ValueError("a server needs an app whose tables are kept")
    if app.evaluation is None or app.feedback_tokens is None:
        raise ValueError("a server needs an app whose tables are kept")
    clock = SystemClock()
    rules = AccessRules(loopback=loopback, allowed_origins=settings.allowed_origins, oidc_default_role=settings.oidc_default_role)
    provider = _provider(settings, clock) if sign_in else None
    throttle = SignInThrottle(clock)
    access = Access(identities=app.identities, clock=clock, passwords=Passwords(), throttle=throttle, rules=rules, provider=provider)
    limit = None if settings.rate_limit == "none" else RateLimit(settings.rate_limit)
    metrics = Metrics()
    metrics.watch(app.runtime.feed)
    streams = Streams(app.runtime.feed, app.journal)
    metrics.gauge("runwell_runs_running", "Runs under way, less those that wait.", lambda: app.runtime.load.running)
    metrics.gauge("runwell_runs_queued", "Runs that wait for their turn.", lambda: app.runtime.load.queued)
    metrics.gauge("runwell_streams", "Live streams.", lambda: len(streams))
    if app.projector is not None:
        _watch_projection(metrics, app.projector)
    workflows = SqlWorkflows(app.sql)
    connections = app.vault.connections
    sources = ModelSources(os.environ, connections, share_keys=settings.share_model_keys)
    return Parts(
        runs=HostedRuns(app.runtime),
        journal=app.journal,
        definitions=app.definitions,
        vault=app.vault,
        around=Around(Idempotency(SqlIdempotencyKeys(app.sql), lambda scope: app.runtime.redaction.of(scope.project_id) is None), limit),
        tools=app.tools,
        strangers=welcome if limit is None else StrangerLimit(limit),
        workflows=workflows,
        chats=ChatWorkflow(app.publisher, app.definitions, workflows),
        model_names=ModelCatalog(sources, connections),
        playground=app.playground,
        views=SqlViews(app.sql),
        run_store=SwitchedOff() if app.run_store is None else app.run_store,
        projection=SwitchedOff() if app.projector is None else app.projector,
        limits=SqlLimitSettings(app.sql, clock, app.runtime.limits.set),
        retention=SqlProjectSettings(app.sql, clock, RETENTION, Retention),
        holds=SqlHolds(app.sql, clock),
        redaction=SqlProjectSettings(app.sql, clock, REDACTION, Redaction, partial(_redact, app)),
        redactor_for=redactor_for,
        evaluation=app.evaluation,
        feedback_tokens=app.feedback_tokens,
        publishing=app.publisher,
        document_text=YamlText(),
        traces=app.traces,
        otlp=FORMS,
        streams=streams,
        metrics=metrics,
        now=clock.now,
        settings=tuple(shown_settings(settings)),
        max_body_bytes=settings.max_body_bytes,
        local_only=not sign_in,
        base_path=settings.base_path,
        allowed_origins=settings.allowed_origins,
        access=access,
        redeem_ticket=partial(redeem_ticket, access),
        authenticate=Authentication(access) if sign_in else anybody,
    )


def _watch_projection(metrics: Metrics, projector: Projector) -> None:
    metrics.gauge("runwell_run_store_lag_positions", "Appends that the run store has not.", lambda: projector.lag().positions)
    metrics.gauge("runwell_run_store_lag_seconds", "For how long it has not had the oldest of them.", lambda: projector.lag().seconds)
    metrics.gauge("runwell_run_store_overlay_runs", "Runs that lists take from memory.", lambda: projector.held)
    metrics.gauge("runwell_run_store_written_runs", "Records of runs written since the start.", lambda: projector.written)
    metrics.gauge("runwell_run_store_removals", "Deletions that the run store has not carried out.", lambda: len(projector.pending))
    metrics.gauge("runwell_run_store_left_out_runs", "Runs that could not be written, for what is in them.", lambda: projector.left_out)


def _provider(settings: Settings, clock: Clock) -> OidcProvider | None:
    if settings.oidc_issuer is None or settings.oidc_client_id is None or settings.oidc_client_secret is None:
        return None
    return OidcProvider(settings.oidc_issuer, settings.oidc_client_id, settings.oidc_client_secret, clock)


def _redact(app: App, scope: Scope, rules: Redaction) -> None:
    app.runtime.redaction.set(scope.project_id, event_rules(rules))


def cutter_for(app: App, parts: Parts, clock: Clock) -> Cutter:
    """Return what deletes the runs whose time is over; it is not started."""
    if app.sql is None:
        raise ValueError("an app whose tables are not kept has no rules to cut by")
    cutter = Cutter(
        app.journal,
        partial(all_settings, app.sql, RETENTION, Retention),
        parts.holds,
        parts.projection.remove_deleted,
        clock,
    )
    parts.metrics.gauge("runwell_runs_cut", "Runs deleted as their time was over, since the start.", lambda: cutter.count)
    return cutter


async def set_up_link(parts: Parts, address: str) -> str | None:
    """Return the one-time link of a first start, below the server's address; None once there is a user."""
    token = None if parts.access is None else await first_run_token(parts.access.identities)
    return None if token is None else f"{address.rstrip('/')}/setup?token={token}"


async def serve(settings: Settings, options: ServeOptions, *, ready: Callable[[str, str | None], None]) -> None:
    """Serve until a signal; `ready` is told the address, and the set-up link of a first start, once requests are answered.

    Raises `DataDirectoryBusy`, and `InvalidInput` for an address that cannot be listened at.
    """
    loopback = is_loopback(options.host)
    if not options.sign_in and not loopback:
        raise InvalidInput(f"--no-auth with --host {options.host!r} would let everybody in", hint="leave --no-auth or --host out")
    async with AsyncExitStack() as stack:
        listening = stack.enter_context(_listen(options.host, options.port))
        app = await stack.enter_async_context(open_app(settings, grace_s=settings.grace_s))
        if app.evaluation is not None:
            await app.evaluation.start()
        app.runtime.feed.keeping.listen(partial(_log_trouble, str(settings.database_url or settings.data_dir)))
        parts = parts_for(app, settings, sign_in=options.sign_in, loopback=loopback)
        if parts.access is not None and parts.access.provider is not None:
            stack.push_async_callback(parts.access.provider.aclose)
        cutter = cutter_for(app, parts, SystemClock())
        stack.push_async_callback(cutter.close)
        cutter.start()
        address = _address(options.host, listening.getsockname()[1]) + settings.base_path
        link = await set_up_link(parts, address) if options.sign_in else None
        await _Server(parts, partial(_begin, app, lambda: ready(address, link))).serve(sockets=[listening])
        _log.info("stopping", grace_s=settings.grace_s)
    _log.info("stopped")


def _begin(app: App, ready: Callable[[], None]) -> None:
    """Say that requests are answered; only then open the run store, which takes a while."""
    ready()
    if app.projector is not None:
        app.projector.start()
    if app.traces is not None:
        app.traces.start()


def _log_trouble(place: str, trouble: Trouble | None) -> None:
    if trouble is None:
        _log.info("journal_available_again", place=place)
    else:
        _log.error("journal_unavailable", place=place, error=trouble.error.message, hint=trouble.error.hint)


class _Server(uvicorn.Server):
    """Uvicorn that ends streams before it waits for connections."""

    def __init__(self, parts: Parts, ready: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                create_app(parts),
                log_config=None,
                access_log=False,
                lifespan="off",
                ws_max_size=65_536,
                h11_max_incomplete_event_size=65_536,
                timeout_graceful_shutdown=REQUESTS_S,
                server_header=False,
            )
        )
        self._parts = parts
        self._ready = ready

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """End at the first signal; uvicorn's own way raises it again, and what is still open would not be closed."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._end)
        try:
            yield
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)

    def _end(self) -> None:
        self.force_exit = self.should_exit  # the second signal waits for nobody
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self._parts.streams.close()
        await super().shutdown(sockets)


def _listen(host: str, port: int) -> socket.socket:
    """Return a bound socket. Raises `InvalidInput`."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # named, or asyncio leaves Nagle's delay on
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux. Without it a closed connection stays until the last byte is taken
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNTAKEN_MS)
        listening.bind((host, port))
    except (OSError, OverflowError) as exc:
        raise InvalidInput(f"cannot listen at {_address(host, port)}: {exc}", hint="choose another --host or --port") from exc
    return listening


def _address(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
