"""Whose keys a model call uses: the project's own first, the operator's in their own organization only."""

import asyncio
from typing import Any

import pytest

from runwell.adapters.models.connections import Connection, Connections
from runwell.adapters.models.reach import ModelReach
from runwell.adapters.models.router import ModelRouter
from runwell.adapters.models.sources import ModelSources
from runwell.model.errors import JournalUnavailable, SealBroken, StepError
from runwell.model.scope import DEFAULT_SCOPE, Scope
from runwell.ports.models import Message, ModelAnswer, ModelRequest, OnDelta
from runwell.ports.secrets import OpenConnection
from runwell.storage.sql_connections import SqlConnections

TENANT = Scope("org_1", "prj_1")
ENVIRON = {"OPENAI_API_KEY": "operators", "RUNWELL_CONNECTION_TEAM_API_KEY": "operators-team"}


def stored(name: str, type: str = "openai", **fields: Any) -> OpenConnection:
    known: dict[str, Any] = {
        "base_url": None,
        "headers": {},
        "secret_headers": {},
        "api_key": "own-key",
        "origins": ("https://api.openai.com",),
    }
    return OpenConnection(**{"connection_id": "con_1", "name": name, "type": type, **known, **fields})


class Store(SqlConnections):
    def __init__(self, *connections: OpenConnection, error: Exception | None = None) -> None:
        self._known = {connection.name: connection for connection in connections}
        self._error = error

    async def open(self, scope: Scope, name: str) -> OpenConnection | None:
        if self._error is not None:
            raise self._error
        return self._known.get(name)


class Vendors:
    def __init__(self) -> None:
        self.asked: list[Connection] = []

    async def generate(self, connection: Connection, model: str, request: ModelRequest, on_delta: OnDelta | None) -> ModelAnswer:
        self.asked.append(connection)
        return ModelAnswer(text="ok", provider=connection.vendor, model=model)

    async def aclose(self) -> None: ...


def asked(scope: Scope, model: str, connection: str | None = None, store: Store | None = None, **sources: Any) -> Connection:
    router, vendors = ModelRouter(ModelSources(ENVIRON, store, **sources)), Vendors()
    router._vendors = vendors
    request = ModelRequest(scope=scope, model=model, messages=(Message(role="user", content="Hi"),), connection=connection)
    asyncio.run(router.generate(request))
    return vendors.asked[0]


@pytest.mark.parametrize("scope", [DEFAULT_SCOPE, TENANT])
@pytest.mark.parametrize(("model", "connection"), [("team:m", None), ("m", "team"), ("openai:m", "Team"), ("team:m", "team")])
def test_what_is_stored_goes_before_the_environment(scope: Scope, model: str, connection: str | None) -> None:
    found = asked(scope, model, connection, Store(stored("team")))
    assert (found.api_key, found.stored_id, found.origins) == ("own-key", "con_1", ("https://api.openai.com",))


def test_a_stored_connection_of_a_providers_name_serves_its_models() -> None:
    assert asked(TENANT, "openai:m", None, Store(stored("openai"))).api_key == "own-key"


def test_the_environment_is_the_default_organizations() -> None:
    assert asked(DEFAULT_SCOPE, "openai:m", None, Store()).api_key == "operators"
    assert asked(DEFAULT_SCOPE, "team:m", None, Store()).api_key == "operators-team"
    assert asked(Scope(DEFAULT_SCOPE.org_id, "prj_2"), "openai:m").api_key == "operators"
    for model, connection in (("openai:m", None), ("m", "team"), ("team:m", None)):
        with pytest.raises(StepError) as caught:
            asked(TENANT, model, connection, Store())
        assert caught.value.code == "LLM_REQUEST_FAILED"
        assert not any(word in caught.value.message for word in ("OPENAI", "RUNWELL_", "operators"))


def test_usual_keys_can_be_shared_and_named_connections_cannot() -> None:
    assert asked(TENANT, "openai:m", None, Store(), share_keys=True).api_key == "operators"
    for model, connection in (("m", "team"), ("team:m", None)):
        with pytest.raises(StepError):
            asked(TENANT, model, connection, Store(), share_keys=True)


@pytest.mark.parametrize(
    ("error", "again"), [(SealBroken("this connection was sealed with a key"), False), (JournalUnavailable("the disk is away"), True)]
)
def test_a_connection_that_does_not_open_fails_the_step(error: Exception, again: bool) -> None:
    with pytest.raises(StepError) as caught:
        asked(TENANT, "m", "team", Store(error=error))
    assert (caught.value.code, caught.value.retryable) == ("SECRET_UNREADABLE", again)


def test_a_connection_of_another_type_answers_no_models() -> None:
    with pytest.raises(StepError, match="answers no models"):
        asked(TENANT, "m", "desk", Store(stored("desk", "http")))
    with pytest.raises(StepError, match="no api_key"):
        asked(TENANT, "m", "team", Store(stored("team", api_key=None)))


def test_what_a_tenant_is_told_names_no_variable() -> None:
    reach = ModelReach(ModelSources({}).environment(TENANT), {"team": "openai", "desk": "http"}, tenant=True)
    assert reach.connection("team") is reach.model("team:m", None) is reach.http_connection("desk") is reach.model("team:m", "team") is None
    for refusal in (reach.connection("teem"), reach.connection("desk"), reach.http_connection("team"), reach.http_connection("dask")):
        assert refusal is not None
        assert refusal.code == "missing_connection"
        assert "RUNWELL" not in f"{refusal.message} {refusal.cure}"
    assert reach.model("google:m", "team") is not None
    assert ModelReach(ModelSources({}).environment(TENANT)).http_connection("any") is None


def test_another_organization_is_not_led_to_this_machine() -> None:
    for environ, share, address in (
        ({}, True, None),
        ({}, False, None),
        ({"OLLAMA_BASE_URL": "http://models:1/v1"}, True, "http://models:1/v1"),
    ):
        sources = ModelSources(environ, share_keys=share)
        if address is None:
            with pytest.raises(StepError) as caught:
                sources.usual(TENANT, "ollama")
            assert caught.value.details == {"reason": "missing_key"}
        else:
            assert sources.usual(TENANT, "ollama").base_url == address
    assert ModelSources({}).usual(DEFAULT_SCOPE, "ollama").base_url == "http://localhost:11434/v1"


@pytest.mark.parametrize(
    ("provider", "base_url", "foreign"),
    [
        ("azure", "https://my-team.openai.azure.com/openai/v1", False),
        ("azure", "https://my-team.openai.azure.com.example/openai/v1", True),
        ("bedrock", "https://bedrock-mantle.eu-west-1.api.aws", False),
        ("bedrock", "https://example.com/bedrock-mantle.eu-west-1.api.aws", True),
    ],
)
def test_which_address_is_the_vendors_own(provider: str, base_url: str, foreign: bool) -> None:
    environ = {"RUNWELL_CONNECTION_X_PROVIDER": provider, "RUNWELL_CONNECTION_X_BASE_URL": base_url, "RUNWELL_CONNECTION_X_API_KEY": "k"}
    assert Connections(environ).named("x").foreign == foreign


def test_azure_without_an_address_says_what_lacks() -> None:
    with pytest.raises(StepError, match="set AZURE_OPENAI_BASE_URL"):
        Connections({"AZURE_OPENAI_API_KEY": "k"}).usual("azure")
