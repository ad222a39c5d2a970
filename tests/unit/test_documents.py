"""Reading documents: what is refused, where, and with which cure."""

from typing import Any

import pytest

from runwell.adapters.documents import MAX_DEPTH, MAX_PROBLEMS, read_document, read_leniently
from runwell.model.errors import InvalidDocument, Problem


def refusal(text: str) -> Problem:
    with pytest.raises(InvalidDocument) as caught:
        read_document(text)
    [problem] = caught.value.problems
    assert problem.hint
    return problem


@pytest.mark.parametrize(
    ("text", "line", "pointer", "tag"),
    [
        ("name: x\nsteps: !foo\n  - 1", 2, "/steps", "!foo"),
        ("name: x\nmeta: !foo {a: 1}", 2, "/meta", "!foo"),
        ("name: x\n\nmeta: !foo a", 3, "/meta", "!foo"),
        ("a:\n- !!python/object/apply:os.system ['true']", 2, "/a/0", "!!python/object/apply:os.system"),
        ("a: !!python/name:os.system", 1, "/a", "!!python/name:os.system"),
        ("!!python/object:os.x {}", 1, "", "!!python/object:os.x"),
        ("a: !!set {x}", 1, "/a", "!!set"),
        ("a: !!binary aGk=", 1, "/a", "!!binary"),
        ("a: !!timestamp 2020-01-01", 1, "/a", "!!timestamp"),
        ("a:\n  !foo k: 1", 2, "/a", "!foo"),
    ],
)
def test_a_tag_is_refused_by_its_name(text: str, line: int, pointer: str, tag: str) -> None:
    problem = refusal(text)
    assert (problem.code, problem.line, problem.pointer) == ("bad_yaml", line, pointer)
    assert problem.message == f"the tag {tag!r} is not allowed"
    assert problem.hint == "take it out: a document is plain data"


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("a: !!str 3", {"a": "3"}),
        ("a: ! b", {"a": "b"}),
        ("!!map {a: !!seq [1]}", {"a": [1]}),
        ("a: =", {"a": "="}),
        ("a: on", {"a": "on"}),
    ],
)
def test_the_tags_of_plain_data_are_taken(text: str, data: Any) -> None:
    assert read_document(text).data == data


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[" * 5_000, 1),
        ("[" * 5_000 + "]" * 5_000, 1),
        ('{"a":' * 5_000 + "1" + "}" * 5_000, 1),
        ("- " * 5_000 + "1", 1),
        ("\n".join(" " * i + "a:" for i in range(1_000)), MAX_DEPTH + 1),
        ('{"a": [\n' + "[\n" * 5_000, MAX_DEPTH),
        ("[" * (MAX_DEPTH + 2) + "]" * (MAX_DEPTH + 2), 1),
    ],
)
def test_what_nests_too_deep_is_told_of_in_these_words(text: str, line: int) -> None:
    problem = refusal(text)
    assert problem.message == "the document nests deeper than 100 levels"
    assert problem.line is not None
    assert abs(problem.line - line) <= 1


def test_the_deepest_document_is_read() -> None:
    data = read_document("[" * MAX_DEPTH + "1" + "]" * MAX_DEPTH).data
    for _ in range(MAX_DEPTH):
        [data] = data
    assert data == 1


def test_everything_that_cannot_be_read_is_told() -> None:
    text = "a: .nan\nb: [1, .inf]\na: {c: 1, c: 2, c: -.inf}\nd: !foo x\nd: 1"
    document = read_leniently(text)
    assert document.data == {"a": 0.0, "b": [1, 0.0], "d": "x"}
    assert [(problem.line, problem.pointer, problem.message) for problem in document.problems] == [
        (1, "/a", "'.nan' is no JSON number"),
        (2, "/b/1", "'.inf' is no JSON number"),
        (3, "/a", "the key 'c' is given twice"),
        (3, "/a/c", "'-.inf' is no JSON number"),
        (3, "/a", "the key 'c' is given twice"),
        (3, "", "the key 'a' is given twice"),
        (4, "/d", "the tag '!foo' is not allowed"),
        (5, "", "the key 'd' is given twice"),
    ]
    with pytest.raises(InvalidDocument) as caught:
        read_document(text)
    assert caught.value.problems == document.problems


def test_nobody_reads_on_after_very_many_problems() -> None:
    with pytest.raises(InvalidDocument) as caught:
        read_leniently("[" + ".nan, " * 2_000 + "1]")
    assert len(caught.value.problems) == MAX_PROBLEMS


@pytest.mark.parametrize(("pointer", "kept"), [("/a", False), ("/a/b", False), ("/ab", True), ("", True), ("/b", True)])
def test_what_stands_in_has_no_further_problems(pointer: str, kept: bool) -> None:
    problem = Problem(code="x", message="x", pointer=pointer)
    assert read_leniently("a: .nan").beside([problem]) == ((problem,) if kept else ())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: &a [*a]", "nests deeper than 100"),
        ("a: [", "not YAML"),
        ("a: 1\na: 2", "'a' is given twice"),
        ("? [1]\n: 2", "a key must be plain text"),
        ("<<: {a: 1}", "a key must be plain text"),
        ("a: .inf", "no JSON number"),
        ("a: " + "x" * 2_097_152, "more than 2097152"),
        ("a: \x01", "not YAML"),
    ],
)
def test_what_cannot_be_read_has_a_cure(text: str, words: str) -> None:
    assert words in refusal(text).message


def test_surrogate_pairs_are_the_characters_that_they_are() -> None:
    assert read_document(r'{"name": "\ud83d\ude00", "\udbff\udfff": "two\nlines"}').data == {"name": "😀", "\U0010ffff": "two\nlines"}


def test_half_a_character_does_not_stand_in_a_pointer() -> None:
    assert refusal('{"\\ud83d": {"a": 1, "a": 2}}').pointer == "/?"
