"""What the compiler refuses: where it is, and what cures it."""

from typing import Any

import pytest
from tests.unit.engine.driver import SPEC_TYPES, compiled, workflow

from runwell.engine.compile import compile_workflow
from runwell.model.errors import InvalidDocument, Problem
from runwell.model.step import StepSpec
from runwell.model.tool import ToolSpec
from runwell.model.workflow import parse_workflow


def problems(document: dict[str, Any]) -> list[Problem]:
    with pytest.raises(InvalidDocument) as caught:
        compiled(document)
    return list(caught.value.problems)


def transform(step_id: str, value: Any = None, *deps: str) -> dict[str, Any]:
    return {"id": step_id, "type": "transform", "value": value, "depends_on": list(deps)}


def each(*steps: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"id": "each", "type": "for_each", "items": [1], "steps": list(steps), **fields}


def again(*steps: dict[str, Any], condition: str = "true", **fields: Any) -> dict[str, Any]:
    return {"id": "again", "type": "while", "max_iterations": 2, "condition": condition, "steps": list(steps), **fields}


A = transform("a")

CASES: list[tuple[str, dict[str, Any], str, str, str, str]] = [
    (
        "unknown_dependency",
        workflow({"id": "fetch"}, {"id": "b", "depends_on": ["fecth"]}),
        "/steps/1/depends_on/0",
        "b",
        "'fecth'",
        "did you mean 'fetch'?",
    ),
    (
        "unknown_dependency",
        workflow({"id": "b", "depends_on": ["zzz"]}),
        "/steps/0/depends_on/0",
        "b",
        "no step beside it",
        "steps beside it",
    ),
    ("unknown_dependency", workflow(each(A), {"id": "b", "depends_on": ["a"]}), "/steps/1/depends_on/0", "b", "'a'", "depend on 'each'"),
    ("unknown_dependency", workflow(A, each(transform("x", None, "a"))), "/steps/1/steps/0/depends_on/0", "x", "'a'", "of the loop 'each'"),
    (
        "unknown_dependency",
        workflow(A, each(transform("x", None, "a"), depends_on=["a"])),
        "/steps/1/steps/0/depends_on/0",
        "x",
        "'a'",
        "leave it out",
    ),
    ("cycle", workflow(transform("a", None, "a")), "/steps/0/depends_on", "a", "a -> a", "remove one"),
    ("cycle", workflow(transform("a", None, "b"), transform("b", None, "a")), "/steps/1/depends_on", "b", "b -> a -> b", "remove one"),
    ("cycle", workflow(each(transform("x", None, "x"))), "/steps/0/steps/0/depends_on", "x", "x -> x", "remove one"),
    ("not_upstream", workflow(A, transform("b", "{{ steps.a.result }}")), "/steps/1/value", "b", "not upstream of 'b'", "add 'a' to its"),
    ("not_upstream", workflow(transform("a", "{{ steps.a.result }}")), "/steps/0/value", "a", "refers to itself", "depends on it"),
    ("not_upstream", workflow(A, {"id": "b", "when": "steps.a.result"}), "/steps/1/when", "b", "not upstream", "add 'a'"),
    (
        "not_upstream",
        workflow(A, each(transform("x", "{{ steps.a.result }}"))),
        "/steps/1/steps/0/value",
        "x",
        "the loop 'each'",
        "of 'each'",
    ),
    ("not_upstream", workflow(each(A, transform("b", "{{ steps.a.result }}"))), "/steps/0/steps/1/value", "b", "not upstream", "add 'a'"),
    (
        "not_visible",
        workflow(each(transform("x", "{{ steps.each.result }}"))),
        "/steps/0/steps/0/value",
        "x",
        "while it runs",
        "item, index",
    ),
    ("not_visible", workflow(each(A, items="{{ steps.a.result }}")), "/steps/0/items", "each", "has not begun", "only its steps"),
    ("not_visible", workflow(each(A), output="{{ steps.a.result }}"), "/output", "", "inside the loop 'each'", "use steps.each.result"),
    ("not_visible", workflow(again(A, condition="steps.a.result")), "/steps/0/condition", "again", "has not run yet", "loop.previous.a"),
    ("unknown_step", workflow(transform("b", "{{ steps.fetsh.result }}"), {"id": "f"}), "/steps/0/value", "b", "no step 'fetsh'", ""),
    ("unknown_step", workflow(A, output={"x": ["{{ steps.aa.result }}"]}), "/output/x/0", "", "no step 'aa'", "did you mean 'a'?"),
    (
        "unknown_step",
        workflow(again(A, condition="loop.previous.b.result")),
        "/steps/0/condition",
        "again",
        "no step 'b'",
        "its steps are a",
    ),
    ("name_not_here", workflow(transform("a", "{{ item }}")), "/steps/0/value", "a", "only inside a for_each", "for_each"),
    (
        "name_not_here",
        workflow(each(transform("a", "{{ loop.iteration }}"))),
        "/steps/0/steps/0/value",
        "a",
        "only inside a while",
        "while",
    ),
    ("name_not_here", workflow(again(transform("a", "{{ index }}"))), "/steps/0/steps/0/value", "a", "only inside a for_each", "for_each"),
    ("bad_expression", workflow({"id": "a", "when": "1 +"}), "/steps/0/when", "a", "not an expression", ""),
    ("bad_expression", workflow(transform("a", {"x/y": ["{{ 1 + }}"]})), "/steps/0/value/x~1y/0", "a", "not an expression", ""),
    ("bad_expression", workflow(transform("a", "{{ input.x")), "/steps/0/value", "a", "has no '}}'", ""),
    ("bad_expression", workflow(transform("a", "{{ foo }}")), "/steps/0/value", "a", "unknown name 'foo'", ""),
    ("bad_expression", workflow(transform("a", "{{ sum([1]) }}")), "/steps/0/value", "a", "unknown function 'sum'", ""),
    ("bad_expression", workflow(A, transform("b", "{{ steps.a.reslt }}", "a")), "/steps/1/value", "b", "no 'reslt'", ""),
    ("unreachable_step", workflow({"id": "a", "when": "{{ false }}"}), "/steps/0/when", "a", "always false", "enabled: false"),
    (
        "unreachable_step",
        workflow({**A, "enabled": False}, transform("b", 1), {**transform("c", 1, "b", "a"), "join": "all"}),
        "/steps/2/join",
        "c",
        "'c' can never run: with join: all it needs 'a', which is switched off",
        "join: any",
    ),
    (
        "unreachable_step",
        workflow({**A, "enabled": False}, transform("b", 1, "a"), {**transform("c", 1, "b"), "join": "all"}),
        "/steps/2/join",
        "c",
        "'c' can never run: with join: all it needs 'b', which never runs",
        "join: any",
    ),
    ("retry_not_here", workflow(each(A, retry={})), "/steps/0/retry", "each", "cannot be retried", "on the steps that fail"),
    ("delay_needs_one", workflow({"id": "a", "type": "delay"}), "/steps/0", "a", "for_s or until", "for_s: 60"),
    (
        "delay_needs_one",
        workflow({"id": "a", "type": "delay", "for_s": 1, "until": "2026-06-12T03:23:00Z"}),
        "/steps/0",
        "a",
        "not both",
        "until:",
    ),
    ("bad_time", workflow({"id": "a", "type": "delay", "until": "tomorrow"}), "/steps/0/until", "a", "is no moment", "2026"),
    ("bad_time", workflow({"id": "a", "type": "delay", "for_s": -1}), "/steps/0/for_s", "a", "no number of seconds", "3600"),
    ("bad_time", workflow({"id": "a", "type": "wait", "message": "m", "expires_in_s": "1h"}), "/steps/0/expires_in_s", "a", "'1h'", "3600"),
    ("secret_not_here", workflow(transform("a", "{{ secrets.KEY }}")), "/steps/0/value", "a", "cannot be used", "http step's request"),
    ("secret_not_here", workflow({"id": "a", "when": "secrets.KEY == 'x'"}), "/steps/0/when", "a", "cannot be used", "http step's request"),
    (
        "secret_not_here",
        workflow({"id": "a", "type": "request", "request": "{{ upper(secrets.KEY) }}"}),
        "/steps/0/request",
        "a",
        "cannot be used",
        "by itself",
    ),
    ("secret_not_here", workflow(A, output="{{ secrets.KEY }}"), "/output", "", "cannot be used", "http step's request"),
]


@pytest.mark.parametrize(("code", "document", "pointer", "step_id", "words", "cure"), CASES)
def test_a_problem_says_where_it_is_and_what_cures_it(
    code: str, document: dict[str, Any], pointer: str, step_id: str, words: str, cure: str
) -> None:
    [found] = problems(document)
    assert (found.code, found.pointer, found.step_id or "") == (code, pointer, step_id)
    assert words in found.message
    assert cure in (found.hint or "")


def test_all_problems_come_at_once() -> None:
    document = workflow(
        {"id": "a", "when": "1 +", "value": ["{{ item }}", "{{ steps.b.result }}"]},
        {"id": "b", "depends_on": ["none", "c"]},
        {"id": "c", "depends_on": ["b"]},
        output="{{ steps.d }}",
    )
    assert [problem.code for problem in problems(document)] == [
        "unknown_dependency",
        "cycle",
        "bad_expression",
        "name_not_here",
        "not_upstream",
        "unknown_step",
    ]


def test_every_cycle_is_told_of() -> None:
    document = workflow(transform("a", None, "b"), transform("b", None, "a"), transform("c", None, "d"), transform("d", None, "c"))
    assert [problem.code for problem in problems(document)] == ["cycle", "cycle"]


def test_what_cannot_be_reached_is_told_of_to_those_who_ask() -> None:
    def reach(spec: StepSpec | ToolSpec) -> list[Problem]:
        return [Problem(code="missing_connection", message="there is none", pointer="/connection", hint="set it up")]

    parsed = parse_workflow(workflow(each({"id": "a", "type": "request", "connection": "slak"})), SPEC_TYPES)
    compile_workflow(parsed)
    with pytest.raises(InvalidDocument) as caught:
        compile_workflow(parsed, reach=reach)
    found = [(problem.code, problem.pointer, problem.step_id) for problem in caught.value.problems]
    assert found == [("missing_connection", f"/steps/0{place}/connection", step) for place, step in (("", "each"), ("/steps/0", "a"))]


def test_a_step_type_checks_its_own() -> None:
    def check(spec: StepSpec) -> list[tuple[str, str, str]]:
        return [("/value", f"{spec.id} is odd", "make it even")]

    with pytest.raises(InvalidDocument) as caught:
        compile_workflow(parse_workflow(workflow(each(A)), SPEC_TYPES), {"transform": check})
    [problem] = caught.value.problems
    assert (problem.code, problem.pointer, problem.message) == ("bad_step", "/steps/0/steps/0/value", "a is odd")


@pytest.mark.parametrize(
    "document",
    [
        workflow(A, transform("b", None, "a"), transform("c", "{{ steps.a.result }}", "b")),
        workflow(A, each(transform("x", "{{ steps.a.result }}{{ item }}{{ index }}"), depends_on=["a"], output="{{ steps.x.result }}")),
        workflow(again(A, condition="loop.previous.a.result < loop.iteration", output="{{ steps.a.result }}")),
        workflow(again(each(transform("x", "{{ item }}{{ loop.iteration }}")))),
        workflow(transform("a-b"), transform("c", '{{ steps["a-b"].result }}', "a-b")),
        workflow(transform("a", None, "b"), transform("b"), output="{{ steps.a.result }}"),
        workflow(transform("b", None, "a", "a"), A),
    ],
)
def test_what_is_visible_compiles(document: dict[str, Any]) -> None:
    compiled(document)


def test_secrets_stay_names_and_only_where_they_are_allowed() -> None:
    request = {"headers": {"Authorization": "Bearer {{ secrets.KEY }}"}, "body": ["{{ secrets.KEY }}", "{{ input.x }}"]}
    plan = compiled(workflow({"id": "a", "type": "request", "request": request, "note": "{{ input.x }}"}))
    assert plan.body.steps["a"].secret_pointers == {"/request/headers/Authorization", "/request/body/0"}


def test_a_plan_names_roots_dependents_and_the_last_step() -> None:
    body = compiled(workflow(A, transform("b", None, "a", "a"), transform("c", None, "a"))).body
    assert (body.roots, body.last) == (("a",), "c")
    assert (body.steps["a"].dependents, body.steps["b"].deps) == (("b", "c"), ("a",))


def test_a_branch_may_be_switched_off_at_its_beginning() -> None:
    off = {**A, "enabled": False}
    compiled(workflow(off, transform("b", 1, "a"), transform("c", 1), transform("d", 1, "b", "c")))
    compiled(workflow(off, {**transform("b", 1, "a"), "join": "all", "enabled": False}))
