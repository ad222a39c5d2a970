"""What the reference says about searches is what the code does."""

import pytest
from scripts import reference
from tests.docs.markdown import fences

from runwell.search import flatten, parser
from runwell.search.conditions import WORDS
from runwell.search.fields import CATALOGUE, Field
from runwell.search.parser import parse
from runwell.search.structured import OPERATORS, TYPES

FILE = reference.REFERENCE / "search.md"
PAGE = FILE.read_text()


def row(field: Field) -> str:
    aliases = ", ".join(f"`{alias}`" for alias in field.aliases)
    return f"| `{field.name}` | {field.type} | {field.description} | `{field.example}` | {aliases} |"


@pytest.mark.parametrize("field", CATALOGUE, ids=lambda field: field.name)
def test_every_field_is_documented(field: Field) -> None:
    assert row(field) in PAGE


def test_no_field_is_documented_that_is_not_there() -> None:
    table = PAGE.partition("## Fields")[2].partition("## Values")[0]
    assert table.count("\n| `") == len(CATALOGUE)


def test_every_search_on_the_page_is_one() -> None:
    for fence in fences(FILE):
        if fence.language == "text":
            for line in fence.text.splitlines():
                parse(line, 0)


@pytest.mark.parametrize("number", [flatten.MAX_ENTRIES, flatten.MAX_PATH, flatten.MAX_TEXT, parser.MAX_LENGTH, parser.MAX_DEPTH])
def test_the_bounds_are_those_of_the_code(number: int) -> None:
    assert f"{number:,}" in PAGE or str(number) in PAGE


def test_operators_and_types_are_named() -> None:
    said = PAGE.partition("## In fields")[2]
    assert all(f"`{type_}`" in said for type_ in TYPES)
    named = {OPERATORS[word] for word in said.split("`") if word in OPERATORS}
    assert named == set(WORDS)
