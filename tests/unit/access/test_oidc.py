"""Signing in through an identity provider: whom it vouches for comes in, and nobody else."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from tests.unit.access.provider import CLIENT_ID, CLIENT_SECRET, Provider
from tests.unit.access.server import ADDRESS, DEFAULT_PROJECT, Server, ok, opened, problem, run

from runwell.adapters.oidc import OidcProvider
from runwell.api.access import AccessRules
from runwell.api.routes.oidc import STATE_MS
from runwell.model.errors import InvalidInput
from runwell.testing.clock import START_MS, FakeClock

CALLBACK = "/v1/session/oidc/callback"


@asynccontextmanager
async def with_provider(path: Path, rules: AccessRules = AccessRules()) -> AsyncIterator[tuple[Server, Provider]]:  # noqa: B008 (frozen)
    provider = Provider(START_MS)
    async with provider.server:
        oidc = OidcProvider(provider.issuer, CLIENT_ID, CLIENT_SECRET, FakeClock())
        try:
            async with opened(path, rules=rules, provider=oidc) as server:
                yield server, provider
        finally:
            await oidc.aclose()


async def go(browser: httpx2.AsyncClient, provider: Provider, return_to: str = "/") -> dict[str, str]:
    """Let the browser go to the provider; return what it brings back."""
    sent = await browser.get("/v1/session/oidc", params={"return_to": return_to})
    assert sent.status_code == 303, sent.text
    state = parse_qs(urlsplit(sent.headers["location"]).query)["state"][0]
    return {"state": state, "code": provider.visit(sent.headers["location"])}


async def come_back(browser: httpx2.AsyncClient, provider: Provider) -> httpx2.Response:
    return await browser.get(CALLBACK, params=await go(browser, provider))


async def invite(server: Server, email: str = "bob@example.com") -> httpx2.AsyncClient:
    admin = await server.admin()
    ok(await admin.post("/v1/users", json={"email": email, "roles": {DEFAULT_PROJECT: "viewer"}}))
    return admin


def test_who_was_invited_comes_in_by_the_verified_address_and_then_by_the_subject(tmp_path: Path) -> None:
    async def main() -> None:
        async with with_provider(tmp_path) as (server, provider):
            await invite(server)
            browser = server.client()
            assert ok(await browser.get("/v1/sign-in"))["methods"] == ["password", "oidc"]
            back = await go(browser, provider, "/runs?status=failed")
            done = await browser.get(CALLBACK, params=back)
            assert (done.status_code, done.headers["location"]) == (303, "/runs?status=failed")
            session = ok(await browser.get("/v1/session"))
            assert (session["user"]["email"], session["permissions"]) == ("bob@example.com", ["workflow:read"])
            assert sorted(browser.cookies) == ["__Host-runwell"]
            provider.claims = {"email": "new@example.com"}
            again = server.client()
            assert (await come_back(again, provider)).status_code == 303
            assert ok(await again.get("/v1/session"))["user"] == session["user"]

    run(main())


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "another"},
        {"aud": None},
        {"aud": [CLIENT_ID, "another"]},
        {"azp": "another"},
        {"iss": "https://evil.test"},
        {"exp": START_MS // 1000 - 61},
        {"exp": None},
        {"exp": "never"},
        {"iat": START_MS // 1000 + 120},
        {"sub": None},
        {"sub": ""},
        {"sub": "x" * 256},
        {"sub": "a\u0000"},
        {"sub": "\ud800"},
        {"email_verified": False},
        {"email_verified": None},
        {"email": "somebody@example.com"},
        {"email": "bob@example.com\u0000"},
        {"email": "bob\ud800@example.com"},
        {"email": 7},
    ],
)
def test_a_token_that_says_anything_else_lets_nobody_in(tmp_path: Path, claims: dict[str, Any]) -> None:
    async def main() -> None:
        async with with_provider(tmp_path) as (server, provider):
            await invite(server)
            browser = server.client()
            provider.claims = claims
            problem(await come_back(browser, provider), 401, "UNAUTHENTICATED")
            assert "__Host-runwell" not in browser.cookies
            provider.claims = {}
            assert (await come_back(browser, provider)).status_code == 303

    run(main())


@pytest.mark.parametrize("signed", ["not", "by another key", "with the public key", "with garbage"])
def test_a_token_that_the_provider_did_not_sign_lets_nobody_in(tmp_path: Path, signed: str) -> None:
    async def main() -> None:
        async with with_provider(tmp_path) as (server, provider):
            await invite(server)
            browser = server.client()
            provider.signed = signed
            problem(await come_back(browser, provider), 401, "UNAUTHENTICATED")
            assert "__Host-runwell" not in browser.cookies

    run(main())


def test_a_state_counts_once_and_in_its_browser_only(tmp_path: Path) -> None:
    async def main() -> None:
        async with with_provider(tmp_path) as (server, provider):
            await invite(server)
            browser = server.client()
            back = await go(browser, provider)
            cookie = {"Cookie": f"__Host-runwell-oidc={browser.cookies['__Host-runwell-oidc']}"}
            assert (await browser.get(CALLBACK, params=back)).status_code == 303
            problem(await server.client().get(CALLBACK, params=back, headers=cookie), 401, "UNAUTHENTICATED")
            elsewhere = await go(server.client(), provider)
            victim = server.client()
            await go(victim, provider)
            problem(await victim.get(CALLBACK, params=elsewhere), 401, "UNAUTHENTICATED")
            late = await go(browser, provider)
            await server.clock.advance(STATE_MS)
            problem(await browser.get(CALLBACK, params=late), 401, "UNAUTHENTICATED")
            for params in ({}, {"state": "x", "code": "x"}, {"state": "\u0000"}, {"error": "access_denied"}):
                problem(await browser.get(CALLBACK, params=params), 401, "UNAUTHENTICATED")

    run(main())


def test_who_was_not_invited_comes_in_only_where_a_role_is_set_for_them(tmp_path: Path) -> None:
    async def main() -> None:
        async with with_provider(tmp_path / "closed") as (server, provider):
            problem(await come_back(server.client(), provider), 401, "UNAUTHENTICATED")
        async with with_provider(tmp_path / "open", AccessRules(oidc_default_role="contributor")) as (server, provider):
            browser = server.client()
            assert (await come_back(browser, provider)).status_code == 303
            session = ok(await browser.get("/v1/session"))
            assert (session["project"]["id"], session["permissions"]) == (
                DEFAULT_PROJECT,
                ["task:complete", "workflow:read", "workflow:run", "workflow:write"],
            )
            provider.claims = {"sub": "subject-2"}  # the address is taken by another subject
            problem(await come_back(server.client(), provider), 401, "UNAUTHENTICATED")
            provider.claims = {"sub": "subject-3", "email": "c@example.com", "email_verified": False}
            problem(await come_back(server.client(), provider), 401, "UNAUTHENTICATED")

    run(main())


def test_a_disabled_user_stays_out(tmp_path: Path) -> None:
    async def main() -> None:
        async with with_provider(tmp_path) as (server, provider):
            admin = await invite(server)
            [_, bob] = ok(await admin.get("/v1/users"))["data"]
            ok(await admin.patch(f"/v1/users/{bob['id']}", json={"disabled": True}))
            problem(await come_back(server.client(), provider), 401, "UNAUTHENTICATED")

    run(main())


def test_an_invitation_link_is_void_once_its_user_came_in_by_the_provider(tmp_path: Path) -> None:
    async def main() -> None:
        async with with_provider(tmp_path) as (server, provider):
            admin = await server.admin()
            invited = ok(await admin.post("/v1/users", json={"email": "bob@example.com", "roles": {DEFAULT_PROJECT: "viewer"}}))
            assert (await come_back(server.client(), provider)).status_code == 303
            body = {"token": invited["link"].partition("=")[2], "password": "chosen by the inviter"}
            problem(await server.client().post("/v1/password", json=body), 401, "UNAUTHENTICATED")

    run(main())


def test_a_new_key_of_the_provider_is_found(tmp_path: Path) -> None:
    async def main() -> None:
        async with with_provider(tmp_path) as (server, provider):
            await invite(server)
            assert (await come_back(server.client(), provider)).status_code == 303
            oidc = server.parts.access.provider if server.parts.access else None
            assert isinstance(oidc, OidcProvider)
            assert isinstance(oidc._clock, FakeClock)
            provider.signed = "by a new key"
            problem(await come_back(server.client(), provider), 401, "UNAUTHENTICATED")  # looked for less than a minute ago
            await oidc._clock.advance(60_000)
            assert (await come_back(server.client(), provider)).status_code == 303
            fetched = [received.target for received in provider.server.requests]
            assert fetched.count("/.well-known/openid-configuration") == 1
            assert fetched.count("/keys") == 2

    run(main())


def test_a_short_id_token_is_made_whole_by_the_userinfo_of_the_same_subject(tmp_path: Path) -> None:
    async def main() -> None:
        async with with_provider(tmp_path) as (server, provider):
            await invite(server)
            provider.claims = {"email": None, "email_verified": None}
            provider.userinfo = {"sub": "another", "email": "bob@example.com", "email_verified": True}
            problem(await come_back(server.client(), provider), 401, "UNAUTHENTICATED")
            provider.userinfo = {"sub": "subject-1", "email": "bob@example.com", "email_verified": True}
            assert (await come_back(server.client(), provider)).status_code == 303

    run(main())


def test_the_secret_goes_in_the_form_where_the_provider_wants_it(tmp_path: Path) -> None:
    async def main() -> None:
        async with with_provider(tmp_path) as (server, provider):
            await invite(server)
            provider.metadata = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
            assert (await come_back(server.client(), provider)).status_code == 303

    run(main())


@pytest.mark.parametrize(
    "metadata",
    [{"issuer": "https://evil.test"}, {"token_endpoint": "http://evil.test/token"}, {"jwks_uri": None}, {"authorization_endpoint": 7}],
)
def test_a_provider_that_is_not_what_was_set_is_not_asked(tmp_path: Path, metadata: dict[str, Any]) -> None:
    async def main() -> None:
        async with with_provider(tmp_path) as (server, provider):
            provider.metadata = metadata
            problem(await server.client().get("/v1/session/oidc"), 503, "IDENTITY_PROVIDER_UNAVAILABLE")

    run(main())


def test_a_provider_that_fails_is_named_as_the_cause(tmp_path: Path) -> None:
    async def main() -> None:
        async with with_provider(tmp_path) as (server, provider):
            await invite(server)
            for status, expected in ((500, 503), (401, 503), (400, 401)):
                provider.token_status = status
                assert (await come_back(server.client(), provider)).status_code == expected
        provider = Provider(START_MS)
        async with provider.server:
            gone = OidcProvider(provider.issuer, CLIENT_ID, CLIENT_SECRET, FakeClock())
        async with opened(tmp_path / "gone", provider=gone) as server:
            problem(await server.client().get("/v1/session/oidc"), 503, "IDENTITY_PROVIDER_UNAVAILABLE")
        await gone.aclose()

    run(main())


def test_nobody_is_led_to_another_server(tmp_path: Path) -> None:
    async def main() -> None:
        async with with_provider(tmp_path) as (server, _):
            for path in ("https://evil.test", "//evil.test", "/\\evil.test", "", "runs", "/a\u0000", "/a\nb", "/\t/evil.test"):
                problem(await server.client().get("/v1/session/oidc", params={"return_to": path}), 422, "INVALID_INPUT")

    run(main())


def test_without_a_provider_there_is_no_such_way(tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(tmp_path) as server:
            for path in ("/v1/session/oidc", CALLBACK):
                problem(await server.client(ADDRESS).get(path), 404, "NOT_FOUND")

    run(main())


@pytest.mark.parametrize(
    "issuer", ["http://id.example.com", "ftp://id.example.com", "https://", "id.example.com", "https://[", "http://localhost.evil.test"]
)
def test_an_issuer_that_anybody_could_read_is_refused(issuer: str) -> None:
    with pytest.raises(InvalidInput):
        OidcProvider(issuer, CLIENT_ID, CLIENT_SECRET, FakeClock())
