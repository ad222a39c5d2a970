"""The schemas that providers get: what is open stays open, what is closed is held to strictly."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.openai_clients import HI as SAID
from tests.acceptance.openai_clients import MODEL, World, with_world
from tests.acceptance.test_model_tools import Ask, asking
from tests.wire_formats import WIRE_FORMATS

from runwell.adapters.models.router import ModelRouter
from runwell.adapters.models.sources import ModelSources
from runwell.model.errors import StepError
from runwell.model.scope import DEFAULT_SCOPE
from runwell.ports.models import Message, ModelRequest, ToolOffer
from runwell.testing import ScriptedServer
from runwell.testing.scripted_replies import json_object

Json = dict[str, Any]

ANY: Json = {"type": "object"}
NAME: Json = {"type": "string"}
CLOSED: Json = {"type": "object", "properties": {"name": NAME}, "required": ["name"], "additionalProperties": False}


def holding(part: Json) -> Json:
    return {"type": "object", "properties": {"meta": part}, "required": ["meta"], "additionalProperties": False}


OPEN: dict[str, Json] = {
    "free": {**ANY, "minProperties": 1},
    "nested": holding(ANY),
    "in items": holding({"type": "array", "items": ANY}),
    "in a definition": {**holding({"$ref": "#/$defs/meta"}), "$defs": {"meta": ANY}},
    "in a branch": holding({"anyOf": [ANY, {"type": "null"}]}),
    "numbers": holding({"type": "object", "additionalProperties": {"type": "number"}}),
    "anything": holding({"type": "object", "additionalProperties": True}),
    "names and others": {**CLOSED, "additionalProperties": {"type": "number"}},
    "patterns": holding({"type": "object", "patternProperties": {"^x-": NAME}}),
    "any value": holding({"description": "whatever"}),
    "nullable": holding({"type": ["object", "null"]}),
    "all of two": holding({"allOf": [CLOSED, holding(ANY)]}),
}

STRICT: dict[str, Json] = {
    "closed": CLOSED,
    "nested": holding(CLOSED),
    "in a definition": {**holding({"$ref": "#/$defs/meta"}), "$defs": {"meta": CLOSED}},
    "that names all and says nothing of others": {"type": "object", "properties": {"name": NAME}, "required": ["name"]},
    "without properties": {"type": "object", "properties": {}, "required": [], "additionalProperties": False},
}

opens = pytest.mark.parametrize("schema", OPEN.values(), ids=OPEN.keys())
stricts = pytest.mark.parametrize("schema", STRICT.values(), ids=STRICT.keys())
openai = pytest.mark.parametrize("provider", ["openai-chat", "openai-responses"])


def sent(provider: str, **fields: Any) -> Json:
    """Return the body that the provider gets."""
    bodies: list[Json] = []

    async def test(ask: Ask, server: ScriptedServer) -> None:
        await ask(**fields)
        bodies.extend(request.json for request in server.requests)

    format_ = WIRE_FORMATS[provider]
    asking(format_, [format_.say("{}", [], None)], test)
    assert len(bodies) == 1
    return bodies[0]


def form(provider: str, body: Json) -> Json:
    """Return the form that an OpenAI body asks its answer in."""
    if provider == "openai-responses":
        return dict(body["text"]["format"])
    found = body["response_format"]
    return {"type": found["type"], **found.get("json_schema", {})}


def tool(provider: str, body: Json) -> Json:
    [found] = body["tools"]
    return dict(found["function"] if provider == "openai-chat" else found)


def plain(schema: Any) -> Any:
    """Return the schema without the `properties` that an object does not need to tell."""
    if isinstance(schema, list):
        return [plain(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    return {name: plain(part) for name, part in schema.items() if (name, part) != ("properties", {})}


@openai
@opens
def test_an_open_schema_stays_open(provider: str, schema: Json) -> None:
    asked = form(provider, sent(provider, output_schema=schema))
    assert (asked["type"], asked["strict"], plain(asked["schema"])) == ("json_schema", False, plain(schema))


@openai
def test_a_property_that_may_be_missing_may_be_missing(provider: str) -> None:
    schema = {"type": "object", "properties": {"name": NAME}}
    asked = form(provider, sent(provider, output_schema=schema))
    assert (asked["strict"], asked["schema"]) == (False, schema)


@openai
@stricts
def test_a_closed_schema_is_strict(provider: str, schema: Json) -> None:
    asked = form(provider, sent(provider, output_schema=schema))
    assert asked["strict"] is True
    assert asked["schema"] == {**schema, "additionalProperties": False}


@openai
@pytest.mark.parametrize("schema", [ANY, {**ANY, "properties": {}, "title": "Any"}, {**ANY, "additionalProperties": True}])
def test_any_object_is_asked_for_as_such(provider: str, schema: Json) -> None:
    body = sent(provider, output_schema=schema)
    assert form(provider, body) == {"type": "json_object"}
    assert "JSON" in json.dumps(body.get("messages") or body.get("input")), "OpenAI wants the word in a message"


@opens
def test_anthropic_is_asked_in_words_for_what_it_would_close(schema: Json) -> None:
    body = sent("anthropic", output_schema=schema)
    assert "output_config" not in body
    assert json.dumps(json.dumps(schema))[1:-1] in json.dumps(body["system"])


@stricts
def test_anthropic_is_held_to_what_is_closed(schema: Json) -> None:
    found = sent("anthropic", output_schema=schema)["output_config"]["format"]["schema"]
    assert found["additionalProperties"] is False
    assert found["properties"].keys() == schema["properties"].keys()


@pytest.mark.parametrize("provider", ["openai-chat", "openai-responses", "anthropic"])
@opens
def test_a_tools_open_parameters_stay_open(provider: str, schema: Json) -> None:
    offered = tool(provider, sent(provider, tools=(ToolOffer(name="save", description="Save", input_schema=schema),)))
    assert not offered.get("strict")
    assert plain(offered["input_schema" if provider == "anthropic" else "parameters"]) == plain(schema)


@openai
@pytest.mark.parametrize(("strict", "told"), [(None, True), (True, True), (False, False)])
def test_a_tools_closed_parameters_are_strict_unless_they_shall_not_be(provider: str, strict: bool | None, told: bool) -> None:
    offer = ToolOffer(name="save", description="Save", input_schema=CLOSED, strict=strict)
    assert bool(tool(provider, sent(provider, tools=(offer,))).get("strict")) is told


@pytest.mark.parametrize("strict", [None, True])
def test_anthropics_tools_are_strict_where_the_caller_says_so(strict: bool | None) -> None:
    offer = ToolOffer(name="save", description="Save", input_schema=CLOSED, strict=strict)
    assert tool("anthropic", sent("anthropic", tools=(offer,))).get("strict") is strict


@pytest.mark.parametrize("provider", ["openai-chat", "openai-responses", "anthropic"])
def test_a_strict_tool_with_open_parameters_is_refused(provider: str) -> None:
    with pytest.raises(StepError, match="the tool 'save' cannot be strict: close each object") as caught:
        asyncio.run(_refused(provider, ToolOffer(name="save", input_schema=holding(ANY), strict=True)))
    assert caught.value.details == {"reason": "bad_request"}


async def _refused(provider: str, offer: ToolOffer) -> None:
    settings = {"PROVIDER": provider, "BASE_URL": "http://127.0.0.1:1", "API_KEY": "k"}
    models = ModelRouter(ModelSources({f"RUNWELL_CONNECTION_X_{name}": value for name, value in settings.items()}))
    said = (Message(role="user", content="Hi"),)
    request = ModelRequest(scope=DEFAULT_SCOPE, model=f"x:{WIRE_FORMATS[provider].model}", messages=said, tools=(offer,))
    try:
        await models.generate(request)
    finally:
        await models.aclose()


def test_json_object_over_the_api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parameters = {"type": "object", "properties": {"name": NAME}}

    async def test(world: World) -> None:
        tools: Any = [
            {"type": "function", "function": {"name": "one", "parameters": CLOSED, "strict": False}},
            {"type": "function", "function": {"name": "two", "parameters": parameters}},
        ]
        async with world.client() as client:
            answer = await client.chat.completions.create(model=MODEL, messages=SAID, response_format={"type": "json_object"}, tools=tools)
        assert json.loads(answer.choices[0].message.content or "") == {"a": {"b": 1}}
        body = world.provider.requests[0].json
        assert body["response_format"] == {"type": "json_object"}
        assert [found["function"]["parameters"] for found in body["tools"]] == [CLOSED, parameters]
        assert not any(found["function"].get("strict") for found in body["tools"])

    with_world(tmp_path, monkeypatch, [json_object({"a": {"b": 1}})], test)
