"""Runs of workflows that are written in Python, in a test: in memory, on a fake clock, without a network."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any
from weakref import WeakKeyDictionary

from runwell.adapters.tools.functions import WithFunctions
from runwell.bootstrap import App
from runwell.model.errors import StepError
from runwell.model.run import RunView
from runwell.model.scope import Scope
from runwell.ports.http import HttpRequest, HttpResponse
from runwell.ports.models import Models
from runwell.ports.tools import OnLog, ToolInfo, ToolOutcome, Tools
from runwell.sdk.function_set import FunctionSet
from runwell.testing.app import MemoryApp, memory_app


class NoHttp:
    """Reaches nobody."""

    async def send(self, request: HttpRequest) -> HttpResponse:
        raise StepError("HTTP_BLOCKED", f"a test has no network: {request.method} {request.shown_url or request.url} was not sent")

    async def aclose(self) -> None:
        return None


class NoServers(Tools):
    """Reaches no MCP server."""

    async def list(self, scope: Scope, names: Sequence[str]) -> list[ToolInfo]:
        raise _unreachable(names)

    async def call(
        self,
        scope: Scope,
        name: str,
        args: Mapping[str, Any],
        *,
        idempotency_key: str,
        on_log: OnLog | None = None,
        timeout_s: float | None = None,
    ) -> ToolOutcome:
        raise _unreachable([name])

    async def aclose(self) -> None:
        return None


def _unreachable(names: Sequence[str]) -> StepError:
    message = f"a test has no network: {', '.join(names)} was not reached"
    return StepError("MCP_TOOL_FAILED", message, details={"reason": "unavailable"})


class ScriptedRuns:
    """Carries the runs of a test. `require` raises when the test did not foresee what happened."""

    def __init__(self, models: Models, require: Callable[[], None]) -> None:
        self._models, self._require = models, require
        self._turns: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()

    @asynccontextmanager
    async def open(self, functions: FunctionSet) -> AsyncIterator[App]:
        tools = WithFunctions(NoServers(), functions)
        async with memory_app(models=self._models, http=NoHttp(), tools=tools) as app:
            yield app

    async def ended(self, app: App, run_id: str) -> RunView:
        assert isinstance(app, MemoryApp)
        async with self._turns.setdefault(asyncio.get_running_loop(), asyncio.Lock()):  # two clocks would wait for each other to rest
            run = await app.run_to_end(run_id)
        self._require()
        return run
