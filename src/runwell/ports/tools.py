"""Tools: what a step or an agent can have done by somebody else, each known by one name.

mcp:<server>/<tool>   a tool of an MCP server: a stored connection of type mcp, or a command that the operator allows
http:<name>           a request that the workflow document declares
python:<name>         code that the workflow document declares, or a function that the process has registered
workflow:<slug>       another workflow (agents only; elsewhere there is a step for it)
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from runwell.model.scope import Scope
from runwell.model.tool import ToolSpec

OnLog = Callable[[str], None]
"""Told each line that a tool says while it works."""


class ToolInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A tool as it is offered. `name` is the whole name, as documents write it.

    `unsafe`: a call may change something. Of an MCP tool that is its server's word, so its calls begin only once it is
    durable that they do, whatever it says, unless the document knows better. `requires_approval`: a person decides on each
    call.
    """

    name: str
    description: str | None = None
    input_schema: dict[str, Any]
    unsafe: bool = True
    requires_approval: bool = False


class ToolOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a call that succeeded: JSON data, in which no credential stands."""

    result: Any = None


class Tools(Protocol):
    """The tools that lie outside of the document.

    Raises `StepError` `MCP_TOOL_FAILED`, with `details` `{"reason": "tool_error" | "unknown_tool" | "timeout" | "connection" |
    "unavailable" | "protocol" | "too_large" | "auth" | "rate_limit" | ..., ...}`; `PYTHON_FAILED` for what a function does;
    `TOOL_FAILED` for a name that leads nowhere, and for arguments that a function does not take; `CONNECTION_MISSING`,
    `SECRET_UNREADABLE` and `HTTP_BLOCKED` as for http steps.
    """

    async def list(self, scope: Scope, names: Sequence[str]) -> list[ToolInfo]:
        """Return the tools of these names; `mcp:<server>/*` stands for all of a server's. It may be a cached list."""
        ...

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
        """Make one call. Cancelling the caller tells the other side and returns at once; without `timeout_s` it is a minute."""
        ...

    async def aclose(self) -> None:
        """End every session and every process that was started for one."""
        ...


class DeclaredTool(Protocol):
    """A tool of the workflow document, ready to be called in one run."""

    @property
    def spec(self) -> ToolSpec: ...

    @property
    def secret_pointers(self) -> frozenset[str]: ...

    def render(self, args: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the input of the tool's step for these arguments. Raises `StepError` `EXPRESSION_FAILED`."""
        ...
