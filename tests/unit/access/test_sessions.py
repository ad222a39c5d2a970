"""Browser sessions: signing in, cookies, and that only pages of ours change things."""

import asyncio
from http.cookies import SimpleCookie
from pathlib import Path
from unittest.mock import patch

import httpx2
import pytest
from starlette.websockets import WebSocket
from tests.unit.access.server import ADA, ADDRESS, DEFAULT_PROJECT, Server, ok, opened, problem, run, signed_in

from runwell.api.access import AccessRules
from runwell.api.credentials import hashed
from runwell.api.passwords import Passwords
from runwell.ports.identity import SESSION_IDLE_MS, SESSION_MS

CREDENTIALS = {"email": "Ada@Example.com ", "password": ADA["password"]}


def cookie_of(answer: httpx2.Response, name: str) -> tuple[str, dict[str, object]]:
    """Return the cookie's value and those of its attributes that are set."""
    cookies = SimpleCookie()
    for line in answer.headers.get_list("set-cookie"):
        cookies.load(line)
    assert list(cookies) == [name]
    return cookies[name].value, {flag: value for flag, value in cookies[name].items() if value}


def test_the_cookie_is_for_this_host_over_tls_and_not_for_scripts(tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(tmp_path, rules=AccessRules(loopback=True)) as server:
            await server.admin()
            answer = await server.client().post("/v1/session", json=CREDENTIALS)
            value, flags = cookie_of(answer, "__Host-runwell")
            assert len(value) == 43
            assert flags == {"secure": True, "httponly": True, "samesite": "lax", "path": "/", "max-age": str(SESSION_MS // 1000)}

    run(main())


@pytest.mark.parametrize("loopback", [True, False])
def test_plain_http_has_a_cookie_of_its_own_on_loopback_only(tmp_path: Path, loopback: bool) -> None:
    async def main() -> None:
        async with opened(tmp_path, rules=AccessRules(loopback=loopback)) as server:
            await server.admin()
            browser = server.client("http://127.0.0.1:8080")
            answer = await browser.post("/v1/session", json=CREDENTIALS)
            value, flags = cookie_of(answer, "runwell-session" if loopback else "__Host-runwell")
            assert ("secure" in flags, flags["httponly"], flags["samesite"]) == (not loopback, True, "lax")
            plain = await server.client("http://127.0.0.1:8080").get("/v1/session", headers={"Cookie": f"runwell-session={value}"})
            secure = await server.client().get("/v1/session", headers={"Cookie": f"runwell-session={value}"})
            assert (plain.status_code, secure.status_code) == (200 if loopback else 401, 401)

    run(main())


def test_a_wrong_password_and_an_unknown_user_are_answered_alike_after_the_same_work(tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(tmp_path) as server:
            admin = await server.admin()
            ok(await admin.post("/v1/users", json={"email": "invited@example.com", "roles": {DEFAULT_PROJECT: "viewer"}}))
            disabled = await server.user(admin, "off@example.com", roles={DEFAULT_PROJECT: "viewer"})
            user_id = ok(await disabled.get("/v1/session"))["user"]["id"]
            ok(await admin.patch(f"/v1/users/{user_id}", json={"disabled": True}))
            answers = []
            with patch.object(Passwords, "_verify", autospec=True, side_effect=Passwords._verify) as work:
                for email, password in (
                    ("ada@example.com", "wrong"),
                    ("nobody@example.com", ADA["password"]),
                    ("invited@example.com", ADA["password"]),
                    ("off@example.com", ADA["password"]),
                ):
                    answers.append(await server.client().post("/v1/session", json={"email": email, "password": password}))
                    assert work.call_count == len(answers)
            assert {answer.status_code for answer in answers} == {401}
            assert len({answer.text.partition('"request_id"')[0] for answer in answers}) == 1
            assert "set-cookie" not in answers[0].headers

    run(main())


def test_a_change_needs_the_sessions_token(tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(tmp_path) as server:
            admin = await server.admin()
            token = admin.headers.pop("X-CSRF-Token")
            for wrong in (None, "", "x" * 43, token + "x", "\xff"):
                headers = {} if wrong is None else {b"X-CSRF-Token": wrong.encode("latin-1")}
                for method, path in (("POST", "/v1/api-keys"), ("PATCH", "/v1/organization"), ("DELETE", "/v1/session")):
                    problem(await admin.request(method, path, headers=headers, json={}), 403, "FORBIDDEN")
            assert (await admin.get("/v1/api-keys")).status_code == 200
            assert (await admin.patch("/v1/organization", json={"name": "N"}, headers={"X-CSRF-Token": token})).status_code == 200

    run(main())


def test_the_token_of_another_session_does_not_count(tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(tmp_path) as server:
            admin, again = await server.admin(), server.client()
            session = ok(await again.post("/v1/session", json=CREDENTIALS))
            assert session["csrf_token"] != admin.headers["X-CSRF-Token"]
            answer = await again.patch("/v1/organization", json={"name": "N"}, headers={"X-CSRF-Token": admin.headers["X-CSRF-Token"]})
            problem(answer, 403, "FORBIDDEN")

    run(main())


def test_a_change_comes_from_a_page_of_ours(tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(tmp_path, rules=AccessRules(allowed_origins=("https://ui.example.com",))) as server:
            admin = await server.admin()
            for origin in (
                "https://evil.test",
                "null",
                "http://runwell.test",
                "https://runwell.test:8443",
                "https://runwell.test.evil.test",
            ):
                problem(await admin.patch("/v1/organization", json={"name": "N"}, headers={"Origin": origin}), 403, "FORBIDDEN")
                problem(await server.client().post("/v1/session", json=CREDENTIALS, headers={"Origin": origin}), 403, "FORBIDDEN")
            for origin in (ADDRESS, "https://ui.example.com"):
                ok(await admin.patch("/v1/organization", json={"name": "N"}, headers={"Origin": origin}))

    run(main())


def test_a_key_needs_no_token(tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(tmp_path) as server:
            key = (await server.key(await server.admin(), "admin"))["key"]
            client = server.client(key=key)
            assert (await client.post("/v1/api-keys", json={"name": "k", "scopes": ["admin"]})).status_code == 201
            problem(await client.delete("/v1/session"), 403, "FORBIDDEN")

    run(main())


def test_signing_in_always_makes_a_new_session(tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(tmp_path) as server:
            await server.admin()
            browser = server.client()
            planted = "A" * 43
            answer = await browser.post("/v1/session", json=CREDENTIALS, headers={"Cookie": f"__Host-runwell={planted}"})
            fresh, _ = cookie_of(answer, "__Host-runwell")
            assert fresh != planted
            again, _ = cookie_of(await browser.post("/v1/session", json=CREDENTIALS), "__Host-runwell")
            statuses = [
                (await server.client().get("/v1/session", headers={"Cookie": f"__Host-runwell={token}"})).status_code
                for token in (planted, fresh, again)
            ]
            assert statuses == [401, 401, 200]

    run(main())


def test_a_session_ends_when_idle_and_after_a_week(tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(tmp_path) as server:
            browser = await server.admin()
            begun = server.clock.now()
            while server.clock.now() + SESSION_IDLE_MS // 2 < begun + SESSION_MS:
                before = ok(await browser.get("/v1/session"))["expires_at"]
                await extended(browser, before, server.clock.now() > begun)
                await server.clock.advance(SESSION_IDLE_MS // 2)
            assert (await browser.get("/v1/session")).status_code == 200
            await server.identities.sessions.extend(hashed(browser.cookies["__Host-runwell"]))
            await server.clock.advance_to(begun + SESSION_MS)
            problem(await browser.get("/v1/session"), 401, "UNAUTHENTICATED")
            idle = server.client()
            ok(await idle.post("/v1/session", json=CREDENTIALS))
            await server.clock.advance(SESSION_IDLE_MS - 1)
            assert (await server.identities.sessions.find("x")) is None
            await server.clock.advance(1)
            problem(await idle.get("/v1/session"), 401, "UNAUTHENTICATED")

    async def extended(browser: httpx2.AsyncClient, before: str, expected: bool) -> None:
        """Wait until the session's end, which moves beside the request, has moved."""
        for _ in range(500):
            if not expected or ok(await browser.get("/v1/session"))["expires_at"] != before:
                return
            await asyncio.sleep(0.002)
        raise AssertionError("the session was not extended")

    run(main())


def test_signing_out_ends_the_session_and_takes_the_cookie(tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(tmp_path) as server:
            browser = await server.admin()
            kept = {"Cookie": f"__Host-runwell={browser.cookies['__Host-runwell']}"}
            answer = await browser.delete("/v1/session")
            assert answer.status_code == 204
            assert "Max-Age=0" in answer.headers["set-cookie"]
            assert (await server.client().get("/v1/session", headers=kept)).status_code == 401

    run(main())


def test_a_changed_password_ends_the_other_sessions(tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(tmp_path) as server:
            here, there = await server.admin(), server.client()
            ok(await there.post("/v1/session", json=CREDENTIALS))
            wrong = {"current_password": "wrong", "new_password": "another good password"}
            problem(await here.post("/v1/session/password", json=wrong), 401, "UNAUTHENTICATED")
            ok(await here.post("/v1/session/password", json={**wrong, "current_password": ADA["password"]}))
            assert (await here.get("/v1/session")).status_code == 200
            assert (await there.get("/v1/session")).status_code == 401
            assert (await there.post("/v1/session", json=CREDENTIALS)).status_code == 401
            assert (await there.post("/v1/session", json={**CREDENTIALS, "password": "another good password"})).status_code == 200

    run(main())


def test_a_session_moves_between_the_users_projects_only(tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(tmp_path) as server:
            admin = await server.admin()
            two = ok(await admin.post("/v1/projects", json={"name": "Two", "slug": "two"}))["id"]
            three = ok(await admin.post("/v1/projects", json={"name": "Three", "slug": "three"}))["id"]
            user = await server.user(admin, "u@example.com", roles={DEFAULT_PROJECT: "admin", two: "viewer"})
            moved = ok(await user.post("/v1/session/project", json={"project": two.removeprefix("prj_")}))
            assert (moved["project"]["id"], moved["permissions"]) == (two, ["workflow:read"])
            assert [project["id"] for project in moved["projects"]] == [DEFAULT_PROJECT, two]
            closed = problem(await user.post("/v1/session/project", json={"project": three}), 404, "NOT_FOUND")
            missing = problem(await user.post("/v1/session/project", json={"project": "prj_" + "9" * 32}), 404, "NOT_FOUND")
            assert closed["detail"].replace(three, "") == missing["detail"].replace("prj_" + "9" * 32, "")
            again = {"email": "u@example.com", "password": ADA["password"]}
            assert ok(await server.client().post("/v1/session", json={**again, "project": two}))["project"]["id"] == two
            problem(await server.client().post("/v1/session", json={**again, "project": three}), 404, "NOT_FOUND")

    run(main())


async def wsconnect(server: Server, headers: dict[str, str]) -> object:
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "websocket", "scheme": "wss", "path": "/", "headers": [(b"host", b"runwell.test"), *raw], "query_string": b""}

    async def nothing(*_: object) -> dict[str, str]:
        return {}

    return await server.parts.authenticate(WebSocket(scope, nothing, nothing))  # type: ignore[arg-type]


def test_a_websocket_counts_from_our_pages_and_with_a_key(tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(tmp_path) as server:
            admin = await server.admin()
            key = (await server.key(admin, "workflow:read"))["key"]
            cookie = {"Cookie": f"__Host-runwell={admin.cookies['__Host-runwell']}"}
            assert await wsconnect(server, {**cookie, "Origin": ADDRESS}) is not None
            assert await wsconnect(server, {"Authorization": f"Bearer {key}"}) is not None
            assert await wsconnect(server, {**cookie, "Origin": "https://evil.test"}) is None
            assert await wsconnect(server, cookie) is None
            assert await wsconnect(server, {}) is None

    run(main())


def test_signing_in_again_strengthens_an_old_hash(tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(tmp_path) as server:
            await server.admin()
            before = await server.identities.accounts.by_email(ADA["email"])
            with patch.object(Passwords, "is_weak", return_value=True):
                signed_in(server.client(), await server.client().post("/v1/session", json=CREDENTIALS))
            after = await server.identities.accounts.by_email(ADA["email"])
            assert before is not None
            assert after is not None
            assert before.password_hash != after.password_hash
            ok(await server.client().post("/v1/session", json=CREDENTIALS))

    run(main())
