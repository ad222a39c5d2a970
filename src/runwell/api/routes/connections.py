"""Connections: where something is reached and with which credentials, which are kept sealed and never told again."""

from typing import Annotated

import msgspec
from fastapi import Path
from starlette.responses import Response

from runwell.api.answers import Answer, answers, no_content
from runwell.api.errors import UpstreamFailed
from runwell.api.etags import IfMatch, etag_of, required_revisions
from runwell.api.ids import ConnectionId
from runwell.api.keyset import Cursor, Limit
from runwell.api.route import Caller, Server, needs, router
from runwell.api.routes.connection_bodies import ConnectionBody, NewConnectionBody, check
from runwell.model.connection_checks import name_problems, require_sound
from runwell.model.errors import InvalidInput, Outdated, Problem, StepError
from runwell.model.vault import StoredConnection, Trial
from runwell.ports.tools import ToolInfo
from runwell.ports.vault import Credentials
from runwell.query.vault import ConnectionPage, list_connections

routes = router("connections")


class ToolList(msgspec.Struct, frozen=True, kw_only=True):
    """Tools in the server's order."""

    data: list[ToolInfo]


Id = Annotated[ConnectionId, Path(description="The connection's id, or its bare UUID.")]


@routes.get("/v1/connections", responses=answers(ConnectionPage, "A page of connections, without their credentials."))
@needs("workflow:read")
async def list_stored_connections(caller: Caller, server: Server, limit: Limit = 50, cursor: Cursor = None) -> Answer:
    """Return the connections of the project by name: where they lead, never a credential."""
    return Answer(await list_connections(server.vault, caller.scope, limit, cursor))


@routes.post("/v1/connections", status_code=201, responses=answers(StoredConnection, "The connection, without its credentials.", 201))
@needs("admin")
async def create_connection(body: NewConnectionBody, caller: Caller, server: Server) -> Answer:
    """Keep a connection. Its credentials are sent to its allowed origins, and nowhere else."""
    require_sound(name_problems(body.name, body.type))
    settings, secret = body.settings(server.vault.rules), body.credentials()
    check(body.type, settings, secret)
    stored = await server.vault.connections.create(caller.scope, caller.actor, body.name, body.type, settings, secret)
    return _shown(stored, 201)


@routes.get("/v1/connections/{connection_id}", responses=answers(StoredConnection, "The connection, without its credentials."))
@needs("workflow:read")
async def get_connection(connection_id: Id, caller: Caller, server: Server) -> Answer:
    """Return one connection without its credentials. Its `ETag` is what a change is based on."""
    return _shown(await server.vault.connections.get(caller.scope, connection_id))


@routes.put("/v1/connections/{connection_id}", responses=answers(StoredConnection, "The connection, without its credentials."))
@needs("admin")
async def replace_connection(connection_id: Id, body: ConnectionBody, caller: Caller, server: Server, if_match: IfMatch = None) -> Answer:
    """Change the connection; what is left out stays. Other origins, of it or of its address, need the credentials again."""
    revisions = required_revisions(if_match, f"/v1/connections/{connection_id}")
    now = await server.vault.connections.get(caller.scope, connection_id)
    if now.revision not in revisions:
        raise Outdated("it was changed meanwhile", hint="get it again, and send the ETag of that answer")
    settings, secret = body.settings(now, server.vault.rules), body.credentials()
    if secret is None and now.has_secret and body.moves(now, settings):
        raise _secret_needed(now)
    check(now.type, settings, secret or Credentials(), now.secret_headers if secret is None else ())
    return _shown(await server.vault.connections.change(caller.scope, connection_id, now.revision, settings, secret))


@routes.delete("/v1/connections/{connection_id}", status_code=204, responses=no_content("It is gone."))
@needs("admin")
async def delete_connection(connection_id: Id, caller: Caller, server: Server) -> Response:
    """Delete the connection. Steps that name it fail from now on."""
    await server.vault.connections.delete(caller.scope, connection_id)
    return Response(status_code=204)


@routes.post("/v1/connections/{connection_id}/test", responses=answers(Trial, "What came of it."))
@needs("admin")
async def test_connection(connection_id: Id, caller: Caller, server: Server) -> Answer:
    """Make one request by way of the connection, and tell its status alone.

    A GET of its base URL, a list of the provider's models, or the first request of an MCP session.
    """
    stored = await server.vault.connections.get(caller.scope, connection_id)
    return Answer(await server.vault.trial(caller.scope, stored.name))


@routes.get("/v1/connections/{connection_id}/tools", responses=answers(ToolList, "The tools that the server offers."))
@needs("workflow:write")
async def list_connection_tools(connection_id: Id, caller: Caller, server: Server) -> Answer:
    """Return the tools of a connection of type mcp, as steps name them; others have none. The list is at most five minutes old."""
    stored = await server.vault.connections.get(caller.scope, connection_id)
    if stored.type != "mcp":
        return Answer(ToolList(data=[]))
    try:
        return Answer(ToolList(data=await server.tools.list(caller.scope, [f"mcp:{stored.name}/*"])))
    except StepError as exc:
        raise UpstreamFailed(exc.message, hint="test the connection, or look at the MCP server") from exc


def _secret_needed(now: StoredConnection) -> InvalidInput:
    place = "/secret_headers" if now.secret_headers else "/api_key"
    message = "another origin needs the credentials again: they were given for the old one, and are sealed to it"
    problem = Problem(code="secret_needed", message=message, pointer=place, hint="send them along")
    return InvalidInput(message, hint="send them along", problems=(problem,))


def _shown(stored: StoredConnection, status: int = 200) -> Answer:
    headers = {"ETag": etag_of(stored.revision), **({"Location": f"/v1/connections/{stored.id}"} if status == 201 else {})}
    return Answer(stored, status, headers)
