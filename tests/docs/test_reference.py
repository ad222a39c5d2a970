"""What the reference says is what the code does."""

from typing import Annotated, Any, Literal, get_args

import pytest
from pydantic import BaseModel, Field
from scripts import readable, reference
from tests.docs.markdown import ROOT

from runwell.model.errors import FailureCode
from runwell.model.failure_codes import FAILURE_CODES
from runwell.settings import Settings
from runwell.steps.http import MIN_TIMEOUT_S
from runwell.steps.python import DEFAULT_MEMORY_MB, DEFAULT_TIME_S


def test_drawn_pages_are_fresh() -> None:
    assert reference.stale() == [], "run: .venv/bin/python -m scripts.reference"


def test_every_failure_code_is_documented() -> None:
    assert set(get_args(FailureCode)) == set(FAILURE_CODES)


def test_a_code_that_nothing_raises_says_so() -> None:
    lists = {"errors.py", "failure_codes.py"}
    code = "".join(file.read_text() for file in (ROOT / "src").rglob("*.py") if file.name not in lists)
    unraised = {name for name in FAILURE_CODES if f'"{name}"' not in code}
    assert unraised == {name for name, meaning in FAILURE_CODES.items() if meaning.startswith("Reserved")}


def test_every_setting_is_documented() -> None:
    page = (reference.REFERENCE / "settings.md").read_text()
    for field in Settings.__struct_fields__:
        assert f"`RUNWELL_{field.upper()}`" in page, field


def test_a_stale_page_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FAILURE_CODES, "NEW_CODE", "planted")
    assert "failure-codes.md" in reference.stale()


@pytest.mark.parametrize("word", ["Annotated", "Optional", "Union[", "Literal[", "NoneType", "msgspec", "pydantic", "tuple[", "dict["])
def test_no_page_speaks_python(word: str) -> None:
    for page in reference.REFERENCE.glob("*.md"):
        assert word not in page.read_text(), page.name


class Inner(BaseModel):
    name: str = Field(max_length=9)


class Outer(BaseModel):
    inner: tuple[Inner, ...] = Field(default=(), min_length=1)
    status: Annotated[int, Field(ge=100, le=599)] | list[Annotated[int, Field(gt=0)]] | None = None
    headers: dict[str, str | int | float | bool | None] = {}
    word: Literal["a", "b", "c"] = Field(default="a", description="which one")
    share: float = Field(ge=0)
    one: Inner = Inner(name="x")


def test_a_field_is_told_in_words() -> None:
    rows = readable.fields_of(Outer, {Inner: "#inner"})
    assert [tuple(row) for row in rows] == [
        ("inner", "list of [objects](#inner)", "`[]`", "at least 1 entry"),
        ("status", "whole number (100 to 599) or list of whole numbers (over 0)", "optional", ""),
        ("headers", "object; each value text, number, true or false, null", "`{}`", ""),
        ("word", "`a`, `b` or `c`", "`a`", "which one"),
        ("share", "number", None, "at least 0"),
        ("one", "[object](#inner)", "[its defaults](#inner)", ""),
    ]


def test_a_type_without_a_word_stops_the_drawing() -> None:
    class Strange(BaseModel):
        value: set[Any]

    with pytest.raises(TypeError):
        readable.fields_of(Strange, {})


def test_the_fields_inside_a_field_have_a_table() -> None:
    page = reference.documents()
    assert "### http: request" in page
    assert "| `url` | text | required |" in page
    assert "### llm: messages" in page


def test_the_defaults_that_prose_names_are_those_of_the_code() -> None:
    page = reference.documents()
    assert f"of each python step; left out, {DEFAULT_MEMORY_MB} |" in page
    assert f"Without `timeout_s` an attempt may take {DEFAULT_TIME_S:g} s." in page
    assert f"Without `timeout_s` the whole answer must come within {MIN_TIMEOUT_S:g} s." in page
