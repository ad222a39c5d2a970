"""What is wrong with a conversation is found before anything runs: where, and what to do about it."""

from typing import Any

import jsonschema_rs
import pytest
from tests.unit.conversation.talking import conversation

from runwell.adapters.models.connections import Connections
from runwell.adapters.tools.reach import Reach
from runwell.model.errors import InvalidDocument, Problem
from runwell.runtime.publisher import Publisher
from runwell.steps.reach import unreachable
from runwell.steps.registry import step_types
from runwell.storage.memory_journal import MemoryDefinitions

PUBLISHER = Publisher(MemoryDefinitions(), step_types())
SAY: dict[str, Any] = {"id": "a", "type": "say", "messages": ["Hi {{ vars.name }}, turn {{ conversation.turn }}"]}
WORK: dict[str, Any] = {"id": "b", "type": "worker", "prompt": "Help {{ input.who }}."}
CALL: dict[str, Any] = {
    "id": "c",
    "type": "http",
    "request": {"url": "https://x.example/{{ vars.id }}", "headers": {"A": "{{ secrets.KEY }}"}},
}
ON = {"from": "a", "to": "b"}
IF = {"when": "true == vars.x"}


def problems(document: Any) -> tuple[Problem, ...]:
    try:
        PUBLISHER.compile(document)
    except InvalidDocument as exc:
        return exc.problems
    return ()


SOUND = [
    conversation([SAY]),
    conversation([SAY, WORK], [ON]),
    conversation(
        [SAY, CALL, WORK], [{"from": "a", "to": "c"}, {"from": "c", "to": "b", "when": "conversation.output.ok"}, {"from": "c", "to": "a"}]
    ),
    conversation([SAY, {**WORK, "global": {"freeform": "wants {{ vars.name }}", "returns": True}}]),
    conversation([{**WORK, "tools": ["mcp:desk/*", {"tool": "mcp:desk/find", "variable": "x", "messages": ["Hm"]}]}]),
    conversation([SAY], model=None, models=None),
]


@pytest.mark.parametrize("document", SOUND)
def test_what_is_sound_is_taken_by_the_schema_too(document: Any) -> None:
    assert problems(document) == ()
    document["steps"][0] = {key: value for key, value in document["steps"][0].items() if value is not None}
    jsonschema_rs.validator_for(PUBLISHER.json_schema()).validate(document)


CASES: list[tuple[dict[str, Any], str, str, str]] = [
    (conversation([{**SAY, "mesages": ["x"]}]), "/nodes/0/mesages", "unknown field 'mesages'", "did you mean 'messages'"),
    (conversation([{"id": "a", "type": "say"}]), "/nodes/0", "'messages' is missing", "add messages"),
    (conversation([{**SAY, "type": "sya"}]), "/nodes/0", "unknown type 'sya'", "did you mean 'say'"),
    (conversation([{"id": "a"}]), "/nodes/0", "it has no type", "type:"),
    (conversation([{**WORK, "max_consecutive_tool_calls": "3x"}]), "/nodes/0/max_consecutive_tool_calls", "whole number", ""),
    (conversation([SAY], [{"from": "a", "to": "a", "wen": "true"}]), "/edges/0/wen", "unknown field 'wen'", "did you mean 'when'"),
    (conversation([SAY, {**SAY, "id": "a"}]), "/nodes/1/id", "'a' is taken", "another"),
    (conversation([SAY, WORK], [{"from": "a", "to": "d"}]), "/edges/0/to", "no node 'd'", "nodes are a, b"),
    (conversation([SAY, WORK]), "/nodes/1", "no edge leads to 'b'", "global"),
    (conversation([SAY, WORK], [ON, {**ON, "id": "x"}]), "/edges/1", "another edge without a condition", "condition"),
    (conversation([SAY, WORK], [{**ON, "when": "true == vars.x"}]), "/nodes/0", "nothing leads on from 'a'", "self_loop"),
    (conversation([{**SAY, "self_loop": True}, WORK], [{**ON, **IF, "freeform": "y"}]), "/edges/0", "not both", "keep one"),
    (conversation([{**SAY, "self_loop": True}, WORK], [{**ON, "when": "vars.x ="}]), "/edges/0/when", "not an expression", "=="),
    (conversation([{**SAY, "self_loop": True}, WORK], [{**ON, "when": "vars.x + 1"}]), "/edges/0/when", "never true or false", "compare"),
    (conversation([{**SAY, "self_loop": True}, WORK], [{**ON, "when": "conversation.trun > 1"}]), "/edges/0/when", "no 'trun'", "turn"),
    (conversation([{**SAY, "messages": ["{{ steps.x.result }}"]}]), "/nodes/0/messages/0", "no step 'x'", ""),
    (conversation([{**SAY, "messages": ["{{ secrets.KEY }}"]}]), "/nodes/0/messages/0", "secret cannot be used", ""),
    (conversation([{**CALL, "request": {"url": "ftp://x"}}]), "/nodes/0/request/url", "not an http or https URL", "https://"),
    (conversation([{**CALL, "request": {"url": "https://x/{{ vars. }}"}}]), "/nodes/0/request/url", "not an expression", ""),
    (conversation([WORK], model=None), "/nodes/0", "nobody answers for the worker 'b'", "model"),
    (conversation([{"id": "b", "type": "worker"}]), "/nodes/0", "has no prompt", "prompt:"),
    (conversation([{**SAY, "global": {"messages": ["x"]}}]), "/nodes/0/global", "nothing says when", "when:"),
    (conversation([{**SAY, "global": {**IF, "returns": True}, "self_loop": True}]), "/nodes/0/global/returns", "somewhere else", ""),
    (conversation([{**WORK, "reply": "x"}]), "/nodes/0/reply", "goes with an output_schema", ""),
    (conversation([{**WORK, "output_schema": {"type": "thing"}}]), "/nodes/0/output_schema/type", "no type", ""),
    (conversation([{**WORK, "tools": ["find"]}]), "/nodes/0/tools/0", "names no tool", "mcp:"),
    (conversation([{**WORK, "tools": [{"tool": "http:find"}]}]), "/nodes/0/tools/0/tool", "no tool 'http:find'", "tools:"),
    (conversation([{"id": "a", "type": "tool", "tool": "workflow:x"}]), "/nodes/0/tool", "cannot run a workflow", "end the conversation"),
    (conversation([{**SAY, "start": True}, {**WORK, "start": True}], [ON]), "/nodes/1/start", "another node is the start", "one of them"),
    (conversation([SAY, WORK], [ON], limits={"max_turns": 0}), "/limits/max_turns", "must be at least 1", ""),
]  # fmt: skip


@pytest.mark.parametrize(("document", "place", "message", "cure"), CASES, ids=[f"{case[1]} {case[2]}" for case in CASES])
def test_a_problem_has_its_place_and_its_cure(document: Any, place: str, message: str, cure: str) -> None:
    found = problems(document)
    assert [problem.pointer for problem in found] == [f"/steps/0{place}"], found
    assert message in found[0].message
    assert cure in (found[0].hint or "")
    assert found[0].step_id == "talk"


def test_the_names_of_a_conversation_have_no_value_elsewhere() -> None:
    steps = [{"id": "x", "type": "transform", "value": "{{ vars.a }} {{ conversation.turn }}"}]
    assert [problem.code for problem in problems({"name": "x", "steps": steps})] == ["name_not_here"] * 2


def test_models_that_nobody_answers_for_are_found() -> None:
    reach = Reach(Connections({}))
    spec = PUBLISHER.compile(conversation([{**WORK, "model": "no:such"}], judge_model="nor:this", model="demo:x")).workflow.steps[0]
    assert [problem.pointer for problem in unreachable(spec, reach)] == ["/judge_model", "/nodes/0/model"]
