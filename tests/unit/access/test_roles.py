"""Users, projects and the organization: who may do what, and that somebody always can."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.unit.access.server import ADA, DEFAULT_PROJECT, ORG_B, PROJECT_B, Server, ok, opened, problem, run, signed_in

from runwell.model.ids import DEFAULT_ORG
from runwell.model.principal import ROLES
from runwell.model.scope import Scope
from runwell.ports.identity import Membership, PasswordLink

B = Scope(ORG_B, PROJECT_B)

ASKED = (
    ("GET", "/v1/projects", "workflow:read"),
    ("GET", f"/v1/projects/{DEFAULT_PROJECT}", "workflow:read"),
    ("GET", "/v1/organization", "workflow:read"),
    ("POST", "/v1/stream-tickets", "workflow:read"),
    ("GET", "/v1/api-keys", "admin"),
    ("POST", "/v1/api-keys", "admin"),
    ("DELETE", "/v1/api-keys/key_" + "0" * 20, "admin"),
    ("GET", "/v1/users", "organization"),
    ("GET", "/v1/users/usr_" + "0" * 32, "organization"),
    ("POST", "/v1/users", "organization"),
    ("PATCH", "/v1/users/usr_" + "0" * 32, "organization"),
    ("POST", "/v1/users/usr_" + "0" * 32 + "/password-link", "organization"),
    ("POST", "/v1/projects", "organization"),
    ("PATCH", f"/v1/projects/{DEFAULT_PROJECT}", "organization"),
    ("PATCH", "/v1/organization", "organization"),
)


@pytest.mark.parametrize("role", [*ROLES, "organization admin", "nobody"])
def test_each_role_passes_where_it_may_and_nowhere_else(tmp_path: Path, role: str) -> None:
    async def main() -> None:
        async with opened(tmp_path) as server:
            admin = await server.admin()
            permissions = ROLES.get(role, frozenset())  # type: ignore[call-overload]
            if role == "nobody":
                client = server.client()
            elif role == "organization admin":
                client, permissions = (
                    await server.user(admin, "u@example.com", organization_admin=True),
                    {"workflow:read", "admin", "organization"},
                )
            else:
                client = await server.user(admin, "u@example.com", roles={DEFAULT_PROJECT: role})
            for method, path, needed in ASKED:
                status = (await client.request(method, path)).status_code
                if role == "nobody":
                    assert status == 401, path
                else:
                    assert (status != 403) == (needed in permissions), (path, status)

    run(main())


async def user_id(server: Server, email: str) -> str:
    account = await server.identities.accounts.by_email(email)
    assert account is not None
    return account.user_id


def test_an_invitation_is_a_link_good_for_one_use(tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(tmp_path) as server:
            admin = await server.admin()
            invited = ok(await admin.post("/v1/users", json={"email": "Bob@Example.com", "roles": {DEFAULT_PROJECT: "viewer"}}))
            assert invited["user"]["state"] == "invited"
            assert invited["user"]["email"] == "bob@example.com"
            assert invited["link"].startswith("https://runwell.test/password?token=")
            body = {"token": invited["link"].partition("=")[2], "password": ADA["password"], "name": "Bob"}
            answers = await asyncio.gather(*(server.client().post("/v1/password", json=body) for _ in range(20)))
            assert sorted(answer.status_code for answer in answers) == [200] + [401] * 19
            again = problem(await server.client().post("/v1/password", json=body), 401, "UNAUTHENTICATED")
            unknown = problem(await server.client().post("/v1/password", json={**body, "token": "x"}), 401, "UNAUTHENTICATED")
            assert again["detail"] == unknown["detail"]
            [_, bob] = ok(await admin.get("/v1/users"))["data"]
            assert (bob["state"], bob["name"], bob["roles"], bob["organization_admin"]) == (
                "active",
                "Bob",
                {DEFAULT_PROJECT: "viewer"},
                False,
            )

    run(main())


def test_a_new_link_ends_sessions_and_earlier_links_when_used(tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(tmp_path) as server:
            admin = await server.admin()
            bob = await server.user(admin, "bob@example.com", roles={DEFAULT_PROJECT: "viewer"})
            path = f"/v1/users/{await user_id(server, 'bob@example.com')}/password-link"
            tokens = [ok(await admin.post(path))["link"].partition("=")[2] for _ in range(2)]
            assert (await bob.get("/v1/session")).status_code == 200
            chosen = {"password": "another good password"}
            signed_in(server.client(), await server.client().post("/v1/password", json={**chosen, "token": tokens[1]}))
            assert (await bob.get("/v1/session")).status_code == 401
            problem(await server.client().post("/v1/password", json={**chosen, "token": tokens[0]}), 401, "UNAUTHENTICATED")

    run(main())


def test_a_link_has_its_time(tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(tmp_path) as server:
            admin = await server.admin()
            token = ok(await admin.post("/v1/users", json={"email": "b@example.com", "organization_admin": True}))["link"].partition("=")[2]
            await server.clock.advance(7 * 24 * 3_600_000)
            problem(await server.client().post("/v1/password", json={"token": token, "password": ADA["password"]}), 401, "UNAUTHENTICATED")

    run(main())


def test_the_last_admin_who_can_sign_in_stays(tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(tmp_path) as server:
            admin = await server.admin()
            ada = f"/v1/users/{await user_id(server, 'ada@example.com')}"
            removals = ({"organization_admin": False, "roles": {DEFAULT_PROJECT: "admin"}}, {"disabled": True})
            ok(await admin.post("/v1/users", json={"email": "idle@example.com", "organization_admin": True}))  # has no password yet
            for removal in removals:
                problem(await admin.patch(ada, json=removal), 409, "CONFLICT")
            other = await server.user(admin, "o@example.com", organization_admin=True)
            theirs = f"/v1/users/{await user_id(server, 'o@example.com')}"
            both = await asyncio.gather(admin.patch(theirs, json=removals[0]), other.patch(ada, json=removals[1]))
            assert sorted(answer.status_code for answer in both) in ([200, 401], [200, 403], [200, 409])
            left = [
                user for user in ok(await (admin if both[0].is_success else other).get("/v1/users"))["data"] if user["organization_admin"]
            ]
            assert len([user for user in left if user["state"] == "active"]) == 1

    run(main())


def test_roles_hold_from_the_next_request_on(tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(tmp_path) as server:
            admin = await server.admin()
            two = ok(await admin.post("/v1/projects", json={"name": "Two", "slug": "two"}))["id"]
            bob = await server.user(admin, "bob@example.com", roles={DEFAULT_PROJECT: "admin"})
            path = f"/v1/users/{await user_id(server, 'bob@example.com')}"
            assert (await bob.get("/v1/api-keys")).status_code == 200
            ok(await admin.patch(path, json={"roles": {DEFAULT_PROJECT: "viewer", two: "admin"}}))
            assert (await bob.get("/v1/api-keys")).status_code == 403
            ok(await admin.patch(path, json={"roles": {two: "admin"}}))
            session = ok(await bob.get("/v1/session"))
            assert (session["project"], session["permissions"], [project["id"] for project in session["projects"]]) == (None, [], [two])
            signed_in(bob, await bob.post("/v1/session/project", json={"project": two}))
            assert (await bob.get("/v1/api-keys")).status_code == 200
            problem(await admin.patch(path, json={"roles": {}}), 422, "INVALID_INPUT")
            ok(await admin.patch(path, json={"disabled": True}))
            assert (await bob.get("/v1/session")).status_code == 401
            ok(await admin.patch(path, json={"disabled": False, "name": "Robert"}))
            assert (await bob.get("/v1/session")).status_code == 401  # the session ended for good

    run(main())


def test_nothing_of_another_organization_can_be_reached(tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(tmp_path) as server:
            admin = await server.admin()
            await server.tenant_b()
            link = PasswordLink(token_hash="h", ttl_ms=1_000)
            stranger = await server.identities.members.invite(B, "b@example.com", "B", Membership(organization_admin=True), link)
            none_such = "usr_" + "9" * 32
            for method, path in (("GET", ""), ("PATCH", ""), ("POST", "/password-link")):
                answers = [await admin.request(method, f"/v1/users/{who}{path}", json={}) for who in (stranger.id, none_such)]
                assert [answer.status_code for answer in answers] == [404, 404]
                details = [answer.json()["detail"].replace(who, "") for answer, who in zip(answers, (stranger.id, none_such), strict=True)]
                assert details[0] == details[1]
            assert [user["email"] for user in ok(await admin.get("/v1/users"))["data"]] == ["ada@example.com"]
            assert [project["id"] for project in ok(await admin.get("/v1/projects"))["data"]] == [DEFAULT_PROJECT]
            for method, body in (("GET", None), ("PATCH", {"name": "Mine"})):
                problem(await admin.request(method, f"/v1/projects/{PROJECT_B}", json=body), 404, "NOT_FOUND")
            problem(await admin.post("/v1/users", json={"email": "c@example.com", "roles": {PROJECT_B: "admin"}}), 404, "NOT_FOUND")
            told = problem(await admin.post("/v1/session/project", json={"project": PROJECT_B}), 404, "NOT_FOUND")
            assert told["detail"] == f"there is no project {PROJECT_B!r}"
            assert [project["id"] for project in ok(await admin.get("/v1/session"))["projects"]] == [DEFAULT_PROJECT]
            ok(await admin.patch("/v1/organization", json={"name": "A"}))
            assert (await server.identities.organizations.get(B)).name == "B"
            assert await server.identities.accounts.by_email("c@example.com") is None  # the refused invitation left nothing

    run(main())


def test_who_belongs_to_two_organizations_is_not_one_admins_alone(tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(tmp_path) as server:
            admin = await server.admin()
            bob = await server.user(admin, "bob@example.com", roles={DEFAULT_PROJECT: "viewer"})
            bob_id = await user_id(server, "bob@example.com")
            await server.tenant_b(bob_id)
            problem(await admin.patch(f"/v1/users/{bob_id}", json={"disabled": True}), 409, "CONFLICT")
            problem(await admin.post(f"/v1/users/{bob_id}/password-link"), 409, "CONFLICT")
            moved = signed_in(bob, await bob.post("/v1/session/project", json={"project": PROJECT_B}))
            assert (moved["organization"]["id"], "organization" in moved["permissions"]) == (ORG_B, True)
            assert [user["email"] for user in ok(await bob.get("/v1/users"))["data"]] == ["bob@example.com"]
            assert ok(await admin.get("/v1/organization"))["id"] == DEFAULT_ORG

    run(main())


def test_projects_are_made_renamed_and_archived(tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(tmp_path) as server:
            admin = await server.admin()
            problem(await admin.patch(f"/v1/projects/{DEFAULT_PROJECT}", json={"archived": True}), 409, "CONFLICT")
            made = await admin.post("/v1/projects", json={"name": "Two", "slug": "two"})
            assert made.status_code == 201
            problem(await admin.post("/v1/projects", json={"name": "Other", "slug": "two"}), 409, "CONFLICT")
            two = made.json()["id"]
            assert ok(await admin.patch(f"/v1/projects/{two}", json={"name": "Zwei", "archived": True}))["archived_at"] is not None
            viewer = await server.user(admin, "v@example.com", roles={DEFAULT_PROJECT: "viewer"})
            assert [project["id"] for project in ok(await viewer.get("/v1/projects"))["data"]] == [DEFAULT_PROJECT]
            assert (await viewer.get(f"/v1/projects/{two}")).status_code == 404
            assert [project["name"] for project in ok(await admin.get("/v1/projects"))["data"]] == ["Default", "Zwei"]
            for slug in ("Two", "-two", "a b", "", "x" * 64, "ü"):
                problem(await admin.post("/v1/projects", json={"name": "N", "slug": slug}), 422, "INVALID_REQUEST")

    run(main())


def test_an_address_is_invited_once(tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(tmp_path) as server:
            admin = await server.admin()
            for email in ("ada@example.com", " ADA@example.com"):
                told = problem(await admin.post("/v1/users", json={"email": email, "organization_admin": True}), 409, "CONFLICT")
                assert "link" not in told
            problem(await admin.post("/v1/users", json={"email": "x@example.com"}), 422, "INVALID_INPUT")
            wrong: tuple[Any, ...] = ({"x": "viewer"}, {DEFAULT_PROJECT: "owner"}, {"\u0000": "viewer"}, {DEFAULT_PROJECT: None}, [])
            for roles in wrong:
                problem(await admin.post("/v1/users", json={"email": "x@example.com", "roles": roles}), 422, "INVALID_REQUEST")

    run(main())
