"""Tasks: lists of them, and that each is decided once."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.api_bench import ASK, Api, with_api

MANY = {
    "name": "many",
    "steps": [
        {"id": "each", "type": "for_each", "items": "{{ input }}", "max_parallel": 100,
         "steps": [{"id": "ask", "type": "approval", "title": "{{ item }}?"}]},
    ],
}  # fmt: skip


async def asked(api: Api, document: Any = ASK, given: Any = None, count: int = 1, **request: Any) -> tuple[str, list[dict[str, Any]]]:
    """Start a run and wait until it asks; return its id and its tasks."""
    run_id = await api.start(document, given, **request)

    await api.until(run_id, lambda run: [step["waiting_for"] for step in run["steps"]].count("approval") == count)
    return run_id, await api.pages(f"/v1/runs/{run_id}/tasks/pending")


def ways(run_id: str, task: dict[str, Any]) -> list[str]:
    return [
        f"/v1/tasks/{task['id']}/complete",
        f"/v1/tasks/{task['id'].removeprefix('task_')}/complete",
        f"/v1/runs/{run_id}/tasks/{task['id']}/complete",
        f"/v1/runs/{run_id[4:28]}/tasks/{task['id']}/complete",
        f"/v1/workflows/{task['workflow']}/runs/{run_id}/tasks/{task['id']}/complete",
    ]


def test_a_task_tells_what_is_to_be_decided(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        run_id, [task] = await asked(api)
        event = (await api.get(f"/v1/runs/{run_id}/events", type="task_created"))["data"][0]
        assert task == {
            "id": event["data"]["task_id"], "run_id": run_id, "workflow": "ask", "step_id": "approve", "type": "approval",
            "title": "Refund 5?", "description": None, "payload": {"amount": 5}, "created_at": task["created_at"], "expires_at": None,
            "assignees": ["ann@example.com"], "result_schema": None, "seq": event["seq"],
        }  # fmt: skip
        for path in ("/v1/tasks/pending", "/v1/workflows/ask/tasks/pending", f"/v1/workflows/ask/runs/{run_id}/tasks/pending"):
            assert await api.pages(path) == [task]

    with_api(tmp_path, main)


@pytest.mark.parametrize("way", range(5))
def test_a_decision_lets_the_run_go_on(tmp_path: Path, way: int) -> None:
    async def main(api: Api) -> None:
        run_id, [task] = await asked(api)
        body = {"approved": True, "result": {"amount": 4}, "comment": "less"}
        decision = await api.post(ways(run_id, task)[way], body, who="contributor")
        assert decision.items() >= {**body, "id": task["id"], "run_id": run_id, "by": "usr_contributor"}.items()
        run = await api.ended(run_id)
        assert run["output"] == {"approved": True, "by": "usr_contributor", "comment": "less", "amount": 4}
        event = (await api.get(f"/v1/runs/{run_id}/events", type="task_completed"))["data"][0]
        assert (event["actor"], event["data"]["result"]) == ("usr_contributor", {"amount": 4})
        assert await api.pages("/v1/tasks/pending") == []

    with_api(tmp_path, main)


def test_a_task_is_decided_once(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        run_id, [task] = await asked(api)
        body = {"approved": True, "comment": "yes"}
        first = await api.post(ways(run_id, task)[0], body)
        await api.ended(run_id)
        told = f"{task['id']} was approved by usr_ann at {first['decided_at']}"
        for way in ways(run_id, task):
            again = await api.post(way, body)
            assert {**again, "run_status": ""} == {**first, "run_status": ""}
            for who, other in [
                ("ann", {"approved": False, "comment": "yes"}),
                ("ann", {"approved": True}),
                ("ann", {**body, "result": {}}),
                ("bob", body),
                ("bob", {**body, "result": {"by": "x"}}),
            ]:
                problem = await api.post(way, other, status=409, who=who)
                assert (problem["detail"], problem["code"]) == (told, "COMMAND_REFUSED")
        assert len((await api.get(f"/v1/runs/{run_id}/events", type="task_completed"))["data"]) == 1

    with_api(tmp_path, main)


def test_of_many_at_once_one_decides(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        run_id, [task] = await asked(api)
        whos = ["ann", "bob", "contributor"] * 5
        bodies = [{"approved": number % 2 == 0} for number in range(len(whos))]
        answers = await asyncio.gather(
            *[api.send("POST", ways(run_id, task)[number % 5], who=who, json=bodies[number]) for number, who in enumerate(whos)]
        )
        event = (await api.get(f"/v1/runs/{run_id}/events", type="task_completed"))["data"]
        assert len(event) == 1
        winner = (event[0]["data"]["by"], event[0]["data"].get("approved"))
        for number, answer in enumerate(answers):
            won = (f"usr_{whos[number]}", bodies[number]["approved"]) == winner
            assert answer.status_code == (200 if won else 409), answer.text
            assert won or f"by {winner[0]} at" in answer.json()["detail"]

    with_api(tmp_path, main)


def test_nobody_decides_what_is_over(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        from runwell.model.commands import StopRun

        run_id, [task] = await asked(api)
        await api.app.runtime.command(run_id, StopRun())
        for way in ways(run_id, task):
            problem = await api.post(way, {"approved": True}, status=409)
            assert problem["detail"] == f"{task['id']} waits no longer for a decision"
        expiring = {"name": "brief", "steps": [{"id": "a", "type": "approval", "title": "?", "expires_in_s": 0.05, "on_expire": "reject"}]}
        brief_id, _ = await api.start(expiring), await api.start(ASK)
        await api.ended(brief_id)
        created = (await api.get(f"/v1/runs/{brief_id}/events", type="task_created"))["data"][0]["data"]["task_id"]
        problem = await api.post(f"/v1/tasks/{created}/complete", {"approved": False}, status=409)
        assert "expired at" in problem["detail"]

    with_api(tmp_path, main)


def test_what_is_no_decision_is_refused(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        run_id, [task] = await asked(api)
        path = ways(run_id, task)[0]
        bads: tuple[Any, ...] = (
            {}, [], None, "yes", {"approved": "yes"}, {"approved": 1}, {"approved": None}, {"approved": True, "by": "me"},
            {"approved": True, "result": []}, {"approved": True, "result": {"by": "me"}}, {"approved": True, "result": {"approved": False}},
            {"approved": True, "comment": "a" * 10_001}, {"approved": True, "result": {"a": "x" * 1_000_001}},
        )  # fmt: skip
        for bad in bads:
            await api.post(path, bad, status=422)
        for raw in (
            b'{"approved": true, "result": {"a": NaN}}', b'{"approved": true, "result": {"a": 1e999}}',
            b'{"approved": true, "result": {"a": "\\ud800"}}', b'{"approved": true, "result": {"\\ud800": 1}}',
            b'{"approved": true, "comment": "\\ud800"}', b'{"approved": true, "\\ud800": 1}',
            b'{"approved": true, "result": {"a": ' + b"[" * 900 + b"]" * 900 + b"}}",
            b'{"approved": true, "result": {"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}}",
            b'{"approved": true, "result": {"a": ' + b"9" * 5_000 + b"}}", b"", b"\xff", b"{",
        ):  # fmt: skip
            response = await api.send("POST", path, content=raw, headers={"content-type": "application/json"})
            assert response.status_code in (400, 422), (raw[:80], response.text)
        await api.post(path, {"approved": True}, status=403, who="viewer")
        assert await api.pages("/v1/tasks/pending") == [task]
        kept = b'{"approved": true, "result": {"a": ' + b"9" * 400 + b', "b": "\\u0000"}}'
        response = await api.send("POST", path, content=kept, headers={"content-type": "application/json"})
        assert response.status_code == 200, response.text
        assert (await api.ended(run_id))["output"]["b"] == "\x00"

    with_api(tmp_path, main)


def test_pages_of_tasks_go_on_past_what_is_decided_meanwhile(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        _, tasks = await asked(api, MANY, list(range(12)), 12)
        _, later = await asked(api)
        for path in ("/v1/tasks/pending", "/v1/workflows/many/tasks/pending"):
            assert await api.pages(path, limit=5) == tasks + (later if "workflows" not in path else [])
        page = await api.get("/v1/tasks/pending", limit=5)
        seen = page["data"]
        for task in page["data"]:
            await api.post(f"/v1/tasks/{task['id']}/complete", {"approved": True})
        while page["next_cursor"]:
            page = await api.get("/v1/tasks/pending", limit=5, cursor=page["next_cursor"])
            seen += page["data"]
        assert seen == tasks + later

    with_api(tmp_path, main)


def test_cursors_of_tasks_count_for_their_list_only(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        run_id, _ = await asked(api, MANY, [1, 2], 2)
        cursor = (await api.get("/v1/tasks/pending", limit=1))["next_cursor"]
        assert len((await api.get("/v1/tasks/pending", cursor=cursor))["data"]) == 1
        for path in (f"/v1/runs/{run_id}/tasks/pending", "/v1/workflows/many/tasks/pending", "/v1/runs"):
            await api.get(path, status=422, cursor=cursor)
        await api.get("/v1/tasks/pending", status=422, cursor=cursor, environment="testing")
        await api.get("/v1/tasks/pending", status=422, cursor=cursor, who="next door")

    with_api(tmp_path, main)


def test_a_task_of_another_run_is_not_there(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        one, [task] = await asked(api)
        other, _ = await asked(api)
        problem = await api.post(f"/v1/runs/{other}/tasks/{task['id']}/complete", {"approved": True}, status=404)
        assert problem["detail"] == f"there is no task '{task['id']}'"
        missing = "task_" + "0" * 32
        for path in (f"/v1/tasks/{missing}/complete", f"/v1/runs/{one}/tasks/{missing}/complete"):
            assert (await api.post(path, {"approved": True}, status=404))["detail"] == f"there is no task '{missing}'"
        await api.post("/v1/tasks/x/complete", {"approved": True}, status=422)

    with_api(tmp_path, main)
