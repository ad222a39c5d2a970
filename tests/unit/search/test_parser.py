"""The search language: what it means, how it is shown, and where a mistake is."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from runwell.model.errors import InvalidQuery, Problem
from runwell.model.run_query import EVERYTHING, All, AnyOf, Compare, Not, Query, Words
from runwell.search.fields import CATALOGUE
from runwell.search.parser import MAX_LENGTH, parse
from runwell.search.show import show

NOW = 1_795_254_000_000  # 2026-11-21T09:40:00Z
DAY = 86_400_000
TODAY = NOW - NOW % DAY


def problem_of(text: str) -> Problem:
    with pytest.raises(InvalidQuery) as refused:
        parse(text, NOW)
    (problem,) = refused.value.problems
    return problem


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("", EVERYTHING),
        ("  ", EVERYTHING),
        ("Refund", Words(("refund",))),
        ("duration:0", Compare("duration", "is", (0,))),
        ("queued:0..100ms", Compare("queued", "between", (0, 100))),
        ("late order", All((Words(("late",)), Words(("order",))))),
        ('"Late  order!"', Words(("late", "order"))),
        ("foo-bar_baz", Words(("foo", "bar", "baz"))),
        ("refu*", Words(("refu",), True)),
        ('"late ord"*', Words(("late", "ord"), True)),
        ('"late ord*"', Words(("late", "ord"))),
        ("or and not", All((Words(("or",)), Words(("and",)), Words(("not",))))),
        ("a OR b c", AnyOf((Words(("a",)), All((Words(("b",)), Words(("c",))))))),
        ("(a OR b) AND -c", All((AnyOf((Words(("a",)), Words(("b",)))), Not(Words(("c",)))))),
        ("NOT (a b)", Not(All((Words(("a",)), Words(("b",)))))),
        ("--a", Not(Not(Words(("a",))))),
        ("status:failed", Compare("status", "is", ("failed",))),
        ("Status:Paused", Compare("status", "is", ("waiting", "paused"))),
        ("status:paused", Compare("status", "is", ("paused",))),
        ('status:"Quota Exceeded",cancelled', Compare("status", "is", ("quota_exceeded", "stopped"))),
        ("status!=failed", Not(Compare("status", "is", ("failed",)))),
        ("-trigger:schedule", Not(Compare("trigger", "is", ("schedule",)))),
        ("flow:support-triage", Compare("workflow", "is", ("support-triage",))),
        ("workflow:0195dd7a-0000-7000-a000-000000000001", Compare("workflow", "is", ("wf_0195dd7a00007000a000000000000001",))),
        ("run:0195dd7a-0000-7000-a000-000000000001", Compare("run", "is", ("run_0195dd7a00007000a000000000000001",))),
        ("version:3,v4", Compare("version", "is", (3, 4))),
        ("duration:>1m30s", Compare("duration", "gt", (90_000,))),
        ("duration:500ms..2s", Compare("duration", "between", (500, 2_000))),
        ("cost:>0.01", Compare("cost", "gt", (0.01,))),
        ("cost>=$3", Compare("cost", "gte", (3,))),
        ("model:gpt-5*", Compare("model", "is", ("gpt-5*",))),
        ('model:"gpt-5*"', Compare("model", "is", ("gpt-5*",), "string")),
        ("model:openai:gpt-5", Compare("model", "is", ("openai:gpt-5",))),
        ("model:~mini", Compare("model", "contains", ("mini",))),
        ("model:!~mini", Not(Compare("model", "contains", ("mini",)))),
        ("tag:*", Compare("tag", "not_empty")),
        ("tag:empty", Compare("tag", "empty")),
        ("tag:notempty", Compare("tag", "not_empty")),
        ('tag:"empty"', Compare("tag", "is", ("empty",), "string")),
        ("has:error", Compare("error", "not_empty")),
        ("-has:tag,metadata.env", Not(AnyOf((Compare("tag", "not_empty"), Compare("metadata.env", "not_empty"))))),
        ("archived:yes", Compare("archived", "is", (True,))),
        ("score:<=0.5", Compare("score", "lte", (0.5,))),
        ("step.refund.status:failed", Compare("step.refund.status", "is", ("failed",))),
        ("step.refund:Success", Compare("step.refund.status", "is", ("succeeded",))),
        ('input.ticket.lang:"de"', Compare("input.ticket.lang", "is", ("de",), "string")),
        ("input.ticket.n:5", Compare("input.ticket.n", "is", ("5",))),
        ("input.ticket.n:=5", Compare("input.ticket.n", "is", (5,), "number")),
        ("input.ok:=true", Compare("input.ok", "is", (True,), "boolean")),
        ("input.due:=2026-11-20", Compare("input.due", "between", (TODAY - DAY, TODAY - 1), "date")),
        ('input.due:>"2026-11-20 10:00"', Compare("input.due", "gt", (TODAY - DAY + 36_000_000,), "date")),
        ("input.x:wait...", Compare("input.x", "is", ("wait...",))),
        ('input.x:"1.."', Compare("input.x", "is", ("1..",), "string")),
        ("input.x:~1..", Compare("input.x", "contains", ("1..",))),
        ('tag:"empty",beta', AnyOf((Compare("tag", "is", ("empty",), "string"), Compare("tag", "is", ("beta",))))),
        ('input.n:="5"', Compare("input.n", "is", ("5",), "string")),
        ('version:>"3"', Compare("version", "gt", (3,))),
        ("kind:Agent", Compare("kind", "is", ("agent",))),
        ("-review:positive,NEGATIVE", Not(Compare("review", "is", ("positive", "negative")))),
        ("review:empty", Compare("review", "empty")),
        ("waiting_for:child_run", Compare("waiting_for", "is", ("child_run",))),
        ("input.due:>2026-11-20T10:00Z", Compare("input.due", "gt", (TODAY - DAY + 36_000_000,), "date")),
        ("output.score:-1..1", Compare("output.score", "between", (-1, 1), "number")),
        ("output.items.length:>3", Compare("output.items.length", "gt", (3,), "number")),
        ("output.items[].name:x", Compare("output.items[].name", "is", ("x",))),
        ("output[].name:x", Compare("output[].name", "is", ("x",))),
        ('input."first name"."a\\"b":x', Compare('input."first name"."a\\"b"', "is", ("x",))),
        (
            'input.x:a,"b",c',
            AnyOf((Compare("input.x", "is", ("a",)), Compare("input.x", "is", ("b",), "string"), Compare("input.x", "is", ("c",)))),
        ),
        ("metadata.a.b:x", Compare('metadata."a.b"', "is", ("x",))),
        ('input.x:"\\u00e9\\n"', Compare("input.x", "is", ("é\n",), "string")),
    ],
)
def test_what_it_means(text: str, query: Query) -> None:
    assert parse(text, NOW) == query
    assert parse(show(query), NOW) == query


@pytest.mark.parametrize(
    ("text", "operator", "values"),
    [
        (":>-7d", "gt", (NOW - 7 * DAY,)),
        (":-2h", "gte", (NOW - 7_200_000,)),
        (":now", "is", (NOW,)),
        (":today", "between", (TODAY, TODAY + DAY - 1)),
        (":yesterday", "between", (TODAY - DAY, TODAY - 1)),
        (":>today", "gt", (TODAY + DAY - 1,)),
        (":>=today", "gte", (TODAY,)),
        (":<today", "lt", (TODAY,)),
        (":<=today", "lte", (TODAY + DAY - 1,)),
        (":2026-11-20", "between", (TODAY - DAY, TODAY - 1)),
        (":2026-11-20..2026-11-21", "between", (TODAY - DAY, TODAY + DAY - 1)),
        (":2026-11-21T01:00:00.250", "is", (TODAY + 3_600_250,)),
        (':"2026-11-21 01:00"', "is", (TODAY + 3_600_000,)),
        (":>2026-11-21T01:00+02:00", "gt", (TODAY - 3_600_000,)),
    ],
)
def test_dates(text: str, operator: Any, values: tuple[int, ...]) -> None:
    assert parse(f"started{text}", NOW) == Compare("started", operator, values)


def test_days_are_those_of_the_zone() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    assert parse("started:today", NOW, berlin) == Compare("started", "between", (TODAY - 3_600_000, TODAY + 23 * 3_600_000 - 1))
    longest = parse("started:2026-10-25", NOW, berlin)
    assert isinstance(longest, Compare)
    first, last = longest.values
    assert int(last) - int(first) + 1 == 25 * 3_600_000


@pytest.mark.parametrize(
    ("text", "at", "words", "hint"),
    [
        ("late statsu:failed", "statsu", "no field 'statsu'", "did you mean status?"),
        ("inptu.x:1", "inptu.x", "no field", "did you mean input.x?"),
        ("late output.items[0].name:x", "output.items[0].name", "no place in a run", "output.items[].name"),
        ("input..a:1", "input..a", "no place in a run", "in quotes"),
        ("metadata.:x", "metadata.", "no place in a run", "in quotes"),
        ("http://example.com", "http", "no field", "put words that hold a colon in quotes"),
        ("status:faled", "faled", "no status", "did you mean failed?"),
        ("status:failed,suceeded", "suceeded", "no status", "did you mean succeeded?"),
        ("step.a.status:faild", "faild", "no status of a step", "did you mean failed?"),
        ("status:>failed", ":>failed", "makes no sense for status", "is, is not"),
        ("workflow:a..b", ":a..b", "makes no sense", "contains"),
        ("started:2026-13-01", "2026-13-01", "no date", "2026-11-20"),
        ("started:>-99999999999999d", "-99999999999999d", "no date", "today"),
        ("started:9999-12-31", "9999-12-31", "no date", "today"),
        ("duration:>2", "2", "no duration", "500ms"),
        ("cost:>1e3", "1e3", "no amount", "0.01"),
        ("version:1.5", "1.5", "no whole number", "3"),
        ("version:99999999999999999999", "99999999999999999999", "too large", "9223372036854775807"),
        ("archived:perhaps", "perhaps", "neither true nor false", "true"),
        ("run:abc", "abc", "no run id", "32 hex"),
        ("input.x:>abc", "abc", "neither a number nor a date", "2026-11-20"),
        ("tag:empty,beta", "empty", "empty stands alone", "write OR"),
        ("-tag!=beta,*", "*", "stands alone", '"*" in quotes'),
        ("input.x:1..", "1..", "two ends", "write >="),
        ("late input.x!=..5", "..5", "two ends", "write >="),
        ("started:2026-11-20..", "2026-11-20..", "two ends", "write >="),
        ("input.x:..", "..", "two ends", "quotes"),
        ("has:has", "has", "no field 'has'", "has:error"),
        ("has.x:1", "has.x", "no field 'has.x'", "has:error"),
        ("waiting_for:people", "people", "is never", "delay, approval, message, child_run or retry"),
        ('input.n:>"5"', '"5"', '"5" is a text, which has no order', "without quotes it is a number: 5"),
        ('late input.n<="-0.5"', '"-0.5"', "no order", "a number: -0.5"),
        ('input.n:>"x y"', '"x y"', "neither a number nor a date", "2026-11-20"),
        ("input.n:5..1", "1", "ends before it begins", "smaller one first"),
        ("started:today..yesterday", "yesterday", "ends before it begins", "smaller one first"),
        ("duration:2s..500ms", "500ms", "ends before it begins", "smaller one first"),
        ("review:postive", "postive", "review is never 'postive'", "did you mean positive?"),
        ("review:good", "good", "review is never 'good'", "it is positive or negative"),
        ("kind:workflow,agnet", "agnet", "kind is never 'agnet'", "did you mean agent?"),
        ("kind:ag*", "ag*", "kind is never", "it is workflow, agent or trace"),
        ("review:~pos", ":~pos", "makes no sense for review", "is, is not"),
        ("waiting_for:aproval", "aproval", "is never", "did you mean approval?"),
        ("step.x.foo:failed", "step.x.foo", "no field 'step.x.foo'", "step.x.status"),
        ('has:step."a b".x.y', 'step."a b".x.y', "no field", 'step."a b".status'),
        ("step:failed", "step", "no field 'step'", "step.<id>.status"),
        ("step.a[]:failed", "step.a[]", "no field", "step.a.status"),
        ("cost:>1,2", "2", "takes one value", "one value"),
        ('a "b c', '"b c', "not closed", '"'),
        ("a (b c", "(", "not closed", ")"),
        ("a) b", ")", "closes nothing", "leave it out"),
        ("a ()", "()", "nothing in these", "leave"),
        ("a OR", "", "something must stand here", "word"),
        ("OR a", "OR", "nothing stands before OR", '"or"'),
        ("a AND AND b", "AND", "nothing stands before AND", '"and"'),
        ("- a", "-", "nothing follows", "quotes"),
        ("tag:", "", "a value must stand here", '""'),
        ("tag:a,", "", "a value must stand here", '""'),
        ('tag:a"b', '"', "cannot stand behind a value", "quotes"),
        ("tag:a(b)", "(", "cannot stand behind a value", "quotes"),
        ('tag:"\\q"', '"\\q"', "cannot be read", "escape"),
        ('tag:"\\ud800"', '"\\ud800"', "cannot be read", "surrogate"),
        ("re*fund", "*", "nothing can follow", "quotes"),
        ("late !!!", "!!!", "neither a letter nor a digit", "letters"),
        ('model:~""', '""', "nothing to look for", "empty"),
        ("has:", "", "a field must stand here", "has:error"),
        ("has:errr", "errr", "no field", "did you mean error?"),
        ("\ud800", "\ud800", "half a character", "leave"),
    ],
)
def test_mistakes_have_a_place_and_a_cure(text: str, at: str, words: str, hint: str) -> None:
    problem = problem_of(text)
    assert problem.position is not None
    assert problem.length is not None
    assert text[problem.position : problem.position + problem.length] == at
    assert words in problem.message
    assert hint in (problem.hint or "")


def test_a_second_mistake_of_the_same_word_is_placed_right() -> None:
    assert problem_of("status:failed state:failed status:oops").position == 34


def test_bounds() -> None:
    assert "longer" in problem_of("a" * (MAX_LENGTH + 1)).message
    assert parse("é" * MAX_LENGTH, NOW) == Words(("é" * MAX_LENGTH,))
    assert "deeper" in problem_of("(" * 40 + "a" + ")" * 40).message
    assert "deeper" in problem_of("-" * 40 + "a").message
    assert parse("(" * 30 + "a" + ")" * 30, NOW) == Words(("a",))


@pytest.mark.parametrize("field", CATALOGUE, ids=lambda field: field.name)
def test_the_examples_are_right(field: Any) -> None:
    query = parse(field.example, NOW)
    assert isinstance(query, Compare)
    assert parse(show(query), NOW) == query


NAMES = [
    "status",
    "input.a",
    "input.a[]",
    'output."x y"',
    "started",
    "duration",
    "cost",
    "model",
    "has",
    "metadata.k",
    "step.s",
    "tag",
    "error",
    "x",
]
SIGNS = [
    ":",
    "=",
    "!=",
    ">",
    ">=",
    "<",
    "<=",
    "~",
    "!~",
    ":!~",
    "..",
    ",",
    "-",
    "(",
    ")",
    '"',
    "*",
    "\\",
    " ",
    " OR ",
    " AND ",
    " NOT ",
    "[]",
    ".",
]
VALUES = [
    "failed",
    "Paused",
    "5",
    "-7d",
    "2026-11-20",
    "1m30s",
    "0.01",
    "true",
    "empty",
    "gpt-5*",
    '"a b"',
    '"\\n"',
    "é",
    "\0",
    "today",
    "now",
]
PIECES = st.sampled_from(NAMES) | st.sampled_from(SIGNS) | st.sampled_from(VALUES)
TEXTS = st.lists(PIECES | st.text(max_size=3), max_size=14).map("".join)


@given(TEXTS | st.text(max_size=60))
@settings(max_examples=3_000, deadline=None)
@example('input.x:=5,"a",true,2026-11-20 OR -(a -b "c d"*)')
@example("input.x:=1e-9,123456789012345678901234567890")
def test_any_text_is_a_query_or_has_a_mistake_in_it(text: str) -> None:
    query = read(text)
    if isinstance(query, InvalidQuery):
        (problem,) = query.problems
        assert problem.position is not None
        assert problem.length is not None
        assert 0 <= problem.position <= problem.position + problem.length <= len(text)
        assert problem.hint
    else:
        shown = show(query)
        assert parse(shown, NOW) == query, shown
        assert show(parse(shown, NOW)) == shown


def read(text: str) -> Query | InvalidQuery:
    try:
        return parse(text, NOW)
    except InvalidQuery as refused:
        return refused
