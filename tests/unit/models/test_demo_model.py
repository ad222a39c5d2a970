"""The demo model: it obeys every schema, answers the same again, and never passes for a real model."""

import asyncio
import json
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runwell.adapters.models.demo import DemoModels
from runwell.model.errors import StepError
from runwell.model.scope import DEFAULT_SCOPE
from runwell.model.usage import Usage
from runwell.ports.models import Message, ModelAnswer, ModelRequest

TICKET = {
    "type": "object",
    "required": ["label", "urgent", "summary"],
    "additionalProperties": False,
    "properties": {
        "label": {"enum": ["billing", "outage", "question"]},
        "urgent": {"type": "boolean"},
        "summary": {"type": "string", "minLength": 10, "maxLength": 80},
    },
}

TREE = {
    "$defs": {
        "node": {
            "type": "object",
            "required": ["name"],
            "properties": {"name": {"type": "string"}, "children": {"type": "array", "items": {"$ref": "#/$defs/node"}}},
        }
    },
    "$ref": "#/$defs/node",
}

CORPUS: dict[str, Any] = {
    "ticket": TICKET,
    "tree": TREE,
    "nothing asked": {},
    "true": {"type": "object", "properties": {"any": True}, "required": ["any"]},
    "list of objects": {"type": "array", "minItems": 2, "items": TICKET},
    "unique": {"type": "array", "items": {"enum": [1, 2, 3]}, "uniqueItems": True, "minItems": 3},
    "tuple": {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}], "items": False, "minItems": 2},
    "contains": {"type": "array", "items": {"type": "integer"}, "contains": {"const": 7}},
    "multiple": {"type": "number", "multipleOf": 0.25, "exclusiveMinimum": 1, "maximum": 1.5},
    "narrow integer": {"type": "integer", "minimum": 41.5, "exclusiveMaximum": 43},
    "pattern": {"type": "string", "pattern": "^[A-Z]{3}-\\d{4}$"},
    "formats": {
        "type": "object",
        "required": ["at", "mail", "id", "address"],
        "properties": {
            "at": {"type": "string", "format": "date-time"},
            "mail": {"type": "string", "format": "email"},
            "id": {"type": "string", "format": "uuid"},
            "address": {"type": "string", "format": "ipv6"},
        },
    },
    "any of": {"anyOf": [{"type": "string", "maxLength": 0, "minLength": 1}, {"type": "integer", "minimum": 9}]},
    "one of": {"oneOf": [{"type": "integer", "multipleOf": 3}, {"type": "integer", "multipleOf": 5}], "minimum": 1, "maximum": 14},
    "all of": {"allOf": [{"type": "object", "required": ["a"]}, {"properties": {"a": {"const": {"deep": [1]}}}}]},
    "if": {"properties": {"a": {"const": 1}}, "required": ["a"], "if": {"required": ["a"]}, "then": {"required": ["b"]}},
    "not": {"type": "integer", "minimum": 0, "maximum": 2, "not": {"enum": [0, 1]}},
    "nullable": {"type": ["string", "null"], "maxLength": 3},
    "map": {"type": "object", "minProperties": 2, "additionalProperties": {"type": "integer"}},
}


def ask(*messages: str, schema: Any = None, model: str = "demo:large", **fields: Any) -> ModelAnswer:
    said = tuple(Message(role="user", content=content) for content in messages)
    return asyncio.run(DemoModels().generate(ModelRequest(scope=DEFAULT_SCOPE, model=model, messages=said, output_schema=schema, **fields)))


def obeys(schema: Any, text: str) -> bool:
    return bool(jsonschema_rs.validator_for(schema, validate_formats=True, offline=True).is_valid(json.loads(text)))


@pytest.mark.parametrize("name", CORPUS)
def test_the_answer_obeys_the_schema(name: str) -> None:
    for question in ("What is this?", "An outage since 9.", ""):
        answer = ask(question, schema=CORPUS[name])
        assert obeys(CORPUS[name], answer.text), answer.text


def leaves() -> st.SearchStrategy[dict[str, Any]]:
    low = st.integers(-50, 50)
    return st.one_of(
        st.just({"type": "boolean"}),
        st.just({"type": "null"}),
        st.builds(lambda a, b: {"type": "integer", "minimum": a, "maximum": a + b}, low, st.integers(0, 20)),
        st.builds(lambda a, b: {"type": "number", "exclusiveMinimum": a, "maximum": a + b}, low, st.integers(1, 20)),
        st.builds(lambda a, b: {"type": "string", "minLength": a, "maxLength": a + b}, st.integers(0, 30), st.integers(0, 30)),
        st.builds(lambda name: {"type": "string", "format": name}, st.sampled_from(["date", "date-time", "email", "uri", "uuid", "ipv4"])),
        st.builds(lambda values: {"enum": values}, st.lists(st.text(max_size=5) | low | st.none(), min_size=1, max_size=4, unique=True)),
    )


def grown(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    fields = st.dictionaries(st.text("abcde", min_size=1, max_size=3), inner, max_size=4)
    return st.one_of(
        st.builds(lambda item, low: {"type": "array", "items": item, "minItems": low, "maxItems": low + 2}, inner, st.integers(0, 3)),
        st.builds(lambda options: {"anyOf": options}, st.lists(inner, min_size=1, max_size=3)),
        fields.flatmap(
            lambda known: st.builds(
                lambda required, more: {"type": "object", "properties": known, "required": required, "additionalProperties": more},
                st.lists(st.sampled_from(sorted(known)), unique=True) if known else st.just([]),
                st.booleans(),
            )
        ),
    )


@given(st.recursive(leaves(), grown, max_leaves=8), st.text(max_size=30))
def test_the_answer_obeys_any_schema(schema: dict[str, Any], question: str) -> None:
    assert obeys(schema, ask(question, schema=schema).text)


def test_what_the_message_names_is_chosen() -> None:
    for label in ("billing", "outage", "question"):
        answer = ask(f"Customer writes about {label}, please help.", schema=TICKET)
        assert json.loads(answer.text)["label"] == label


def test_the_same_request_gets_the_same_answer() -> None:
    for schema in (None, TICKET, CORPUS["map"]):
        assert ask("Hello", schema=schema).text == ask("Hello", schema=schema).text


def test_another_request_gets_another_answer() -> None:
    assert ask("Hello").text != ask("Hello", params={"seed": 2}).text
    assert ask("Hello").text != ask("Hello", model="demo:small").text


def test_it_says_that_it_is_a_demo() -> None:
    answer = ask("first", "How are you?")
    assert answer.text.startswith("[demo model] No real model was asked.")
    assert answer.text.endswith("How are you?")
    assert (answer.provider, answer.model, answer.response_model) == ("demo", "large", "demo:large (no real model)")
    assert answer.finish_reason == "stop"


def test_tokens_are_counted_and_cost_nothing() -> None:
    answer = ask("12345678")
    assert answer.usage == Usage(input_tokens=2, output_tokens=-(-len(answer.text) // 4), generations=1)
    assert answer.latency_ms >= 0
    assert answer.first_token_ms is None


def test_it_streams_word_by_word() -> None:
    deltas: list[str] = []
    request = ModelRequest(scope=DEFAULT_SCOPE, model="demo:x", messages=(Message(role="user", content="a b"),))
    answer = asyncio.run(DemoModels().generate(request, on_delta=deltas.append))
    assert "".join(deltas) == answer.text
    assert len(deltas) > 5
    assert answer.first_token_ms is not None


def test_a_schema_that_nothing_obeys_is_told() -> None:
    with pytest.raises(StepError, match="simplify it") as caught:
        ask("Hello", schema={"type": "object", "properties": {"a": False}, "required": ["a"]})
    assert caught.value.details == {"reason": "bad_request"}
    assert not caught.value.retryable


def test_the_paid_one_pretends_to_cost_something() -> None:
    answer = ask("Hello", model="demo:paid")
    assert answer.usage.cost_nanos == answer.usage.input_tokens * 2_000 + answer.usage.output_tokens * 8_000
    assert (answer.price_snapshot, ask("Hello").usage.cost_nanos) == ("pretended", 0)


def test_the_slow_one_writes_as_much_as_is_wanted_word_by_word(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr("runwell.adapters.models.demo.asyncio.sleep", sleep)
    answer = ask("Hello", model="demo:slow", params={"max_tokens": 100})
    assert answer.usage.output_tokens >= 100
    assert waits == [0.12] * len(waits)
    assert len(waits) >= len(answer.text.split())
