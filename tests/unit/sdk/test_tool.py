"""`@tool`: what the types and docstring of a function say, and what cannot be said."""

import asyncio
import enum
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from runwell.model.errors import InvalidInput
from runwell.model.schema import SchemaCheck
from runwell.sdk.tool import tool


class Address(BaseModel):
    city: str
    zip: str | None = None


@dataclass
class Size:
    width: float
    height: float = 1.0


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


@tool
def ship(
    number: int,
    to: Address,
    size: Size,
    kind: Literal["letter", "parcel"] = "parcel",
    colours: list[Colour] | None = None,
    note: Annotated[str, Field(max_length=5, description="on the label")] = "",
    when: date | None = None,
) -> str:
    """Ship a parcel.

    It leaves the same day.

    Args:
        number: as it stands on the label,
            with all digits
        to (Address): where it goes
        note: not this one

    Returns:
        what became of it
    """
    return f"{number} to {to.city}, {size.width:g}x{size.height:g}, {kind}, {colours}, {note!r}, {when}"


def test_the_types_are_the_schema_and_the_docstring_is_the_description() -> None:
    assert (ship.full_name, ship.description) == ("python:ship", "Ship a parcel.\n\nIt leaves the same day.")
    schema = ship.input_schema
    assert schema["required"] == ["number", "to", "size"]
    assert schema["additionalProperties"] is False
    told = {name: part.get("description") for name, part in schema["properties"].items()}
    assert told["number"] == "as it stands on the label, with all digits"
    assert (told["to"], told["note"], told["kind"]) == ("where it goes", "on the label", None)
    assert schema["properties"]["kind"] == {"type": "string", "enum": ["letter", "parcel"], "default": "parcel"}
    assert "title" not in schema["properties"]["number"]
    check = SchemaCheck(schema)
    assert check.problems({"number": 1, "to": {"city": "Lyon"}, "size": {"width": 2}}) == []
    assert [problem.pointer for problem in check.problems({"number": "x", "to": {}, "size": {"width": 2}, "more": 1})] != []


def test_arguments_become_what_the_function_takes() -> None:
    args = {"number": 1, "to": {"city": "Lyon"}, "size": {"width": 2}, "colours": ["red"], "when": "2026-11-21"}
    call = ship.begin(args)
    assert call() == "1 to Lyon, 2x1, parcel, [<Colour.RED: 'red'>], '', 2026-11-21"


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(InvalidInput) as caught:
        ship.begin({"number": "x", "to": {}, "size": {"width": 1}, "extra": 1})
    assert {problem.pointer for problem in caught.value.problems} == {"/number", "/to/city", "/extra"}


def test_called_by_python_it_is_the_function() -> None:
    @tool(name="later")
    async def wait(seconds: float) -> float:
        """Wait."""
        await asyncio.sleep(0)
        return seconds

    assert asyncio.run(wait(1.5)) == 1.5
    assert (wait.full_name, wait.is_async, wait.__doc__) == ("python:later", True, "Wait.")


def test_a_tool_without_parameters() -> None:
    @tool
    def now() -> int:
        return 1

    assert (now.input_schema["type"], now.input_schema["properties"], now.description) == ("object", {}, None)
    assert now.begin({})() == 1


def test_names_that_models_of_pydantic_have_are_arguments_as_well() -> None:
    @tool
    def odd(schema: str, copy: int, json: bool, model_dump: str) -> str:
        return schema

    args = {"schema": "s", "copy": 1, "json": True, "model_dump": "x"}
    assert odd.begin(args)() == "s"


def test_the_declaration_says_what_a_version_keeps() -> None:
    @tool(unsafe=False, requires_approval=True, timeout_s=3)
    def look(number: int) -> str:
        """Look."""
        return ""

    said = look.declaration()
    assert said["input_schema"] == look.input_schema
    assert {key: said[key] for key in said.keys() - {"input_schema"}} == {
        "type": "python",
        "name": "look",
        "description": "Look.",
        "unsafe": False,
        "requires_approval": True,
        "timeout_s": 3,
    }


def untyped(number) -> None:  # type: ignore[no-untyped-def]
    ...


def variable(*numbers: int) -> None: ...


def keywords(**numbers: int) -> None: ...


def positional(number: int, /) -> None: ...


def unknown(thing: "Nowhere") -> None:  # type: ignore[name-defined]  # noqa: F821
    ...


def unspeakable(thing: asyncio.Lock) -> None: ...


def yielding(number: int) -> Iterator[int]:
    yield number


class Shop:
    def order(self, what: str) -> None: ...


@pytest.mark.parametrize(
    ("function", "words", "cure"),
    [
        (untyped, "untyped() (test_tool.py:", "as in number: str"),
        (untyped, "the parameter 'number' has no type", ""),
        (variable, "takes *numbers: int", "a parameter"),
        (keywords, "takes **numbers: int", "a parameter"),
        (positional, "takes number: int", "a parameter"),
        (unknown, "a type is not known: name 'Nowhere' is not defined", "top of the module"),
        (unspeakable, "has no JSON Schema", "pydantic"),
        (yielding, "yields", "as a list"),
        (Shop.order, "is a method", "decorate a function"),
        (functools.partial(Shop.order, what="x"), "is no function", "decorate a function"),
        (len, "len() takes obj, which has no name of its own", "a parameter"),
    ],
)
def test_what_no_schema_can_tell_is_refused_with_the_cure(function: Any, words: str, cure: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        tool(function)
    assert words in caught.value.message
    assert cure in (caught.value.hint or "")


def test_a_name_that_no_tool_has() -> None:
    with pytest.raises(InvalidInput, match="no name of a python tool"):
        tool(name="a b")(lambda: None)
