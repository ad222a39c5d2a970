"""Stand-ins: what is done to them is written down as an expression that means the same."""

import copy
from enum import Enum
from typing import Any

import pytest
from pydantic import BaseModel

from runwell.authoring.references import Reference, Wrong, as_document, source_of
from runwell.engine.expressions import compile_expression


class Colour(Enum):
    RED = "red"


class Point(BaseModel):
    x: Any


X = Reference("input.x")
Y = Reference("input.y")


class Given:
    """An environment with an input."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def value(self, root: str) -> Any:
        return self._value

    def step(self, step_id: str) -> dict[str, Any]:
        raise KeyError(step_id)


@pytest.mark.parametrize(
    ("made", "source", "value"),
    [
        (X + Y * 2, "input.x + (input.y * 2)", 11),
        ((X + Y) * 2, "(input.x + input.y) * 2", 16),
        (10 - X, "10 - input.x", 5),
        (X - (Y - 1), "input.x - (input.y - 1)", 3),
        (X % 3, "input.x % 3", 2),
        (-X, "-input.x", -5),
        (X > Y, "input.x > input.y", True),
        ((X > 1) & (Y < 2) | ~(X == 5), "((input.x > 1) && (input.y < 2)) || (!(input.x == 5))", False),
        (Reference("input").names[1], "input.names[1]", "Bo"),
        (Reference("input")["a-b"], 'input["a-b"]', "hyphen"),
        (Reference("input")["in"], 'input["in"]', "reserved"),
        (Reference("input").names[Y - 2], "input.names[input.y - 2]", "Bo"),
        (Reference("input").quote == 'a "b" \\ ä }}', 'input.quote == "a \\"b\\" \\\\ ä }}"', True),
        (X == None, "input.x == null", False),  # noqa: E711
        ("n" + Reference("input").names[0], '"n" + input.names[0]', "nAda"),
    ],
)
def test_an_expression_says_what_python_said(made: Reference, source: str, value: Any) -> None:
    given = {"x": 5, "y": 3, "names": ["Ada", "Bo"], "a-b": "hyphen", "in": "reserved", "quote": 'a "b" \\ ä }}'}
    assert source_of(made) == source
    assert compile_expression(source).evaluate(Given(given)) == value


def test_values_become_data_with_templates() -> None:
    assert f"{X} and {Y.a}" == "{{ input.x }} and {{ input.y.a }}"
    assert as_document({"a": [X, (1, None)], "b": Point(x=Y), "c": Colour.RED}) == {
        "a": ["{{ input.x }}", [1, None]],
        "b": {"x": "{{ input.y }}"},
        "c": "red",
    }
    assert source_of({"a": [X, True, None, "é"]}) == '{"a": [input.x, true, null, "é"]}'


@pytest.mark.parametrize(
    "misuse",
    [bool, len, list, int, float, round, lambda x: x[1:], lambda x: "a" in x, lambda x: x(), lambda x: range(x), lambda x: f"{x:>3}"],
)
def test_what_needs_a_value_is_refused(misuse: Any) -> None:
    with pytest.raises(Wrong, match=r"input\.x") as caught:
        misuse(X)
    assert caught.value.hint


@pytest.mark.parametrize(
    "look", [copy.copy, copy.deepcopy, repr, lambda x: getattr(x, "_repr_html_", None), lambda x: hasattr(x, "__len__")]
)
def test_what_only_looks_is_let_be(look: Any) -> None:
    look(X)


def test_it_cannot_be_a_key() -> None:
    with pytest.raises(Wrong, match="cannot be a key"):
        as_document({X: 1})
