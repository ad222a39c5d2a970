"""A server with sign-in, in this process: real SQLite, a clock that the test moves, passwords that take no work."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx2
import msgspec
from argon2 import PasswordHasher
from fastapi import FastAPI
from tests.contract.samples import run

from runwell.api.access import Access, AccessRules
from runwell.api.application import create_app
from runwell.api.authentication import Authentication
from runwell.api.first_run import first_run_token
from runwell.api.parts import Parts
from runwell.api.passwords import Passwords
from runwell.api.throttle import SignInThrottle
from runwell.bootstrap import open_app
from runwell.model.ids import DEFAULT_PROJECT
from runwell.ports.identity import Identities
from runwell.ports.identity_provider import IdentityProvider
from runwell.serving import parts_for
from runwell.settings import Settings
from runwell.storage.sql_identity import sql_identities
from runwell.storage.sqlite_journal import SqliteJournal
from runwell.storage.sqlite_sql import SqliteSql
from runwell.storage.tables import membership, organization, project
from runwell.testing import MemoryRunStore
from runwell.testing.clock import FakeClock

ADDRESS: Final = "https://runwell.test"
ADA: Final = {"email": "ada@example.com", "password": "correct horse battery", "name": "Ada"}
ORG_B, PROJECT_B = "org_" + "b" * 32, "prj_" + "b" * 32


@dataclass
class Server:
    app: FastAPI
    parts: Parts
    identities: Identities
    clock: FakeClock
    sql: SqliteSql
    clients: list[httpx2.AsyncClient] = field(default_factory=list)

    @property
    def access(self) -> Access:
        assert self.parts.access is not None
        return self.parts.access

    def client(self, address: str = ADDRESS, *, key: str | None = None, place: str = "203.0.113.7") -> httpx2.AsyncClient:
        """Return a new browser or program."""
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        transport = httpx2.ASGITransport(self.app, raise_app_exceptions=False, client=(place, 1))
        self.clients.append(httpx2.AsyncClient(transport=transport, base_url=address, headers=headers))
        return self.clients[-1]

    async def admin(self, **more: Any) -> httpx2.AsyncClient:
        """Set the server up and return the first admin's browser."""
        token = await first_run_token(self.identities)
        browser = self.client()
        signed_in(browser, await browser.post("/v1/setup", json={**ADA, "token": token, **more}))
        return browser

    async def user(self, admin: httpx2.AsyncClient, email: str, **membership: Any) -> httpx2.AsyncClient:
        """Invite somebody and return the browser in which they have accepted."""
        invited = ok(await admin.post("/v1/users", json={"email": email, **membership}))
        browser = self.client()
        token = invited["link"].partition("token=")[2]
        signed_in(browser, await browser.post("/v1/password", json={"token": token, "password": ADA["password"]}))
        return browser

    async def key(self, admin: httpx2.AsyncClient, *scopes: str, **more: Any) -> dict[str, Any]:
        made: dict[str, Any] = ok(await admin.post("/v1/api-keys", json={"name": "k", "scopes": list(scopes), **more}))
        return made

    async def tenant_b(self, admin_id: str | None = None) -> None:
        """Make another organization with a project, and its admin."""
        now = self.clock.now()

        def insert(connection: Any) -> None:
            named = {"org_id": ORG_B, "name": "B"}
            connection.execute(organization.insert().values(**named, created_at=now))
            there = {"org_id": ORG_B, "project_id": PROJECT_B, "slug": "b", "name": "B", "settings": {}, "revision": 1}
            connection.execute(project.insert().values(**there, created_at=now))
            if admin_id is not None:
                enters = {"org_id": ORG_B, "project_id": "", "user_id": admin_id, "role": "admin"}
                connection.execute(membership.insert().values(**enters, created_at=now))

        await self.sql.write(insert)


def ok(response: httpx2.Response) -> Any:
    assert response.is_success, response.text
    return response.json() if response.content else None


def signed_in(browser: httpx2.AsyncClient, response: httpx2.Response) -> Any:
    """Take the session's CSRF token over, as our page does."""
    session = ok(response)
    browser.headers["X-CSRF-Token"] = session["csrf_token"]
    return session


def problem(response: httpx2.Response, status: int, code: str) -> dict[str, Any]:
    assert response.status_code == status, response.text
    told: dict[str, Any] = response.json()
    assert told["code"] == code
    return told


@asynccontextmanager
async def opened(path: Path, *, rules: AccessRules = AccessRules(), provider: IdentityProvider | None = None) -> AsyncIterator[Server]:  # noqa: B008 (frozen)
    settings = Settings(data_dir=path, rate_limit="none")
    async with open_app(settings, run_store=MemoryRunStore()) as app:
        assert isinstance(app.journal, SqliteJournal)
        clock, sql = FakeClock(), SqliteSql(app.journal)
        access = Access(
            identities=sql_identities(sql, clock),
            clock=clock,
            passwords=Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)),
            throttle=SignInThrottle(clock),
            rules=rules,
            provider=provider,
        )
        parts = msgspec.structs.replace(parts_for(app, settings, sign_in=True), access=access, authenticate=Authentication(access))
        server = Server(create_app(parts), parts, access.identities, clock, sql)
        try:
            yield server
        finally:
            for client in server.clients:
                await client.aclose()


__all__ = ["ADA", "ADDRESS", "DEFAULT_PROJECT", "ORG_B", "PROJECT_B", "Server", "ok", "opened", "problem", "run", "signed_in"]
