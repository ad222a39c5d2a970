"""A whole Runwell in memory, on a clock that the test moves.

async def test() -> None:
    async with memory_app() as app:
        run_id = await app.start({"name": "nap", "steps": [{"id": "sleep", "type": "delay", "for_s": 3600}]})
        run = await app.run_to_end(run_id)  # takes no hour
        assert run.status == "succeeded"
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any, Unpack

import msgspec

from runwell.adapters.documents import read_document
from runwell.adapters.http import GuardedHttp
from runwell.adapters.models.router import ModelRouter
from runwell.adapters.sandbox import MontySandbox
from runwell.adapters.secrets import EnvironmentSecrets
from runwell.adapters.tools.mcp_tools import McpTools
from runwell.bootstrap import App, assemble, close_services
from runwell.engine.view import run_view
from runwell.model.ids import DEFAULT_ORG, DEFAULT_PROJECT
from runwell.model.run import RunView
from runwell.model.scope import DEFAULT_SCOPE, Scope
from runwell.model.statuses import RunStatus
from runwell.ports.http import Http
from runwell.ports.journal import Definitions, Journal, Version
from runwell.ports.models import Models
from runwell.ports.runs import StartRequest
from runwell.ports.steps import Services, StepType
from runwell.ports.tools import Tools
from runwell.runtime.hosting import Hosting
from runwell.steps.registry import step_types
from runwell.storage.memory_journal import MemoryDefinitions, MemoryJournal
from runwell.testing.clock import FakeClock

Document = str | dict[str, Any]
"""A workflow document: YAML or JSON text, or its data."""

_GLANCE_S = 0.002
"""How long the network, other processes and threads are left alone before the app is looked at again."""


class MemoryApp(App, frozen=True, kw_only=True):
    """An `App` on a fake clock, with the short ways that tests want."""

    clock: FakeClock
    services: Services

    async def publish(self, document: Document, *, scope: Scope = DEFAULT_SCOPE, slug: str | None = None) -> Version:
        """Compile and keep a document. Raises `InvalidDocument` with every problem."""
        data = read_document(document).data if isinstance(document, str) else document
        return await self.publisher.publish(scope, self.publisher.compile(data), slug)

    async def start(self, workflow: Document | Version, input: Any = None, **request: Any) -> str:
        """Start a run of a document, which is published first, or of a version; return its id once it is durable.

        `request` are further fields of `StartRequest`.
        """
        scope = Scope(request.get("org_id", DEFAULT_ORG), request.get("project_id", DEFAULT_PROJECT))
        version = workflow if isinstance(workflow, Version) else await self.publish(workflow, scope=scope)
        return await self.runtime.start(StartRequest(version=version, input=input, **request))

    async def view(self, run_id: str) -> RunView:
        """Let the loop come to rest and return the run as it is then. Raises `NotFound`."""
        await self.clock.settle()
        return run_view(await self.runtime.state(run_id))

    async def rest(self, run_id: str, patience_s: float = 20.0) -> RunView:
        """Wait until nothing is in flight, while time stands still, and return the run as it is then.

        Raises `AssertionError` when that takes more than `patience_s` of real time.
        """
        try:
            async with asyncio.timeout(patience_s):
                await self.clock.settle()
                while self.runtime.is_busy:
                    await asyncio.sleep(_GLANCE_S)
                    await self.clock.settle()
        except TimeoutError as exc:
            raise AssertionError(f"{await self._place(run_id)} after {patience_s:g} s: does a handler never return?") from exc
        return await self.view(run_id)

    async def run_to_end(self, run_id: str, patience_s: float = 20.0) -> RunView:
        """Let time pass, timer by timer, until the run has ended; return it.

        Time stands still while anything is in flight, so a step is never timed out because a real
        server or process takes its real time. Raises `AssertionError` when only a person or a
        message could move the run on, and when it takes more than `patience_s` of real time.
        """
        ending = asyncio.ensure_future(self.runtime.ended(run_id))
        try:
            async with asyncio.timeout(patience_s):
                while not ending.done():
                    await self._go_on(ending, run_id)
            return run_view(ending.result())
        except TimeoutError as exc:
            raise AssertionError(f"{await self._place(run_id)} after {patience_s:g} s: does a handler never return?") from exc
        finally:
            ending.cancel()

    async def _go_on(self, ending: "asyncio.Future[Any]", run_id: str) -> None:
        await self.clock.settle()
        if ending.done():
            return
        if self.runtime.is_busy:
            await asyncio.wait([ending], timeout=_GLANCE_S)
        elif self.clock.next_at is not None:
            await self.clock.advance_to(self.clock.next_at)
        elif not ending.done():
            raise AssertionError(f"{await self._place(run_id)}, and no time will move it on")

    async def _place(self, run_id: str) -> str:
        run = run_view(await self.runtime.state(run_id))
        steps = ", ".join(f"{step.path} {step.status}" for step in run.steps if step.status in ("running", "waiting"))
        waits = f" for {run.waiting_for}" if run.status is RunStatus.WAITING else ""
        return f"{run_id} is {run.status}{waits} ({steps or 'nothing in flight'})"


def assemble_memory(
    types: Iterable[StepType] = (),
    *,
    clock: FakeClock | None = None,
    journal: Journal | None = None,
    definitions: Definitions | None = None,
    models: Models | None = None,
    tools: Tools | None = None,
    http: Http | None = None,
    http_allow: tuple[str, ...] = (),
    **hosting: Unpack[Hosting],
) -> MemoryApp:
    """Put an in-memory Runwell together; it is not open yet.

    `types` come on top of those that are installed and go before them. A journal and definitions of
    an earlier app make this one its next process. `http_allow` as in the settings: by default http
    steps reach no server of the test. Nothing is started that is not used: no sandbox worker, no
    model library.
    """
    known = {**step_types(), **{step_type.name: step_type for step_type in types}}
    clock = clock or FakeClock()
    services = Services(
        models=models or ModelRouter(),
        http=http or GuardedHttp(allow=http_allow),
        sandbox=MontySandbox(),
        secrets=EnvironmentSecrets(),
        tools=tools or McpTools(EnvironmentSecrets(), http_allow=http_allow),
    )
    app = assemble(journal or MemoryJournal(), definitions or MemoryDefinitions(), services, clock, types=known, **hosting)
    return MemoryApp(**msgspec.structs.asdict(app), clock=clock, services=services)


@asynccontextmanager
async def memory_app(types: Iterable[StepType] = (), **parts: Any) -> AsyncIterator[MemoryApp]:
    """Open an in-memory Runwell and close it at the end. The arguments are those of `assemble_memory`."""
    app = assemble_memory(types, **parts)
    try:
        await app.runtime.open()
        yield app
    finally:
        await app.runtime.close()
        await close_services(app.services)
