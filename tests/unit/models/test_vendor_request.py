"""A request as pydantic-ai takes it, and what a call costs."""

from typing import Any

import pytest
from genai_prices import calc_price
from genai_prices.types import Usage as PricedUsage
from pydantic_ai.messages import ModelRequest as VendorRequest
from pydantic_ai.messages import ModelResponse
from pydantic_ai.models import ModelRequestParameters

from runwell.adapters.models.connections import Connection, Connections, Vendor
from runwell.adapters.models.prices import UNKNOWN, price_of, snapshot_id
from runwell.adapters.models.vendor_clients import VendorClient
from runwell.adapters.models.vendor_messages import ToolNames, messages_of
from runwell.adapters.models.vendor_request import native_output, settings_of, speaks_schemas, with_schema_asked
from runwell.model.errors import StepError
from runwell.model.scope import DEFAULT_SCOPE
from runwell.ports.models import Message, ModelRequest

OBJECT: dict[str, Any] = {"type": "object", "properties": {}}
NEW_MODELS: list[tuple[Vendor, str]] = [("openai", "gpt-4o-mini"), ("anthropic", "claude-sonnet-4-5"), ("google", "gemini-2.5-flash")]
USED = PricedUsage(input_tokens=1_000, cache_read_tokens=400, output_tokens=200)


def connection(vendor: Vendor) -> Connection:
    return Connections({"OPENAI_API_KEY": "k", "ANTHROPIC_API_KEY": "k", "GOOGLE_API_KEY": "k"}).usual(vendor)


@pytest.mark.parametrize(
    ("vendor", "params", "settings"),
    [
        (
            "openai",
            {"temperature": 0, "stop": "END", "reasoning_effort": "low"},
            {"stop_sequences": ["END"], "openai_reasoning_effort": "low"},
        ),
        ("openai", {"top_k": 3, "verbosity": "low"}, {"extra_body": {"top_k": 3, "verbosity": "low"}}),
        ("anthropic", {"top_k": 3, "max_tokens": 9, "thinking": {"type": "disabled"}}, {"extra_body": {"thinking": {"type": "disabled"}}}),
        ("google", {"maxOutputTokens": 5, "stopSequences": ["a"]}, {"max_tokens": 5, "stop_sequences": ["a"]}),
    ],
)
def test_params_by_their_providers_names(vendor: Vendor, params: dict[str, Any], settings: dict[str, Any]) -> None:
    found = settings_of(connection(vendor), params)
    assert {name: found.get(name) for name in settings} == settings
    assert found.get("max_retries") == 0


@pytest.mark.parametrize("name", ["model", "messages", "stream", "response_format"])
def test_what_the_step_sets_itself_is_no_param(name: str) -> None:
    with pytest.raises(StepError, match=f"may not hold {name!r}") as caught:
        settings_of(connection("openai"), {name: "x"})
    assert caught.value.details == {"reason": "bad_request"}


def test_google_takes_no_unknown_param() -> None:
    with pytest.raises(StepError, match="'safety', which cannot be sent to Google"):
        settings_of(connection("google"), {"safety": 1})


def test_turns_keep_their_order() -> None:
    roles: list[Any] = ["system", "user", "assistant", "user", "user"]
    messages = tuple(Message(role=role, content=str(place)) for place, role in enumerate(roles))
    turns = messages_of(messages, ToolNames(ModelRequest(scope=DEFAULT_SCOPE, model="m", messages=messages)))
    assert [type(turn) for turn in turns] == [VendorRequest, ModelResponse, VendorRequest]
    assert [part.content for turn in turns for part in turn.parts if hasattr(part, "content")] == ["0", "1", "2", "3", "4"]


def test_the_schema_in_words_stands_in_the_one_system_message() -> None:
    user = Message(role="user", content="Hi")
    for system in ((), (Message(role="system", content="Be brief"),)):
        messages = with_schema_asked(ModelRequest(scope=DEFAULT_SCOPE, model="m", messages=(*system, user), output_schema=OBJECT))
        assert [message.role for message in messages] == ["system", "user"]
        assert '{"type": "object", "properties": {}}' in messages[0].text
        assert messages[0].text.startswith("Be brief" if system else "Answer with JSON only")


def test_who_can_be_held_to_a_schema() -> None:
    models = {vendor: VendorClient(connection(vendor)).model(name) for vendor, name in NEW_MODELS}
    closed = {**OBJECT, "additionalProperties": False}
    assert all(speaks_schemas(connection(vendor), model, closed) for vendor, model in models.items())
    assert not speaks_schemas(connection("anthropic"), VendorClient(connection("anthropic")).model("claude-3-haiku-20240307"), closed)
    assert not speaks_schemas(connection("openai"), models["openai"], {"type": "array"})
    assert [vendor for vendor, model in models.items() if speaks_schemas(connection(vendor), model, OBJECT)] == ["openai", "google"]


@pytest.mark.parametrize(("title", "name"), [("Triage result", "Triageresult"), ("", "answer"), ("ä", "answer"), ("x" * 80, "x" * 64)])
def test_the_schemas_name_is_one_that_providers_take(title: str, name: str) -> None:
    described = native_output({**OBJECT, "title": title}, ModelRequestParameters()).output_object
    assert described is not None
    assert described.name == name


@pytest.mark.parametrize(
    ("vendor", "model"), [("openai", "gpt-4o-mini"), ("anthropic", "claude-sonnet-4-5"), ("google", "gemini-2.5-flash")]
)
def test_the_cost_is_that_of_the_price_table(vendor: Vendor, model: str) -> None:
    expected = round(calc_price(USED, model, provider_id=vendor).total_price * 1_000_000_000)
    assert expected > 0
    assert price_of(connection(vendor), USED, model) == (expected, snapshot_id())
    assert price_of(connection(vendor), USED, None, "no-such-model", model).nanos == expected


def test_an_unknown_price_is_none() -> None:
    foreign = Connections({"OPENAI_BASE_URL": "http://localhost:1/v1"}).usual("openai")
    assert price_of(connection("openai"), USED, "no-such-model", None) == UNKNOWN
    assert price_of(foreign, USED, "gpt-4o-mini") == UNKNOWN
