"""Lists of runs: pages, filters, and whose runs they hold."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.api_bench import ASK, FAIL, Api, say, with_api

from runwell.model.status_words import STATUS_WORDS, statuses_of
from runwell.model.statuses import RunStatus


def ids(runs: list[dict[str, Any]]) -> list[str]:
    return [run["id"] for run in runs]


def test_rows_tell_what_a_list_shows(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        run_id = await api.finished(say(), environment="staging", trigger="schedule")
        [row] = (await api.get("/v1/runs"))["data"]
        run = await api.get(f"/v1/runs/{run_id}")
        shared = [
            "id",
            "workflow",
            "status",
            "waiting_for",
            "failed_step",
            "trigger",
            "environment",
            "cost_usd",
            "created_at",
            "started_at",
        ]
        shared += ["ended_at", "duration_ms", "parent_run_id", "source_run_id"]
        shared += ["tags", "cache", "archived_at", "review", "score", "review_comment"]
        assert row == {
            "label": "Succeeded",
            "tokens": 0,
            "models": [],
            "input_preview": "",
            "output_preview": "hello",
            "failure_code": None,
            "error_message": None,
            **{name: run[name] for name in shared},
        }
        assert (row["environment"], row["trigger"], row["workflow"]["slug"]) == ("staging", "schedule", "say")

    with_api(tmp_path, main)


def test_rows_give_an_idea_of_what_went_in_and_came_out(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        document = {
            "name": "talk",
            "steps": [{"id": "ask", "type": "llm", "model": "demo:reader", "prompt": "Say {{ input.words }}"}],
            "output": {"said": "{{ steps.ask.result }}"},
        }
        run_id = await api.finished(document, {"words": "secretly " * 5_000})
        run = await api.get(f"/v1/runs/{run_id}")
        assert api.app.projector is not None
        for _ in range(2):
            [row] = (await api.get("/v1/runs"))["data"]
            assert row["input_preview"] == ('{"words": "' + "secretly " * 20)[:119] + "…"
            assert row["output_preview"].startswith('{"said": "')
            assert len(row["output_preview"]) <= 120
            assert row["models"]
            assert run["input"]["words"] not in str(row)
            await api.app.projector.complete()  # now from the store

    with_api(tmp_path, main)


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8])
def test_pages_are_whole_in_both_directions(tmp_path: Path, limit: int) -> None:
    async def main(api: Api) -> None:
        made = [await api.start(say()) for _ in range(7)][::-1]
        assert ids(await api.pages("/v1/runs", limit=limit)) == made
        last = await api.get("/v1/runs", limit=limit)
        assert last["prev_cursor"] is None
        while last["next_cursor"]:
            last = await api.get("/v1/runs", limit=limit, cursor=last["next_cursor"])
        back = ids(last["data"])
        while last["prev_cursor"]:
            last = await api.get("/v1/runs", limit=limit, cursor=last["prev_cursor"])
            back = ids(last["data"]) + back
        assert back == made

    with_api(tmp_path, main)


def test_pages_miss_nothing_and_double_nothing_while_runs_are_started(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        before = {await api.start(say()) for _ in range(40)}
        started: set[str] = set()
        reading = True

        async def go_on_starting() -> None:
            while reading:
                started.add(await api.start(say()))
                await asyncio.sleep(0)

        starting = asyncio.ensure_future(go_on_starting())
        for limit in (1, 3, 10):
            found = ids(await api.pages("/v1/runs", limit=limit))
            assert len(found) == len(set(found))
            assert before <= set(found) <= before | started
        first = await api.get("/v1/runs", limit=5)
        later = ids(
            await api.pages(
                "/v1/runs", "prev_cursor", limit=5, cursor=(await api.get("/v1/runs", limit=5, cursor=first["next_cursor"]))["prev_cursor"]
            )
        )
        reading = False
        await starting
        assert len(later) == len(set(later))
        assert set(ids(first["data"])) <= set(later)

    with_api(tmp_path, main)


def test_environments_and_trial_runs(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        made = {name: await api.start(ASK, environment=name) for name in ("production", "staging", "testing")}
        for run_id in made.values():
            await api.until(run_id, lambda run: run["status"] == "waiting")
        workflow = (await api.get(f"/v1/runs/{made['testing']}"))["workflow"]
        for path in (
            "/v1/runs",
            "/v1/workflows/ask/runs",
            f"/v1/workflows/{workflow['id']}/runs",
            f"/v1/workflows/{workflow['id'][3:]}/runs",
        ):
            assert ids((await api.get(path))["data"]) == [made["staging"], made["production"]]
            for name, run_id in made.items():
                assert ids((await api.get(path, environment=name))["data"]) == [run_id]
            assert ids((await api.get(path, environment="nowhere", limit=1))["data"]) == []
        for path in ("/v1/tasks/pending", "/v1/workflows/ask/tasks/pending"):
            assert [task["run_id"] for task in (await api.get(path))["data"]] == [made["production"], made["staging"]]
            for name, run_id in made.items():
                assert [task["run_id"] for task in (await api.get(path, environment=name))["data"]] == [run_id]
        assert len((await api.get(f"/v1/runs/{made['testing']}/tasks/pending"))["data"]) == 1

    with_api(tmp_path, main)


def test_a_workflow_lists_its_own_runs_only(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        one, other = await api.start(say("one")), await api.start(say("other"))
        assert ids((await api.get("/v1/workflows/one/runs"))["data"]) == [one]
        assert ids((await api.get("/v1/workflows/other/runs"))["data"]) == [other]
        problem = await api.get("/v1/workflows/none/runs", status=404)
        assert problem["detail"] == "there is no workflow 'none'"

    with_api(tmp_path, main)


def test_a_cursor_counts_for_its_own_list_only(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        for name in ("one", "one", "other"):
            await api.start(say(name))
        cursor = (await api.get("/v1/runs", limit=1))["next_cursor"]
        assert len((await api.get("/v1/runs", cursor=cursor))["data"]) == 2
        for path, params in [
            ("/v1/runs", {"environment": "production"}),
            ("/v1/workflows/one/runs", {}),
            ("/v1/tasks/pending", {}),
        ]:
            problem = await api.get(path, status=422, cursor=cursor, **params)
            assert problem["detail"] == "the cursor is damaged or of another list"
        for who in ("next door", "elsewhere"):
            await api.get("/v1/runs", status=422, who=who, cursor=cursor)
        swapped = cursor[:20] + ("A" if cursor[20] != "A" else "B") + cursor[21:]
        for damaged in (swapped, cursor[:-2], cursor + "AAAA", "", "x", "ä", "%", "=" * 8, "\x00", "A" * 400):
            assert (await api.get("/v1/runs", status=422, cursor=damaged))["code"] in ("INVALID_INPUT", "INVALID_REQUEST"), damaged

    with_api(tmp_path, main)


def test_statuses_by_all_their_words(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        done, failed = await api.finished(say()), await api.finished(FAIL, {"by": 0})
        waits = await api.start(ASK)
        await api.until(waits, lambda run: run["status"] == "waiting")
        for words, expected in [
            (["completed"], [done]),
            (["Succeeded"], [done]),
            (["failed"], [failed]),
            (["waiting"], [waits]),
            (["Paused"], [waits]),
            (["paused"], []),
            (["failed", "completed"], [failed, done]),
            (["FAILED", "waiting_for_user_input"], [waits, failed]),
            (["pending"], []),
            (["cancelled", "Timeout", "Internal Error"], []),
        ]:
            response = await api.send("GET", "/v1/runs", params={"status": words})
            assert ids(response.json()["data"]) == expected, words
        response = await api.send("GET", "/v1/runs", params={"status": "done"})
        assert response.status_code == 422
        assert response.json()["detail"] == "'done' is no status of a run"

    with_api(tmp_path, main)


def test_status_words_of_the_seeds() -> None:
    table = {
        "pending": "queued", "starting": "queued", "Queued": "queued", "not_started": "queued",
        "waiting_for_user_input": "waiting", "paused": "paused", "draining": "draining", "Stopping": "draining",
        "completed": "succeeded", "stopped": "stopped", "Canceled": "stopped", "cancelled": "stopped",
        "Timeout": "timed_out", "INSUFFICIENT_CREDITS": "quota_exceeded", "Quota Exceeded": "quota_exceeded",
        "Memory Limit Exceeded": "memory_limit_exceeded", "Log Size Exceeded": "log_size_exceeded", "Internal Error": "internal_error",
    }  # fmt: skip
    assert {word: statuses_of(word) for word in table} == {word: (RunStatus(status),) for word, status in table.items()}
    assert statuses_of("Paused") == (RunStatus.WAITING, RunStatus.PAUSED)
    assert {status for statuses in STATUS_WORDS.values() for status in statuses} == set(RunStatus)
    assert all(statuses_of(status) == (status,) for status in RunStatus)


def test_rows_bring_values_that_were_asked_for(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        document = {
            "name": "talk",
            "steps": [{"id": "a", "type": "transform", "value": {"items": [{"n": 1}, {"n": 2}]}}],
            "output": "{{ steps.a.result }}",
        }
        given = [{"ticket": {"lang": "de"}}, {"ticket": {"lang": "x" * 500}}, None]
        made = [await api.finished(document, each, metadata={"env": "prod"}) for each in given][::-1]
        columns = ["input.ticket.lang", "output.items[].n", "metadata.env"]
        assert api.app.projector is not None
        for _ in range(2):
            rows = (await api.get("/v1/runs", column=columns))["data"]
            assert ids(rows) == made
            always = {"output.items[].n": "[1,2]", "metadata.env": "prod"}
            assert rows[0]["values"] == always
            assert rows[1]["values"] == {"input.ticket.lang": "x" * 199 + "…", **always}
            assert rows[2]["values"] == {"input.ticket.lang": "de", **always}
            second = await api.get("/v1/workflows/talk/runs", column=columns[:1], limit=1)
            last = await api.get("/v1/workflows/talk/runs", column=columns[:1], limit=2, cursor=second["next_cursor"])
            assert [row["values"].get(columns[0], "")[:2] for row in last["data"]] == ["xx", "de"]
            await api.app.projector.complete()  # now from the store
        assert "values" not in (await api.get("/v1/runs"))["data"][0]
        refused = await api.get("/v1/runs", status=422, column=["status"])
        assert "'status' is no column" in refused["detail"]

    with_api(tmp_path, main)
