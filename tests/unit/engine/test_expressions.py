"""Expressions: CEL with our names, functions and budgets."""

from typing import Any

import pytest
from tests.unit.engine.names import Names, evaluate

from runwell.engine.expressions import MAX_SOURCE, BadExpression, ExpressionFailed, compile_expression, mentions_secrets, secret_name

GIVEN: dict[str, Any] = {
    "a": {"b": [1, 2, {"c": "x"}]},
    "text": "text",
    "none": None,
    "list": [3, 1, 2],
    "float": 1.5,
    "map": {"k": {"x": 1}, "j": {"x": 2}},
    "hy-phen": 3,
    'q"x': 4,
    "loop": 9,
}
LOOP = Names(loop={"iteration": 3, "previous": {"x": {"result": {"n": 1}}}}, input={"loop": 9}, item={"loop": 2, "id": 1})


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("input.a.b[2].c", "x"),
        ("{{ input.text }}", "text"),
        ('input["hy-phen"]', 3),
        ("input['hy-phen']", 3),
        ('input["q\\"x"]', 4),
        ("input . \n text", "text"),
        ("input.none", None),
        ("input.list[input.list[1]]", 1),
        ("input.list.map(x, x * 2)", [6, 2, 4]),
        ("input.list.map(item, item + 1)", [4, 2, 3]),
        ("input.list.filter(x, x > 1).size()", 2),
        ("input.list.map(x, input.list.map(y, x * y))[1]", [3, 1, 2]),
        ("input.list.existsOne(x, x == 3)", True),
        ("input.map.k.x + input.map.j.x", 3),
        ('input.map == {"k": {"x": 1}, "j": {"x": 2}}', True),
        ('"k" in input.map && !("z" in input.map)', True),
        ("has(input.a) && !has(input.zip) && !has(input.a.zip)", True),
        ('input.text == "text" || input.zip == 1', True),
        ('size(input.text) > 3 ? "long" : "short"', "long"),
        ("{1: true}", {"1": True}),
        ('b"abc"', "YWJj"),
        ('timestamp("2026-01-01T00:00:00Z") + duration("1h")', "2026-01-01T01:00:00Z"),
        ('duration("90s")', "90s"),
        ('"}} and {{"', "}} and {{"),
        ('input.text.matches("^t.*t$")', True),
    ],
)
def test_values(source: str, value: Any) -> None:
    assert evaluate(source, **GIVEN) == value


def test_an_item_that_is_text_is_had_by_its_place() -> None:
    assert evaluate("input.people[1]", people=["Ann", "Bob"]) == "Bob"
    assert evaluate("input.rows[0].tags[0]", rows=[{"tags": ["new"]}]) == "new"


@pytest.mark.parametrize("number", [2**63 - 1, 2**64, 2**200, -(2**70), 0.1, 1e300])
def test_a_bare_selection_keeps_numbers_exactly(number: float) -> None:
    value = evaluate("input.n[0].m", n=[{"m": number}])
    assert value == number
    assert type(value) is type(number)


def test_a_bare_selection_passes_the_value_itself() -> None:
    large = {"rows": [{"n": i} for i in range(1_000)]}
    assert evaluate("input.large", large=large) is large


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("default(input.zip, 1)", 1),
        ("default(input.none, 1)", 1),
        ("default(input.none.x.y, 1)", 1),
        ("default(input.a.zip.zap, 1)", 1),
        ("default(input.a.b[7].c.d, 1)", 1),
        ('default(input["hy-phen"], 1)', 3),
        ('default(input["no-such"].x, 1)', 1),
        ("default(input.text.x, 1)", 1),
        ("default(input.float.x[0], 1)", 1),
        ("default(input.text[0], 1)", 1),
        ("default(input.list[1], 9)", 1),
        ("default(default(input.zip, null), 4)", 4),
        ("default(input.zip, default(input.zap, 5))", 5),
        ("default(input.a.b[2].c, 1)", "x"),
        ('default(input.map.k, {})["x"] + default(input.map.z.x, 10)', 11),
    ],
)
def test_default_stands_in_for_what_is_missing(source: str, value: Any) -> None:
    assert evaluate(source, **GIVEN) == value


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("loop.iteration", 3),
        ('loop["iteration"] + 1', 4),
        ("loop.previous.x.result.n + 1", 2),
        ("default(loop.previous.y.result.n, 0)", 0),
        ("input.loop + item.loop", 11),
        ('{"loop": loop.iteration}', {"loop": 3}),
    ],
)
def test_loop_is_a_name_though_the_library_reserves_it(source: str, value: Any) -> None:
    assert evaluate(source, LOOP) == value


def test_steps_with_hyphens_are_written_in_brackets() -> None:
    names = Names({"fetch-data": {"n": 1}, "other": {"n": 2}})
    assert evaluate('steps["fetch-data"].result.n + steps.other.result.n', names) == 3
    assert evaluate("""steps['fetch-data'].result""", names) == {"n": 1}
    with pytest.raises(BadExpression, match=r'in brackets, as in steps\["fetch-data"\]'):
        compile_expression("steps.fetch-data.result")


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("json(input.map)", '{"j":{"x":2},"k":{"x":1}}'),
        ('upper("aé")', "AÉ"),
        ('lower("AÉ")', "aé"),
        ('trim("  a ")', "a"),
        ('join(input.list, ", ")', "3, 1, 2"),
        ('join(["a", 1, null, {"b": 2}])', 'a1{"b":2}'),
        ('split("a,b", ",")', ["a", "b"]),
        ('split("ab", "")', ["a", "b"]),
        ('replace("aaa", "a", "b")', "bbb"),
        ("string([1, null])", "[1,null]"),
        ("string(null)", ""),
        ("round(2.5)", 3),
        ("round(-2.5)", -3),
        ("round(2.345, 2)", 2.35),
        ("round(1.005, 2)", 1.01),
        ("round(12345, -2)", 12300),
        ("round(1e300, 2)", 1e300),
        ("round(9007199254740993, 3)", 9007199254740993),
    ],
)
def test_functions(source: str, value: Any) -> None:
    assert evaluate(source, **GIVEN) == value


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("input.zip", r"no key 'zip' \(keys here: a, "),
        ("input.zip + 1", "no key 'zip'"),
        ("input.list[3]", "no item 3: the list has 3"),
        ("input.none.x", "null has no 'x'"),
        ("input.text.x", "str has no 'x'"),
        ("input.text[0]", "text has no items"),
        ("input.list.k", "list has no 'k'"),
        ("1 / 0", "division by zero"),
        ("9223372036854775807 + 1", "overflow"),
        ('"a" + 1', "Unsupported operation"),
        ("1.0 / 0.0", "no JSON number"),
        ("upper(1)", r"upper takes text, not int: wrap it in string\(\)"),
        ("join(1, 2)", "join takes a list first"),
        ('round("x")', "round takes a number"),
        ("round(1.5, 100)", "-18 to 18 digits"),
        ('int("x")', "invalid digit"),
        ("item.x", "'item' has no value here"),
        ("secrets.KEY", "'secrets' has no value here"),
        ("steps.a.result", "no step 'a' is visible here"),
    ],
)
def test_what_has_no_value_says_why_and_names_the_expression(source: str, words: str) -> None:
    with pytest.raises(ExpressionFailed, match=words) as caught:
        evaluate(source, **GIVEN)
    assert repr(source) in str(caught.value)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("", "empty"),
        ("  {{  }} ", "empty"),
        ("1 +", "not an expression"),
        ("// remark", "not an expression"),
        ("{{ a }} == {{ b }}", "not an expression"),
        ("foo.bar", "unknown name 'foo'"),
        ("yes", "text needs quotes"),
        ("fetch(1)", "unknown function 'fetch'"),
        ("input.list.sum()", "unknown function 'sum'"),
        ("steps", "must be followed by a step's id"),
        ("steps[0]", "must be followed by a step's id"),
        ('steps["a" + "b"].result', "must be followed by a step's id"),
        ("steps.a.reslt", "a step has no 'reslt': it has error, input, result, status"),
        ("loop.index", "`loop` has no 'index': it has iteration, previous"),
        ("run.name", "`run` has no 'name'"),
    ],
)
def test_what_is_no_expression_is_refused(source: str, words: str) -> None:
    with pytest.raises(BadExpression, match=words):
        compile_expression(source)


def test_the_text_of_an_expression_has_a_budget() -> None:
    longest = '"' + "é" * ((MAX_SOURCE - 2) // 2) + '"'
    assert len(longest.encode()) == MAX_SOURCE
    compile_expression(longest)
    with pytest.raises(BadExpression, match="4097 bytes, more than 4096"):
        compile_expression(longest[:-1] + 'x"')


@pytest.mark.parametrize("macro", ["map", "filter", "all", "exists", "exists_one", "existsOne"])
def test_comprehensions_nest_twice_at_most(macro: str) -> None:
    two = f"input.l.{macro}(x, input.l.{macro}(y, x == y) == x)"
    compile_expression(two)
    with pytest.raises(BadExpression, match="3 nested comprehensions, more than 2"):
        compile_expression(f"input.l.{macro}(z, {two})")


@pytest.mark.parametrize(
    ("source", "longest"),
    [
        ("input.l.map(x, x).size()", 2_000),
        ("input.l.all(x, x == 0)", 100_000),
        ("input.l.map(x, input.l.map(y, y).size()).size()", 200),
        ("input.l.all(x, input.l.all(y, y == x))", 500),
    ],
)
def test_lists_in_comprehensions_have_a_budget(source: str, longest: int) -> None:
    with pytest.raises(ExpressionFailed, match=f"{longest + 1} items is too long for a comprehension here \\(at most {longest}\\)"):
        evaluate(source, l=[0] * (longest + 1))
    if longest <= 200 or "map" not in source:
        evaluate(source, l=[0] * longest)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("(input.l + input.l).map(x, x)", r"2000 items is too long .* \(at most 1000\)"),
        ("[input.l + input.l][0].filter(x, true)", r"at most 1000"),
        ("input.map.map(k, k)", "2001 items is too long"),
        ("input.l.all(x, x in input.longer)", "2001 items is too long to be looked at for each of 2001"),
        ("input.longer.all(x, input.map[string(x)] == 0)", "too long to be looked at"),
        ("loop.iteration.all(x, x in loop.previous)", "too long to be looked at"),
        ('input.l.map(x, input.text + "!")', "10000 characters is too long to be taken into each of 2000"),
        ("input.text + input.text" * 1_000, "more than 4096"),
        ("+".join(["input.mega"] * 30), "1000000 characters is too long to be joined 29 times"),
        ('split(input.csv, ",").map(x, split(input.csv, ",").map(y, y))', "split made 300 pieces, more than 200"),
        ("[1].map(x, [" + "1," * 300 + "1].map(y, y))", "302 entries are written out in nested comprehensions"),
    ],
)
def test_what_would_take_long_is_refused(source: str, words: str) -> None:
    long = {"l": [0] * 2_000, "longer": list(range(2_001)), "map": {str(i): 0 for i in range(2_001)}, "csv": "a," * 299 + "a"}
    names = Names(
        input=long | {"text": "a" * 10_000, "mega": "a" * 1_000_000},
        loop={"iteration": [0] * 2_001, "previous": {str(i): 0 for i in range(2_001)}},
    )
    with pytest.raises((ExpressionFailed, BadExpression), match=words):
        evaluate(source, names)


@pytest.mark.parametrize(
    "source",
    [
        'input.rows.map(row, row.first + " " + row.last + "!").size() == 1000',
        "input.rows.filter(row, row.n in input.wanted).size() == 3",
        "(input.wanted + input.wanted).map(n, n * 2).size() == 6",
        "input.rows.exists(row, row.n == 999) && input.text != input.rows[0].first + input.text",
        'split(input.text, "").size() == 1000',
    ],
)
def test_what_takes_no_time_is_allowed(source: str) -> None:
    rows = [{"n": i, "first": "a" * 100, "last": "b"} for i in range(1_000)]
    assert evaluate(source, rows=rows, wanted=[1, 2, 999], text="c" * 1_000) is True


def test_long_lists_that_a_comprehension_does_not_touch_are_no_matter() -> None:
    assert evaluate("input.short.map(x, x + 1)", short=[1], long=[0] * 1_000_000) == [2]


def test_text_has_a_budget() -> None:
    with pytest.raises(ExpressionFailed, match="2000000 characters, more than 1048576"):
        evaluate('replace(input.t, "a", "bb")', t="a" * 1_000_000)
    with pytest.raises(ExpressionFailed, match="split made 3000 pieces, more than 2000"):
        evaluate('split(input.t, ",")', t="," * 2_999)
    with pytest.raises(ExpressionFailed, match="more than 1048576"):
        evaluate("join(input.l)", l=["a" * 600_000] * 2)


def test_secrets_are_known_by_name() -> None:
    assert secret_name(compile_expression("secrets.KEY")) == "KEY"
    assert secret_name(compile_expression('secrets["my-key"]')) == "my-key"
    assert secret_name(compile_expression('secrets.KEY + "x"')) is None
    assert secret_name(compile_expression("input.secrets")) is None
    assert mentions_secrets(compile_expression("upper(secrets.KEY)"))
    assert not mentions_secrets(compile_expression('input.secrets + "secrets.KEY"'))


def test_an_expression_says_which_steps_it_reads() -> None:
    refs = compile_expression('steps.a.result + steps["b-c"].result[0] + input.steps').refs
    assert [ref.keys[0] for ref in refs if ref.root == "steps"] == ["a", "b-c"]
