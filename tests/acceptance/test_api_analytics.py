"""Analytics of runs that really ran: with the store in memory, and with ClickHouse in this process."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.acceptance.api_bench import ASK, FAIL, PATIENCE_S, Api, say, with_api

from runwell.api.application import create_app
from runwell.bootstrap import open_app
from runwell.serving import parts_for
from runwell.settings import Settings

TABLES = ("runs-count", "success-rate", "steps-executed", "credits-consumed", "tokens-used", "cost", "execution-duration", "steps-summary")
SERIES = ("runs-timeseries", "usage-timeseries")


def counted(answer: Any) -> Iterator[tuple[int, str]]:
    """Yield each count of runs in an answer with the search beside it."""
    if isinstance(answer, dict):
        count = next((answer[name] for name in ("runs", "ended", "count") if name in answer), None)
        if count is not None and "search" in answer:
            yield count, answer["search"]
    for one in answer.values() if isinstance(answer, dict) else answer if isinstance(answer, list) else ():
        yield from counted(one)


async def some_runs(api: Api) -> None:
    for number in range(3):
        await api.finished(say("triage"), {"number": number}, trigger="schedule")
    await api.finished(FAIL, {"by": 0}, environment="staging")
    await api.finished(say("trial"), environment="testing")
    asked = await api.start(ASK)
    await api.until(asked, lambda run: run["status"] == "waiting")


@pytest.mark.parametrize("group_by", ["workflow", "version", "trigger", "model"])
def test_every_number_opens_in_the_list_of_runs(tmp_path: Path, group_by: str) -> None:
    async def main(api: Api) -> None:
        await some_runs(api)
        for name in TABLES + SERIES:
            answer = await api.get(f"/v1/analytics/{name}", window="1h", group_by=group_by)
            for count, search in counted(answer):
                page = await api.get("/v1/runs", q=search, count="true")
                assert page["count"] == count, (name, search)
        count = await api.get("/v1/analytics/runs-count", window="1h", group_by=group_by)
        assert count["total"]["runs"] == 5
        assert len(count["groups"]) == {"workflow": 3, "version": 3, "trigger": 2, "model": 0}[group_by]

    with_api(tmp_path, main)


def test_a_run_counts_as_soon_as_it_is_started_and_archiving_takes_it_out(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        async def count() -> int:
            return int((await api.get("/v1/analytics/runs-count", window="1h"))["total"]["runs"])

        assert await count() == 0
        one = await api.start(ASK)
        assert await count() == 1
        two = await api.finished(say())
        assert await count() == 2
        await api.post(f"/v1/runs/{two}/archive", None)
        assert await count() == 1
        assert (await api.get("/v1/analytics/runs-count", window="1h", workflow="ask"))["total"]["runs"] == 1
        assert (await api.get("/v1/analytics/runs-count", window="1h", who="next door"))["total"]["runs"] == 0
        await api.get("/v1/analytics/runs-count", workflow="ask", who="next door", status=404)
        await api.until(one, lambda run: run["status"] == "waiting")

    with_api(tmp_path, main)


def test_live_runs_are_counted_where_runs_are_kept_first(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        await some_runs(api)
        live = await api.get("/v1/analytics/live-runs")
        counts = {row["status"]: row["count"] for row in live["statuses"]}
        assert (live["count"], counts) == (1, {"queued": 0, "running": 0, "waiting": 1, "paused": 0, "draining": 0})
        for count, search in counted(live):
            assert (await api.get("/v1/runs", q=search, count="true"))["count"] == count, search
        assert (await api.get("/v1/analytics/live-runs", workflow="triage"))["count"] == 0
        assert (await api.get("/v1/analytics/live-runs", workflow="ask"))["count"] == 1
        assert (await api.get("/v1/analytics/live-runs", who="elsewhere"))["count"] == 0
        store = api.app.run_store
        store.fail = "it is away"  # type: ignore[union-attr]
        assert (await api.get("/v1/analytics/live-runs"))["count"] == 1
        gone = await api.get("/v1/analytics/runs-count", status=503)
        assert gone["code"] == "RUN_STORE_UNAVAILABLE"

    with_api(tmp_path, main)


async def _caught_up(api: Api) -> None:
    while "behind_ms" in await api.get("/v1/analytics/cost"):  # noqa: ASYNC110 - the store is being opened
        await asyncio.sleep(0.05)


def test_figures_of_the_store_in_this_process(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, rate_limit="none")

    async def main() -> None:
        async with open_app(settings, grace_s=0.0) as app:
            assert app.projector is not None
            transport = httpx2.ASGITransport(create_app(parts_for(app, settings)))
            async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
                api = Api(app, client)
                app.projector.start()
                await some_runs(api)
                await asyncio.wait_for(_caught_up(api), PATIENCE_S)
                for name in TABLES + SERIES:
                    answer = await api.get(f"/v1/analytics/{name}", window="1h", group_by="workflow")
                    for count, search in counted(answer):
                        page = await api.get("/v1/runs", q=search, count="true")
                        assert page["count"] == count, (name, search)
                total = (await api.get("/v1/analytics/success-rate", window="1h"))["total"]
                assert (total["ended"], total["succeeded"], total["success_rate"]) == (4, 3, 0.75)

    asyncio.run(main())
