"""Other workflows as tools, beside those that the port behind reaches."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from runwell.model.errors import StepError
from runwell.model.scope import Scope
from runwell.ports.journal import Definitions
from runwell.ports.tools import OnLog, ToolInfo, ToolOutcome, Tools


class WithWorkflows(Tools):
    """Knows `workflow:<slug>`. Such a tool is called by an agent's step, which waits for the run: here it is only told of."""

    def __init__(self, others: Tools, definitions: Definitions) -> None:
        self._others, self._definitions = others, definitions

    async def list(self, scope: Scope, names: Sequence[str]) -> list[ToolInfo]:
        found = {name: [await self._workflow(scope, name)] for name in names if name.startswith("workflow:")}
        others = [name for name in names if name not in found]
        listed = await self._others.list(scope, others) if others else []
        return [*listed, *(info for infos in found.values() for info in infos)]

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
        return await self._others.call(scope, name, args, idempotency_key=idempotency_key, on_log=on_log, timeout_s=timeout_s)

    async def aclose(self) -> None:
        await self._others.aclose()

    async def _workflow(self, scope: Scope, name: str) -> ToolInfo:
        version = await self._definitions.get(scope, name.partition(":")[2])
        body = None if version is None else await self._definitions.by_hash(version.hash)
        if version is None or body is None:
            raise _refused(f"there is no workflow for the tool {name!r}")
        document = msgspec.json.decode(body)
        schema = document.get("input_schema")
        if isinstance(schema, dict) and schema.get("type", "object") != "object":
            raise _refused(f"{name!r} is no tool: its workflow's input is no object")
        wanted = {"type": "object", **schema} if isinstance(schema, dict) else {"type": "object"}
        return ToolInfo(name=name, description=document.get("description") or version.name, input_schema=wanted)


def _refused(message: str) -> StepError:
    return StepError("TOOL_FAILED", message, details={"reason": "unknown_tool"})
