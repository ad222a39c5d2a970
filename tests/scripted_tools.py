"""Tools that answer what a test wrote down."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from runwell.model.scope import Scope
from runwell.ports.tools import OnLog, ToolInfo, ToolOutcome

ANY = {"type": "object"}


class ScriptedTools:
    """Answers by a function; keeps how it was called."""

    def __init__(self, respond: Any = lambda args: args) -> None:
        self.respond = respond
        self.calls: list[tuple[str, Any, str, float | None]] = []
        self.ended = False

    async def list(self, scope: Scope, names: Sequence[str]) -> list[ToolInfo]:
        return [ToolInfo(name=name, input_schema=ANY) for name in names]

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
        self.calls.append((name, dict(args), idempotency_key, timeout_s))
        if on_log is not None:
            on_log("on it")
        result = self.respond(args)
        if asyncio.iscoroutine(result):
            result = await result
        if isinstance(result, Exception):
            raise result
        return ToolOutcome(result=result)

    async def aclose(self) -> None:
        self.ended = True
