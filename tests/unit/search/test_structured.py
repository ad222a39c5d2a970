"""Searches in fields: seed 000's form."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runwell.model.errors import InvalidQuery
from runwell.model.run_query import All, AnyOf, Compare, Not, Query
from runwell.search.parser import parse
from runwell.search.show import show
from runwell.search.structured import OPERATORS, TYPES, read_field_queries

NOW = 1_795_254_000_000
DAY = 86_400_000
TODAY = NOW - NOW % DAY


def asked(field_name: Any, operator: Any, values: Any = None, type_: Any = None) -> dict[str, Any]:
    return {"field_name": field_name, "operator": operator, "values": values, "type": type_}


@pytest.mark.parametrize(
    ("query", "meant"),
    [
        (asked("input.lang", "is", ["de", "5"], "string"), Compare("input.lang", "is", ("de", "5"), "string")),
        (asked("input.lang", "is", ["de*"]), Compare("input.lang", "is", ("de*",), "string")),
        (asked("input.lang", "is not", ["de"], "string"), Not(Compare("input.lang", "is", ("de",), "string"))),
        (asked("input.lang", "contains", ["d"], "string"), Compare("input.lang", "contains", ("d",))),
        (asked("input.lang", "does not contain", ["d"], "string"), Not(Compare("input.lang", "contains", ("d",)))),
        (asked("input.lang", "is_not_empty"), Compare("input.lang", "not_empty")),
        (asked("input.lang", "Is Empty", [], "string"), Compare("input.lang", "empty")),
        (asked("output.score", "greater than", [0.5], "number"), Compare("output.score", "gt", (0.5,), "number")),
        (asked("output.score", "is", [1, "2"], "number"), Compare("output.score", "is", (1, 2), "number")),
        (asked("output.n", "less_than_or_equal_to", [3], "integer"), Compare("output.n", "lte", (3,), "number")),
        (asked("output.n", "is between", [1, 3], "integer"), Compare("output.n", "between", (1, 3), "number")),
        (asked("output.ok", "is", [True], "boolean"), Compare("output.ok", "is", (True,), "boolean")),
        (asked("output.ok", "is", [True]), Compare("output.ok", "is", (True,), "boolean")),
        (asked("output.at", "is before", ["2026-11-21"], "date"), Compare("output.at", "lt", (TODAY,), "date")),
        (asked("output.at", "is after", ["2026-11-21T00:00:00Z"], "date"), Compare("output.at", "gt", (TODAY,), "date")),
        (asked("output.items", "is", [2], "array_length"), Compare("output.items.length", "is", (2,), "number")),
        (asked("output.items.length", "greater than", [2], "array_length"), Compare("output.items.length", "gt", (2,), "number")),
        (asked("output.items[].name", "is", ["x"], "string"), Compare("output.items[].name", "is", ("x",), "string")),
        (asked("started_at", "is after", ["-7d"], "date"), Compare("started", "gt", (NOW - 7 * DAY,))),
        (asked("started_at", "is", ["today"], "date"), Compare("started", "between", (TODAY, TODAY + DAY - 1))),
        (asked("price", "less than", [0.05], "number"), Compare("cost", "lt", (0.05,))),
        (asked("latency", "greater than", [2000], "number"), Compare("duration", "gt", (2_000,))),
        (asked("latency", "greater than", [2000], "integer"), Compare("duration", "gt", (2_000,))),
        (asked("latency", "is", [2000.0]), Compare("duration", "is", (2_000,))),
        (asked("output.n", "is", [3.0], "integer"), Compare("output.n", "is", (3,), "number")),
        (asked("latency", "greater than", ["2s"]), Compare("duration", "gt", (2_000,))),
        (asked("version", "is", [3], "integer"), Compare("version", "is", (3,))),
        (asked("status", "is", ["completed"], "string"), Compare("status", "is", ("succeeded",))),
        (asked("model", "contains", ["gpt"], "string"), Compare("model", "contains", ("gpt",))),
        (asked("metadata.env", "is", ["prod"], "string"), Compare("metadata.env", "is", ("prod",), "string")),
        (asked("archived", "is", [False], "boolean"), Compare("archived", "is", (False,))),
    ],
)
def test_what_it_means(query: dict[str, Any], meant: Query) -> None:
    assert read_field_queries([query], NOW) == [meant]
    assert parse(show(meant), NOW) == meant


@pytest.mark.parametrize(
    ("query", "pointer", "words"),
    [
        (asked("inptu.x", "is", ["a"]), "/field_name", "no field"),
        (asked(None, "is", ["a"]), "/field_name", "must name a field"),
        (asked("input.x y", "is", ["a"]), "/field_name", "no field"),
        (asked("input.x", "equals", ["a"]), "/operator", "no operator"),
        (asked("input.x", None, ["a"]), "/operator", "no operator"),
        (asked("input.x", "is", ["a"], "text"), "/type", "no type"),
        (asked("input.x", "is", ["a"], ["string"]), "/type", "no type"),
        (asked("status", "is", ["failed"], "number"), "/type", "is no number"),
        (asked("status", "greater than", ["failed"]), "/operator", "makes no sense"),
        (asked("input.x", "greater than", ["a"], "string"), "/operator", "makes no sense for the type string"),
        (asked("input.x", "contains", ["a"], "number"), "/operator", "makes no sense for the type number"),
        (asked("latency", "is", [2.5], "integer"), "/values/0", "no whole number"),
        (asked("latency", "is", [-1]), "/values/0", "no duration"),
        (asked("input.x", "is empty", [1]), "/values", "'is empty' takes no values"),
        (asked("input.x", "is_not_empty", ["a"], "string"), "/values", "takes no values"),
        (asked("input.n", "greater than", ["5"]), "/values/0", "has no order"),
        (asked("input.n", "is between", [5, 1]), "/values/1", "ends before it begins"),
        (asked("review", "is", ["positiv"]), "/values/0", "review is never 'positiv'"),
        (asked("kind", "contains", ["age"]), "/operator", "makes no sense for kind"),
        (asked("step.x.foo", "is", ["failed"]), "/field_name", "no field 'step.x.foo'"),
        (asked("input.x", "is", []), "/values", "needs values"),
        (asked("input.x", "is", "abc"), "/values", "needs values"),
        (asked("input.x", "is", ["a", None]), "/values/1", "no value"),
        (asked("input.x", "is", ["a", ["b"]]), "/values/1", "no value"),
        (asked("input.x", "is", ["\ud800"]), "/values/0", "no value"),
        (asked("input.x", "is", ["abc"], "number"), "/values/0", "no number"),
        (asked("input.x", "is", [1.5], "integer"), "/values/0", "whole number"),
        (asked("input.x", "is", [float("nan")], "number"), "/values/0", "no number"),
        (asked("input.x", "is", [10**400], "number"), "/values/0", "no value"),
        (asked("input.x", "is", [10**5000], "number"), "/values/0", "no value"),
        (asked("input.x", "is between", [1], "number"), "/values/0", "two values"),
        (asked("input.x", "less than", [1, 2], "number"), "/values/1", "one value"),
        (asked("input.x", "is before", ["soon"], "date"), "/values/0", "no date"),
        (asked("input.x", "is before", [5], "number"), "/operator", "makes no sense"),
        (asked("cost", "less than", [-1]), "/values/0", "no amount"),
        (asked("input.x", "is", ["a"] * 101), "/values", "more than"),
    ],
)
def test_mistakes_have_a_place_and_a_cure(query: dict[str, Any], pointer: str, words: str) -> None:
    with pytest.raises(InvalidQuery) as refused:
        read_field_queries([asked("status", "is", ["failed"]), query], NOW)
    (problem,) = refused.value.problems
    assert problem.pointer == f"/field_queries/1{pointer}"
    assert words in problem.message
    assert problem.hint


def test_all_mistakes_are_named_at_once() -> None:
    with pytest.raises(InvalidQuery) as refused:
        read_field_queries([asked("x", "is", [1]), asked("status", "is", ["failed"]), asked("input.a", "like", ["b"])], NOW, pointer="/q")
    assert [problem.pointer for problem in refused.value.problems] == ["/q/0/field_name", "/q/2/operator"]


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=6)
    | st.sampled_from(["today", "-7d", "2s", "5", "failed", "2026-11-20"])
)
FIELDS = [
    "status",
    "input.a",
    "output.b[].c",
    "started",
    "duration",
    "cost",
    "model",
    "archived",
    "run",
    "score",
    "metadata.k",
    "step.s.status",
    "error",
]


@given(st.sampled_from(FIELDS), st.sampled_from(sorted(OPERATORS)), st.lists(SCALARS, max_size=3), st.sampled_from([None, *TYPES]))
def test_any_form_is_a_query_or_has_a_mistake_in_it(field: str, operator: str, values: list[Any], type_: str | None) -> None:
    for query in read([asked(field, operator, values, type_)]):
        assert isinstance(query, All | AnyOf | Not | Compare)
        assert parse(show(query), NOW) == query


def read(queries: list[dict[str, Any]]) -> list[Query]:
    """Return the queries; none where there is a mistake."""
    try:
        return read_field_queries(queries, NOW)
    except InvalidQuery:
        return []
