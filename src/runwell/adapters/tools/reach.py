"""Which MCP servers and functions a document can name here."""

from collections.abc import Mapping
from difflib import get_close_matches

from runwell.adapters.models.connections import Connections
from runwell.adapters.models.reach import ModelReach
from runwell.ports.models import Refusal
from runwell.sdk.function_set import FunctionSet


class Reach(ModelReach):
    """As for models; `commands` and `functions` are the operator's, so far as the project may use them. None: nobody knows."""

    def __init__(
        self,
        connections: Connections,
        stored: Mapping[str, str] | None = None,
        *,
        tenant: bool = False,
        commands: tuple[str, ...] = (),
        functions: FunctionSet | None = None,
    ) -> None:
        super().__init__(connections, stored, tenant=tenant)
        self._functions = functions
        self._servers = None if stored is None else (*(name for name, kind in stored.items() if kind == "mcp"), *commands)

    def mcp_server(self, name: str) -> Refusal | None:
        """Return why no tool of this server can be called."""
        if self._servers is None or name in self._servers:
            return None
        there = f"; there are {', '.join(sorted(self._servers))}" if self._servers else ""
        close = get_close_matches(name, self._servers, n=1)
        likely = f"did you mean {close[0]!r}? Else " if close else ""
        cure = f"{likely}store a connection of type mcp with POST /v1/connections"
        return Refusal("missing_connection", f"there is no MCP server {name!r} in this project{there}", cure)

    def function(self, name: str, *, asks: bool) -> Refusal | None:
        """Return why no function can be called by this name, on the document's terms."""
        if self._functions is None:
            return None
        found = self._functions.get(name)
        if found is not None and found.requires_approval and not asks:
            cure = "write requires_approval: true"
            return Refusal("needs_approval", f"{found.full_name!r} requires approval of each call, and the document does not say so", cure)
        if found is not None:
            return None
        close = get_close_matches(name, self._functions.names(), n=1)
        likely = f"did you mean {close[0]!r}? Else " if close else ""
        cure = f"{likely}write its code here, or register a function: @runwell.tool in a module of RUNWELL_TOOL_MODULES"
        return Refusal("unknown_tool", f"no function is registered as {name!r} here, and the tool has no code", cure)
