"""One run: what each of its paths tells, under both of its prefixes."""

from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.api_bench import ASK, FAIL, Api, say, with_api

from runwell.model.events import event_json

LOOP = {
    "name": "loop",
    "steps": [
        {"id": "each", "type": "for_each", "items": "{{ input }}", "max_parallel": 1,
         "steps": [{"id": "divide", "type": "transform", "value": "{{ 12 / item }}"}]},
        {"id": "after", "type": "transform", "depends_on": ["each"], "value": "{{ steps.each.result }}"},
    ],
}  # fmt: skip

DEMO = {
    "name": "demo",
    "steps": [
        {"id": "one", "type": "llm", "model": "demo:reader", "prompt": "Say one"},
        {"id": "two", "type": "llm", "model": "demo:reader", "prompt": "Say two", "depends_on": ["one"]},
    ],
}

PARTS = ("", "/events", "/context", "/summary", "/steps", "/generations", "/graph", "/document", "/comments", "/export", "/tasks/pending")


def test_both_prefixes_and_every_form_of_the_id_tell_the_same(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        run_id = await api.finished(say())
        workflow_id = (await api.get(f"/v1/runs/{run_id}"))["workflow"]["id"]
        bare = run_id.removeprefix("run_")
        uuid = f"{bare[:8]}-{bare[8:12]}-{bare[12:16]}-{bare[16:20]}-{bare[20:]}"
        for part in PARTS:
            told = await api.get(f"/v1/runs/{run_id}{part}")
            for form in (bare, uuid, bare[:24], bare[:24].upper(), bare.upper()):
                assert await api.get(f"/v1/runs/{form}{part}") == told, (form, part)
            for workflow in (workflow_id, workflow_id.removeprefix("wf_"), "say"):
                assert await api.get(f"/v1/workflows/{workflow}/runs/{bare[:24]}{part}") == told

    with_api(tmp_path, main)


def test_a_run_is_not_there_under_another_workflow(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        run_id, _ = await api.finished(say("one")), await api.finished(say("other"))
        for part in PARTS:
            problem = await api.get(f"/v1/workflows/other/runs/{run_id}{part}", status=404)
            assert problem["detail"] == f"there is no run '{run_id}'"
            assert (await api.get(f"/v1/workflows/none/runs/{run_id}{part}", status=404))["detail"] == "there is no workflow 'none'"

    with_api(tmp_path, main)


@pytest.mark.parametrize("text", ["x", "run_", "wf_" + "0" * 32, "0" * 23, "0" * 25, "%00", "run_" + "g" * 32, "é", "0" * 65])
def test_what_is_no_id_is_refused(tmp_path: Path, text: str) -> None:
    async def main(api: Api) -> None:
        for part in ("", "/events", "/tasks/pending"):
            assert (await api.get(f"/v1/runs/{text}{part}", status=422))["code"] in ("INVALID_INPUT", "INVALID_REQUEST")

    with_api(tmp_path, main)


def test_events_carry_their_ids_and_come_in_pages(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        run_id = await api.finished(LOOP, [1, 2, 3, 4])
        path = f"/v1/runs/{run_id}/events"
        kept = await api.app.journal.read(run_id)
        whole = (await api.send("GET", path)).content
        assert whole.startswith(b'{"data":[' + b",".join(event_json(event) for event in kept) + b"]")
        everything = await api.pages(path, limit=1000)
        count = len(everything)
        assert [event["seq"] for event in everything] == list(range(1, count + 1))
        assert everything[2]["id"] == f"evt_{run_id[4:]}_3"
        for limit in (1, 3, count - 1, count, count + 1):
            assert await api.pages(path, limit=limit) == everything

        def seqs(page: dict[str, Any]) -> list[int]:
            return [event["seq"] for event in page["data"]]

        assert seqs(await api.get(path, after=3, limit=2)) == [4, 5]
        assert seqs(await api.get(path, before=6, limit=2)) == [4, 5]
        assert seqs(await api.get(path, before=6, after=4)) == [5]
        assert seqs(await api.get(path, after=count)) == []
        assert seqs(await api.get(path, before=1)) == []
        tail = await api.get(path, before=2**31 - 1, limit=3)
        assert seqs(tail) == [count - 2, count - 1, count]
        back = [*seqs(await api.get(path, cursor=tail["prev_cursor"])), *seqs(tail)]
        assert back == list(range(1, count + 1))
        middle = await api.get(path, after=3, limit=2)
        assert seqs(await api.get(path, cursor=middle["prev_cursor"])) == [1, 2, 3]

    with_api(tmp_path, main)


def test_events_by_type_and_step(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        run_id = await api.finished(LOOP, [1, 2, 3])
        path = f"/v1/runs/{run_id}/events"
        everything = await api.pages(path)
        for types in (["step_completed"], ["step_completed", "run_created"]):
            response = await api.send("GET", path, params={"type": types, "limit": 2})
            found = response.json()["data"]
            while cursor := response.json()["next_cursor"]:
                response = await api.send("GET", path, params={"type": types[::-1], "limit": 2, "cursor": cursor})
                found += response.json()["data"]
            assert found == [event for event in everything if event["type"] in types]
        for step_id in ("each", "each[1]", "each[1].divide", "nothing", "'", "%"):
            assert await api.pages(path, step_id=step_id) == [event for event in everything if event["step_id"] == step_id]
        assert (await api.get(path, type="step_begun", status=422))["detail"] == "'step_begun' is no type of event"
        cursor = (await api.get(path, limit=1))["next_cursor"]
        await api.get(path, status=422, cursor=cursor, step_id="each")
        await api.get(path, status=422, cursor=cursor, after=1)
        other = await api.finished(LOOP, [1])
        await api.get(f"/v1/runs/{other}/events", status=422, cursor=cursor)
        for bad in ({"limit": 1001}, {"limit": 0}, {"after": -1}, {"before": 2**31}, {"after": "x"}, {"step_id": "\x00"}):
            await api.get(path, status=422, **bad)

    with_api(tmp_path, main)


def test_a_page_of_large_events_ends_early_and_leads_on(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        run_id = await api.finished(say(value="{{ input }}"), "x" * 6_000_000)
        path = f"/v1/runs/{run_id}/events"
        first = await api.get(path)
        assert first["next_cursor"] is not None
        found = await api.pages(path)
        assert [event["seq"] for event in found] == list(range(1, len(found) + 1))
        assert found[-1]["type"] == "run_succeeded"
        whole = await api.get(f"/v1/runs/{run_id}/export")
        assert whole["events"] == found

    with_api(tmp_path, main)


def test_steps(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        run_id = await api.finished(LOOP, [1, 2, 3])
        path = f"/v1/runs/{run_id}/steps"
        steps = (await api.get(f"/v1/runs/{run_id}"))["steps"]
        assert await api.pages(path) == steps
        for limit in (1, 2, 4, 5):
            assert await api.pages(path, limit=limit) == steps
        last = await api.get(path, limit=2)
        while last["next_cursor"]:
            last = await api.get(path, limit=2, cursor=last["next_cursor"])
        back = list(last["data"])
        while last["prev_cursor"]:
            last = await api.get(path, limit=2, cursor=last["prev_cursor"])
            back = last["data"] + back
        assert back == steps
        assert [step["path"] for step in await api.pages(path, path="each[1]")] == ["each[1].divide"]
        assert len(await api.pages(path, path="each")) == 4
        assert await api.pages(path, path="eac") == []
        assert await api.get(f"{path}/each[1].divide") == next(step for step in steps if step["path"] == "each[1].divide")
        assert (await api.get(f"{path}/each[9].divide", status=404))["detail"] == f"{run_id} has no step 'each[9].divide'"

    with_api(tmp_path, main)


def test_context_and_document_and_graph(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        run_id = await api.finished(say(), {"a": 1})
        await api.finished(say(value="another version"))
        context = await api.get(f"/v1/runs/{run_id}/context")
        assert context["input"] == {"a": 1}
        assert context["steps"]["say"]["result"] == "hello"
        assert (await api.get(f"/v1/runs/{run_id}/document"))["steps"][0]["value"] == "hello"
        assert [node["id"] for node in (await api.get(f"/v1/runs/{run_id}/graph"))["nodes"]] == ["say"]

    with_api(tmp_path, main)


def test_generations_with_totals(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        run_id = await api.finished(DEMO)
        path = f"/v1/runs/{run_id}/generations"
        page = await api.get(path)
        assert [one["step_id"] for one in page["data"]] == ["one", "two"]
        [total] = page["totals"]
        usage = (await api.get(f"/v1/runs/{run_id}"))["usage"]
        assert total["usage"] == usage
        assert (total["generations"], total["failed"]) == (2, 0)
        latencies = [one["latency_ms"] for one in page["data"]]
        assert total["mean_latency_ms"] == pytest.approx(sum(latencies) / 2)
        assert total["max_latency_ms"] == max(latencies)
        event = (await api.get(f"/v1/runs/{run_id}/events", type="generation_completed"))["data"][0]
        assert event["data"].items() <= page["data"][0].items()
        first = await api.get(path, limit=1)
        assert (first["totals"], first["data"]) == (page["totals"], page["data"][:1])
        assert await api.pages(path, limit=1) == page["data"]
        one_step = await api.get(path, step_id="two")
        assert (one_step["data"], one_step["totals"][0]["generations"]) == (page["data"][1:], 1)

    with_api(tmp_path, main)


def test_comments(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        run_id = await api.finished(say())
        path = f"/v1/runs/{run_id}/comments"
        texts = [f"number {number} \x00 \U0001f600" for number in range(3)]
        made = [await api.post(path if number else f"/v1/workflows/say/runs/{run_id}/comments", {"content": text}, status=201, who="bob")
                for number, text in enumerate(texts)]  # fmt: skip
        assert [comment["content"] for comment in made] == texts
        assert {(comment["by"], comment["run_id"]) for comment in made} == {("usr_bob", run_id)}
        for limit in (1, 2, 3):
            assert await api.pages(path, limit=limit) == made
        assert (await api.get(f"/v1/runs/{run_id}"))["status"] == "succeeded"
        bads: tuple[Any, ...] = (
            {}, [], None, {"content": ""}, {"content": " \n"}, {"content": 1}, {"content": "a" * 10_001}, {"content": "a", "by": "ann"},
        )  # fmt: skip
        for bad in bads:
            await api.post(path, bad, status=422)
        for raw in (b'{"content": "\\ud800"}', b'{"content": "a", "\\ud800": 1}', b"\xff", b"", b"[" * 100_000):
            response = await api.send("POST", path, content=raw, headers={"content-type": "application/json"})
            assert response.status_code in (400, 422), response.text
        await api.post(path, {"content": "no"}, status=403, who="viewer")
        assert len(await api.pages(path)) == 3

    with_api(tmp_path, main)


def test_export_is_one_file(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        run_id = await api.finished(LOOP, list(range(1, 200)))
        response = await api.send("GET", f"/v1/runs/{run_id}/export")
        assert response.headers["content-disposition"] == f'attachment; filename="{run_id}.json"'
        assert response.headers["content-type"] == "application/json"
        file = response.json()
        assert list(file) == ["format", "run", "document", "events"]
        assert file["run"] == await api.get(f"/v1/runs/{run_id}")
        assert file["document"] == await api.get(f"/v1/runs/{run_id}/document")
        assert file["events"] == await api.pages(f"/v1/runs/{run_id}/events")
        assert len(file["events"]) > 400

    with_api(tmp_path, main)


def test_summary_of_a_run_that_waits(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        run_id = await api.start(ASK)
        run = await api.until(run_id, lambda run: run["status"] == "waiting")
        told = await api.get(f"/v1/runs/{run_id}/summary")
        [task] = (await api.get(f"/v1/runs/{run_id}/tasks/pending"))["data"]
        assert (told["label"], told["waiting_for"], told["failed_step"], told["error"], told["causes"]) == (
            "Waiting",
            "approval",
            None,
            None,
            [],
        )
        [wait] = told["waits"]
        assert wait == {"path": "approve", "waiting_for": "approval", "since": task["created_at"], "until": None,
                        "task_id": task["id"], "message": None, "child_run_id": None}  # fmt: skip
        assert told["steps"] == {"Success": 1, "Waiting": 1}
        assert told["progress"] == {"resolved": 1, "total": 2}
        assert told["durations"]["waiting_ms"] >= 0
        assert told["created_at"] == run["created_at"]

    with_api(tmp_path, main)


def test_summary_of_a_failure_leads_to_its_cause(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        run_id = await api.finished(LOOP, [1, 0, 2])
        told = await api.get(f"/v1/runs/{run_id}/summary")
        assert (told["status"], told["failed_step"]) == ("failed", "each[1].divide")
        assert [(cause["path"], cause["type"]) for cause in told["causes"]] == [("each", "for_each"), ("each[1].divide", "transform")]
        assert told["causes"][-1]["error"]["code"] == told["error"]["code"] == "EXPRESSION_FAILED"
        assert told["steps"] == {"Success": 1, "Failed": 2, "Skipped (Blocked)": 1}
        assert told["progress"] == {"resolved": 4, "total": 4}

    with_api(tmp_path, main)


def test_summary_follows_a_failure_into_child_runs(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        await api.finished(FAIL, {"by": 1})
        middle = {"name": "middle", "steps": [{"id": "call", "type": "workflow", "workflow": "fail", "input": {"by": 0}}]}
        await api.finished(middle)
        outer = {"name": "outer", "steps": [{"id": "run", "type": "workflow", "workflow": "middle"}]}
        run_id = await api.finished(outer)
        causes = (await api.get(f"/v1/runs/{run_id}/summary"))["causes"]
        assert [(cause["path"], cause["error"]["code"]) for cause in causes] == [
            ("run", "CHILD_RUN_FAILED"), ("call", "CHILD_RUN_FAILED"), ("divide", "EXPRESSION_FAILED"),
        ]  # fmt: skip
        rows = {row["id"]: row for row in (await api.get("/v1/runs"))["data"]}
        assert causes[0]["run_id"] == run_id
        assert [rows[cause["run_id"]]["parent_run_id"] for cause in causes] == [None, causes[0]["run_id"], causes[1]["run_id"]]

    with_api(tmp_path, main)
