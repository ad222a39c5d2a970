"""What happens around every operation: idempotency keys, rate limits, body limits, problems."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest
from fastapi import Request
from tests.contract.samples import run

from runwell.api.answers import Answer
from runwell.api.application import create_app
from runwell.api.errors import Conflict
from runwell.api.route import needs, public, router
from runwell.bootstrap import open_app
from runwell.model.errors import CommandRefused
from runwell.model.principal import Principal
from runwell.model.scope import DEFAULT_SCOPE
from runwell.serving import parts_for
from runwell.settings import Settings
from runwell.storage.sql_idempotency import SqlIdempotencyKeys
from runwell.testing import MemoryRunStore

KEY = {"Idempotency-Key": "key-1"}


class Orders:
    """Routes that count what was done."""

    def __init__(self) -> None:
        self.placed: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.failures = 0
        self.routes = router("orders")

        @self.routes.post("/orders")
        @needs("workflow:run")
        async def place_order(request: Request) -> Answer:
            await self.gate.wait()
            if self.failures:
                self.failures -= 1
                raise RuntimeError("secret insides")
            body = await request.json()
            if body.get("refused"):
                raise CommandRefused("no")
            self.placed.append(getattr(request.state, "run_id", "none"))
            return Answer({"number": len(self.placed)}, 202, {"Location": f"/orders/{len(self.placed)}"})

        @self.routes.get("/open")
        @public
        async def get_open() -> Answer:
            return Answer({})


@asynccontextmanager
async def shop(path: Path, actor: str = "key_1", **settings: Any) -> AsyncIterator[tuple[httpx2.AsyncClient, Orders]]:
    async def authenticate(connection: Any) -> Principal | None:
        who = connection.headers.get("x-actor", actor)
        return None if who == "nobody" else Principal(scope=DEFAULT_SCOPE, actor=who, permissions=frozenset({"workflow:run"}))

    asked = Settings(data_dir=path, **settings)
    async with open_app(asked, run_store=MemoryRunStore()) as app:
        orders = Orders()
        api = create_app(msgspec.structs.replace(parts_for(app, asked, sign_in=True), authenticate=authenticate))
        api.include_router(orders.routes)
        transport = httpx2.ASGITransport(api, raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
            yield client, orders


def test_the_same_key_gets_the_same_answer_and_does_it_once(tmp_path: Path) -> None:
    async def main() -> None:
        async with shop(tmp_path) as (client, orders):
            first = await client.post("/orders", json={"a": 1}, headers=KEY)
            again = await client.post("/orders", json={"a": 1}, headers=KEY)
            assert (first.status_code, first.json(), first.headers["location"]) == (202, {"number": 1}, "/orders/1")
            assert (again.status_code, again.content, again.headers["location"]) == (202, first.content, "/orders/1")
            assert "idempotency-replayed" not in first.headers
            assert again.headers["idempotency-replayed"] == "true"
            assert len(orders.placed) == 1
            other = await client.post("/orders", json={"a": 1}, headers={"Idempotency-Key": "key-2"})
            assert other.json() == {"number": 2}
            await client.post("/orders", json={"a": 1})
            assert len(orders.placed) == 3

    run(main())


def test_a_hundred_at_once_do_it_once(tmp_path: Path) -> None:
    async def main() -> None:
        async with shop(tmp_path) as (client, orders):
            orders.gate.clear()
            posts = [asyncio.ensure_future(client.post("/orders", json={}, headers=KEY)) for _ in range(100)]
            for answered in itertools.islice(asyncio.as_completed(posts), 99):
                await answered
            orders.gate.set()
            answers = await asyncio.gather(*posts)
            assert sorted(answer.status_code for answer in answers) == [202] + [409] * 99
            refused = next(answer for answer in answers if answer.status_code == 409)
            assert refused.json()["hint"] == "wait, then send it again"
            assert refused.headers["retry-after"] == "1"
            assert len(orders.placed) == 1

    run(main())


def test_another_body_under_the_same_key_is_refused(tmp_path: Path) -> None:
    async def main() -> None:
        async with shop(tmp_path) as (client, orders):
            await client.post("/orders", json={"a": 1}, headers=KEY)
            for changed in (client.post("/orders", json={"a": 2}, headers=KEY), client.post("/orders?x=1", json={"a": 1}, headers=KEY)):
                answer = await changed
                assert (answer.status_code, answer.json()["code"]) == (422, "INVALID_INPUT")
            assert len(orders.placed) == 1

    run(main())


def test_keys_are_each_callers_own_and_outlive_the_process(tmp_path: Path) -> None:
    async def main() -> None:
        async with shop(tmp_path) as (client, _):
            await client.post("/orders", json={}, headers=KEY)
        async with shop(tmp_path) as (client, orders):
            assert (await client.post("/orders", json={}, headers=KEY)).headers["idempotency-replayed"] == "true"
            assert (await client.post("/orders", json={}, headers={**KEY, "x-actor": "key_2"})).json() == {"number": 1}
            assert len(orders.placed) == 1

    run(main())


def test_a_request_cut_off_by_a_crash_goes_on_under_the_run_id_it_had(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def lost(*_: object) -> None:
        """The process died before the answer was kept."""

    async def main() -> None:
        with monkeypatch.context() as death:
            death.setattr(SqlIdempotencyKeys, "complete", lost)
            async with shop(tmp_path) as (client, orders):
                await client.post("/orders", json={}, headers=KEY)
                [reserved] = orders.placed
        async with shop(tmp_path) as (client, orders):
            assert (await client.post("/orders", json={}, headers=KEY)).status_code == 202
            assert orders.placed == [reserved]
            assert reserved.startswith("run_")

    run(main())


def test_what_failed_inside_may_be_sent_again_and_tells_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        async with shop(tmp_path) as (client, orders):
            orders.failures = 1
            failed = await client.post("/orders", json={}, headers=KEY)
            assert (failed.status_code, failed.json()["code"]) == (500, "INTERNAL_ERROR")
            assert "secret" not in failed.text
            assert (await client.post("/orders", json={}, headers=KEY)).status_code == 202
            refused = await client.post("/orders", json={"refused": 1}, headers={"Idempotency-Key": "key-3"})
            again = await client.post("/orders", json={"refused": 1}, headers={"Idempotency-Key": "key-3"})
            assert (refused.status_code, again.status_code, again.headers["idempotency-replayed"]) == (409, 409, "true")

    run(main())


@pytest.mark.parametrize("key", ["", "a b", "x" * 256])
def test_a_key_that_is_none_is_refused(tmp_path: Path, key: str) -> None:
    async def main() -> None:
        async with shop(tmp_path) as (client, orders):
            assert (await client.post("/orders", json={}, headers={"Idempotency-Key": key})).status_code == 422
            assert orders.placed == []

    run(main())


def test_the_rate_limit_counts_each_caller(tmp_path: Path) -> None:
    async def main() -> None:
        async with shop(tmp_path, rate_limit="3/hour") as (client, orders):
            left = [(await client.post("/orders", json={})).headers["ratelimit-remaining"] for _ in range(3)]
            assert left == ["2", "1", "0"]
            over = await client.post("/orders", json={}, headers=KEY)
            assert (over.status_code, over.json()["code"]) == (429, "TOO_MANY_REQUESTS")
            assert 0 < int(over.headers["retry-after"]) <= 3600
            assert (await client.post("/orders", json={}, headers={"x-actor": "key_2"})).status_code == 202
            assert (await client.get("/open")).status_code == 200
            assert len(orders.placed) == 4

    run(main())


def test_a_body_over_the_limit_is_refused_announced_or_not(tmp_path: Path) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b" " * 500

    async def main() -> None:
        async with shop(tmp_path, max_body_bytes=1_000) as (client, orders):
            for body in (b" " * 1_001, chunks()):
                answer = await client.post("/orders", content=body)
                assert (answer.status_code, answer.json()["code"]) == (413, "PAYLOAD_TOO_LARGE")
                assert answer.headers["x-request-id"] == answer.json()["request_id"]
            assert (await client.post("/orders", content=b"{}" + b" " * 998)).status_code == 202
            assert len(orders.placed) == 1

    run(main())


def test_nobody_passes_unknown(tmp_path: Path) -> None:
    async def main() -> None:
        async with shop(tmp_path) as (client, orders):
            answer = await client.post("/orders", content=b"{ no json", headers={"x-actor": "nobody", **KEY})
            assert (answer.status_code, answer.json()["code"]) == (401, "UNAUTHENTICATED")
            assert answer.headers["www-authenticate"].startswith("Bearer")
            assert orders.placed == []

    run(main())


def test_a_route_that_asks_for_nothing_cannot_be_declared() -> None:
    routes = router("x")
    with pytest.raises(TypeError, match="does not say"):

        @routes.get("/x")
        async def get_x() -> Answer:
            raise Conflict


def test_strangers_are_counted_by_their_address(tmp_path: Path) -> None:
    async def main() -> None:
        async with shop(tmp_path, rate_limit="3/hour") as (client, _):
            asked = [await client.post("/orders", json={}, headers={"x-actor": "nobody"}) for _ in range(5)]
            assert [answer.status_code for answer in asked] == [401, 401, 401, 429, 429]
            assert int(asked[-1].headers["retry-after"]) > 0
            assert (await client.post("/orders", json={})).status_code == 202

    run(main())


def test_a_query_parameter_that_is_none_is_refused(tmp_path: Path) -> None:
    async def main() -> None:
        async with shop(tmp_path) as (client, orders):
            told = (await client.post("/orders?colour=red", json={})).json()
            assert (told["code"], told["detail"]) == ("INVALID_INPUT", "the operation has no query parameter 'colour'")
            assert told["hint"] == "it has none: leave it out"
            assert orders.placed == []

    run(main())


def test_an_error_tells_what_is_left_of_the_limit(tmp_path: Path) -> None:
    async def main() -> None:
        async with shop(tmp_path, rate_limit="3/hour") as (client, _):
            refused = await client.post("/orders", json={"refused": True})
            assert (refused.status_code, refused.headers["ratelimit-remaining"]) == (409, "2")

    run(main())
