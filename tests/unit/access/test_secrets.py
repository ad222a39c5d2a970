"""What opens a door is kept nowhere; what opens it once opens it once."""

import asyncio
import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.unit.access.server import ADA, DEFAULT_PROJECT, ok, opened, problem, run

from runwell.api.errors import TooManyRequests
from runwell.api.first_run import INVITATION_MS, SET_UP_MS, first_run_token
from runwell.api.routes.users import RESET_MS
from runwell.api.throttle import PER_ADDRESS, PER_EMAIL, PER_PAIR, WINDOW_MS, SignInThrottle, network
from runwell.api.tickets import TICKET_MS, redeem_ticket
from runwell.ports.identity import SESSION_IDLE_MS, SESSION_MS
from runwell.testing.clock import FakeClock

OTHER_PASSWORD = "another good password"


def test_nothing_that_opens_a_door_lies_in_the_data_directory(tmp_path: Path) -> None:
    secrets: dict[str, str] = {}

    async def main() -> None:
        async with opened(tmp_path) as server:
            secrets["set-up token"] = await first_run_token(server.identities) or ""
            browser = server.client()
            session = ok(await browser.post("/v1/setup", json={**ADA, "token": secrets["set-up token"]}))
            browser.headers["X-CSRF-Token"] = secrets["csrf token"] = session["csrf_token"]
            secrets["session token"] = browser.cookies["__Host-runwell"]
            secrets["key"] = (await server.key(browser, "workflow:read"))["key"].split("_", 2)[2]
            await server.client(key="rw_" + secrets["key"]).get("/v1/projects")
            link = ok(await browser.post("/v1/users", json={"email": "b@example.com", "organization_admin": True}))["link"]
            secrets["invitation"] = parse_qs(urlsplit(link).query)["token"][0]
            secrets["ticket"] = ok(await browser.post("/v1/stream-tickets"))["ticket"]
            change = {"current_password": ADA["password"], "new_password": OTHER_PASSWORD}
            ok(await browser.post("/v1/session/password", json=change))
            secrets["password"], secrets["new password"] = ADA["password"], OTHER_PASSWORD

    run(main())
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"ada@example.com" in kept
    for name, secret in secrets.items():
        assert len(secret) > 12, name
        assert secret.encode() not in kept, name
    assert re.search(rb"\$argon2id\$", kept)


def test_a_ticket_opens_one_stream_for_what_its_buyer_may_do(tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(tmp_path) as server:
            admin = await server.admin()
            key = await server.key(admin, "workflow:read", "workflow:run")
            ticket = ok(await server.client(key=key["key"]).post("/v1/stream-tickets"))["ticket"]
            found = await asyncio.gather(*(redeem_ticket(server.access, ticket) for _ in range(20)))
            [principal] = [one for one in found if one is not None]
            assert (principal.actor, principal.permissions) == (key["id"], frozenset({"workflow:read", "workflow:run"}))
            assert principal.scope.project_id == DEFAULT_PROJECT
            late = ok(await admin.post("/v1/stream-tickets"))["ticket"]
            await server.clock.advance(TICKET_MS)
            assert [await redeem_ticket(server.access, token) for token in (late, "", "x", "\ud800")] == [None] * 4
            problem(await server.client().post("/v1/stream-tickets"), 401, "UNAUTHENTICATED")

    run(main())


def test_a_token_of_one_purpose_serves_no_other(tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(tmp_path) as server:
            admin = await server.admin()
            ticket = ok(await admin.post("/v1/stream-tickets"))["ticket"]
            link = ok(await admin.post("/v1/users", json={"email": "b@example.com", "organization_admin": True}))["link"]
            problem(await server.client().post("/v1/password", json={"token": ticket, "password": OTHER_PASSWORD}), 401, "UNAUTHENTICATED")
            assert await redeem_ticket(server.access, link.partition("=")[2]) is None
            assert await redeem_ticket(server.access, ticket) is not None

    run(main())


def test_guessing_is_slowed_with_a_word_about_when_to_go_on(tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(tmp_path) as server:
            await server.admin()
            wrong = {"email": "ada@example.com", "password": "wrong"}
            answers = await asyncio.gather(*(server.client().post("/v1/session", json=wrong) for _ in range(PER_PAIR + 5)))
            assert sorted(answer.status_code for answer in answers) == [401] * PER_PAIR + [429] * 5
            right = {**wrong, "password": ADA["password"]}
            refused = await server.client().post("/v1/session", json=right)
            problem(refused, 429, "TOO_MANY_REQUESTS")
            assert refused.headers["retry-after"] == str(WINDOW_MS // 1000)
            assert (await server.client(place="198.51.100.1").post("/v1/session", json=right)).status_code == 200
            await server.clock.advance(WINDOW_MS)
            assert (await server.client().post("/v1/session", json=right)).status_code == 200

    run(main())


def test_unknown_addresses_are_slowed_alike(tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(tmp_path) as server:
            wrong = {"email": "nobody@example.com", "password": "wrong"}
            statuses = [(await server.client().post("/v1/session", json=wrong)).status_code for _ in range(PER_PAIR + 1)]
            assert statuses == [401] * PER_PAIR + [429]

    run(main())


def test_tries_are_counted_by_pair_by_email_and_by_address() -> None:
    clock = FakeClock()
    throttle = SignInThrottle(clock)
    for _ in range(3 * PER_PAIR):
        throttle.attempt("a@b", "192.0.2.1")
        throttle.succeeded("a@b", "192.0.2.1")
    throttle = SignInThrottle(clock)
    for n in range(PER_EMAIL):
        throttle.attempt("a@b", f"192.0.2.{n}")
    with pytest.raises(TooManyRequests):
        throttle.attempt("a@b", "198.51.100.1")
    for n in range(PER_ADDRESS - 1):
        throttle.attempt(f"{n}@b", "192.0.2.1")
    with pytest.raises(TooManyRequests):
        throttle.attempt("new@b", "192.0.2.1")
    throttle.attempt("new@b", "198.51.100.2")


def test_one_customer_of_a_provider_is_one_place() -> None:
    assert network("2001:db8::1") == network("2001:db8::ffff:1") != network("2001:db8:0:1::1")
    assert network("192.0.2.1") != network("192.0.2.2")
    assert network("unix") == "unix"


def test_what_is_long_ago_is_forgotten() -> None:
    clock = FakeClock()
    throttle = SignInThrottle(clock)
    for n in range(4_000):
        throttle.attempt(f"{n}@b", f"10.0.{n >> 8}.{n & 255}")
    run(clock.advance(WINDOW_MS))
    for n in range(4_000, 8_000):
        throttle.attempt(f"{n}@b", f"10.0.{n >> 8}.{n & 255}")
    assert len(throttle._tries) < 20_000


def test_times_are_as_promised() -> None:
    hour = 3_600_000
    promised = {TICKET_MS: 30_000, SET_UP_MS: hour, INVITATION_MS: 7 * 24 * hour, RESET_MS: 24 * hour}
    promised |= {SESSION_IDLE_MS: 12 * hour, SESSION_MS: 7 * 24 * hour}
    assert all(kept == told for kept, told in promised.items())
