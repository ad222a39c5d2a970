"""Commands over HTTP: runs started and steered through their workflow."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response
from tests.acceptance.workflow_api import ASK, ECHO, OTHER, Api, only, served
from tests.contract.samples import run

from runwell.model.ids import new_id
from runwell.model.statuses import TERMINAL, RunStatus

PICKY = {**ECHO, "name": "Picky", "input_schema": {"type": "object", "required": ["ticket"]}}
WAIT = {"name": "Wait", "steps": [{"id": "wait", "type": "wait", "message": "paid"}], "output": "{{ steps.wait.result }}"}


async def until(api: Api, run_id: str, *statuses: str) -> dict[str, Any]:
    for _ in range(2_000):
        view = await api("GET", f"/v1/runs/{run_id}")
        if view["status"] in statuses:
            return dict(view)
        await asyncio.sleep(0.01)
    raise AssertionError(f"{run_id} did not come to be {' or '.join(statuses)}")


ENDED = tuple(status.value for status in TERMINAL)


def test_start_answers_once_the_run_is_durable(tmp_path: Path) -> None:
    async def main() -> None:
        async with served(tmp_path) as api:
            await api.published(ECHO)
            params = {"input": {"a": [1, None]}, "tags": ["t"], "metadata": {"customer": "7"}, "environment": "staging"}
            answer = await api.raw("POST", "/v1/workflows/echo/command", {"command": "start", "params": params})
            started = answer.json()
            assert (answer.status_code, answer.headers["location"]) == (202, f"/v1/runs/{started['run_id']}")
            assert started["status"] in set(RunStatus)
            assert await api.app.journal.row(started["run_id"]) is not None
            view = await until(api, started["run_id"], "succeeded")
            assert view["output"] == params["input"]
            assert (view["tags"], view["metadata"], view["environment"], view["trigger"]) == (["t"], {"customer": "7"}, "staging", "api")
            events = await api.app.journal.read(started["run_id"])
            assert events[0].actor == "key_1"

    run(main())


def test_start_takes_the_active_version_or_the_given_one(tmp_path: Path) -> None:
    async def main() -> None:
        async with served(tmp_path) as api:
            await api.published(ECHO)
            await api("POST", "/v1/workflows/echo/versions", {"document": {**ECHO, "tags": ["2"]}}, status=201)
            body: dict[str, Any] = {"command": "start"}
            for given, expected in (({}, 2), ({"version": 1}, 1), ({"version": None}, 2)):
                started = await api("POST", "/v1/workflows/echo/command", {**body, **given}, status=202)
                row = await api.app.journal.row(started["run_id"])
                assert row is not None
                assert row.version == expected
            await api("POST", "/v1/workflows/echo/command", {**body, "version": 3}, status=404)
            await api("POST", "/v1/workflows/echo/archive")
            refused = await api("POST", "/v1/workflows/echo/command", body, status=409)
            assert (refused["code"], refused["hint"]) == ("CONFLICT", "POST /v1/workflows/echo/unarchive first")

    run(main())


def test_a_run_is_steered_and_decided(tmp_path: Path) -> None:
    async def main() -> None:
        async with served(tmp_path) as api:
            await api.published(ASK)
            await api.published(WAIT)
            asked = (await api.command("ask", "start"))["run_id"]
            await until(api, asked, "waiting")
            assert await api.command("ask", "pause", asked) == {"run_id": asked, "status": "paused"}
            assert (await api.command("ask", "resume", asked))["status"] == "waiting"
            task = (await api.app.journal.pending_tasks(run_id=asked))[0]
            decision: dict[str, Any] = {"task_id": task.id, "approved": True, "result": {"amount": 3}, "comment": "fine"}
            await api.command("ask", "complete_task", asked, **decision)
            view = await until(api, asked, *ENDED)
            assert view["output"] == {"approved": True, "by": "key_1", "comment": "fine", "amount": 3}
            await api.command("ask", "complete_task", asked, **decision)  # the same again
            refused = await api.command("ask", "complete_task", asked, **{**decision, "approved": False}, status=409)
            assert refused["code"] == "COMMAND_REFUSED"
            waits = (await api.command("wait", "start"))["run_id"]
            await api.command("wait", "send_message", waits, name="paid", body={"amount": 30}, message_id="m1")
            assert (await until(api, waits, *ENDED))["output"] == {"amount": 30}
            stopped = (await api.command("wait", "start"))["run_id"]
            await until(api, stopped, "waiting")
            assert (await api.command("wait", "stop", stopped, mode="immediate"))["status"] == "stopped"
            assert (await api.command("wait", "stop", stopped))["status"] == "stopped"

    run(main())


def test_a_run_of_another_workflow_or_project_is_not_there(tmp_path: Path) -> None:
    async def main() -> None:
        async with served(tmp_path) as api:
            await api.published(ASK)
            await api.published(ECHO)
            run_id = (await api.command("ask", "start"))["run_id"]
            missing = new_id("run")
            body = {"command": "stop", "params": {}}
            wrong = await api("POST", "/v1/workflows/echo/command", {**body, "run_id": run_id}, status=404)
            unknown = await api("POST", "/v1/workflows/echo/command", {**body, "run_id": missing}, status=404)
            assert wrong["detail"].replace(run_id, missing) == unknown["detail"]
            made = {"document": ECHO}
            await api("POST", "/v1/workflows", made, status=201, headers=OTHER)
            foreign = await api("POST", "/v1/workflows/echo/command", {**body, "run_id": run_id}, status=404, headers=OTHER)
            assert foreign["detail"].replace(run_id, missing) == unknown["detail"]
            assert (await until(api, run_id, "waiting"))["status"] == "waiting"

    run(main())


BAD: list[tuple[dict[str, Any], str, str]] = [
    ({"command": "begin"}, "", "'start', 'pause', 'resume', 'stop', 'complete_task', 'send_message'"),
    ({}, "", "command"),
    ({"command": "start", "run_id": "run_1"}, "", "'run_id' is not known here: the fields of this command are command, version, params"),
    (
        {"command": "start", "params": {"inputs": 1}},
        "/params",
        "'inputs' is not known here: the fields of this command are input, tags, meta",
    ),
    ({"command": "start", "params": {"tags": "x"}}, "/params/tags", "tuple"),
    ({"command": "start", "params": {"environment": "A B"}}, "/params/environment", "pattern"),
    ({"command": "start", "version": 10**40}, "/version", "less than"),
    ({"command": "pause"}, "/run_id", "required"),
    ({"command": "pause", "run_id": "7"}, "/run_id", "no run id"),
    ({"command": "pause", "run_id": "{run}", "params": {"mode": "x"}}, "/params", "the fields of this command are none"),
    ({"command": "stop", "run_id": "{run}", "params": {"mode": "hard"}}, "/params/mode", "'immediate' or 'graceful'"),
    ({"command": "stop", "run_id": "{run}", "params": {"drain_timeout_s": -1}}, "/params/drain_timeout_s", "greater"),
    ({"command": "complete_task", "run_id": "{run}"}, "/params", "required"),
    ({"command": "complete_task", "run_id": "{run}", "params": {"task_id": "x", "approved": True}}, "/params/task_id", "no task id"),
    ({"command": "send_message", "run_id": "{run}", "params": {"name": ""}}, "/params/name", "at least 1"),
]


@pytest.mark.parametrize(("body", "pointer", "words"), BAD, ids=lambda value: str(value)[:40])
def test_a_bad_command_is_told_what_would_be_right(tmp_path: Path, body: dict[str, Any], pointer: str, words: str) -> None:
    async def main() -> None:
        async with served(tmp_path) as api:
            await api.published(ASK)
            run_id = (await api.command("ask", "start"))["run_id"]
            sent = {name: run_id if value == "{run}" else value for name, value in body.items()}
            refused = await api("POST", "/v1/workflows/ask/command", sent, status=422)
            assert [error.get("pointer", "") for error in refused["errors"]] == [pointer]
            assert words in refused["errors"][0]["message"]

    run(main())


def test_an_input_that_breaks_the_schema(tmp_path: Path) -> None:
    async def main() -> None:
        async with served(tmp_path) as api:
            await api.published(PICKY)
            refused = await api.command("picky", "start", status=422, input={"tiket": 1})
            assert (refused["code"], refused["errors"][0]["pointer"]) == ("INVALID_INPUT", "/params/input")
            assert await api.app.journal.rows() == []

    run(main())


def test_permissions_go_by_command(tmp_path: Path) -> None:
    async def main() -> None:
        async with served(tmp_path) as api:
            await api.published(ASK)
            run_id = (await api.command("ask", "start"))["run_id"]
            await until(api, run_id, "waiting")
            task = (await api.app.journal.pending_tasks(run_id=run_id))[0]
            decide = {"command": "complete_task", "run_id": run_id, "params": {"task_id": task.id, "approved": True}}
            path = "/v1/workflows/ask/command"
            assert "'task:complete'" in (await api("POST", path, decide, status=403, headers=only("workflow:run")))["detail"]
            for body in ({"command": "start"}, {"command": "pause", "run_id": run_id}):
                assert "'workflow:run'" in (await api("POST", path, body, status=403, headers=only("task:complete")))["detail"]
            await api("POST", path, decide, status=403, headers=only("workflow:read", "workflow:write", "admin"))
            await api("POST", path, decide, status=202, headers=only("task:complete"))

    run(main())


def test_a_run_id_that_was_chosen_before_starts_one_run(tmp_path: Path) -> None:
    chosen = new_id("run")

    async def around(request: Request, handler: Any) -> Response:
        request.state.run_id = chosen
        answer: Response = await handler(request)
        return answer

    async def main() -> None:
        async with served(tmp_path, around=around) as api:
            await api.published(ECHO)
            for _ in range(3):
                assert (await api.command("echo", "start"))["run_id"] == chosen
            assert len(await api.app.journal.rows()) == 1

    run(main())
