"""One MCP session. A single task of its own enters and leaves it; calls are sent to that task.

The library's sessions and transports hold anyio cancel scopes, which only the task that entered them may leave. So
callers never touch the session: each puts a job into the queue and waits for a future. A caller that is cancelled
cancels its job, which tells the server (`notifications/cancelled`), and does not wait for that.

Nothing here uses `ClientSession.call_tool`: it checks results against the server's own schemas with Python's regular
expressions, with which a server could stop us all.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, Final, Generic, Protocol, TypeVar

import anyio
import mcp_types as types
from mcp.client.session import ClientSession
from mcp.shared.exceptions import MCPError
from pydantic import TypeAdapter, ValidationError

from runwell.adapters.tools.failures import failed
from runwell.adapters.tools.http_link import HttpLink
from runwell.adapters.tools.process_link import ProcessLink
from runwell.model.errors import StepError
from runwell.model.version import __version__
from runwell.ports.tools import OnLog

# They log what servers send: at DEBUG all of it, and above what they cannot read.
for _name in ("mcp", "client"):
    logging.getLogger(_name).setLevel(logging.CRITICAL + 1)

T = TypeVar("T")

START_S: Final = 60.0
"""How long a server may take until the session is agreed on. Some download themselves first."""
AT_ONCE: Final = 16
"""Calls under way in one session; the others wait."""
MOST_SILENT: Final = 3
"""Calls in a row without an answer in time after which the session is given up."""
MOST_PAGES: Final = 50
MOST_TOOLS: Final = 1_000
MOST_LISTED: Final = 10_485_760
"""Bytes of a whole list of tools."""
MOST_LINES: Final = 100
LINE: Final = 2_000
IDEMPOTENCY: Final = "dev.runwell/idempotency-key"

_RESULT: Final[TypeAdapter[types.CallToolResult]] = TypeAdapter(types.CallToolResult)


class Link(Protocol):
    """The way to a server. `failure`: why it is gone, if that is known."""

    @property
    def failure(self) -> StepError | None: ...

    def streams(self) -> Any: ...


class _Job(Generic[T]):
    """One thing to be done in the session."""

    def __init__(self, work: Callable[[ClientSession], Awaitable[T]]) -> None:
        self._work = work
        self.scope = anyio.CancelScope()
        self.outcome: asyncio.Future[T] = asyncio.get_running_loop().create_future()

    async def run(self, session: ClientSession) -> None:
        try:
            with self.scope:
                value = await self._work(session)
                if not self.outcome.done():
                    self.outcome.set_result(value)
        except Exception as exc:
            self.fail(exc)

    def fail(self, exc: Exception) -> None:
        if not self.outcome.done():
            self.outcome.set_exception(exc)


class Session:
    """A session that is being opened, open, or over. Make it within a running loop; it begins at once."""

    def __init__(self, link: Callable[[Callable[[], None]], Link]) -> None:
        loop = asyncio.get_running_loop()
        self._queue: asyncio.Queue[_Job[Any] | None] = asyncio.Queue()
        self._link = link(self._leave)
        self._jobs: set[_Job[Any]] = set()
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._silent = 0
        self._left = False
        self._why: StepError | None = None
        self._opening: anyio.CancelScope | None = None
        self._tools: list[types.Tool] | None = None
        self.used_at = loop.time()
        self.listed_at = 0.0
        self.ready: asyncio.Future[None] = loop.create_future()
        self.ready.add_done_callback(lambda future: future.cancelled() or future.exception())  # somebody may have stopped waiting
        self._owner = loop.create_task(self._own())

    @property
    def is_over(self) -> bool:
        return self._left or self._owner.done() or self.was_lost

    @property
    def was_lost(self) -> bool:
        """Whether the server does not know the session any more."""
        return isinstance(self._link, HttpLink) and self._link.lost

    @property
    def is_busy(self) -> bool:
        return bool(self._jobs) or not self.ready.done()

    async def aclose(self) -> None:
        """End the session and wait until nothing of it is left."""
        self._leave()
        await asyncio.wait([self._owner])

    async def tools(self, fresh_s: float) -> list[types.Tool]:
        """Return the server's tools: as they were listed in the last `fresh_s`, unless it said since that they changed."""
        now = asyncio.get_running_loop().time()
        if self._tools is None or now - self.listed_at > fresh_s:
            self._tools = await self._done(_listed)
            self.listed_at = now
        return self._tools

    async def call(self, name: str, args: Mapping[str, Any], key: str, on_log: OnLog | None) -> types.CallToolResult:
        """Call a tool. Raises `StepError`."""
        lines = _Lines(on_log)

        async def work(session: ClientSession) -> types.CallToolResult:
            params = types.CallToolRequestParams.model_validate({"name": name, "arguments": dict(args), "_meta": {IDEMPOTENCY: key}})
            request = types.CallToolRequest(params=params)
            return await session.send_request(request, _RESULT, progress_callback=lines.progress if on_log else None)

        return await self._done(work)

    def silent(self) -> None:
        """Take notice that a call had no answer in time."""
        self._silent += 1
        if self._silent >= MOST_SILENT:
            self._leave()

    async def _done(self, work: Callable[[ClientSession], Awaitable[T]]) -> T:
        await asyncio.shield(self.ready)
        async with self._turn:
            if self.is_over:
                raise self.gone()
            job = _Job(work)
            self._jobs.add(job)
            self._queue.put_nowait(job)
            try:
                outcome = await job.outcome
            except (MCPError, ValidationError, RuntimeError, ValueError) as exc:
                failure = self._failure(exc)
            else:
                self._silent = 0
                return outcome
            finally:
                self.used_at = asyncio.get_running_loop().time()
                self._jobs.discard(job)
                job.scope.cancel()
            raise failure

    def _leave(self) -> None:
        """Have the owner leave the session, or stop opening it."""
        self._left = True
        self._queue.put_nowait(None)
        if self._opening is not None:
            self._opening.cancel()

    async def _own(self) -> None:
        """Enter the session, do what is asked for, leave it; whatever happens, nobody is left waiting."""
        try:
            async with self._link.streams() as (read, write):
                info = types.Implementation(name="runwell", version=__version__)
                async with ClientSession(read, write, message_handler=self._heard, client_info=info) as session:
                    await self._open(session)
                    await self._serve(session)
        except Exception as exc:
            self._why = self._failure(_first(exc))
        finally:
            self._unready(self.gone())
            while not self._queue.empty():
                self._queue.get_nowait()
            for job in list(self._jobs):
                job.fail(self.gone())

    async def _open(self, session: ClientSession) -> None:
        with anyio.fail_after(START_S) as self._opening:
            if self._left:
                self._opening.cancel()
            await _agreed(session)
        cancelled, self._opening = self._opening.cancelled_caught, None
        if not cancelled and not self.ready.done():
            self.ready.set_result(None)

    async def _serve(self, session: ClientSession) -> None:
        async with anyio.create_task_group() as jobs:
            while (job := await self._queue.get()) is not None:
                jobs.start_soon(job.run, session)
            jobs.cancel_scope.cancel()

    def _unready(self, failure: StepError) -> None:
        if not self.ready.done():
            self.ready.set_exception(failure)

    async def _heard(self, message: Any) -> None:
        if isinstance(message, types.ToolListChangedNotification):
            self._tools = None

    def gone(self) -> StepError:
        """Return why the session is over."""
        return self._why or self._link.failure or failed("connection", "the session with the server ended")

    def _broken_off(self, exc: MCPError) -> StepError:
        if self._owner.done() or not isinstance(self._link, HttpLink):
            return self.gone()
        return self._link.cut() or failed("connection", f"the server broke off its answer: {exc.message}")

    def _failure(self, exc: BaseException) -> StepError:
        """Return what an exception of the library means."""
        if isinstance(exc, StepError):
            return exc
        if isinstance(exc, TimeoutError):
            return failed("timeout", f"the server did not agree on a session within {START_S:g} s")
        if isinstance(exc, MCPError):
            ours = self._link.failure_in(exc.data) if isinstance(self._link, HttpLink) else None
            return ours or (self._broken_off(exc) if exc.code == types.CONNECTION_CLOSED else _refused(exc))
        return failed("protocol", "the server's answer does not follow the protocol")


async def _agreed(session: ClientSession) -> None:
    """Agree on a session: as all servers know it, or else as those do that know only the newest way."""
    try:
        await session.initialize()
    except MCPError as exc:
        if exc.code != types.UNSUPPORTED_PROTOCOL_VERSION:
            raise
        await session.discover()


async def _listed(session: ClientSession) -> list[types.Tool]:
    found: list[types.Tool] = []
    cursor: str | None = None
    size = 0
    for _ in range(MOST_PAGES):
        page = await session.list_tools(params=types.PaginatedRequestParams(cursor=cursor))
        found += page.tools
        size += sum(len(tool.model_dump_json()) for tool in page.tools)
        if len(found) > MOST_TOOLS or size > MOST_LISTED:
            raise failed("too_large", f"the server offers more than {MOST_TOOLS} tools, or {MOST_LISTED} bytes of them")
        if page.next_cursor is None:
            return found
        cursor = page.next_cursor
    raise failed("too_large", f"the server's list of tools has no end: {MOST_PAGES} pages were read")


_REFUSALS: Final = {types.METHOD_NOT_FOUND: "unknown_tool", types.INVALID_PARAMS: "invalid_args"}


def _refused(exc: MCPError) -> StepError:
    return failed(_REFUSALS.get(exc.code, "server_error"), f"the server refused the call: {exc.message}", rpc_code=exc.code)


def _first(exc: BaseException) -> BaseException:
    """Return what a group of exceptions is about: a failure of ours, if one is among them."""
    if not isinstance(exc, BaseExceptionGroup):
        return exc
    leaves = [_first(inner) for inner in exc.exceptions]
    return next((leaf for leaf in leaves if isinstance(leaf, StepError)), leaves[0])


class _Lines:
    """What a server says of a call under way, so far as anybody wants to know."""

    def __init__(self, show: OnLog | None) -> None:
        self._show, self._left = show, MOST_LINES

    async def progress(self, progress: float, total: float | None, message: str | None) -> None:
        if self._show is None or not message or self._left <= 0:
            return
        self._left -= 1
        with suppress(Exception):
            self._show(message[:LINE])


def open_session(target: Any, http_allow: Any, command: bool) -> Session:
    """Begin a session with a server."""
    if command:
        return Session(lambda ended: ProcessLink(target, ended))
    return Session(lambda ended: HttpLink(target, http_allow))
