"""JSON Schemas of users: compiled, never followed to other places."""

import json
from pathlib import Path

import pytest

from runwell.model.errors import InvalidInput
from runwell.model.schema import SchemaCheck, validator_of


def test_a_schema_never_reads_a_file(tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    other.write_text(json.dumps({"type": "string"}))
    with pytest.raises(ValueError, match="cannot fetch"):
        validator_of({"$ref": other.as_uri()})


@pytest.mark.parametrize("schema", [{"$ref": "http://127.0.0.1:9/a"}, {"properties": {"a": {"$dynamicRef": "https://127.0.0.1:9/a"}}}])
def test_a_schema_never_calls_an_address(schema: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"[Rr]etriev"):
        validator_of(schema)


@pytest.mark.parametrize("schema", [3, {"type": "objekt"}, {"pattern": "("}, {"$ref": "#/nope"}])
def test_what_is_no_schema_is_refused(schema: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        validator_of(schema)


def test_references_within_the_schema_hold() -> None:
    check = SchemaCheck({"$defs": {"n": {"type": "integer"}}, "properties": {"a": {"$ref": "#/$defs/n"}}})
    assert check.problems({"a": 1}) == []
    assert [problem.pointer for problem in check.problems({"a": "x"})] == ["/a"]


def test_pointers_are_escaped() -> None:
    check = SchemaCheck({"properties": {"a/b~c": {"type": "integer"}}})
    assert [problem.pointer for problem in check.problems({"a/b~c": "x"})] == ["/a~1b~0c"]


def test_input_that_breaks_the_schema_names_every_problem() -> None:
    check = SchemaCheck({"properties": {"a": {"type": "integer"}}, "required": ["b"]})
    with pytest.raises(InvalidInput, match="the input breaks its schema") as caught:
        check.require({"a": "x"}, "the input")
    assert sorted(problem.pointer for problem in caught.value.problems) == ["", "/a"]


def test_no_schema_accepts_everything() -> None:
    assert SchemaCheck(None).problems(object()) == []
