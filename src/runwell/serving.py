"""The server: the embedded runtime and the HTTP interface over it, in one process.

At SIGTERM or SIGINT it takes no new connection, ends the live streams, lets requests and steps in flight end
within the grace time, and leaves the rest to the next start.
"""

import asyncio
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from typing import Final

import msgspec
import structlog
import uvicorn

from runwell.adapters.document_yaml import YamlText
from runwell.api.application import create_app
from runwell.api.around import Around
from runwell.api.idempotency import Idempotency
from runwell.api.metrics import Metrics
from runwell.api.own_origin import is_loopback
from runwell.api.parts import Parts
from runwell.api.rate_limit import RateLimit
from runwell.bootstrap import App, open_app
from runwell.model.errors import InvalidInput
from runwell.query.following import Streams
from runwell.runtime.hosted import HostedRuns
from runwell.settings import Settings
from runwell.storage.sql_idempotency import SqlIdempotencyKeys
from runwell.storage.sql_workflows import SqlWorkflows

REQUESTS_S: Final = 5
"""How long requests in flight may take when the server ends."""

_log = structlog.get_logger("runwell.server")


class ServeOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Where to listen. `sign_in`: callers need a key or a session; without it only loopback is served."""

    host: str = "127.0.0.1"
    port: int = 7878
    sign_in: bool = True


def parts_for(app: App, settings: Settings, *, sign_in: bool = False) -> Parts:
    """Return what the HTTP interface is made of."""
    if app.sql is None:
        raise ValueError("a server needs an app whose tables are kept")
    limit = None if settings.rate_limit == "none" else RateLimit(settings.rate_limit)
    metrics = Metrics()
    metrics.watch(app.runtime.feed)
    return Parts(
        runs=HostedRuns(app.runtime),
        journal=app.journal,
        definitions=app.definitions,
        workflows=SqlWorkflows(app.sql),
        publishing=app.publisher,
        document_text=YamlText(),
        streams=Streams(app.runtime.feed, app.journal),
        around=Around(Idempotency(SqlIdempotencyKeys(app.sql)), limit),
        metrics=metrics,
        max_body_bytes=settings.max_body_bytes,
        local_only=not sign_in,
    )


async def serve(settings: Settings, options: ServeOptions, *, ready: Callable[[str], None]) -> None:
    """Serve until a signal; `ready` is told the address once requests are answered.

    Raises `DataDirectoryBusy`, and `InvalidInput` for an address that cannot be listened at.
    """
    if not options.sign_in and not is_loopback(options.host):
        raise InvalidInput(f"--no-auth with --host {options.host!r} would let everybody in", hint="leave --no-auth or --host out")
    async with AsyncExitStack() as stack:
        listening = stack.enter_context(_listen(options.host, options.port))
        app = await stack.enter_async_context(open_app(settings, grace_s=settings.grace_s))
        parts = parts_for(app, settings, sign_in=options.sign_in)
        address = _address(options.host, listening.getsockname()[1])
        await _Server(parts, lambda: ready(address)).serve(sockets=[listening])
        _log.info("stopping", grace_s=settings.grace_s)
    _log.info("stopped")


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
        for end in self._parts.at_shutdown:
            end()
        await self._parts.streams.close()
        await super().shutdown(sockets)


def _listen(host: str, port: int) -> socket.socket:
    """Return a bound socket. Raises `InvalidInput`."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listening = socket.socket(family, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
    except (OSError, OverflowError) as exc:
        raise InvalidInput(f"cannot listen at {_address(host, port)}: {exc}", hint="choose another --host or --port") from exc
    return listening


def _address(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
