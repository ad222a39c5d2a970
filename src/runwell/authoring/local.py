"""Workflows that are written in Python, run in this process: the runtime of the server, over a data directory or in memory."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, Final, Protocol

from runwell.authoring.deciding import ACTOR, Decide, Deciding, deciding
from runwell.bootstrap import App, assemble, close_services, open_app, real_services
from runwell.engine.view import run_view
from runwell.model.caching import CacheUse
from runwell.model.errors import DataDirectoryBusy, InvalidDocument, InvalidInput
from runwell.model.ids import derived_id, new_id
from runwell.model.run import RunRow, RunView
from runwell.model.scope import DEFAULT_SCOPE
from runwell.model.statuses import RunStatus
from runwell.ports.journal import Kept, Version
from runwell.ports.runs import StartRequest
from runwell.query.families import descendants
from runwell.query.resting import rests
from runwell.runtime.clock import SystemClock
from runwell.sdk.authored import Authored
from runwell.sdk.errors import RunNotEnded
from runwell.sdk.function_set import FunctionSet, installed_functions
from runwell.sdk.request import as_input
from runwell.settings import Settings, read_settings
from runwell.storage.memory_journal import MemoryDefinitions, MemoryJournal


class Carrier(Protocol):
    """Carries the runs of a test in place of this process's usual runtime."""

    def open(self, functions: FunctionSet) -> AbstractAsyncContextManager[App]: ...

    async def ended(self, app: App, run_id: str) -> RunView:
        """Return the run once it has ended. Raises `AssertionError` when the test did not foresee what happens."""
        ...


carrier: Final[ContextVar[Carrier | None]] = ContextVar("carrier", default=None)
"""What carries runs in this context; None: the runtime, with real models, servers and time."""


class Local:
    """An open place for runs."""

    def __init__(self, app: App, functions: FunctionSet, test: Carrier | None, *, durable: bool) -> None:
        self._app, self._functions, self._test, self._durable = app, functions, test, durable

    async def run(
        self,
        authored: Authored,
        input: Any = None,
        *,
        key: str | None = None,
        decide: Decide | None = None,
        tags: Sequence[str] = (),
        metadata: Mapping[str, str] | None = None,
        environment: str = "production",
        use_cache: CacheUse = "auto",
        timeout_s: float | None = None,
    ) -> RunView:
        """Run a workflow and return the run once it has ended; the arguments are those of `Workflow.arun`."""
        if key is not None and not self._durable:
            raise InvalidInput(f"the key {key!r} names no run: in memory none is kept", hint="say where runs are kept: data_dir=...")
        run_id = new_id("run") if key is None else derived_id("run", "key", authored.slug, key)
        given, version = as_input(input), await self._published(authored, set())
        held = await self._app.journal.row(run_id)
        if held is None:
            request = StartRequest(
                version=version,
                input=given,
                run_id=run_id,
                trigger="python",
                tags=tuple(tags),
                metadata=dict(metadata or {}),
                environment=environment,
                use_cache=use_cache,
                actor=ACTOR,
            )
            await self._app.runtime.start(request)
        else:
            await self._take_up(held, given)
        async with deciding(self._app, run_id, decide) as decider:
            return await self._end_of(run_id, decider, timeout_s)

    async def _published(self, authored: Authored, seen: set[str]) -> Version:
        """Publish it after what it runs. Raises `InvalidDocument`."""
        seen.add(authored.slug)
        for other in authored.needs():
            if other.slug not in seen:
                await self._published(other, seen)
        for tool in authored.tools():
            self._functions.add(tool)
        publisher, document = self._app.publisher, authored.document()
        try:
            await publisher.prepare(DEFAULT_SCOPE, document, authored.slug, authored.kind)
        except InvalidDocument as exc:
            message = f"{authored!r} cannot run here: {exc.problems[0]}" if exc.problems else exc.message
            raise InvalidDocument(message, problems=exc.problems) from exc
        return await publisher.publish(DEFAULT_SCOPE, publisher.compile(document), authored.slug)

    async def _take_up(self, held: RunRow, given: Any) -> None:
        """Go on with a run. Raises `InvalidInput` when it has another input."""
        created = (await self._app.runtime.state(held.run_id)).created
        if created.input != given and self._app.runtime.redaction.of(held.project_id) is None:
            raise InvalidInput(f"the key names {held.run_id}, which has another input", hint="take another key for another input")
        family = descendants(await self._app.journal.live(), held.run_id)
        await self._app.runtime.open(lambda row: row.run_id in family)

    async def _end_of(self, run_id: str, decider: Deciding | None, timeout_s: float | None) -> RunView:
        if self._test is not None:
            return await self._test.ended(self._app, run_id)
        try:
            async with asyncio.timeout(timeout_s):
                return await self._real_end(run_id, decider)
        except TimeoutError as exc:
            raise RunNotEnded(f"{run_id} has not ended within {timeout_s} s", hint=self._way_on()) from exc

    async def _real_end(self, run_id: str, decider: Deciding | None) -> RunView:
        moved = asyncio.Event()
        unlisten = self._app.runtime.feed.listen(lambda item: moved.set() if isinstance(item, Kept) else None)
        ending = asyncio.ensure_future(self._app.runtime.ended(run_id))
        try:
            while not ending.done():
                if decider is None and await self._is_stuck(run_id):
                    raise RunNotEnded(f"{run_id} waits for somebody", hint=f"give decide=...; {self._way_on()}")
                if decider is not None and decider.broken.done():
                    decider.broken.result()
                told = asyncio.ensure_future(moved.wait())
                awaited: list[asyncio.Future[Any]] = [ending, told, *([] if decider is None else [decider.broken])]
                await asyncio.wait(awaited, return_when=asyncio.FIRST_COMPLETED)
                told.cancel()
                moved.clear()
            return run_view(ending.result())
        finally:
            unlisten()
            ending.cancel()

    async def _is_stuck(self, run_id: str) -> bool:
        """Whether only a person or a message could move the run and those that it runs on."""
        live = await self._app.journal.live()
        family = descendants(live, run_id)
        rows = [row for row in live if row.run_id in family]
        return any(map(rests, rows)) and all(rests(row) or _waits_for_child(row) for row in rows)

    def _way_on(self) -> str:
        if not self._durable:
            return "what is in memory is gone with this call; with data_dir= and key= it can be gone on with"
        return "the run is kept: decide with `runwell tasks`, and call again with the same key"


def _waits_for_child(row: RunRow) -> bool:
    return row.status is RunStatus.WAITING and row.waiting_for == "child_run"


@asynccontextmanager
async def local(data_dir: Any = None) -> AsyncIterator[Local]:
    """Open a place for runs: a data directory, which this process owns meanwhile, or memory. Raises `DataDirectoryBusy`."""
    test = carrier.get()
    if test is not None:
        functions = FunctionSet()
        async with test.open(functions) as app:
            yield Local(app, functions, test, durable=True)
        return
    settings = read_settings(None if data_dir is None else Path(data_dir))
    functions = installed_functions(settings.tool_modules)
    if data_dir is None:
        async with _in_memory(settings, functions) as app:
            yield Local(app, functions, None, durable=False)
        return
    try:
        async with open_app(settings, mine=lambda row: False, functions=functions) as app:
            yield Local(app, functions, None, durable=True)
    except DataDirectoryBusy as exc:
        raise DataDirectoryBusy(exc.message, hint="if that process is `runwell serve`, use runwell.Client().run(...)") from exc


@asynccontextmanager
async def _in_memory(settings: Settings, functions: FunctionSet) -> AsyncIterator[App]:
    services = real_services(settings, functions)
    app = assemble(MemoryJournal(), MemoryDefinitions(), services, SystemClock())
    try:
        await app.runtime.open()
        yield app
    finally:
        await app.runtime.close()
        await close_services(services)
