"""The tools of a document and the steps that name them: what is found before anything runs."""

from typing import Any

import jsonschema_rs
import pytest

from runwell.adapters.models.connections import Connections
from runwell.adapters.tools.commands import read_commands
from runwell.adapters.tools.reach import Reach
from runwell.model.errors import InvalidDocument, InvalidInput, Problem
from runwell.runtime.publisher import Publisher
from runwell.steps.reach import unreachable
from runwell.steps.registry import step_types
from runwell.storage.memory_journal import MemoryDefinitions

PUBLISHER = Publisher(MemoryDefinitions(), step_types())
FIND: dict[str, Any] = {
    "type": "http",
    "name": "find",
    "description": "Find a ticket.",
    "input_schema": {"type": "object", "properties": {"number": {"type": "integer"}}, "required": ["number"]},
    "request": {"url": "https://desk.example/tickets/{{ args.number }}", "headers": {"Authorization": "{{ secrets.DESK }}"}},
}
ADD: dict[str, Any] = {
    "type": "python",
    "name": "add",
    "input_schema": {"type": "object"},
    "code": "a + b",
    "inputs": {"a": "{{ args.a }}", "b": "{{ args.b }}"},
}


def document(*tools: Any, tool: str = "http:find", args: Any = None, **step: Any) -> dict[str, Any]:
    call = {"id": "call", "type": "tool", "tool": tool, "args": {"number": 1} if args is None else args, **step}
    return {"name": "t", "tools": list(tools) or [FIND, ADD], "steps": [call]}


def problems(doc: Any) -> tuple[Problem, ...]:
    try:
        PUBLISHER.compile(doc)
    except InvalidDocument as exc:
        return exc.problems
    return ()


SOUND = [
    document(),
    document(tool="python:add", args="{{ input.args }}"),
    document(tool="mcp:desk/find_ticket"),
    document(tool="{{ input.tool }}"),
    document({"type": "mcp", "name": "desk/refund", "requires_approval": True}, tool="mcp:desk/find"),
    document({"type": "python", "name": "find"}, tool="python:find"),
    document({"type": "python", "name": "find", "input_schema": {"type": "object"}, "description": "x", "unsafe": False}, tool="mcp:a/b"),
    document({"type": "workflow", "name": "refund-flow", "requires_approval": True}, tool="mcp:desk/find"),
    document({**FIND, "request": {"url": "{{ args.url }}", "query": {"who": "{{ run.id }}", "x": "{{ input.x }}"}}}),
]


@pytest.mark.parametrize("doc", SOUND)
def test_what_is_sound_is_taken_by_the_schema_too(doc: Any) -> None:
    assert problems(doc) == ()
    jsonschema_rs.validator_for(PUBLISHER.json_schema()).validate(doc)


CASES = [
    ("unknown_tool", document(tool="http:fnd"), "/steps/0/tool", "no tool 'http:fnd'", "did you mean 'http:find'"),
    ("unknown_tool", document(tool="python:find"), "/steps/0/tool", "no tool 'python:find'", ""),
    ("bad_step", document(tool="find"), "/steps/0/tool", "names no tool", "mcp:"),
    ("bad_step", document(tool="mcp:desk"), "/steps/0/tool", "no name of a mcp tool", "mcp:<server>/<tool>"),
    ("bad_step", document(tool="workflow:refund"), "/steps/0/tool", "cannot run a workflow", "type: workflow"),
    ("bad_step", document(args="number=1"), "/steps/0/args", "are text", "by name"),
    ("secret_not_here", document(args={"number": "{{ secrets.DESK }}"}), "/steps/0/args/number", "cannot be used", "http tool"),
    ("needs_approval", document({**FIND, "requires_approval": True}), "/steps/0/tool", "requires approval", "approval step"),
    ("not_an_object", document("find", tool="mcp:a/b"), "/tools/0", "a tool is an object", "type:"),
    ("missing_field", document({**FIND, "input_schema": ...}), "/tools/0", "'input_schema' is missing", "add input_schema"),
    ("bad_schema", document({**FIND, "input_schema": {"type": "thing"}}), "/tools/0/input_schema/type", "no type", ""),
    ("unknown_field", document({**FIND, "reqest": {}}), "/tools/0/reqest", "unknown field", "request"),
    ("not_in_a_tool", document({**FIND, "retry": {}}), "/tools/0/retry", "has no 'retry'", "the step which calls it"),
    ("not_in_a_tool", document({**FIND, "id": "x"}), "/tools/0/id", "has no 'id'", ""),
    (
        "not_in_a_tool",
        document({"type": "mcp", "name": "a/b", "description": "x"}, tool="mcp:a/b"),
        "/tools/0/description",
        "has no 'description'",
        "",
    ),
    ("unknown_field", document({"type": "mcp", "name": "a/b", "request": {}}, tool="mcp:a/b"), "/tools/0/request", "unknown field", ""),
    ("missing_field", document({**ADD, "code": ...}, FIND), "/tools/0", "'code' is missing", ""),
    ("unknown_field", document({"type": "python", "name": "f", "cod": "1"}, FIND), "/tools/0/cod", "unknown field", ""),
    ("bad_schema", document({"type": "python", "name": "f", "input_schema": {"type": 3}}, FIND), "/tools/0/input_schema/type", "", ""),
    ("bad_value", document({**FIND, "name": "a b"}, FIND), "/tools/0/name", "no name of a http tool", "letters"),
    ("bad_value", document({"type": "mcp", "name": "desk"}, tool="mcp:a/b"), "/tools/0/name", "no name of a mcp tool", ""),
    ("duplicate_tool", document(FIND, FIND), "/tools/1/name", "two tools are called 'http:find'", "another name"),
    ("bad_step", document({**FIND, "request": {"url": "ftp://x"}}), "/tools/0/request/url", "is not an http", "https://"),
    ("bad_step", document({**ADD, "code": "a +"}, FIND), "/tools/0/code", "invalid syntax", ""),
    (
        "name_not_here",
        document({**FIND, "request": {"url": "https://x.example/{{ steps.call.result }}"}}),
        "/tools/0/request/url",
        "'steps' has no value in a tool",
        "a tool sees args, input, run, secrets",
    ),
    ("name_not_here", document(args={"number": "{{ args.x }}"}), "/steps/0/args/number", "only in the tools", "use input"),
]


@pytest.mark.parametrize(("code", "doc", "pointer", "words", "cure"), CASES)
def test_a_problem_says_where_it_is_and_what_cures_it(code: str, doc: Any, pointer: str, words: str, cure: str) -> None:
    for tool in doc["tools"]:
        if isinstance(tool, dict):
            [tool.pop(key) for key, value in list(tool.items()) if value is ...]
    [found] = problems(doc)
    assert (found.code, found.pointer) == (code, pointer), found
    assert words in found.message
    assert cure in (found.hint or "")
    assert found.step_id == ("call" if pointer.startswith("/steps") else None)


@pytest.mark.parametrize("tools", ["find", {"find": {}}, 3])
def test_tools_are_a_list(tools: Any) -> None:
    [found] = problems({**document(tool="mcp:a/b"), "tools": tools})
    assert (found.code, found.pointer) == ("wrong_type", "/tools")


@pytest.mark.parametrize(
    "tool", [{}, {"type": "http"}, {"type": []}, {"name": "x"}, {"type": "http", "name": 3}, {"type": "magic", "name": "x"}]
)
def test_what_is_no_tool_at_all_is_only_a_problem(tool: Any) -> None:
    assert {found.pointer.split("/")[1] for found in problems(document(tool, tool="mcp:a/b"))} == {"tools"}


def test_servers_that_are_not_there_are_found_where_it_is_known() -> None:
    reach = Reach(Connections({}), {"desk": "mcp", "web": "http"}, commands=("files",))
    for tool, there in [("mcp:desk/x", True), ("mcp:files/x", True), ("mcp:web/x", False), ("mcp:dest/x", False), ("{{ input.x }}", True)]:
        step = PUBLISHER.compile(document(tool=tool)).workflow.steps[0]
        found = unreachable(step, reach)
        assert [problem.code for problem in found] == ([] if there else ["missing_connection"])
    step = PUBLISHER.compile(document(tool="mcp:dest/x")).workflow.steps[0]
    [problem] = unreachable(step, reach)
    assert (problem.pointer, "did you mean 'desk'?" in (problem.hint or "")) == ("/tool", True)
    assert unreachable(step, Reach(Connections({}))) == []


BAD_COMMANDS = [
    "[]",
    "{",
    '{"A": {"command": "x"}}',
    '{"a": {}}',
    '{"a": {"command": ""}}',
    '{"a": {"command": "x", "shell": "sesame"}}',
    "/no/such/file",
]


@pytest.mark.parametrize("text", BAD_COMMANDS)
def test_commands_that_cannot_be_are_refused_without_telling_them(text: str) -> None:
    with pytest.raises(InvalidInput, match="RUNWELL_MCP_COMMANDS") as caught:
        read_commands(text)
    assert "sesame" not in str(caught.value)


def test_commands_come_from_json_or_a_file(tmp_path: Any) -> None:
    text = '{"files": {"command": "npx", "args": ["-y", "x"], "env": {"KEY": "sesame-sesame"}}}'
    (tmp_path / "commands.json").write_text(text)
    for given in (text, str(tmp_path / "commands.json")):
        [(name, command)] = read_commands(given).items()
        assert (name, command.command, command.args, command.secret_values) == ("files", "npx", ("-y", "x"), {"sesame-sesame"})
        assert "sesame" not in repr(command)
    assert read_commands("") == {}
