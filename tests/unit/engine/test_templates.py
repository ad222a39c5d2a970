"""Templates: values of a document with `{{ expression }}` in their strings."""

from typing import Any

import pytest
from tests.unit.engine.driver import Driver, workflow
from tests.unit.engine.names import Names, render

from runwell.engine.expressions import BadExpression, ExpressionFailed
from runwell.engine.templates import compile_template


@pytest.mark.parametrize("value", [1, 1.5, True, None, "x", [1, {"a": None}], {"a": [1]}, 2**80])
def test_a_template_that_is_one_expression_keeps_the_type(value: Any) -> None:
    assert render("{{ input.v }}", v=value) == value
    assert type(render("{{input.v}}", v=value)) is type(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [(1, "1"), (1.0, "1.0"), (True, "true"), (None, ""), ("x", "x"), ([1, "a"], '[1,"a"]'), ({"b": 1, "a": 2}, '{"a":2,"b":1}')],
)
def test_otherwise_the_parts_are_joined_as_text(value: Any, text: str) -> None:
    assert render("<{{ input.v }}>", v=value) == f"<{text}>"
    assert render(" {{ input.v }}", v=value) == f" {text}"
    assert render("{{ input.v }}{{ input.v }}", v=value) == text * 2


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("no template", "no template"),
        ("}} { }", "}} { }"),
        ('{{ {"a": {"b": 1}}.a.b }}', 1),
        ('{{ {"a": {"b": 1}}}}', {"a": {"b": 1}}),
        ('{{ "}}" }}', "}}"),
        ('{{ "{{" + "}}" }}!', "{{}}!"),
        ('{{ \'}}\' }} {{ """}} " """ }}', '}} }} " '),
        ('{{ input["a-b"] }}', 3),
        ("{{ 1 }}{{ 2 }}", "12"),
        ("{{\n  1 +\n 1 }}", 2),
    ],
)
def test_where_an_expression_ends(template: str, value: Any) -> None:
    assert render(template, Names(input={"a-b": 3})) == value


@pytest.mark.parametrize("given", ["{{ input.secret }}", "{{ secrets.KEY }}", "{{ 1 + 1 }}", "}} {{ input.v }}"])
def test_what_is_rendered_is_never_rendered_again(given: str) -> None:
    assert render("{{ input.v }}", v=given, secret="s") == given
    assert render("v: {{ input.v }}{{ input.v }}", v=given, secret="s") == f"v: {given}{given}"
    assert render('{{ replace("_", "_", input.v) }}', v=given, secret="s") == given


def test_results_that_look_like_templates_stay_text_through_a_run() -> None:
    run = Driver(workflow({"id": "a"}, {"id": "b", "depends_on": ["a"], "value": ["{{ steps.a.result }}", "{{ input }}!"]}), "{{ 1 }}")
    run.complete("a", "{{ steps.a.result }} {{ secrets.KEY }}")
    assert run.step("b").input == {"value": ["{{ steps.a.result }} {{ secrets.KEY }}", "{{ 1 }}!"]}


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("a {{ input.x", r"the '\{\{' at character 3 has no '\}\}'"),
        ("{{ }}", "empty"),
        ("{{ 1 }} {{ + }}", "not an expression"),
    ],
)
def test_bad_templates_are_refused(template: str, words: str) -> None:
    with pytest.raises(BadExpression, match=words):
        compile_template(template)


def test_rendered_text_has_a_budget() -> None:
    assert len(render("{{ input.v }}{{ input.v }}", v="a" * 524_288)) == 1_048_576
    with pytest.raises(ExpressionFailed, match="1048577 characters, more than 1048576"):
        render("{{ input.v }}{{ input.v }}!", v="a" * 524_288)


def test_secrets_render_to_names_and_never_to_values() -> None:
    names = Names(input={"who": "ann"}, secrets={"KEY": "s3cret"})
    assert render("{{ secrets.KEY }}", names) == {"$secret_text": [{"secret": "KEY"}]}
    assert render("{{ input.who }}:{{ secrets.KEY }}", names) == {"$secret_text": ["ann", ":", {"secret": "KEY"}]}


def test_data_that_looks_like_a_secret_is_not_among_the_pointers() -> None:
    document = workflow({"id": "a", "type": "request", "request": ["{{ input }}", "{{ secrets.KEY }}"]})
    run = Driver(document, {"$secret_text": [{"secret": "OTHER"}]})
    assert run.step("a").input == {"request": [{"$secret_text": [{"secret": "OTHER"}]}, {"$secret_text": [{"secret": "KEY"}]}]}
    assert run.step("a").plan.secret_pointers == {"/request/1"}


def test_values_without_templates_are_passed_as_they_are() -> None:
    value = {"a": [1, {"b": None}], "c": "}} {"}
    run = Driver(workflow({"id": "a", "value": value}))
    assert run.step("a").input == {"value": value}


def test_a_template_that_fails_fails_its_step_and_names_the_expression() -> None:
    run = Driver(workflow({"id": "a", "value": "{{ input.none }}"}), {})
    assert run.state.failed_step == "a"
    error = run.step("a").error
    assert error is not None
    assert (error.code, "'input.none'" in error.message) == ("EXPRESSION_FAILED", True)
