"""Reading a workflow document: every problem at once, where it is, and what cures it."""

from typing import Any

import pytest
from tests.unit.engine.driver import SPEC_TYPES, workflow

from runwell.model.errors import InvalidDocument, Problem
from runwell.model.workflow import parse_workflow, workflow_json_schema


def problems(document: Any) -> list[Problem]:
    with pytest.raises(InvalidDocument) as caught:
        parse_workflow(document, SPEC_TYPES)
    return list(caught.value.problems)


def loop(*steps: Any) -> dict[str, Any]:
    return {"id": "each", "type": "for_each", "items": [1], "steps": list(steps)}


@pytest.mark.parametrize(
    ("document", "code", "pointer", "words", "hint"),
    [
        ([], "not_an_object", "", "not a list", "name:"),
        ({"name": "t"}, "missing_field", "", "'steps' is missing", "add steps:"),
        ({"name": "t", "steps": []}, "bad_value", "/steps", "'steps' is empty", "at least one entry"),
        ({"name": "t", "steps": {"a": 1}}, "wrong_type", "/steps", "should be a list", "dash for each"),
        ({"name": "a/b", "steps": [{"id": "a", "type": "transform"}]}, "bad_value", "/name", "cannot be 'a/b'", "leave out slashes"),
        ({"name": "t" * 101, "steps": [{"id": "a", "type": "transform"}]}, "bad_value", "/name", "more than 100", "shorter"),
        ({"name": "t", "steps": [None]}, "not_an_object", "/steps/0", "a step is an object, not nothing", "`id:` and `type:`"),
        (workflow({"id": "a", "type": None}), "unknown_type", "/steps/0/type", "has no type", "types are"),
        (workflow({"id": "a", "type": "transfrom"}), "unknown_type", "/steps/0/type", "'transfrom'", "did you mean 'transform'?"),
        (workflow({}), "missing_field", "/steps/0", "'id' is missing", "add id:"),
        (workflow({"id": "a b"}), "bad_value", "/steps/0/id", "'a b' is no step id", "begins with a letter or _"),
        (workflow({"id": 3}), "wrong_type", "/steps/0/id", "'id' should be text, not 3", "quotes"),
        (workflow({"id": "a"}, {"id": "a"}), "duplicate_id", "/steps/1/id", "the first is at /steps/0", "unique"),
        (workflow({"id": "a", "valeu": 1}), "unknown_field", "/steps/0/valeu", "unknown field 'valeu'", "did you mean 'value'?"),
        (
            {"name": "t", "steps": [{"id": "a", "type": "transform", 3: 1}]},
            "unknown_field",
            "/steps/0/3",
            "unknown field '3'",
            "fields are",
        ),
        (workflow({"id": "a", "retry": {"tries": 3}}), "unknown_field", "/steps/0/retry/tries", "'tries'", "max_attempts"),
        (workflow({"id": "a", "depends_on": "b"}), "wrong_type", "/steps/0/depends_on", "should be a list, not 'b'", "[a, b]"),
        (workflow({"id": "a", "depends_on": ["a", 3]}), "wrong_type", "/steps/0/depends_on/1", "entry 1 of 'depends_on'", "quotes"),
        (workflow({"id": "a", "depends_on": ["b c"]}), "bad_value", "/steps/0/depends_on/0", "'b c' is no step id", "letter"),
        (workflow({"id": "a", "when": True}), "wrong_type", "/steps/0/when", "should be text, not True", "quotes"),
        (workflow({"id": "a", "when": ""}), "bad_value", "/steps/0/when", "'when' is empty", "one character"),
        (workflow({"id": "a", "join": "al"}), "bad_value", "/steps/0/join", "'any' or 'all', not 'al'", "did you mean 'all'?"),
        (workflow({"id": "a", "timeout_s": 0}), "bad_value", "/steps/0/timeout_s", "must be greater than 0, not 0", "greater than 0"),
        (workflow({"id": "a", "retry": {"max_attempts": 101}}), "bad_value", "/steps/0/retry/max_attempts", "at most 100", "at most 100"),
        (
            workflow({"id": "a", "type": "delay", "for_s": [1]}),
            "wrong_type",
            "/steps/0/for_s",
            "a number or text, not [1]",
            "write a number or text",
        ),
        (
            workflow({"id": "a"}, limits={"memory_mb": "x"}),
            "wrong_type",
            "/limits/memory_mb",
            "a whole number, not 'x'",
            "write a whole number",
        ),
        (workflow({"id": "a"}, limits={"memory": 1}), "unknown_field", "/limits/memory", "'memory'", "'memory_mb'"),
        (workflow({"id": "a"}, limits=3), "wrong_type", "/limits", "should be an object, not 3", "memory_mb"),
        (
            workflow({"id": "a"}, input_schema={"type": "objekt"}),
            "bad_schema",
            "/input_schema/type",
            "'objekt' is no type".replace("'", '"'),
            "object",
        ),
        (workflow({"id": "a"}, input_schema={"$ref": "http://x.invalid/a"}), "bad_schema", "/input_schema", "cannot fetch", "json-schema"),
        (
            workflow({"id": "a", "type": "request", "output_schema": {"type": 3}}),
            "bad_schema",
            "/steps/0/output_schema/type",
            "not a JSON Schema: 3 is no type",
            "types are array",
        ),
        (workflow({"id": "a/b~c", "a/b~c": 1}), "bad_value", "/steps/0/id", "no step id", "letter"),
    ],
)
def test_a_problem_says_where_it_is_and_what_cures_it(document: Any, code: str, pointer: str, words: str, hint: str | None) -> None:
    found = problems(document)[0]
    assert (found.code, found.pointer) == (code, pointer)
    assert words in found.message
    assert (hint or "") in (found.hint or "")


def test_pointers_are_escaped() -> None:
    assert problems(workflow({"id": "a", "x/y~z": 1}))[0].pointer == "/steps/0/x~1y~0z"


def test_all_problems_come_at_once_each_once() -> None:
    document = workflow({"id": "a b"}, {"type": "nope"}, {"id": "c", "x": 1, "join": "no"}, on_failure="later", limits={"timeout_s": -1})
    assert [problem.pointer for problem in problems(document)] == [
        "/steps/0/id",
        "/steps/1/type",
        "/steps/1",
        "/steps/2/join",
        "/steps/2/x",
        "/on_failure",
        "/limits/timeout_s",
    ]


DEEP = loop({"id": "a b", "type": "transform"}) | {"id": "deep"}


@pytest.mark.parametrize("inner", [{"id": "a b", "type": "transform"}, {"id": "a", "type": "nope"}, None, DEEP])
def test_a_broken_inner_step_is_told_of_once(inner: Any) -> None:
    assert len(problems(workflow(loop(inner)))) == 1
    assert len(problems(workflow(loop(inner), {"id": "b"}))) == 1


def test_a_loop_without_steps_is_told_of() -> None:
    assert [problem.pointer for problem in problems(workflow(loop()))] == ["/steps/0/steps"]


def test_problems_inside_a_loop_name_the_step() -> None:
    [problem] = problems(workflow(loop({"id": "inner", "type": "transform", "x": 1})))
    assert (problem.step_id, problem.pointer) == ("inner", "/steps/0/steps/0/x")


@pytest.mark.parametrize(("name", "slug"), [("Support Triage!", "support-triage"), ("a  b--c", "a-b-c"), ("!", "workflow")])
def test_the_slug_of_a_name(name: str, slug: str) -> None:
    assert parse_workflow(workflow({"id": "a"}) | {"name": name}, SPEC_TYPES).workflow.slug == slug


def test_the_hash_is_of_the_content_and_not_of_its_spelling() -> None:
    one = parse_workflow({"name": "t", "steps": [{"id": "a", "type": "transform"}]}, SPEC_TYPES)
    two = parse_workflow({"steps": [{"type": "transform", "id": "a"}], "name": "t"}, SPEC_TYPES)
    other = parse_workflow(workflow({"id": "b"}), SPEC_TYPES)
    assert one.hash == two.hash != other.hash


def test_the_published_schema_knows_every_step_type() -> None:
    schema = workflow_json_schema(SPEC_TYPES)
    assert {name.removeprefix("step_") for name in schema["$defs"] if name.startswith("step_")} == set(SPEC_TYPES)
