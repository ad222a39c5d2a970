"""Who may do what, for every operation that there is: by everybody, with the owner's real ids."""

import asyncio
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy import select, true
from starlette.routing import WebSocketRoute
from tests.acceptance.api_operations import PLACES, operations
from tests.acceptance.security_matrix import ANSWERS_OF_THEIR_OWN, SOCKET, Matrix, summary
from tests.acceptance.tenants import Tenants, owners_data, tenants

from runwell.api import route, run_routes
from runwell.api.routes import tasks
from runwell.model.errors import NotFound
from runwell.model.run_record import RunRecord
from runwell.model.scope import Scope
from runwell.query.finding import find_run
from runwell.runtime.hosted import HostedRuns
from runwell.storage import sql_connections, sql_identity_keys, sql_secrets, sql_views, sql_workflow_queries
from runwell.storage.tables import api_key

KINDS = {"denied", "viewer", "wrong scope", "foreign", "owner"}
"""Who asks. Public operations are asked by strangers and the owner only."""

UNLISTED = {"/openapi.json", "/setup", "/password", "/docs/oauth2-redirect"}
"""Paths that the OpenAPI document leaves out: pages for people, and itself."""


def test_nobody_does_or_learns_what_is_not_theirs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def main() -> None:
        async with tenants(tmp_path) as world:
            matrix = Matrix(world)
            before = await owners_data(world)
            assert all(before.values()), "the owner has something of each kind"
            found = [wrong async for wrong in matrix.violations()]
            assert await owners_data(world) == before
            found += [wrong async for wrong in matrix.violations(kinds=["owner"])]
            assert not found, "\n".join(found)
            for operation in matrix.operations():
                asked = {kind for name, kind in matrix.exchanges if name == operation.name}
                wanted = {"foreign", "owner"} if operation.permission == "public" else KINDS if operation.needs else KINDS - {"wrong scope"}
                assert asked == wanted, operation.name
            with capsys.disabled():
                sys.stdout.write(
                    f"\n{len(matrix.operations())} operations; by caller (operations, requests): {summary(matrix.exchanges)}\n"
                )

    asyncio.run(main())


def test_every_route_is_an_operation_that_is_looked_at(tmp_path: Path) -> None:
    async def main() -> None:
        async with tenants(tmp_path) as world:
            listed = set(world.server.app.openapi()["paths"])
            sockets = {path for one, path in _routes(world.server.app) if one is WebSocketRoute or "socket" in one.__name__.lower()}
            assert sockets == {SOCKET.path}
            assert {path for _, path in _routes(world.server.app)} - listed - sockets <= UNLISTED
            names = [operation.name for operation in operations(world.server.app.openapi())]
            assert len(names) == len(set(names)) > 90
            assert ANSWERS_OF_THEIR_OWN.keys() <= set(names)

    asyncio.run(main())


def _routes(app: Any) -> list[tuple[type, str]]:
    """Return kind and path of all routes, those of included routers too."""
    found: list[tuple[type, str]] = []
    for one in app.routes:
        inner = getattr(one, "original_router", None) or getattr(one, "router", None)
        found += _routes(inner) if inner is not None else [(type(one), one.path.replace(":path}", "}"))]
    return found


def test_pages_of_another_hold_nothing_of_the_owner(tmp_path: Path) -> None:
    """Cursors of the owner's lists, and the lists at their largest, tell a stranger nothing."""

    async def main() -> None:
        async with tenants(tmp_path) as world:
            matrix = Matrix(world)
            listing = [one for one in matrix.operations() if ("cursor", "query") in one.parameters]
            assert len(listing) > 15
            for operation in listing:
                path = operation.path
                for name in ("key", "workflow_id", "run_id"):
                    path = path.replace(f"{{{name}}}", f"{{{PLACES.get(name, name)}}}")
                mine = path.format(**world.ids)
                page = (await world.client.get(mine, params={"limit": 1}, headers=world.owner.headers)).json()
                for caller in world.foreign:
                    for cursor in (page.get("next_cursor"), page.get("prev_cursor")):
                        query = {"limit": "200"} | ({} if cursor is None else {"cursor": cursor})
                        answer = await world.client.get(path.format(**{**world.ids, **caller.own}), params=query, headers=caller.headers)
                        assert answer.status_code < 500
                        assert not [word for word in world.spoken_to(caller) if word in answer.text], (operation.name, caller.name)

    asyncio.run(main())


def test_unauthenticated_paths_tell_nothing_of_anybody(tmp_path: Path) -> None:
    async def main() -> None:
        async with tenants(tmp_path) as world:
            words = world.canaries.secret | world.canaries.shared | set(world.ids.values()) - {world.ids["project_id"]}
            for path in (
                "/openapi.json",
                "/metrics",
                "/setup",
                "/password",
                "/healthz",
                "/readyz",
                "/v1/sign-in",
                "/schemas/workflow.json",
            ):
                answer = await world.client.get(path)
                assert answer.status_code == 200
                assert not [word for word in words if word in answer.text], path

    asyncio.run(main())


def test_a_ticket_opens_nothing_of_another(tmp_path: Path) -> None:
    async def main() -> None:
        async with tenants(tmp_path) as world:
            matrix = Matrix(world)
            for caller in world.foreign:
                for key in ("workflow_id", "slug"):
                    ticket = (await world.client.post("/v1/stream-tickets", headers=caller.headers)).json()["ticket"]
                    bought = type(caller)("ticket", {"Sec-WebSocket-Protocol": "none"})
                    shape = next(iter(SOCKET.shapes()))
                    path = f"/v1/workflows/{world.ids[key]}/stream?ticket={ticket}"
                    status, _, text = await matrix._over_websocket(type(shape)("GET", path + "&x=", {}, None, {}), bought)
                    assert (status, "there is no workflow" in text) == (404, True)

    asyncio.run(main())


def test_a_stream_of_a_namesake_carries_nothing_of_the_owner(tmp_path: Path) -> None:
    """While the owner's workflow runs, who listens to one of the same slug in another project hears nothing."""

    async def main() -> None:
        async with tenants(tmp_path) as world:
            matrix = Matrix(world)
            slug = world.ids["slug"]
            for caller in world.foreign:
                document = {"name": "x", "steps": [{"id": "a", "type": "transform", "value": 1}]}
                await world.client.post("/v1/workflows", json={"slug": slug, "name": "x", "document": document}, headers=caller.headers)
            [shape] = SOCKET.shapes()
            listening = [
                asyncio.create_task(matrix.send(SOCKET, shape, {"workflow_id": slug}, caller, "foreign")) for caller in world.foreign
            ]
            start = {"command": "start", "params": {"input": {"given": sorted(world.canaries.secret)}}}
            for _ in range(5):
                answer = await world.client.post(f"/v1/workflows/{slug}/command", json=start, headers=world.owner.headers)
                assert answer.status_code == 202, answer.text
            for caller, told in zip(world.foreign, await asyncio.gather(*listening), strict=True):
                assert told.status == 101
                assert "run_" not in told.text
                assert not matrix._words(told, world.spoken_to(caller))

    asyncio.run(main())


Plant = Callable[[pytest.MonkeyPatch], None]


def _unscoped_hosted_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    async def unscoped(self: HostedRuns, scope: object, run_id: str) -> Any:
        return await self._runtime.state(run_id)

    _unscoped_find_run(monkeypatch)
    monkeypatch.setattr(HostedRuns, "_state", unscoped)


def _unscoped_find_run(monkeypatch: pytest.MonkeyPatch) -> None:
    async def unscoped(journal: Any, scope: object, text: str, workflow_id: str | None = None) -> Any:
        ids = await journal.find(f"run_{text}") if len(text) == 24 else [text if text.startswith("run_") else f"run_{text}"]
        row = await journal.row(ids[0]) if ids else None
        if row is None:
            raise NotFound(f"there is no run {text!r}")
        return row

    monkeypatch.setattr(run_routes, "find_run", unscoped)


def _foreign_runs_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    found = find_run

    async def telling(journal: Any, scope: Any, text: str, workflow_id: str | None = None) -> Any:
        try:
            return await found(journal, scope, text, workflow_id)
        except NotFound as exc:
            hint = "it is another project's" if await journal.row(text) is not None else None
            raise NotFound(exc.message, hint=hint) from exc

    monkeypatch.setattr(run_routes, "find_run", telling)


def _revoked_keys_count(monkeypatch: pytest.MonkeyPatch) -> None:
    known = sql_identity_keys._find

    def lenient(connection: Any, *args: Any) -> Any:
        connection.execute(api_key.update().values(revoked_at=None))
        return known(connection, *args)

    monkeypatch.setattr(sql_identity_keys, "_find", lenient)


def _unscoped(module: ModuleType, name: str) -> Plant:
    return lambda patch: patch.setattr(module, name, lambda *args: true())


def _any_key(monkeypatch: pytest.MonkeyPatch) -> None:
    found, here = sql_identity_keys._one, api_key.alias()

    def unscoped(connection: Any, scope: Scope, key_id: str) -> Any:
        row = connection.execute(select(here).where(here.c.key_id == key_id)).one_or_none()
        return found(connection, scope, key_id) if row is None else row

    monkeypatch.setattr(sql_identity_keys, "_one", unscoped)


def _unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(route, "check", lambda principal, permission: None)


def _any_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    async def found(journal: Any, scope: object, task_id: str, run: Any = None) -> Any:
        run_id = await journal.run_of_task(task_id)
        if run_id is None:
            raise NotFound(f"there is no task {task_id!r}")
        return await journal.row(run_id)

    monkeypatch.setattr(tasks, "find_task", found)


def _any_records(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RunRecord, "scope", property(lambda record: _Everywhere()))


class _Everywhere:
    """A scope that is every scope."""

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = object.__hash__


PLANTED: dict[str, tuple[Plant, str, str]] = {
    "runs of any project": (_unscoped_hosted_runs, "foreign", "get_run"),
    "live events of any project": (_unscoped_hosted_runs, "foreign", "stream_run"),
    "runs of any project are found by the routes alone": (_unscoped_find_run, "foreign", "list_run_comments"),
    "another project's runs have words of their own": (_foreign_runs_are_told_apart, "foreign", "get_run"),
    "revoked keys count": (_revoked_keys_count, "denied", "list_workflows"),
    "workflows of any project": (_unscoped(sql_workflow_queries, "within"), "foreign", "list_workflows"),
    "a workflow of any project": (_unscoped(sql_workflow_queries, "within"), "foreign", "publish_workflow"),
    "lists of any project's runs": (_any_records, "foreign", "list_runs"),
    "searches in any project's runs": (_any_records, "foreign", "search_runs"),
    "views of anybody": (_unscoped(sql_views, "_seen_by"), "foreign", "get_view"),
    "secrets of any project": (_unscoped(sql_secrets, "mine"), "foreign", "get_secret"),
    "a connection of any project": (_unscoped(sql_connections, "mine"), "foreign", "get_connection"),
    "connections of any project": (_unscoped(sql_secrets, "mine"), "foreign", "list_stored_connections"),
    "keys of any project": (_any_key, "foreign", "revoke_api_key"),
    "permissions are not looked at": (_unchecked, "limited", "delete_workflow"),
    "tasks of any project": (_any_tasks, "foreign", "complete_pending_task"),
}
"""What is planted, who sees it, and at which operation."""


@pytest.mark.parametrize("planted", PLANTED)
def test_the_matrix_sees_a_planted_bug(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, planted: str) -> None:
    async def main() -> None:
        async with tenants(tmp_path) as world:
            plant, kind, operation = PLANTED[planted]
            matrix = Matrix(world)
            asked = [one for one in matrix.operations() if one.name == operation]
            assert [wrong async for wrong in matrix.violations(asked, [kind])] == []
            plant(monkeypatch)
            assert [wrong async for wrong in matrix.violations(asked, [kind])] != []

    asyncio.run(main())


def test_signing_in_does_not_tell_who_has_an_account(tmp_path: Path) -> None:
    async def main() -> None:
        async with tenants(tmp_path) as world:
            told = set()
            for email in (world.ids["email"], "ada@example.com", "neighbour@example.com", "nobody@example.com"):
                answer = await world.client.post("/v1/session", json={"email": email, "password": "not the password"})
                told.add((answer.status_code, answer.json()["code"], answer.json()["detail"], answer.json()["hint"]))
            assert len(told) == 1

    asyncio.run(main())


def test_callers_differ(tmp_path: Path) -> None:
    """The matrix means nothing where two of its callers are the same."""

    async def main() -> None:
        async with tenants(tmp_path) as world:
            _differ(world)

    asyncio.run(main())


def _differ(world: Tenants) -> None:
    callers = [world.owner, world.viewer, *world.foreign, *world.without.values(), *world.denied]
    ordered = sorted(str(caller.headers) for caller in callers)
    assert all(one != other for one, other in pairwise(ordered))
