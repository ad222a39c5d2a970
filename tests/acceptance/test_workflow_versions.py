"""Versions over HTTP: published, activated, compared, checked."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
from tests.acceptance.workflow_api import ECHO, Api, served
from tests.contract.samples import run

from runwell.model.canonical import content_hash
from runwell.model.scope import DEFAULT_SCOPE


def variant(number: int) -> dict[str, Any]:
    return {**ECHO, "description": f"number {number}"}


def test_publishing_and_activating(tmp_path: Path) -> None:
    async def main() -> None:
        async with served(tmp_path) as api:
            await api("POST", "/v1/workflows", {"document": ECHO}, status=201)
            path = "/v1/workflows/echo/versions"
            first = await api("POST", path, {"note": "The first."}, status=201)
            assert (first["number"], first["note"], first["created_by"], first["active"]) == (1, "The first.", "key_1", True)
            assert first["hash"] == content_hash(ECHO)
            assert await api("POST", path, {"note": "Ignored."}) == first
            second = await api("POST", path, {"document": variant(2), "activate": False}, status=201)
            assert (second["number"], second["active"]) == (2, False)
            assert (await api("GET", "/v1/workflows/echo"))["document"] == ECHO
            assert await numbers(api) == {"active": 1, "latest": 2}
            assert (await api("GET", f"{path}/2"))["document"] == variant(2)
            assert (await api("POST", f"{path}/2/activate"))["active_version"] == 2
            assert await numbers(api) == {"active": 2, "latest": 2}
            await api("POST", path, {"document": variant(3), "activate": False}, status=201)
            assert await numbers(api) == {"active": 2, "latest": 3}
            again = await api("POST", path)
            assert (again["number"], again["active"]) == (1, True)
            assert await numbers(api) == {"active": 1, "latest": 3}
            assert [entry["number"] for entry in (await api("GET", path))["data"]] == [3, 2, 1]
            for missing in ("4", "999999999"):
                assert (await api("GET", f"{path}/{missing}", status=404))["code"] == "NOT_FOUND"
            assert (await api("POST", f"{path}/4/activate", status=404))["code"] == "NOT_FOUND"
            for bad in ("0", "-1", "1.5", "newest", "9" * 30):
                assert (await api.raw("GET", f"{path}/{bad}")).status_code == 422

    run(main())


async def numbers(api: Api) -> dict[str, int]:
    return {word: (await api("GET", f"/v1/workflows/echo/versions/{word}"))["number"] for word in ("active", "latest")}


def test_a_first_version_that_is_not_activated_starts_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        async with served(tmp_path) as api:
            await api("POST", "/v1/workflows", {"document": ECHO}, status=201)
            assert (await api.command("echo", "start", status=409))["hint"] == "publish its draft: POST /v1/workflows/echo/versions"
            await api("POST", "/v1/workflows/echo/versions", {"activate": False}, status=201)
            refused = await api.command("echo", "start", status=409)
            assert refused["hint"] == "activate one: POST /v1/workflows/echo/versions/1/activate"
            await api("GET", "/v1/workflows/echo/versions/active", status=404)
            await api("POST", "/v1/workflows/echo/command", {"command": "start", "version": 1}, status=202)
            await api("POST", "/v1/workflows/echo/versions", {"document": variant(2), "activate": False}, status=201)
            await api.command("echo", "start", status=409)

    run(main())


def test_concurrent_publishing_gives_each_document_one_version(tmp_path: Path) -> None:
    async def main() -> None:
        async with served(tmp_path) as api:
            await api("POST", "/v1/workflows", {"document": ECHO}, status=201)
            sent = [{"document": variant(n % 7)} for n in range(28)]
            answers = await asyncio.gather(*(api.raw("POST", "/v1/workflows/echo/versions", body) for body in sent))
            assert sorted(answer.status_code for answer in answers) == [200] * 21 + [201] * 7
            made = {(answer.json()["number"], answer.json()["hash"]) for answer in answers}
            assert sorted(number for number, _ in made) == list(range(1, 8))
            pages = [await api("GET", "/v1/workflows/echo/versions?limit=4")]
            pages.append(await api("GET", f"/v1/workflows/echo/versions?limit=4&cursor={pages[0]['next_cursor']}"))
            assert [[entry["number"] for entry in page["data"]] for page in pages] == [[7, 6, 5, 4], [3, 2, 1]]
            back = await api("GET", f"/v1/workflows/echo/versions?limit=4&cursor={pages[1]['prev_cursor']}")
            assert back["data"] == pages[0]["data"]

    run(main())


def test_the_command_line_publishes_beside(tmp_path: Path) -> None:
    async def main() -> None:
        async with served(tmp_path) as api:
            publisher = api.app.publisher
            from_file = await publisher.publish(DEFAULT_SCOPE, publisher.compile(ECHO))
            seen = await api("GET", "/v1/workflows/echo")
            assert (seen["id"], seen["active_version"], seen["document"]) == (from_file.workflow_id, 1, ECHO)
            assert seen["unpublished_changes"] is False
            await api("PUT", "/v1/workflows/echo", {"document": variant(2)}, headers={"If-Match": seen["draft_etag"]})
            assert (await api("POST", "/v1/workflows/echo/versions", {"activate": False}, status=201))["number"] == 2
            third = await publisher.publish(DEFAULT_SCOPE, publisher.compile(variant(3)))
            assert third.number == 3
            assert await numbers(api) == {"active": 1, "latest": 3}

    run(main())


OLD = {
    "name": "Flow",
    "description": "old",
    "steps": [
        {"id": "a", "type": "transform", "value": 1},
        {"id": "gone", "type": "transform", "value": 2},
        {"id": "each", "type": "for_each", "items": [1], "steps": [{"id": "inner", "type": "transform", "value": True}]},
    ],
}
NEW = {
    "name": "Flow",
    "tags": ["x"],
    "steps": [
        {"id": "each", "type": "for_each", "items": [1], "steps": [{"id": "inner", "type": "transform", "value": 1}]},
        {"id": "a", "type": "transform", "value": 1, "when": "true"},
        {"id": "new", "type": "transform", "value": "two\nlines\n"},
    ],
}


def test_a_diff_names_steps_and_fields(tmp_path: Path) -> None:
    async def main() -> None:
        async with served(tmp_path) as api:
            await api.published(OLD)
            await api("POST", "/v1/workflows/flow/versions", {"document": NEW}, status=201)
            diff = await api("GET", "/v1/workflows/flow/versions/1/diff?with=2")
            assert (diff["from"], diff["to"], diff["identical"]) == (1, 2, False)
            assert diff["fields"] == [
                {"field": "description", "kind": "removed", "old": "old", "new": None},
                {"field": "tags", "kind": "added", "old": None, "new": ["x"]},
            ]
            steps = diff["steps"]
            assert steps["added"] == [{"id": "new", "type": "transform", "inside": None, "pointer": "/steps/2"}]
            assert [step["id"] for step in steps["removed"]] == ["gone"]
            assert steps["changed"] == [
                {"id": "inner", "type": "transform", "changes": [{"field": "value", "kind": "changed", "old": True, "new": 1}]},
                {"id": "a", "type": "transform", "changes": [{"field": "when", "kind": "added", "old": None, "new": "true"}]},
            ]
            assert steps["reordered"] is True
            lines = diff["text"].splitlines()
            assert lines[:2] == ["--- version 1", "+++ version 2"]
            assert {"-description: old", "+    two", "-  value: 2"} <= set(lines)
            back = await api("GET", "/v1/workflows/flow/versions/latest/diff?with=1")
            assert [step["id"] for step in back["steps"]["added"]] == ["gone"]
            same = await api("GET", "/v1/workflows/flow/versions/1/diff")
            assert (same["to"], same["identical"], same["text"], same["steps"]["reordered"]) == ("draft", True, "", False)
            await api("GET", "/v1/workflows/flow/versions/1/diff?with=3", status=404)
            await api("GET", "/v1/workflows/flow/versions/1/diff?with=older", status=422)

    run(main())


def test_a_diff_with_a_broken_draft_and_a_large_one(tmp_path: Path) -> None:
    async def main() -> None:
        async with served(tmp_path) as api:
            await api.published(OLD)
            broken = {"name": 7, "steps": [{"id": "a"}, {"id": "a", "type": 1}, {}, 5, {"id": "each", "steps": {"x": 1}}]}
            await api("PUT", "/v1/workflows/flow", {"document": broken}, headers={"If-Match": "*"})
            diff = await api("GET", "/v1/workflows/flow/versions/1/diff?with=draft")
            assert [step["id"] for step in diff["steps"]["added"]] == ["/steps/1", "/steps/2"]
            await api("PUT", "/v1/workflows/flow", {"document": {"steps": "x" * 250_000}}, headers={"If-Match": "*"})
            assert (await api("GET", "/v1/workflows/flow/versions/1/diff"))["text"] is None
            await api("PUT", "/v1/workflows/flow", {"document": {"steps": "x" * 2_100_000}}, headers={"If-Match": "*"}, status=422)

    run(main())


def test_validation_tells_everything_and_keeps_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        async with served(tmp_path) as api:
            await api("POST", "/v1/workflows", {"document": ECHO}, status=201)
            assert await api("POST", "/v1/workflows/echo/validate") == {"valid": True, "problems": []}
            text = "name: Parent\nsteps:\n  - id: child\n    type: workflow\n    workflow: echo\n  - id: say\n    type: transfrom\n"
            check = await api("POST", "/v1/workflows/validate", text)
            assert {(problem["code"], problem["line"]) for problem in check["problems"]} == {("unknown_workflow", 5), ("unknown_type", 7)}
            assert all(problem["hint"] for problem in check["problems"])
            as_itself = await api("POST", "/v1/workflows/echo/validate", text)
            assert [problem["code"] for problem in as_itself["problems"]] == ["unknown_type"]
            in_json = await api("POST", "/v1/workflows/validate", {"document": {"name": "P", "steps": [{"id": "a", "type": "x"}]}})
            assert [(problem["pointer"], "line" in problem) for problem in in_json["problems"]] == [("/steps/0/type", False)]
            for unreadable, line in (("a: [", None), ("a: 1\na: 2\n", 2)):
                check = await api("POST", "/v1/workflows/validate", unreadable)
                assert (check["valid"], check["problems"][0]["code"]) == (False, "bad_yaml")
                assert line in (None, check["problems"][0]["line"])
            odd_ones: list[Any] = [[], "text", None, 7]
            for odd in odd_ones:
                assert (await api("POST", "/v1/workflows/validate", {"document": odd}))["valid"] is False
            children: list[Any] = ["\0", "x" * 300, "./child.yaml", 7, None]
            for child in children:
                document = {"name": "P", "steps": [{"id": "a", "type": "workflow", "workflow": child, "version": 10**12}]}
                assert (await api("POST", "/v1/workflows/validate", {"document": document}))["valid"] is False
            assert len((await api("GET", "/v1/workflows"))["data"]) == 1
            assert await api.app.journal.rows() == []

    run(main())


def test_children_must_be_there_when_a_parent_is_published(tmp_path: Path) -> None:
    async def main() -> None:
        async with served(tmp_path) as api:
            await api.published(ECHO)
            parent = {"name": "Parent", "steps": [{"id": "child", "type": "workflow", "workflow": "echo"}]}
            await api.published(parent)
            itself = {"name": "Loop", "steps": [{"id": "child", "type": "workflow", "workflow": "loop"}]}
            await api.published(itself)
            await api("POST", "/v1/workflows/echo/archive")
            refused = await api("POST", "/v1/workflows/parent/versions", {"document": {**parent, "tags": ["x"]}}, status=422)
            assert refused["errors"][0]["code"] == "unknown_workflow"

    run(main())


def test_the_schema_is_public_and_the_openapi_document_shows_everything(tmp_path: Path) -> None:
    async def main() -> None:
        async with served(tmp_path) as api:
            schema = await api("GET", "/schemas/workflow.json", headers={"x-permissions": ""})
            assert (schema["$id"], "step_transform" in schema["$defs"]) == ("/schemas/workflow.json", True)
            document = await api("GET", "/openapi.json")
            operations = {entry["operationId"]: entry for path in document["paths"].values() for entry in path.values()}
            assert operations.keys() >= OPERATIONS
            commands = document["components"]["schemas"]
            shown = operations["command_workflow"]["requestBody"]["content"]["application/json"]["schema"]
            names = set(shown["discriminator"]["mapping"])
            assert names == {"start", "pause", "resume", "stop", "complete_task", "send_message", "data"}
            for name in ("create_workflow", "replace_workflow_draft", "publish_workflow", "validate_document", "validate_workflow"):
                assert set(operations[name]["requestBody"]["content"]) == {"application/json", "application/yaml"}
            assert set(operations["publish_workflow"]["responses"]) == {"200", "201", "default"}
            references = set(_references(document))
            assert references <= {f"#/components/schemas/{name}" for name in commands}
            assert b'"from"' in msgspec.json.encode(commands["VersionDiff"])

    run(main())


OPERATIONS = {
    "list_workflows",
    "create_workflow",
    "get_workflow",
    "replace_workflow_draft",
    "rename_workflow",
    "delete_workflow",
    "archive_workflow",
    "unarchive_workflow",
    "validate_workflow",
    "validate_document",
    "list_workflow_versions",
    "publish_workflow",
    "get_workflow_version",
    "activate_workflow_version",
    "diff_workflow_versions",
    "command_workflow",
    "get_workflow_schema",
}


def _references(part: Any) -> list[str]:
    if isinstance(part, list):
        return [found for item in part for found in _references(item)]
    if not isinstance(part, dict):
        return []
    own = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
    return own + [found for value in part.values() for found in _references(value)]
