"""Which MCP servers a document can name here."""

from collections.abc import Mapping
from difflib import get_close_matches

from runwell.adapters.models.connections import Connections
from runwell.adapters.models.reach import ModelReach
from runwell.ports.models import Refusal


class Reach(ModelReach):
    """As for models; `commands` are the operator's MCP servers, so far as the project may use them."""

    def __init__(
        self, connections: Connections, stored: Mapping[str, str] | None = None, *, tenant: bool = False, commands: tuple[str, ...] = ()
    ) -> None:
        super().__init__(connections, stored, tenant=tenant)
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
