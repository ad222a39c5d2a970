"""One server with several tenants: an owner whose data is full of canaries, and others who must see nothing of it."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

import httpx2
import msgspec
from sqlalchemy import Connection, text
from tests.acceptance.serving_socket import on_socket
from tests.unit.access.server import ADA, ADDRESS, DEFAULT_PROJECT, ORG_B, PROJECT_B, Server, ok, opened, signed_in

from runwell.api.application import create_app
from runwell.api.tickets import redeem_ticket
from runwell.model.ids import DEFAULT_ORG, new_id
from runwell.model.principal import KEY_SCOPES
from runwell.model.times import rfc3339
from runwell.storage.tables import membership, user_account

PATIENCE_S: Final = 20.0
SESSION: Final = "__Host-runwell"
_OF_A_KEY: Final = "key_id, org_id, project_id, name, secret_hash, scopes, expires_at, revoked_at"


class Canaries:
    """Random words that stand in the owner's data. `shared` ones the whole organization may read."""

    def __init__(self) -> None:
        self.secret: set[str] = set()
        self.shared: set[str] = set()

    def __call__(self, *, shared: bool = False) -> str:
        word = f"cnry{secrets.token_hex(8)}"
        (self.shared if shared else self.secret).add(word)
        return word


@dataclass(frozen=True)
class Caller:
    """Somebody who sends requests. `own`: ids of what they have that the owner has too.

    `foreign`: of another organization, so that not even its name is theirs to know.
    """

    name: str
    headers: dict[str, str] = field(default_factory=dict)
    own: dict[str, str] = field(default_factory=dict)
    same_organization: bool = False


@dataclass
class Tenants:
    """`ids`: by the name of a parameter, what the owner has. `denied` callers count for nothing; `foreign` ones are known."""

    server: Server
    port: int
    canaries: Canaries
    owner: Caller
    ids: dict[str, str]
    viewer: Caller
    denied: list[Caller]
    foreign: list[Caller]
    without: dict[frozenset[str], Caller]
    """By what is missing: keys of the owner's project that have every other scope."""
    client: httpx2.AsyncClient

    @property
    def socket_address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def spoken_to(self, caller: Caller) -> set[str]:
        """Return the words that no answer to the caller may hold."""
        return self.canaries.secret if caller.same_organization else self.canaries.secret | self.canaries.shared


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def session_headers(browser: httpx2.AsyncClient) -> dict[str, str]:
    return {"Cookie": f"{SESSION}={browser.cookies[SESSION]}", "X-CSRF-Token": browser.headers["X-CSRF-Token"]}


def _plain() -> str:
    return "plain"


def _unique() -> str:
    return f"plain{secrets.token_hex(8)}"


def workflow_document(word: Canaries | None = None) -> dict[str, Any]:
    """Return a workflow that says something, calls the demo model, and asks."""
    say = word or _plain
    return {
        "name": say(),
        "description": say(),
        "steps": [
            {"id": "propose", "type": "transform", "value": {"said": say(), "heard": "{{ input }}"}},
            {"id": "think", "type": "llm", "model": "demo:reader", "prompt": say(), "depends_on": ["propose"]},
            {"id": "approve", "type": "approval", "title": say(), "payload": {"why": say()}, "depends_on": ["think"]},
        ],
        "output": {"done": say()},
    }


async def holdings(client: httpx2.AsyncClient, word: Canaries | None = None) -> dict[str, str]:
    """Make a workflow with two versions and a run that waits for a decision; return what names them."""
    say = word or _unique
    slug = say()
    made = ok(await client.post("/v1/workflows", json={"slug": slug, "name": say(), "document": workflow_document(word)}))
    ok(await client.post(f"/v1/workflows/{slug}/versions", json={"note": say()}))
    ok(await client.post(f"/v1/workflows/{slug}/versions", json={"note": say(), "document": workflow_document(word)}))
    params = {"input": {"given": say()}, "tags": [say()], "metadata": {say(): say()}}
    run_id = ok(await client.post(f"/v1/workflows/{slug}/command", json={"command": "start", "params": params}))["run_id"]
    task_id = await waiting_task(client, run_id)
    ok(await client.post(f"/v1/runs/{run_id}/comments", json={"content": say()}))
    step = {"id": "agent", "type": "agent", "model": "demo:agent", "instructions": say()}
    agent = ok(await client.post("/v1/agents", json={"document": {"name": say(), "steps": [step]}}))["id"]
    ok(await client.post(f"/v1/agents/{agent}/versions", json={"note": say()}))
    names = {"workflow_id": made["id"], "slug": slug, "agent_id": agent}
    return {**names, "run_id": run_id, "short_id": run_id[4:28], "task_id": task_id}


async def waiting_task(client: httpx2.AsyncClient, run_id: str) -> str:
    async with asyncio.timeout(PATIENCE_S):
        while not (found := ok(await client.get(f"/v1/runs/{run_id}/tasks/pending"))["data"]):  # noqa: ASYNC110 - callers have no events
            await asyncio.sleep(0.01)
    return str(found[0]["id"])


@asynccontextmanager
async def tenants(path: Path) -> AsyncIterator[Tenants]:
    async with opened(path) as server:
        server.parts = msgspec.structs.replace(server.parts, redeem_ticket=partial(redeem_ticket, server.access))
        server.app = create_app(server.parts)
        async with on_socket(server.app) as port:
            yield await _tenants(server, port)


async def _tenants(server: Server, port: int) -> Tenants:
    word = Canaries()
    admin = await server.admin()
    owner = await _owners(server, admin, word)
    next_door = ok(await admin.post("/v1/projects", json={"slug": "next-door", "name": "Next door"}))["id"]
    neighbour = await server.user(admin, "neighbour@example.com", roles={next_door: "admin"})
    stranger = await _stranger(server)
    foreign = []
    for name, browser, same in (("another project", neighbour, True), ("another organization", stranger, False)):
        key = await server.key(browser, *KEY_SCOPES)
        own = {**await holdings(browser), "key_id": key["id"], "project_id": next_door if same else PROJECT_B}
        foreign += [
            Caller(f"key of {name}", bearer(key["key"]), own, same),
            Caller(f"session in {name}", session_headers(browser), own, same),
        ]
    reads = await server.key(admin, "workflow:read")
    kept = ok(await server.client().post("/v1/views", json={"name": "of the viewer"}, headers=bearer(reads["key"])))
    return Tenants(
        server=server,
        port=port,
        canaries=word,
        owner=Caller("owner", session_headers(admin)),
        ids=owner,
        viewer=Caller("viewer", bearer(reads["key"]), {"view_id": kept["id"]}),
        denied=await _denied(server, admin, reads["key"]),
        foreign=foreign,
        without=await _without(server, admin),
        client=server.client(),
    )


async def _owners(server: Server, admin: httpx2.AsyncClient, word: Canaries) -> dict[str, str]:
    ok(await admin.patch("/v1/organization", json={"name": word(shared=True)}))
    ok(await admin.patch(f"/v1/projects/{DEFAULT_PROJECT}", json={"name": word()}))
    ids = await holdings(admin, word)
    host = f"https://{word()}.invalid"
    secret = ok(await admin.post("/v1/secrets", json={"name": word(), "value": word(), "allowed_origins": [host]}))
    connection = {"name": word(), "type": "http", "base_url": host, "headers": {"X-A": word()}, "secret_headers": {"X-B": word()}}
    connected = ok(await admin.post("/v1/connections", json=connection))
    key = ok(await admin.post("/v1/api-keys", json={"name": word(), "scopes": ["workflow:read"]}))
    word.secret.add(key["key"].split("_", 2)[2])
    email = f"{word()}@example.com"
    user = ok(await admin.post("/v1/users", json={"email": email, "name": word(), "roles": {DEFAULT_PROJECT: "viewer"}}))
    token = user["link"].partition("token=")[2]
    word.secret.add(token)
    limits = {"max_running": 100_000 + secrets.randbelow(800_000)}
    ok(await admin.put("/v1/settings/limits", json=limits, headers={"If-Match": "*"}))
    word.secret.add(f'"max_running":{limits["max_running"]}')
    view = ok(await admin.post("/v1/views", json={"name": word(), "query": word(), "columns": [word()]}))
    return {
        **ids,
        "view_id": view["id"],
        "secret_id": secret["id"],
        "secret_name": secret["name"],
        "connection_id": connected["id"],
        "connection_name": connected["name"],
        "key_id": key["id"],
        "user_id": user["user"]["id"],
        "email": email,
        "project_id": DEFAULT_PROJECT,
        "password_token": token,
    }


async def _stranger(server: Server) -> httpx2.AsyncClient:
    """Return the browser of the admin of another organization, with whom the owner's shares nothing."""
    await server.tenant_b()
    user_id, password = new_id("usr"), await server.access.passwords.hash(ADA["password"])
    now = server.clock.now()

    def insert(connection: Connection) -> None:
        who = {"user_id": user_id, "email": "stranger@example.org", "name": "Stranger", "password_hash": password, "created_at": now}
        connection.execute(user_account.insert().values(**who))
        enters = {"org_id": ORG_B, "project_id": "", "user_id": user_id, "role": "admin"}
        connection.execute(membership.insert().values(**enters, created_at=now))

    await server.sql.write(insert)
    browser = server.client()
    signed_in(browser, await browser.post("/v1/session", json={"email": "stranger@example.org", "password": ADA["password"]}))
    return browser


async def _denied(server: Server, admin: httpx2.AsyncClient, good: str) -> list[Caller]:
    expiring = await server.key(admin, *KEY_SCOPES, expires_at=rfc3339(server.clock.now() + 1_000))
    revoked = await server.key(admin, *KEY_SCOPES)
    ok(await admin.delete(f"/v1/api-keys/{revoked['id']}"))
    await server.clock.advance(2_000)
    leaver = await server.user(admin, "leaver@example.com", organization_admin=True)
    left = session_headers(leaver)
    ok(await leaver.delete("/v1/session"))
    other = (await server.key(admin, *KEY_SCOPES))["key"]
    mixed = f"rw_{good.split('_')[1]}_{other.split('_', 2)[2]}"
    return [
        Caller("nobody"),
        Caller("expired key", bearer(expiring["key"])),
        Caller("revoked key", bearer(revoked["key"])),
        Caller("secret of another key", bearer(mixed)),
        Caller("key in capitals", bearer(good.upper())),
        Caller("half a key", bearer(good[:-1])),
        Caller("key with more behind", bearer(good + "=")),
        Caller("no key at all", bearer("x" * 5_000)),
        Caller("empty credential", {"Authorization": ""}),
        Caller("key as a password", {"Authorization": f"Basic {good}"}),
        Caller("bare key", {"Authorization": good}),
        Caller("key in a header of another name", {"X-Api-Key": good, "Proxy-Authorization": f"Bearer {good}"}),
        Caller("session that was signed out", left),
        Caller("session of chance", {"Cookie": f"{SESSION}={secrets.token_urlsafe(32)}", "X-CSRF-Token": "x"}),
        Caller("key as a session", {"Cookie": f"{SESSION}={good}; runwell-session={good}"}),
        Caller("bad key over a good session", {**session_headers(admin), **bearer(good[:-1])}),
    ]


async def _without(server: Server, admin: httpx2.AsyncClient) -> dict[frozenset[str], Caller]:
    groups = [frozenset({scope}) for scope in KEY_SCOPES] + [frozenset({"workflow:run", "task:complete"}), frozenset({"organization"})]
    made = {}
    for missing in groups:
        key = await server.key(admin, *[scope for scope in KEY_SCOPES if scope not in missing])
        made[missing] = Caller(f"key without {'|'.join(sorted(missing))}", bearer(key["key"]))
    return made


async def owners_data(world: Tenants) -> dict[str, list[str]]:
    """Return all that is kept of the owner, by table: rows as text, without what using a credential changes."""
    here = {"org": DEFAULT_ORG, "project": DEFAULT_PROJECT}
    runs = "SELECT rid FROM run WHERE project_id = :project"
    queries = {
        "organization": "SELECT * FROM organization WHERE org_id = :org",
        "project": "SELECT * FROM project WHERE project_id = :project",
        "user": "SELECT * FROM user_account WHERE email NOT IN ('neighbour@example.com', 'stranger@example.org')",  # who change their own
        "membership": "SELECT * FROM membership WHERE org_id = :org",
        "key": f"SELECT {_OF_A_KEY} FROM api_key WHERE project_id = :project",
        "secret": "SELECT * FROM secret WHERE project_id = :project",
        "connection": "SELECT * FROM connection WHERE project_id = :project",
        "view": "SELECT * FROM saved_view WHERE project_id = :project AND name LIKE 'cnry%'",  # a viewer keeps their own
        "workflow": "SELECT * FROM workflow WHERE project_id = :project",
        "version": "SELECT * FROM version WHERE workflow_id IN (SELECT workflow_id FROM workflow WHERE project_id = :project)",
        "run": "SELECT * FROM run WHERE project_id = :project",
        "event": f"SELECT * FROM event WHERE rid IN ({runs})",
        "task": f"SELECT * FROM task WHERE rid IN ({runs})",
    }

    def dump(connection: Connection) -> dict[str, list[str]]:
        found = {
            name: connection.execute(text(query), {k: v for k, v in here.items() if f":{k}" in query}) for name, query in queries.items()
        }
        return {name: sorted(json.dumps([str(cell) for cell in row]) for row in rows) for name, rows in found.items()}

    return await world.server.sql.read(dump)


__all__ = ["ADDRESS", "Caller", "Canaries", "Tenants", "bearer", "holdings", "owners_data", "session_headers", "tenants", "waiting_task"]
