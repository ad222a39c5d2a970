"""What kinds of value an expression can have, by its text alone."""

import pytest

from runwell.engine.cel_text import tokens
from runwell.engine.expressions import compile_expression
from runwell.engine.kinds import kinds_of

BOOLEAN, NUMBER, TEXT = "true or false", "a number", "text"


@pytest.mark.parametrize(
    ("source", "kinds"),
    [
        ("true", {BOOLEAN}),
        ("null", {"null"}),
        ("12.5", {NUMBER}),
        ("'true'", {TEXT}),
        ('r"a"', {TEXT}),
        ("b'a'", {"bytes"}),
        ("[input.x]", {"a list"}),
        ("{'a': input.x}", {"an object"}),
        ("-input.x", {NUMBER}),
        ("input.x * 2", {NUMBER, "a moment", "a duration"}),
        ("input.x + 1", {NUMBER, TEXT, "a list", "a moment"}),
        ("((input.x))", None),
        ("(input.x) + (input.y)", {NUMBER, TEXT, "a list", "a moment"}),
        ("input.x + 1 > 2", {BOOLEAN}),
        ("input.x in [1]", {BOOLEAN}),
        ("-input.x == 1", {BOOLEAN}),
        ("!input.x", {BOOLEAN}),
        ("!steps.a.error", {"an object", "null"}),
        ("input.a && input.b || input.c", {BOOLEAN}),
        ("input.a ? 1 : 'x'", {NUMBER, TEXT}),
        ("input.a ? true : 2", {BOOLEAN, NUMBER}),
        ("input.a ? input.b : 2", None),
        ("input.a ? (input.b ? 1 : 2) : 'x'", {NUMBER, TEXT}),
        ("input.a ? 1 : input.b ? 'x' : null", {NUMBER, TEXT, "null"}),
        ("(input.a ? 1 : 2) > 1", {BOOLEAN}),
        ("size(input.x)", {NUMBER}),
        ("input.x.size()", {NUMBER}),
        ("input.x.map(y, y > 1)", {"a list"}),
        ("input.x.all(y, y > 1)", {BOOLEAN}),
        ("has(input.x)", {BOOLEAN}),
        ("default(input.x, 1)", None),
        ("upper(input.x)", {TEXT}),
        ("input.x[0]", None),
        ("{'a': 1}.a", None),
        ("{'a': true}['a']", None),
        ("[true][0]", None),
        ("input", None),
        ("item", None),
        ("index", {NUMBER}),
        ("run.id", {TEXT}),
        ("run.metadata.x", None),
        ("loop.iteration", {NUMBER}),
        ("loop.previous.a.status", {TEXT}),
        ("loop.previous.a.result", None),
        ("steps.a", {"an object"}),
        ("steps.a.status", {TEXT}),
        ("steps.a.error", {"an object", "null"}),
        ("steps.a.error.code", None),
        ("steps.a.result", None),
        ('steps["a-b"].status', {TEXT}),
        ("steps.a.status.size()", {NUMBER}),
    ],
)
def test_the_kinds_of_an_expression(source: str, kinds: set[str] | None) -> None:
    compile_expression(source)
    assert kinds_of(tokens(source)) == kinds
