"""The OpenAPI document that is committed is this code's, and callers written for an older one still work."""

import copy
import json
from typing import Any

import pytest
from scripts import openapi
from scripts.openapi_changes import breaking_changes

OLD: dict[str, Any] = {
    "paths": {
        "/runs": {
            "get": {
                "operationId": "list_runs",
                "parameters": [{"in": "query", "name": "limit", "schema": {"type": "integer"}}],
                "responses": {"200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Page"}}}}},
            },
            "post": {
                "operationId": "start_run",
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Start"}}}},
                "responses": {"202": {"description": "Started."}},
            },
        }
    },
    "components": {
        "schemas": {
            "Page": {
                "type": "object",
                "required": ["data"],
                "properties": {"data": {"type": "array", "items": {"$ref": "#/components/schemas/Run"}}},
            },
            "Run": {
                "type": "object",
                "required": ["id"],
                "properties": {"id": {"type": "string"}, "parent": {"$ref": "#/components/schemas/Run"}},
            },
            "Start": {
                "type": "object",
                "additionalProperties": False,
                "properties": {"mode": {"enum": ["a", "b"]}, "input": {"anyOf": [{"type": "string"}, {"type": "null"}]}},
            },
        }
    },
}


def test_the_committed_document_is_this_codes() -> None:
    assert openapi.SNAPSHOT.read_text() == openapi.text(openapi.current()), "run `python -m scripts.openapi`"


def test_everything_that_a_list_of_runs_can_be_asked_is_described() -> None:
    document = openapi.current()
    names = {"q", "status", "from", "to", "archived", "environment", "trigger", "tag", "metadata", "has_error", "limit", "cursor", "count"}
    names |= {"min_duration_ms", "max_duration_ms", "min_cost_usd", "max_cost_usd"}
    for path, more in (("/v1/runs", {"workflow"}), ("/v1/workflows/{workflow_id}/runs", {"workflow_id"})):
        described = {each["name"]: each.get("description") for each in document["paths"][path]["get"]["parameters"]}
        assert names | more <= described.keys()
        assert all(described.values()), described
    body = document["components"]["schemas"]["SearchBody"]["properties"]
    assert (names | {"workflow", "query", "field_queries"}) - {"q"} <= body.keys()
    assert all(field.get("description") for field in body.values())


def test_callers_of_the_committed_document_still_work() -> None:
    assert breaking_changes(json.loads(openapi.SNAPSHOT.read_text()), openapi.current()) == []


def change(path: str, value: Any) -> dict[str, Any]:
    """Return `OLD` with the value at the path; None takes it out."""
    new = copy.deepcopy(OLD)
    part: Any = new
    *way, last = path.split("|")
    for key in way:
        part = part[int(key)] if isinstance(part, list) else part[key]
    if value is None:
        part.pop(last)
    else:
        part[last] = value
    return new


SCHEMAS = "components|schemas|"


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("paths|/runs", None, "GET /runs: gone"),
        ("paths|/runs|get", None, "GET /runs: gone"),
        ("paths|/runs|get|operationId", "runs", "operation id 'list_runs' became 'runs'"),
        ("paths|/runs|get|parameters", [], "query parameter 'limit' is gone"),
        ("paths|/runs|get|parameters|0|required", True, "query parameter 'limit' is required now"),
        ("paths|/runs|get|parameters|0|schema", {"type": "string"}, "takes no integer"),
        ("paths|/runs|get|responses|200", None, "never answers 200 any more"),
        ("paths|/runs|post|requestBody|required", True, "a body is required now"),
        (SCHEMAS + "Run|properties|id", None, "data[].id is gone"),
        (SCHEMAS + "Run|properties|id", {"type": "integer"}, "may now be integer"),
        (SCHEMAS + "Run|required", [], "data[].id may be missing now"),
        (SCHEMAS + "Start|required", ["mode"], "body.mode is required now"),
        (SCHEMAS + "Start|properties|mode", {"enum": ["a"]}, "takes no 'b' any more"),
        (SCHEMAS + "Start|properties|input", {"type": "string"}, "takes no null"),
        (SCHEMAS + "Start|properties|input", None, "body.input is not taken any more"),
    ],
)
def test_what_breaks_callers_is_found(path: str, value: Any, said: str) -> None:
    found = breaking_changes(OLD, change(path, value))
    assert any(said in line for line in found), found


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("paths|/other", {"get": {}}),
        ("paths|/runs|get|responses|404", {}),
        (SCHEMAS + "Run|properties|more", {"type": "string"}),
        (SCHEMAS + "Start|properties|more", {"type": "string"}),
        (SCHEMAS + "Start|properties|mode", {"enum": ["a", "b", "c"]}),
        ("info", {"version": "2"}),
    ],
)
def test_what_only_adds_breaks_nobody(path: str, value: Any) -> None:
    assert breaking_changes(OLD, change(path, value)) == []
