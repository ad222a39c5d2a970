"""Searching for runs: filters, the search language, counts, what is left out, and what is refused."""

import asyncio
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.acceptance.api_bench import ASK, FAIL, Api, say, with_api

from runwell.model.run_record import RunRecord
from runwell.model.times import rfc3339
from runwell.testing import MemoryRunStore

DAY_MS = 86_400_000


async def ask(api: Api, path: str, params: dict[str, Any], status: int = 200) -> dict[str, Any]:
    answer = await api.send("GET", path, params=params)
    assert answer.status_code == status, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def found(api: Api, path: str = "/v1/runs", **params: Any) -> list[str]:
    """Return the ids of the whole list, and see that it is counted rightly."""
    listed, page = list[str](), await ask(api, path, {"limit": 2, **params})
    listed += [run["id"] for run in page["data"]]
    while page["next_cursor"]:
        page = await ask(api, path, {"limit": 2, **params, "cursor": page["next_cursor"]})
        listed += [run["id"] for run in page["data"]]
    counted = await ask(api, path, {**params, "count": "true"})
    assert counted["count"] == len(listed) == len(set(listed)) == sum(counted["facets"]["statuses"].values())
    return listed


def store_of(api: Api) -> MemoryRunStore:
    store = api.app.run_store
    assert isinstance(store, MemoryRunStore)
    return store


async def record_of(api: Api, run_id: str) -> RunRecord:
    assert api.app.projector is not None
    await api.app.projector.catch_up()
    newer = {record.run_id: record for record in api.app.projector.overlay()}
    return newer.get(run_id) or store_of(api).kept[run_id]


async def age(api: Api, run_id: str, days: float) -> str:
    """Put a run of that age into the store, made after another; return its id."""
    then = int(time.time() * 1000 - days * DAY_MS)
    old = await record_of(api, run_id)
    new_id = "run_" + f"{then:012x}".ljust(32, "0")
    changes = {"run_id": new_id, "created_at": then, "started_at": None if old.started_at is None else then, "ended_at": then}
    store_of(api).kept[new_id] = msgspec.structs.replace(old, **changes)
    return new_id


def test_filters_hold_together(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        kept = {"customer": "4711", "link": "c:d", "a:b": "c", '"x': "", "long": "y" * 1_000}
        beta: dict[str, Any] = {"tags": ("beta", "b*"), "metadata": kept, "trigger": "schedule"}
        one = await api.finished(say("one", {"mood": "good"}), {"lang": "de", "n": 1}, **beta)
        two = await api.finished(say("two"), {"lang": "en", "n": 2}, tags=("alpha",))
        bad = await api.finished(FAIL, {"by": 0}, environment="staging")
        workflow = (await api.get(f"/v1/runs/{one}"))["workflow"]["id"]
        cases: list[tuple[dict[str, Any], list[str]]] = [
            ({}, [bad, two, one]),
            ({"workflow": "one"}, [one]),
            ({"workflow": ["one", "two"]}, [two, one]),
            ({"workflow": workflow}, [one]),
            ({"workflow": workflow[3:]}, [one]),
            ({"workflow": "none"}, []),
            ({"tag": ["alpha", "beta"]}, [two, one]),
            ({"tag": "beta", "workflow": "two"}, []),
            ({"metadata": "customer:4711"}, [one]),
            ({"metadata": ["customer:4711", "link:c:d"]}, [one]),
            ({"metadata": ["customer:4711", "link:c"]}, []),
            ({"metadata": '"a:b":c'}, [one]),
            ({"metadata": "a:b:c"}, []),
            ({"metadata": '"\\"x":'}, [one]),
            ({"metadata": "long:" + "y" * 1_000}, [one]),
            ({"tag": "b*"}, [one]),
            ({"tag": "be*"}, []),
            ({"q": "tag:be*"}, [one]),
            (
                {
                    "metadata": "customer:4711",
                    "tag": "beta",
                    "trigger": "schedule",
                    "environment": "production",
                    "has_error": "false",
                    "status": "completed",
                    "workflow": "one",
                    "min_duration_ms": 0,
                    "max_duration_ms": 3_600_000,
                    "min_cost_usd": 0,
                    "max_cost_usd": 1,
                    "from": "-1h",
                    "to": "now",
                    "archived": "false",
                    "q": "input.lang:de",
                },
                [one],
            ),
            ({"trigger": "schedule"}, [one]),
            ({"environment": "staging"}, [bad]),
            ({"environment": ["staging", "production"]}, [bad, two, one]),
            ({"has_error": "true"}, [bad]),
            ({"has_error": "false"}, [two, one]),
            ({"status": ["failed", "completed"], "workflow": ["two", "fail"]}, [bad, two]),
            ({"min_duration_ms": 0, "max_duration_ms": 3_600_000}, [bad, two, one]),
            ({"min_duration_ms": 3_600_000}, []),
            ({"max_cost_usd": "0"}, [bad, two, one]),
            ({"min_cost_usd": "0.000000001"}, []),
            ({"q": "hello"}, [two]),
            ({"q": "input.lang:de OR status:failed"}, [bad, one]),
            ({"q": "-input.lang:de", "has_error": "false"}, [two]),
            ({"q": "input.n:>=2", "tag": "alpha"}, [two]),
            ({"q": f"run:{one}"}, [one]),
            ({"from": "-1h"}, [bad, two, one]),
            ({"from": "-1h", "to": "-30m"}, []),
            ({"to": rfc3339(int(time.time() * 1000) + 60_000)}, [bad, two, one]),
        ]
        for params, expected in cases:
            assert await found(api, **params) == expected, params
        assert await found(api, "/v1/workflows/one/runs", q="input.lang:de") == [one]
        assert await found(api, "/v1/workflows/one/runs", status="failed") == []
        facets = (await api.get("/v1/runs", count="true"))["facets"]
        assert facets["statuses"] == {"succeeded": 2, "failed": 1}
        assert facets["workflows"][workflow] == 1

    with_api(tmp_path, main)


def test_a_row_tells_why_it_failed_and_what_people_said(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        run_id = await api.finished(FAIL, {"by": 0}, tags=("beta",))
        await api.send("PUT", f"/v1/runs/{run_id}/review", json={"review": "negative", "score": 0.25})
        [row] = (await api.get("/v1/runs"))["data"]
        assert (row["failure_code"], row["failed_step"], row["tags"]) == ("EXPRESSION_FAILED", "divide", ["beta"])
        assert "zero" in row["error_message"]
        assert (row["review"], row["score"], row["archived_at"], row["tokens"]) == ("negative", 0.25, None, 0)
        assert await found(api, q="review:negative score:<0.5 error:zero failed_step:divide") == [run_id]

    with_api(tmp_path, main)


def test_a_list_holds_the_last_days_unless_it_is_asked_for_a_time(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        run_id = await api.finished(say())
        young, old = await age(api, run_id, 6.9), await age(api, run_id, 7.1)
        assert await found(api) == [run_id, young]
        for params in ({"from": "-30d"}, {"to": "now"}, {"q": "started:>-30d"}, {"q": "workflow:say (created:>-30d OR ended:today)"}):
            assert await found(api, **params) == [run_id, young, old], params
        assert await found(api, **{"from": "-7d"}) == [run_id, young]
        assert await found(api, to="-7d") == [old]
        assert await found(api, q="started:>-1d") == [run_id]

    with_api(tmp_path, main)


def test_archived_runs_and_trial_runs_come_when_they_are_asked_for(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        away, stays, trial = await api.finished(say()), await api.finished(say()), await api.finished(say(), environment="testing")
        told = await api.post(f"/v1/runs/{away}/archive", None)
        assert (told["run_id"], told["review"], told["archived_at"] is None) == (away, "", False)
        assert (await api.get(f"/v1/runs/{away}"))["archived_at"] == told["archived_at"]
        assert await api.post(f"/v1/runs/{away}/archive", None) == told
        assert await found(api) == await found(api, "/v1/workflows/say/runs") == [stays]
        assert await found(api, archived="true") == [stays, away]
        assert await found(api, archived="only") == await found(api, q="archived:true") == [away]
        assert await found(api, q="archived:true", archived="true") == [away]
        assert await found(api, environment="testing") == await found(api, q="environment:testing") == [trial]
        assert (await api.post(f"/v1/runs/{away}/unarchive", None))["archived_at"] is None
        assert await found(api) == [stays, away]
        events = await api.pages(f"/v1/runs/{away}/events")
        assert [(event["type"], event["actor"]) for event in events[-2:]] == [("run_archived", "usr_ann"), ("run_unarchived", "usr_ann")]

    with_api(tmp_path, main)


def test_a_live_run_is_reviewed_but_not_archived(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        run_id = await api.start(ASK)
        await api.until(run_id, lambda run: run["status"] == "waiting")
        refused = await api.post(f"/v1/runs/{run_id}/archive", None, status=409)
        assert refused["code"] == "COMMAND_REFUSED"
        assert refused["detail"] == f"{run_id} is waiting: only a run that has ended can be archived"
        path = f"/v1/workflows/ask/runs/{run_id}/review"
        said = await api.send("PUT", path, json={"review": "positive", "score": 1, "comment": "so far"})
        assert said.json() == {"run_id": run_id, "archived_at": None, "review": "positive", "score": 1.0, "review_comment": "so far"}
        assert (await api.send("PUT", path, json={})).json()["review"] == ""
        for body in ({"review": "so-so"}, {"score": "NaN"}, {"score": 1e400}, {"comment": 1}, {"more": 1}):
            content = msgspec.json.encode(body) if body != {"score": 1e400} else b'{"score": 1e400}'
            answer = await api.send("PUT", path, content=content, headers={"Content-Type": "application/json"})
            assert answer.status_code == 422, body
        for who in ("viewer", "next door"):
            assert (await api.send("PUT", path, json={}, who=who)).status_code == (403 if who == "viewer" else 404)

    with_api(tmp_path, main)


def test_a_search_in_fields(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        runs = [await api.finished(say("say", {"score": n / 4}), {"tags": ["a"] * n}, metadata={"a:b": "c"}) for n in range(4)]

        async def search(*conditions: tuple[Any, ...], **more: Any) -> list[str]:
            names = ("field_name", "operator", "values", "type")
            body = {"field_queries": [dict(zip(names, condition, strict=False)) for condition in conditions], "limit": 1, **more}
            listed: list[str] = []
            page = await api.post("/v1/runs/search", {**body, "count": True})
            count = page["count"]
            listed += [run["id"] for run in page["data"]]
            while page["next_cursor"]:
                page = await api.post("/v1/runs/search", {**body, "count": True, "cursor": page["next_cursor"]})
                listed += [run["id"] for run in page["data"]]
            assert len(listed) == count == page["count"]
            return listed

        assert await search() == runs[::-1]
        assert await search(("output.score", "less than", [0.5], "number"), query="say") == []
        assert await search(("input.tags", "greater than", [1], "array_length")) == [runs[3], runs[2]]
        assert await search(("input.tags[]", "is", ["a"], "string"), status=["succeeded"], workflow=["say"]) == runs[:0:-1]
        assert await search(metadata={"a:b": "c"}, query=f"-run:{runs[0]}") == runs[:0:-1]
        assert await search(metadata={"a:b": "d"}) == await search(metadata={"a": "b:c"}) == []
        mixed = await api.post("/v1/runs/search", {"query": "status:failed", "limit": 0}, status=422)
        assert mixed["code"] == "INVALID_REQUEST"

    with_api(tmp_path, main)


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

        while set(await found(api, limit=200)) != before:  # a store that opens slowly is behind, and says so
            await api.get("/v1/runs")
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
            "facets": {"statuses": {}, "workflows": {}, "workflow_names": {}},
        }

    with_api(tmp_path, main)


def test_without_the_run_store_lists_say_so_and_runs_go_on(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        assert await found(api) == []
        store_of(api).fail = "the directory is gone"
        run_id = await api.finished(say())
        for path in ("/v1/runs", "/v1/workflows/say/runs", "/v1/runs/fields"):
            problem = await api.get(path, status=503)
            assert problem["code"] == "RUN_STORE_UNAVAILABLE"
        assert "runs go on" in f"{problem['detail']} {problem.get('hint')}"
        store_of(api).fail = None
        assert await found(api) == [run_id]

    with_api(tmp_path, main)


def test_the_fields_that_can_be_asked_about(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        given = {"lang": "de", "n": 0.1 + 0.2, "ok": True}
        await api.finished(say("say", "x"), given, metadata={"env": "prod"}, tags=("beta",), environment="staging")
        await api.finished(say("far"), {"secret": 1}, who="next door")
        assert api.app.projector is not None
        await api.app.projector.complete()
        told = await api.get("/v1/runs/fields")
        fields = {field["name"]: field for field in told["data"]}
        assert {"status", "workflow", "started", "input.<path>", "metadata.<key>"} <= fields.keys()
        assert "failed" in fields["status"]["values"]
        assert {"is", "gt", "between"} <= set(fields["duration"]["operators"])
        seen = {field["name"]: field for field in told["seen"]}
        assert (seen["input.lang"]["types"], seen["input.lang"]["values"]) == (["string"], ["de"])
        assert seen["input.n"]["values"] == ["0.30000000000000004"]
        assert (seen["input.ok"]["types"], seen["input.ok"]["operators"]) == (["boolean"], ["is", "is_not", "empty", "not_empty"])
        assert seen["step.say.status"]["values"] == ["succeeded"]
        assert "input.secret" not in seen
        assert (fields["workflow"]["values"], fields["tag"]["values"], fields["version"]["values"]) == (["say"], ["beta"], ["1"])
        assert fields["environment"]["values"] == ["production", "testing", "evaluation", "staging"]
        assert (fields["kind"]["values"], fields["review"]["values"]) == (["workflow", "agent", "trace"], ["positive", "negative"])
        assert (fields["trigger"]["values"], fields["step_type"]["values"]) == (["api"], ["transform"])
        for field in [*told["data"], *told["seen"]]:
            for value in field["values"]:  # what is suggested can be asked for
                await ask(api, "/v1/runs", {"q": f"{field['name'].replace('<id>', 'x')}:{value}"})
        assert seen["metadata.env"]["operators"] == ["is", "is_not", "contains", "not_contains", "empty", "not_empty"]

    with_api(tmp_path, main)
