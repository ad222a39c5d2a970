"""What can never be right is found before a run is, and nothing hides anything else."""

from typing import Any

import pytest
from tests.unit.engine.driver import SPEC_TYPES, compiled, workflow

from runwell.engine.compile import compile_workflow
from runwell.model.errors import InvalidDocument, Problem
from runwell.model.step import StepSpec
from runwell.model.workflow import read_workflow


def problems(document: Any, checks: Any = None) -> list[Problem]:
    """Return the problems of the document; each one has a cure."""
    with pytest.raises(InvalidDocument) as caught:
        compile_workflow(read_workflow(document, SPEC_TYPES), checks)
    found = list(caught.value.problems)
    assert [problem for problem in found if not problem.hint] == []
    return found


def told(document: Any) -> list[tuple[str, str]]:
    return [(problem.code, problem.pointer) for problem in problems(document)]


def each(*steps: Any, **fields: Any) -> dict[str, Any]:
    return {"id": "each", "type": "for_each", "items": [1], "steps": list(steps), **fields}


def again(**fields: Any) -> dict[str, Any]:
    return {"id": "again", "type": "while", "max_iterations": 2, "steps": [{"id": "x", "type": "transform"}], **fields}


A = {"id": "a", "type": "transform"}


@pytest.mark.parametrize(
    ("condition", "code", "words", "cure"),
    [
        ("1 + 1", "not_boolean", "'1 + 1' is always 2", "write a comparison"),
        ("{{ 1 + 1 }}", "not_boolean", "'1 + 1' is always 2", "write a comparison"),
        ("'yes'", "not_boolean", "is always 'yes'", "write a comparison"),
        ("null", "not_boolean", "is always null", "write a comparison"),
        ("steps.a.error", "not_boolean", "an object or null", "steps.a.error != null"),
        ("!steps.a.error", "not_boolean", "an object or null", "steps.a.error == null"),
        ("steps.a.status", "not_boolean", "gives text", 'steps.a.status == "..."'),
        ("size(input.x)", "not_boolean", "gives a number", "size(input.x) > 0"),
        ("input.x ? 1 : 2", "not_boolean", "gives a number", "(input.x ? 1 : 2) > 0"),
        ("input.x + 1", "not_boolean", "never true or false", "input.amount > 100.0"),
        ("1 / 0 == 1", "always_fails", "division by zero", "mend the expression"),
        ("false", "unreachable_step", "'b' can never run", "enabled: false"),
        ("yes", "bad_expression", "unknown name 'yes'", "text needs quotes"),
        ("input.a = 1", "bad_expression", "not an expression", "write == to compare"),
        ("{{ input.a }} == {{ input.b }}", "bad_expression", "not an expression", "without braces inside"),
        ("input.x.matches('[a')", "bad_expression", "'[a' is no regular expression: unclosed character class", "mend the pattern"),
        ("input.x.matches(r'a(?=b)')", "bad_expression", "look-around", "mend the pattern"),
        ("matches(input.x, 'a')", "bad_expression", "'matches' cannot be called by itself", "input.x.matches(...)"),
        ("input.x.int() > 1", "bad_expression", "'int' cannot be called on a value", "int(input.x)"),
    ],
)
def test_a_condition_that_can_never_be_right(condition: str, code: str, words: str, cure: str) -> None:
    [found] = problems(workflow(A, {"id": "b", "depends_on": ["a"], "when": condition}))
    assert (found.code, found.pointer, found.step_id) == (code, "/steps/1/when", "b")
    assert words in found.message
    assert cure in (found.hint or "")


@pytest.mark.parametrize(
    "condition",
    [
        "input.x",
        "!input.x",
        "true",
        "1 > 2",
        "steps.a.result",
        "steps.a.error != null",
        "default(input.x, false)",
        "input.x.matches('[a]')",
        "has(input.x)",
        "input.x ? true : input.y",
        "input.x.exists(y, y == 1)",
        "steps.a.result[0]",
        "input.x.matches(input.y)",
    ],
)
def test_a_condition_that_may_be_right(condition: str) -> None:
    compiled(workflow(A, {"id": "b", "depends_on": ["a"], "when": condition}))


@pytest.mark.parametrize(("condition", "code"), [("loop.iteration", "not_boolean"), ("'x'", "not_boolean"), ("1 / 0 == 1", "always_fails")])
def test_the_condition_of_a_loop(condition: str, code: str) -> None:
    assert told(workflow(again(condition=condition))) == [(code, "/steps/0/condition")]


def test_a_loop_may_go_on_always_or_never() -> None:
    compiled(workflow(again(condition="true")))
    compiled(workflow(again(condition="false")))


@pytest.mark.parametrize(
    ("step", "code", "pointer", "words"),
    [
        (each(A, items=list(range(10_001))), "bad_items", "/steps/0/items", "10001 items, more than 10000"),
        (each(A, items=["{{ input.x }}"] * 10_001), "bad_items", "/steps/0/items", "10001 items, more than 10000"),
        (each(A, items="abc"), "bad_items", "/steps/0/items", "should be a list, not 'abc'"),
        (each(A, items=None), "bad_items", "/steps/0/items", "should be a list, not null"),
        (each(A, items={"a": "{{ input.x }}"}), "bad_items", "/steps/0/items", "an object, never a list"),
        (each(A, items="{{ input.a }}, {{ input.b }}"), "bad_items", "/steps/0/items", "text, never a list"),
        (each(A, items="{{ size(input.a) }}"), "bad_items", "/steps/0/items", "a number, never a list"),
        ({"id": "a", "value": "{{ 1 / 0 }}"}, "always_fails", "/steps/0/value", "division by zero"),
        ({"id": "a", "value": ["x {{ int('x') }}"]}, "always_fails", "/steps/0/value/0", "invalid digit"),
        ({"id": "a", "fallback": "{{ input.x }}"}, "no_template_here", "/steps/0/fallback", "fallback is no template"),
        ({"id": "a", "fallback": {"x/y": [1, "a {{ b"]}}, "no_template_here", "/steps/0/fallback/x~1y/1", "fallback is no template"),
        ({"id": "a", "type": "workflow", "workflow": "{{ input.x }}"}, "no_template_here", "/steps/0/workflow", "workflow is no template"),
        ({"id": "a", "type": "wait", "message": ""}, "bad_value", "/steps/0/message", "has no name"),
        ({"id": "a", "timeout_s": -1}, "bad_value", "/steps/0/timeout_s", "greater than 0, not -1"),
        ({"id": ""}, "bad_value", "/steps/0/id", "'' is no step id"),
    ],
)
def test_a_value_that_can_never_be_right(step: dict[str, Any], code: str, pointer: str, words: str) -> None:
    [found] = problems(workflow(step))
    assert (found.code, found.pointer) == (code, pointer)
    assert words in found.message


@pytest.mark.parametrize("items", ["{{ input.x }}", "{{ [1, 2] }}", [], list(range(10_000)), "{{ input.x + input.y }}", ["{{ input.x }}"]])
def test_items_that_may_be_right(items: Any) -> None:
    compiled(workflow(each(A, items=items)))


def test_all_that_is_wrong_in_one_text_is_told() -> None:
    text = "{{ foo }} {{ 1 + }} {{ steps.zz.result }} {{ bar + sum(1) }} {{ run.nmae }} {{ input.ok }} {{ 2"
    found = problems(workflow({"id": "a", "value": text}))
    assert {problem.pointer for problem in found} == {"/steps/0/value"}
    said = " | ".join(problem.message for problem in found)
    parts = ("'foo'", "not an expression", "no step 'zz'", "unknown name 'bar'", "unknown function 'sum'", "no 'nmae'", "has no '}}'")
    assert [part for part in parts if part not in said] == []
    assert len(found) == len(parts)


def test_one_name_is_told_of_once_in_an_expression() -> None:
    assert told(workflow({"id": "a", "value": "{{ steps.zz.result + steps.zz.result }}"})) == [("unknown_step", "/steps/0/value")]


def test_structure_graph_and_expressions_are_told_of_together() -> None:
    document = workflow(
        {"id": "a", "valeu": 1, "when": "1 +", "value": "{{ steps.ghost.result }}"},
        {"id": "b", "type": "nope", "depends_on": ["gone"], "when": "foo"},
        {"id": "c", "depends_on": ["c"], "retry": {"tries": 1}},
        {"id": "d", "type": "request", "request": 1, "note": "{{ input. }}", "timeout_s": "x"},
        output="{{ steps.e.result }}",
        on_failure="later",
    )
    document["steps"].insert(2, "not a step")
    assert sorted(told(document)) == sorted(
        [
            ("unknown_field", "/steps/0/valeu"),
            ("bad_expression", "/steps/0/when"),
            ("unknown_step", "/steps/0/value"),
            ("unknown_type", "/steps/1/type"),
            ("unknown_dependency", "/steps/1/depends_on/0"),
            ("bad_expression", "/steps/1/when"),
            ("not_an_object", "/steps/2"),
            ("cycle", "/steps/3/depends_on"),
            ("unknown_field", "/steps/3/retry/tries"),
            ("wrong_type", "/steps/4/timeout_s"),
            ("bad_expression", "/steps/4/note"),
            ("unknown_step", "/output"),
            ("bad_value", "/on_failure"),
        ]
    )


USES = {"id": "u", "depends_on": ["s"], "value": "{{ steps.s.result }}"}


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (workflow({"id": "s", "type": "nope"}, USES), "unknown_type"),
        (workflow({"id": "s", "x": 1}, USES), "unknown_field"),
        (workflow({"id": "s", "depends_on": 3}, USES), "wrong_type"),
        (workflow({"id": "s", "type": "delay", "for_s": [1]}, USES), "wrong_type"),
        (workflow({"id": "s", "type": "for_each", "steps": [A]}, USES), "missing_field"),
        (workflow({"id": "s", "type": "for_eech", "items": [1], "steps": [A]}, USES, output="{{ steps.a.result }}"), "unknown_type"),
        (workflow(each({**A, "id": "s", "x": 1}, {"type": "transform", **USES})), "unknown_field"),
        (workflow({"id": "s"}, {**USES, "depends_on": "s"}), "wrong_type"),
        (workflow({"id": "s"}, {**USES, "depends_on": ["s", 3]}), "wrong_type"),
        (workflow({"id": "step"}, {**USES, "depends_on": ["setp"], "value": "{{ steps.step.result }}"}), "unknown_dependency"),
        (workflow({"id": "s"}, {"id": "m", "depends_on": "s"}, {**USES, "depends_on": ["m"]}), "wrong_type"),
        (workflow({"id": "s"}, {"id": "s"}, USES), "duplicate_id"),
        (workflow({"id": "s"}, {"id": "u"}, USES), "duplicate_id"),
        (workflow({"id": "s"}, {"id": "m", "depends_on": ["s", "m"]}, {**USES, "depends_on": ["m"]}), "cycle"),
        ({"name": "t", "steps": {"s": A}, "output": "{{ steps.s.result }}"}, "wrong_type"),
        ({"name": 3, "steps": [A], "output": "{{ steps.a.result }}"}, "wrong_type"),
        (workflow({"type": "transform"}, A, output="{{ steps.a.result }}"), "missing_field"),
    ],
)
def test_one_mistake_is_told_of_once(document: dict[str, Any], code: str) -> None:
    assert [found for found, _ in told(document)] == [code]


def test_a_step_without_an_id_is_told_of_by_its_place() -> None:
    found = problems(workflow({"depends_on": ["x"], "value": "{{ foo }}"}, A))
    assert [(problem.code, problem.pointer, problem.step_id) for problem in found] == [
        ("missing_field", "/steps/0", None),
        ("unknown_dependency", "/steps/0/depends_on/0", None),
        ("bad_expression", "/steps/0/value", None),
    ]
    assert found[1].hint == "steps beside it are a"


@pytest.mark.parametrize(("wrong", "asked"), [({}, 1), ({"x": 1}, 1), ({"timeout_s": 0}, 1), ({"type": "request"}, 0)])
def test_the_own_checks_of_a_type_see_a_step_whose_own_fields_are_right(wrong: dict[str, Any], asked: int) -> None:
    found = problems(workflow({"id": "a", "when": "1 +"} | wrong), {"transform": lambda spec: [("/value", "is odd", "make it even")]})
    assert [problem.code for problem in found].count("bad_step") == asked


def test_the_own_checks_of_a_type_do_not_see_what_is_broken() -> None:
    def check(spec: StepSpec) -> list[tuple[str, str, str]]:
        raise AssertionError("the field is not what the check relies on")

    assert len(problems(workflow({"id": "a", "type": "delay", "for_s": [1]}), {"delay": check})) == 1


def test_what_was_kept_of_a_broken_document_cannot_run() -> None:
    parsed = read_workflow(workflow({"id": "a", "x": 1}), SPEC_TYPES)
    assert parsed.workflow.steps[0].unread == frozenset()
    with pytest.raises(InvalidDocument):
        compile_workflow(parsed)
