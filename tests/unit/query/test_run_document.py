"""The one document of a run has the shape of seed 004's example, and says what the run's events say."""

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec
import pytest
from tests.histories.test_histories import HISTORIES, named, read
from tests.unit.engine.driver import compiled

from runwell.engine.evolve import fold
from runwell.engine.view import run_view
from runwell.model.errors import ErrorInfo
from runwell.model.events import (
    TYPE_OF,
    CommentAdded,
    Event,
    EventData,
    GenerationCompleted,
    MessageReceived,
    RunCreated,
    RunFailed,
    RunInternalError,
    RunLimitExceeded,
    RunServedFromCache,
    RunStarted,
    RunStopped,
    RunSucceeded,
    StepCompleted,
    StepStarted,
    TaskCompleted,
)
from runwell.model.run import RunView, WorkflowRef
from runwell.model.scope import Scope
from runwell.model.statuses import RunStatus
from runwell.model.usage import Usage
from runwell.query.run_document import run_document

EXAMPLE = json.loads((Path(__file__).parent / "fixtures" / "workflow_run.json").read_text())
"""The example of seed 004, as it stands there."""

SCOPE = Scope("org_1", "prj_1")
RUN_ID = "run_0199e0a1b2c37def8123456789abcdef"
T = 1_792_000_000_000


def schema_of(example: Any) -> dict[str, Any]:
    """Return the schema of values with every key of the example and no other, of the same types; a scalar may be unknown."""
    if isinstance(example, dict):
        if not example:
            return {"type": "object"}
        properties = {name: schema_of(value) for name, value in example.items()}
        return {"type": "object", "properties": properties, "required": list(example), "additionalProperties": False}
    if isinstance(example, list):
        return {"type": "array", "items": {} if example == ["<unknown>"] else schema_of(example[0])}
    kinds = {bool: "boolean", int: "integer", str: "string"}
    return {"type": [kinds[type(example)], "null"]}


SHAPE = jsonschema_rs.validator_for(schema_of(EXAMPLE))


def told(run: RunView, events: list[Event], document: dict[str, Any]) -> dict[str, Any]:
    """Return the document as JSON data, which has the shape of the example."""
    data: dict[str, Any] = json.loads(msgspec.json.encode(run_document(run, events, document, SCOPE)))
    assert [f"{error.instance_path}: {error.message}" for error in SHAPE.iter_errors(data)] == []
    envelope: dict[str, Any] = data["workflow_run"]
    return envelope


def history(*happened: EventData | tuple[EventData, dict[str, Any]]) -> list[Event]:
    events = []
    for seq, item in enumerate(happened, 1):
        data, more = item if isinstance(item, tuple) else (item, {})
        events.append(
            Event(seq, RUN_ID, TYPE_OF[type(data)], T + seq * 1_000, more.get("step_id"), more.get("attempt"), more.get("actor"), data)
        )
    return events


def created(**fields: Any) -> RunCreated:
    names = {"org_id": "org_1", "project_id": "prj_1", "workflow_id": "wf_1", "workflow_slug": "w", "workflow_name": "W"}
    return RunCreated(**{**names, "version": 3, "version_hash": "h", **fields})


def run(status: RunStatus = RunStatus.SUCCEEDED, **fields: Any) -> RunView:
    return RunView(id=RUN_ID, workflow=WorkflowRef(id="wf_1", slug="w", name="Works", version=3), status=status, **fields)


DOCUMENT = {
    "name": "Works",
    "description": "Sorts tickets",
    "input_schema": {"type": "object"},
    "steps": [
        {
            "id": "classify", "type": "llm", "model": "openai:gpt-5-mini", "prompt": "Classify {{ input.t }}", "system": "Be brief",
            "params": {"temperature": 0}, "output_schema": {"type": "object"}, "retry": {"max_attempts": 2},
        },
        {"id": "ask", "type": "approval", "title": "OK?", "depends_on": ["classify"], "when": "steps.classify.result.ok", "name": "Ask"},
        {
            "id": "each", "type": "for_each", "items": "{{ input.l }}", "depends_on": ["classify"], "enabled": False,
            "steps": [{"id": "count", "type": "python", "code": "1 + 1", "inputs": {"x": 1}}],
        },
        {"id": "look", "type": "tool", "tool": "mcp:github/search", "args": {"q": 1}, "depends_on": ["ask", "each"]},
        {
            "id": "act", "type": "agent", "instructions": "Do it", "models": ["anthropic:a", "openai:b"],
            "tools": ["mcp:github/open", "mcp:jira/close", "python:sum"], "depends_on": ["look"],
        },
        {"id": "any", "type": "llm", "model": "{{ input.model }}", "messages": [{"role": "user", "content": "Hi"}]},
    ],
    "output": "{{ steps.act.result }}",
}  # fmt: skip


@pytest.mark.parametrize("path", HISTORIES, ids=named)
def test_every_recorded_run_has_the_shape_of_the_example(path: Path) -> None:
    document, events = read(path)
    view = run_view(fold(compiled(document), events))
    data = told(view, events, document)
    pairs = data["workflow_run"]["input_output_pairs"]
    assert [event["seq"] for pair in pairs for event in pair["run_output"]["events"]] == [event.seq for event in events]
    assert {node["logical_id"] for node in data["workflow_run"]["workflow_config_fully_hydrated"]["node_configs"]} >= {
        step.id for step in view.steps
    }


def test_the_shape_of_the_example_refuses_what_is_not_it() -> None:
    assert SHAPE.is_valid(EXAMPLE)
    for change in ({"more": 1}, {"_id": 5}, {"team_id": ...}):
        bad = json.loads(json.dumps(EXAMPLE))
        bad["workflow_run"].update({name: value for name, value in change.items() if value is not ...})
        for name in (name for name, value in change.items() if value is ...):
            del bad["workflow_run"][name]
        assert not SHAPE.is_valid(bad)


def keys_of(example: Any) -> set[str]:
    if isinstance(example, dict):
        return set(example).union(*(keys_of(value) for value in example.values()))
    return set().union(*(keys_of(item) for item in example)) if isinstance(example, list) else set()


def test_every_field_stands_in_the_reference() -> None:
    page = (Path(__file__).parents[3] / "docs" / "reference" / "run-document.md").read_text(encoding="utf-8")
    assert [name for name in sorted(keys_of(EXAMPLE)) if f"`{name}`" not in page and f".{name}`" not in page] == []


def test_who_and_when() -> None:
    events = history((created(), {"actor": "ann"}), RunStarted(), (CommentAdded(comment_id="cmt_1", content="Hm"), {"actor": "bob"}))
    data = told(run(source_run_id="run_" + "ab" * 16, is_evaluation_run=True), events, DOCUMENT)
    assert (data["created_by"], data["updated_by"], data["team_id"]) == ("ann", "bob", "prj_1")
    assert (data["created_at"], data["updated_at"]) == ("2026-10-14T17:46:41.000Z", "2026-10-14T17:46:43.000Z")
    assert data["_id"] == data["workflow_run"]["workflow_run_id"] == "0199e0a1b2c37def81234567"
    inner = data["workflow_run"]
    assert (inner["run_by"], inner["version_number"], inner["version_name"]) == ("ann", 3, "Works")
    assert inner["source_workflow_run_id"] == "ab" * 12
    assert inner["is_evaluation_run"] is True
    moment = data["updated_at"]
    assert inner["comments"] == [
        {"logical_id": "cmt_1", "content": "Hm", "createdBy": "bob", "updatedBy": "bob", "createdAt": moment, "updatedAt": moment}
    ]


ERROR = ErrorInfo(code="X", message="x")


@pytest.mark.parametrize(
    ("status", "waiting_for", "last", "word", "source"),
    [
        (RunStatus.QUEUED, None, None, "not_started", None),
        (RunStatus.RUNNING, None, None, "running", None),
        (RunStatus.WAITING, "approval", None, "waiting_for_user_input", None),
        (RunStatus.WAITING, "message", None, "waiting_for_user_input", None),
        (RunStatus.WAITING, "delay", None, "running", None),
        (RunStatus.WAITING, "retry", None, "running", None),
        (RunStatus.PAUSED, None, None, "paused", None),
        (RunStatus.DRAINING, None, None, "running", None),
        (RunStatus.SUCCEEDED, None, RunSucceeded(), "completed", "workflow"),
        (RunStatus.SUCCEEDED, None, RunServedFromCache(source_run_id="run_1"), "completed", "cache"),
        (RunStatus.FAILED, None, RunFailed(error=ERROR, failed_step="a"), "failed", "step"),
        (RunStatus.STOPPED, None, RunStopped(error=ERROR), "cancelled", "user"),
        (RunStatus.TIMED_OUT, None, RunLimitExceeded(which="timeout_s", error=ERROR), "failed", "limit:timeout_s"),
        (RunStatus.QUOTA_EXCEEDED, None, RunLimitExceeded(which="credits", error=ERROR), "failed", "limit:credits"),
        (RunStatus.MEMORY_LIMIT_EXCEEDED, None, RunLimitExceeded(which="memory_mb", error=ERROR), "failed", "limit:memory_mb"),
        (RunStatus.LOG_SIZE_EXCEEDED, None, RunLimitExceeded(which="log_bytes", error=ERROR), "failed", "limit:log_bytes"),
        (RunStatus.INTERNAL_ERROR, None, RunInternalError(error=ERROR), "failed", "system"),
    ],
)
def test_every_status_has_its_word(status: RunStatus, waiting_for: Any, last: EventData | None, word: str, source: str | None) -> None:
    events = history(created(), *([last] if last else []), CommentAdded(comment_id="cmt_1", content="late"))
    inner = told(run(status, waiting_for=waiting_for, error=ERROR), events, DOCUMENT)["workflow_run"]
    assert (inner["status"], inner["termination_source"]) == (word, source)


def test_each_decision_and_message_is_a_pair_of_its_own() -> None:
    events = history(
        (created(), {"actor": "ann"}),
        (StepStarted(step_type="llm", input={"prompt": "?"}), {"step_id": "classify", "attempt": 1}),
        (StepCompleted(result={"ok": True}), {"step_id": "classify"}),
        (StepCompleted(skipped=True, reason="disabled"), {"step_id": "each"}),
        (TaskCompleted(task_id="task_0", approved=False, expired=True), {"step_id": "hurry"}),
        (TaskCompleted(task_id="task_1", approved=True, by="bob", comment="fine", result={"n": 1}), {"step_id": "ask", "actor": "bob"}),
        (StepCompleted(result={"approved": True}), {"step_id": "ask"}),
        (MessageReceived(name="paid", body={"sum": 5}, message_id="m1"), {"actor": "key_1"}),
        RunSucceeded(output=7),
    )
    given = run(input={"t": 1}, output=7, trigger="api", tags=("a",), metadata={"k": "v"})
    start, decision, message = told(given, events, DOCUMENT)["workflow_run"]["input_output_pairs"]
    shared = {"workflow_id": "wf_1", "version_number": 3, "workflow_run_id": "0199e0a1b2c37def81234567", "team_id": "prj_1"}
    assert start["run_input"] == {
        **shared,
        "dynamic_variables": {"t": 1},
        "runtime_variables": {},
        "miscellaneous": {"trigger": "api", "tags": ["a"], "metadata": {"k": "v"}, "environment": "production"},
        "command": "start",
        "run_by": "ann",
        "thread_to_node_inputs": {"run": {"input": {"t": 1}}, "main": {"classify": {"prompt": "?"}}},
    }
    assert start["run_output"]["thread_to_node_outputs"] == {"main": {"classify": {"ok": True}}}
    assert [event["seq"] for event in start["run_output"]["events"]] == [1, 2, 3, 4, 5]
    assert (decision["run_input"]["command"], decision["run_input"]["run_by"]) == ("complete_task", "bob")
    assert decision["run_input"]["miscellaneous"] == {"task_id": "task_1"}
    assert decision["run_input"]["thread_to_node_inputs"] == {"main": {"ask": {"approved": True, "comment": "fine", "result": {"n": 1}}}}
    assert decision["run_output"]["thread_to_node_outputs"] == {"main": {"ask": {"approved": True}}}
    assert (message["run_input"]["command"], message["run_input"]["run_by"]) == ("send_message", "key_1")
    assert message["run_input"]["thread_to_node_inputs"] == {"run": {"message": "paid", "body": {"sum": 5}}}
    assert message["run_output"]["thread_to_node_outputs"] == {"main": {}, "run": {"output": 7}}
    assert message["run_output"]["events"][0]["id"].startswith("evt_")


def test_an_input_that_is_no_object_is_told_all_the_same() -> None:
    pair = told(run(input=[1, 2]), history(created(input=[1, 2])), DOCUMENT)["workflow_run"]["input_output_pairs"][0]
    assert pair["run_input"]["dynamic_variables"] == {}
    assert pair["run_input"]["thread_to_node_inputs"]["run"] == {"input": [1, 2]}


def call(provider: str, model: str, tokens: tuple[int, int], latency: float, **more: Any) -> GenerationCompleted:
    usage = Usage(input_tokens=tokens[0], output_tokens=tokens[1], generations=1)
    return GenerationCompleted(provider=provider, model=model, usage=usage, latency_ms=latency, **more)


def test_tokens_and_latencies_are_added_up_in_total_and_by_model() -> None:
    events = history(
        created(),
        call("openai", "gpt-5", (10, 3), 100.4, response_model="gpt-5-2026"),
        call("openai", "gpt-5", (5, 2), 200.4, response_model="gpt-5-2026"),
        call("anthropic", "claude", (0, 0), 50.0, ok=False, error=ERROR),
    )
    inner = told(run(), events, DOCUMENT)["workflow_run"]
    tokens, latency = inner["llm_token_usage"], inner["llm_latency_stats"]
    assert {name: value for name, value in tokens.items() if name != "breakdown_by_models"} == {
        "total_input_tokens": 15,
        "total_output_tokens": 5,
        "total_tokens": 20,
        "call_count_with_user_keys": 3,
        "call_count_with_fallback_keys": 0,
        "call_count": 3,
    }
    assert [(one["provider"], one["response_model"], one["total_tokens"], one["call_count"]) for one in tokens["breakdown_by_models"]] == [
        ("openai", "gpt-5-2026", 20, 2),
        ("anthropic", "claude", 0, 1),
    ]
    assert (latency["call_count"], latency["total_latency_milliseconds"], latency["average_latency_milliseconds"]) == (3, 351, 117)
    assert [(one["total_latency_milliseconds"], one["average_latency_milliseconds"]) for one in latency["breakdown_by_models"]] == [
        (301, 150),
        (50, 50),
    ]


def test_a_run_without_model_calls_has_counts_of_zero() -> None:
    inner = told(run(), history(created()), DOCUMENT)["workflow_run"]
    assert inner["llm_token_usage"]["call_count"] == inner["llm_latency_stats"]["average_latency_milliseconds"] == 0
    assert inner["llm_token_usage"]["breakdown_by_models"] == []


def test_the_configuration_is_the_whole_document() -> None:
    hydrated = told(run(input={"t": 1}), history(created()), DOCUMENT)["workflow_run"]["workflow_config_fully_hydrated"]
    config, nodes = hydrated["workflow_config"], {node["logical_id"]: node for node in hydrated["node_configs"]}
    assert (config["name"], config["description"], hydrated["dynamic_variables"]) == ("Works", "Sorts tickets", {"t": 1})
    assert config["nodes"] == ["classify", "ask", "each", "count", "look", "act", "any"] == list(nodes)
    assert config["edges"] == ["classify->ask", "classify->each", "ask->look", "each->look", "look->act"]
    assert [server["name"] for server in config["mcp_servers"]] == ["github", "jira"]
    assert config["miscellaneous"] == {"input_schema": {"type": "object"}, "output": "{{ steps.act.result }}"}
    classify = nodes["classify"]
    assert classify["main_response_config"] == {"prompt": "Classify {{ input.t }}"}
    assert (classify["llms_config"]["provider"], classify["llms_config"]["streaming"]) == ("openai", True)
    assert classify["llms_config"]["model_kwargs"] == {"model": "openai:gpt-5-mini", "temperature": 0}
    assert classify["structured_output_schema"] == {"type": "object"}
    assert classify["miscellaneous"] == {"system": "Be brief", "retry": {"max_attempts": 2}}
    assert (nodes["any"]["llms_config"]["provider"], nodes["any"]["main_response_config"]["prompt"]) == (None, None)
    assert nodes["any"]["miscellaneous"] == {"messages": [{"role": "user", "content": "Hi"}]}
    assert (nodes["act"]["llms_config"]["provider"], nodes["act"]["main_response_config"]["prompt"]) == ("anthropic", "Do it")
    assert nodes["act"]["llms_config"]["model_kwargs"] == {"models": ["anthropic:a", "openai:b"]}
    assert {name: node["is_start"] for name, node in nodes.items() if node["is_start"]} == {"classify": True, "any": True}
    assert [name for name, node in nodes.items() if node["disabled"]] == ["each"]
    assert [name for name, node in nodes.items() if node["wait_for_user_message"]] == ["ask"]
    assert [name for name, node in nodes.items() if node["use_mcp_tools"]] == ["look", "act"]
    assert nodes["count"]["miscellaneous"] == {"loop": "each", "inputs": {"x": 1}}
    tools = {tool["logical_id"]: (tool["type"], tool["name"], tool["code"]) for tool in config["tools_config"]["tools"]}
    assert tools == {
        "count": ("inline_python", "count", "1 + 1"),
        "look/mcp:github/search": ("mcp", "github/search", None),
        "act/mcp:github/open": ("mcp", "github/open", None),
        "act/mcp:jira/close": ("mcp", "jira/close", None),
        "act/python:sum": ("python", "sum", None),
    }
    assert {edge["logical_id"]: edge["miscellaneous"] for edge in hydrated["edge_configs"] if edge["miscellaneous"]} == {
        "classify->ask": {"when": "steps.classify.result.ok"}
    }
    assert nodes["ask"]["name"] == "Ask"
    assert nodes["ask"]["miscellaneous"] == {"title": "OK?", "when": "steps.classify.result.ok"}
