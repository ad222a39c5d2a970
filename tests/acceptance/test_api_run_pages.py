"""Pages of lists, and their counts, while runs come and end."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.api_bench import Api, say, with_api
from tests.acceptance.run_searches import age, ask, found


def test_further_pages_belong_to_the_first_ones_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main(api: Api) -> None:
        run_id = await api.finished(say())
        olds = [await age(api, run_id, 7 - (1 + n) / 24) for n in range(3)][::-1]  # the oldest last
        filters: list[dict[str, Any]] = [{}, {"q": "started:>-7d"}, {"from": "-7d"}]
        for params in filters:
            page = await ask(api, "/v1/runs", {"limit": 2, **params})
            with monkeypatch.context() as later:
                now = time.time() + 86_400
                later.setattr("runwell.api.routes.run_search.time.time", lambda now=now: now)
                rest = await ask(api, "/v1/runs", {"limit": 2, "cursor": page["next_cursor"], "count": "true", **params})
                fresh = await ask(api, "/v1/runs", params)
            assert [run["id"] for run in page["data"] + rest["data"]] == [run_id, *olds]
            assert (rest["count"], [run["id"] for run in fresh["data"]]) == (4, [run_id])
        problem = await ask(api, "/v1/runs", {"cursor": page["next_cursor"], "from": "-8d"}, 422)
        assert problem["detail"] == "the cursor is damaged or of another list"

    with_api(tmp_path, main)


def test_counts_and_lists_agree_while_runs_come_and_end(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        before = {await api.start(say()) for _ in range(20)}
        started: set[str] = set()
        reading = True

        async def go_on() -> None:
            while reading:
                started.add(await api.start(say(), tags=("late",)))
                await asyncio.sleep(0)

        starting = asyncio.ensure_future(go_on())
        for limit in (1, 3, 10, 200):
            listed = [run["id"] for run in await api.pages("/v1/runs", limit=limit)]
            assert len(listed) == len(set(listed))
            assert before <= set(listed) <= before | started
            page = await api.get("/v1/runs", limit=200, count="true")
            assert sum(page["facets"]["statuses"].values()) == page["count"] >= len(before)
        reading = False
        await starting
        assert set(await found(api, limit=7)) == before | started
        assert set(await found(api, q="tag:late", limit=200)) == started

    with_api(tmp_path, main)


def test_every_page_counts_the_list_of_the_first_one(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        made = [await api.finished(say()) for _ in range(5)][::-1]
        page = await ask(api, "/v1/runs", {"limit": 2, "count": "true"})
        counts, walked = [page["count"]], [run["id"] for run in page["data"]]
        while page["next_cursor"]:
            await api.finished(say("later"))
            page = await ask(api, "/v1/runs", {"limit": 2, "count": "true", "cursor": page["next_cursor"]})
            counts.append(page["count"])
            walked += [run["id"] for run in page["data"]]
            assert sum(page["facets"]["workflows"].values()) == 5
        assert (walked, counts) == (made, [5, 5, 5])
        back = [run["id"] for run in page["data"]]
        while page["prev_cursor"]:
            page = await ask(api, "/v1/runs", {"limit": 2, "count": "true", "cursor": page["prev_cursor"]})
            back = [run["id"] for run in page["data"]] + back
            assert page["count"] == 5
        assert back == made
        assert (await ask(api, "/v1/runs", {"count": "true"}))["count"] == 7
        assert await ask(api, "/v1/runs", {"q": "nowhere", "count": "true"}) == {
            "data": [],
            "next_cursor": None,
            "prev_cursor": None,
            "count": 0,
            "facets": {"statuses": {}, "workflows": {}},
        }

    with_api(tmp_path, main)
