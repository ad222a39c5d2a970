"""How much a project may have going on: set over HTTP, and in force at once."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.api_bench import ASK, Api, say, with_api

from runwell.model.errors import QueueFull

PATH = "/v1/settings/limits"
NONE = {"max_running": None, "max_queued": None}


async def put(api: Api, limits: Any, if_match: str | None = "*", *, status: int = 200, who: str = "ann") -> Any:
    response = await api.send("PUT", PATH, who=who, json=limits, headers={} if if_match is None else {"If-Match": if_match})
    assert response.status_code == status, response.text
    return response.json(), response.headers.get("etag")


SLOW = {
    "name": "slow",
    "steps": [{"id": "wait", "type": "python", "code": "x = 0\nfor i in range(300000):\n    x = x + i\nx"}],
}


def test_limits_are_set_on_what_was_seen_only(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        response = await api.send("GET", PATH)
        first = response.headers["etag"]
        assert response.json() == NONE
        told, second = await put(api, {"max_running": 2}, first)
        assert (told, second != first) == ({"max_running": 2, "max_queued": None}, True)
        assert (await put(api, {}, first, status=412))[0]["code"] == "PRECONDITION_FAILED"
        assert (await put(api, {}, None, status=428))[0]["code"] == "PRECONDITION_REQUIRED"
        assert (await api.send("GET", PATH)).headers["etag"] == second
        assert (await put(api, {"max_queued": 7}))[0] == {"max_running": None, "max_queued": 7}
        worse: tuple[Any, ...] = (
            {"max_running": 0},
            {"max_running": "2"},
            {"max_running": True},
            {"max_queued": 10**7},
            {"max_runs": 1},
            [],
            None,
        )
        for bad in worse:
            await put(api, bad, status=422)
        for who in ("contributor", "viewer"):
            await put(api, {}, status=403, who=who)
            await api.get(PATH, status=403, who=who)
        for who in ("next door", "elsewhere"):
            await put(api, {}, status=404, who=who)

    with_api(tmp_path, main)


def test_a_full_project_queues_and_goes_on_when_its_limit_is_raised(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        await put(api, {"max_running": 1})
        made = [await api.start(SLOW) for _ in range(4)]
        most = 0
        while (rows := (await api.get("/v1/runs"))["data"]) and any(row["status"] in ("queued", "running") for row in rows):
            most = max(most, sum(row["status"] == "running" for row in rows))
            await asyncio.sleep(0)
        assert most == 1
        assert {row["status"] for row in rows} == {"succeeded"}
        assert len(made) == len(rows)

    with_api(tmp_path, main)


def test_a_queue_that_is_full_refuses_starts_until_there_is_room(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        lone = {**ASK, "concurrency": 1}
        await put(api, {"max_queued": 2})
        waiting = await api.start(lone)
        await api.until(waiting, lambda run: run["status"] == "waiting")
        together = await asyncio.gather(*(api.start(lone) for _ in range(10)), return_exceptions=True)
        refused = [one for one in together if isinstance(one, QueueFull)]
        assert (len(refused), len([one for one in together if isinstance(one, str)])) == (8, 2)
        response = await api.send("POST", "/v1/workflows/ask/command", json={"command": "start"})
        assert (response.status_code, response.json()["code"], response.headers["retry-after"]) == (429, "QUEUE_FULL", "1")
        await api.finished(say("elsewhere"), who="elsewhere")  # whose queue is its own
        await put(api, {"max_queued": 3})
        assert (await api.send("POST", "/v1/workflows/ask/command", json={"command": "start"})).status_code == 202
        assert len(await api.pages("/v1/runs")) == 4

    with_api(tmp_path, main)


def test_limits_outlive_the_process(tmp_path: Path) -> None:
    async def first(api: Api) -> None:
        await put(api, {"max_running": 1, "max_queued": 1})
        one = await api.start(ASK)
        await api.until(one, lambda run: run["status"] == "waiting")

    async def second(api: Api) -> None:
        assert await api.get(PATH) == {"max_running": 1, "max_queued": 1}
        lone = {**say(), "concurrency": 1, "steps": ASK["steps"]}
        await api.start(lone)
        await api.start(lone)
        with pytest.raises(QueueFull):
            await api.start(lone)

    with_api(tmp_path, first)
    with_api(tmp_path, second)
