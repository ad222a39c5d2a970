"""Who answers for a model's name, and with which settings."""

import asyncio
from typing import Any

import pytest

from runwell.adapters.models.connections import Connection, Connections
from runwell.adapters.models.router import ModelRouter
from runwell.adapters.models.sources import ModelSources
from runwell.model.errors import StepError
from runwell.model.scope import DEFAULT_SCOPE
from runwell.ports.models import Message, ModelAnswer, ModelRequest, OnDelta

HELLO = (Message(role="user", content="Hello"),)


class Vendors:
    """Stands for pydantic-ai and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[Connection, str]] = []
        self.closed = 0

    async def generate(self, connection: Connection, model: str, request: ModelRequest, on_delta: OnDelta | None) -> ModelAnswer:
        self.asked.append((connection, model))
        return ModelAnswer(text="ok", provider=connection.vendor, model=model)

    async def aclose(self) -> None:
        self.closed += 1


def route(environ: dict[str, str], model: str, connection: str | None = None) -> tuple[Connection, str, ModelAnswer]:
    vendors = Vendors()
    router = ModelRouter(ModelSources(environ))
    router._vendors = vendors
    answer = asyncio.run(router.generate(ModelRequest(scope=DEFAULT_SCOPE, model=model, messages=HELLO, connection=connection)))
    return *vendors.asked[0], answer


def refusal(environ: dict[str, str], model: str, connection: str | None = None) -> StepError:
    with pytest.raises(StepError) as caught:
        route(environ, model, connection)
    assert caught.value.code == "LLM_REQUEST_FAILED"
    assert not caught.value.retryable
    return caught.value


@pytest.mark.parametrize(
    ("model", "vendor", "address"),
    [
        ("openai:gpt-5-mini", "openai", "https://api.openai.com/v1"),
        ("openai-responses:gpt-5", "openai", "https://api.openai.com/v1"),
        ("anthropic:claude-sonnet-5", "anthropic", "https://api.anthropic.com"),
        ("google:gemini-3-flash", "google", "https://generativelanguage.googleapis.com"),
    ],
)
def test_a_vendors_usual_settings(model: str, vendor: str, address: str) -> None:
    environ = {"OPENAI_API_KEY": "k", "ANTHROPIC_API_KEY": "k", "GEMINI_API_KEY": "k"}
    connection, name, answer = route(environ, model)
    assert (connection.vendor, connection.base_url, connection.api_key, connection.name) == (vendor, address, "k", None)
    assert name == model.partition(":")[2]
    assert answer.provider == vendor
    assert not connection.foreign


def test_a_usual_address_may_be_another_one_and_then_needs_no_key() -> None:
    connection, _, _ = route({"OPENAI_BASE_URL": "http://localhost:1/v1"}, "openai:x")
    assert connection.foreign
    assert connection.api_key is None


@pytest.mark.parametrize("model", ["my-gateway:llama3:8b", "MY_gateway:llama3:8b"])
def test_a_named_connection_by_its_prefix(model: str) -> None:
    environ = {"RUNWELL_CONNECTION_MY_GATEWAY_BASE_URL": "http://gateway/v1", "OPENAI_API_KEY": "another one's"}
    connection, name, answer = route(environ, model)
    assert (connection.name, connection.provider, connection.base_url) == ("my_gateway", "openai", "http://gateway/v1")
    assert connection.api_key is None
    assert name == "llama3:8b"
    assert answer.provider == "my_gateway"


@pytest.mark.parametrize("model", ["openai:llama3", "llama3", "local:llama3"])
def test_a_named_connection_of_the_step(model: str) -> None:
    environ = {"RUNWELL_CONNECTION_LOCAL_BASE_URL": "http://gateway/v1", "RUNWELL_CONNECTION_LOCAL_API_KEY": "k"}
    connection, name, answer = route(environ, model, "local")
    assert (connection.name, connection.api_key, name) == ("local", "k", "llama3")
    assert answer.provider == ("openai" if model.startswith("openai:") else "local")


def test_a_connection_of_another_provider() -> None:
    environ = {"RUNWELL_CONNECTION_TEAM_PROVIDER": "Anthropic", "RUNWELL_CONNECTION_TEAM_API_KEY": "k"}
    connection, _, _ = route(environ, "team:claude-sonnet-5")
    assert (connection.vendor, connection.base_url) == ("anthropic", "https://api.anthropic.com")
    error = refusal(environ, "google:gemini-3-flash", "team")
    assert error.details == {"reason": "bad_request"}


@pytest.mark.parametrize("model", ["cohere:large", "gpt-5-mini", "openai:", ":x", ""])
def test_an_unknown_provider_is_told_with_those_there_are(model: str) -> None:
    error = refusal({"RUNWELL_CONNECTION_LOCAL_BASE_URL": "http://x"}, model)
    assert error.details == {"reason": "unknown_model"}
    assert repr(model) in error.message
    assert "demo:, openai:" in error.message
    assert "local:" in error.message


@pytest.mark.parametrize(
    ("model", "connection", "environ", "variable"),
    [
        ("openai:x", None, {}, "OPENAI_API_KEY"),
        ("openai:x", None, {"OPENAI_API_KEY": " "}, "OPENAI_API_KEY"),
        ("anthropic:x", None, {"OPENAI_API_KEY": "k"}, "ANTHROPIC_API_KEY"),
        ("google:x", None, {}, "GOOGLE_API_KEY"),
        ("openai:x", "team-a", {"OPENAI_API_KEY": "k"}, "RUNWELL_CONNECTION_TEAM_A_API_KEY"),
        ("team:x", None, {"RUNWELL_CONNECTION_TEAM_PROVIDER": "google"}, "RUNWELL_CONNECTION_TEAM_API_KEY"),
    ],
)
def test_a_missing_key_names_its_variable(model: str, connection: str | None, environ: dict[str, str], variable: str) -> None:
    error = refusal(environ, model, connection)
    assert error.details == {"reason": "missing_key"}
    assert variable in error.message


def test_a_connection_to_no_known_provider() -> None:
    error = refusal({"RUNWELL_CONNECTION_X_PROVIDER": "cohere"}, "x:command")
    assert "RUNWELL_CONNECTION_X_PROVIDER is 'cohere'" in error.message


def test_no_key_shows_in_a_connection() -> None:
    connection = Connections({"OPENAI_API_KEY": "sk-secret"}).usual("openai")
    assert "sk-secret" not in repr(connection)


def test_the_demo_model_needs_nothing() -> None:
    router = ModelRouter(ModelSources({}))
    answer = asyncio.run(router.generate(ModelRequest(scope=DEFAULT_SCOPE, model="demo:any", messages=HELLO)))
    assert answer.provider == "demo"


def test_closing_closes_the_vendors_once() -> None:
    async def close_twice() -> Any:
        router = ModelRouter(ModelSources({}))
        router._vendors = vendors = Vendors()
        await router.aclose()
        await router.aclose()
        return vendors

    assert asyncio.run(close_twice()).closed == 1
