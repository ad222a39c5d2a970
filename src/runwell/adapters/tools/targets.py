"""Which MCP server a name means in a scope: a stored connection of the project, or a command that the operator allows.

Commands run with the operator's means, so they are the default organization's, as the environment's secrets are.
"""

from collections.abc import Mapping
from difflib import get_close_matches

from runwell.adapters.tools.commands import McpCommand
from runwell.model.errors import StepError
from runwell.model.ids import DEFAULT_ORG
from runwell.model.scope import Scope
from runwell.model.scrubber import Scrubber
from runwell.ports.secrets import OpenConnection, Secrets

Target = OpenConnection | McpCommand


class Targets:
    """Finds servers. A stored connection goes before a command of the same name."""

    def __init__(self, secrets: Secrets, commands: Mapping[str, McpCommand]) -> None:
        self._secrets = secrets
        self._commands = commands

    async def find(self, scope: Scope, name: str) -> Target:
        """Return the server. Raises `StepError` `CONNECTION_MISSING` and `SECRET_UNREADABLE`."""
        command = self._commands.get(name) if scope.org_id == DEFAULT_ORG else None
        try:
            connection = await self._secrets.connection(scope, name)
        except StepError as exc:
            if exc.code != "CONNECTION_MISSING":
                raise
        else:
            return _mcp(connection)
        if command is None:
            raise StepError("CONNECTION_MISSING", f"there is no MCP server {name!r} here; {self._cure(scope, name)}")
        return command

    def _cure(self, scope: Scope, name: str) -> str:
        if scope.org_id != DEFAULT_ORG:
            return "store a connection of type mcp with POST /v1/connections"
        close = get_close_matches(name, self._commands, n=1)
        likely = f"did you mean {close[0]!r}? Else " if close else ""
        return f"{likely}store a connection of type mcp with POST /v1/connections, or name a command in RUNWELL_MCP_COMMANDS"


def _mcp(connection: OpenConnection) -> OpenConnection:
    if connection.type != "mcp" or connection.base_url is None:
        raise StepError("CONNECTION_MISSING", f"the connection {connection.name!r} is of type {connection.type!r}, not mcp; name another")
    return connection


def scrubber_of(target: Target) -> Scrubber:
    """Return what takes the server's credentials out of all that it says."""
    return Scrubber(target.secret_values)
