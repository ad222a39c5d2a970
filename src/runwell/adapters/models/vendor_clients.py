"""The HTTP clients of the vendors, and pydantic-ai's models on top of them.

The vendors' libraries read headers from the environment by themselves (OPENAI_ORG_ID, ..._CUSTOM_HEADERS). Those belong to
the vendor's usual settings: a named connection is its own variables alone, so its requests lose them on their way out.
"""

import importlib
import os
from collections.abc import Callable
from functools import lru_cache
from typing import Final, cast

import httpx2
from anthropic import AsyncAnthropic
from openai import AsyncOpenAI
from pydantic_ai.models import Model
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.bedrock_mantle import BedrockMantleChatModel, BedrockMantleResponsesModel
from pydantic_ai.models.google import GoogleModel
from pydantic_ai.models.ollama import OllamaModel
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.profiles.openai import OpenAIModelProfile
from pydantic_ai.providers import Provider
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.bedrock_mantle import BedrockMantleProvider, bedrock_mantle_model_profile
from pydantic_ai.providers.google import GoogleProvider
from pydantic_ai.providers.ollama import OllamaProvider
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider

from runwell.adapters.models.connections import Connection, Protocol
from runwell.adapters.models.failures import failed
from runwell.adapters.models.recording import RecordingClient

_NO_KEY = "no-key"
"""What a server that wants no key is sent: the libraries insist on one."""

_KEY_HEADERS: Final[dict[Protocol, str]] = {
    "openai": "authorization",
    "anthropic": "x-api-key",
    "google": "x-goog-api-key",
    "mistral": "authorization",
}

KEPT: Final = 100
"""Of a connection, as many models are kept from call to call."""

_TIMEOUT = httpx2.Timeout(600, connect=10)
"""A step's `timeout_s` ends a call long before; this only frees a connection on which nothing comes any more."""


class VendorClient:
    """One connection's HTTP client, shared by all its models."""

    def __init__(self, connection: Connection, transport: httpx2.AsyncBaseTransport | None = None) -> None:
        self._connection = connection
        limits = httpx2.Limits(max_connections=1_000, max_keepalive_connections=100)
        self._http = RecordingClient(timeout=_TIMEOUT, limits=limits, transport=transport, trust_env=transport is None)
        if connection.name is not None:
            self._http.event_hooks = {"request": [_OwnHeaders(connection)]}
        self.model: Callable[[str], Model] = lru_cache(KEPT)(_MODELS[connection.protocol](connection, self._http))

    async def aclose(self) -> None:
        await self._http.aclose()


class _OwnHeaders:
    """Takes out of a request what the environment put in, and sees that the key is the connection's."""

    def __init__(self, connection: Connection) -> None:
        key = connection.api_key or _NO_KEY
        self._header = _KEY_HEADERS[connection.protocol]
        self._value = f"Bearer {key}" if self._header == "authorization" else key
        self._strange = _from_environment() - {self._header}
        self._added = connection.headers

    async def __call__(self, request: httpx2.Request) -> None:
        for name in self._strange:
            request.headers.pop(name, None)
        for name, value in self._added:
            request.headers[name] = value
        request.headers[self._header] = self._value


def _from_environment() -> set[str]:
    """Return the names, in lower case, of the headers that the libraries find in the environment."""
    lines = "\n".join(os.environ.get(f"{vendor}_CUSTOM_HEADERS", "") for vendor in ("OPENAI", "ANTHROPIC")).splitlines()
    return {"openai-organization", "openai-project", *(line.partition(":")[0].strip().lower() for line in lines if ":" in line)}


def _openai(connection: Connection, http: httpx2.AsyncClient) -> Callable[[str], Model]:
    client = AsyncOpenAI(api_key=connection.api_key or _NO_KEY, base_url=connection.base_url, http_client=http, max_retries=0)
    if connection.vendor == "bedrock":
        mantle = BedrockMantleProvider(openai_client=client)
        return lambda name: _on_bedrock(name, mantle)
    provider = _provider(connection, client)
    if connection.provider == "openai-responses":
        return lambda name: OpenAIResponsesModel(name, provider=provider)
    if connection.vendor == "ollama":
        return lambda name: OllamaModel(name, provider=provider, profile=_chat_profile(connection))
    return lambda name: OpenAIChatModel(name, provider=provider, profile=_chat_profile(connection))


def _provider(connection: Connection, client: AsyncOpenAI) -> Provider[AsyncOpenAI]:
    if connection.vendor == "ollama":
        return OllamaProvider(openai_client=client)
    if connection.vendor in ("openai", "azure") and not connection.foreign:
        return OpenAIProvider(openai_client=client)
    name = "openai-compatible" if connection.vendor == "openai" else connection.vendor
    return OpenAICompatibleProvider(connection.name or name, openai_client=client)


def _on_bedrock(name: str, provider: BedrockMantleProvider) -> Model:
    """Return OpenAI's model of this name on Bedrock. Others take AWS's own library, which blocks: they are not reached."""
    profile = bedrock_mantle_model_profile(name)
    if profile.get("bedrock_mantle_interface") == "chat":
        return BedrockMantleChatModel(name, provider=provider)
    return BedrockMantleResponsesModel(name, provider=provider)


def _anthropic(connection: Connection, http: httpx2.AsyncClient) -> Callable[[str], Model]:
    client = AsyncAnthropic(api_key=connection.api_key or _NO_KEY, base_url=connection.base_url, http_client=http, max_retries=0)
    provider = AnthropicProvider(anthropic_client=client)
    return lambda name: AnthropicModel(name, provider=provider)


def _google(connection: Connection, http: httpx2.AsyncClient) -> Callable[[str], Model]:
    provider = GoogleProvider(api_key=connection.api_key or _NO_KEY, base_url=connection.base_url, http_client=http)
    return lambda name: GoogleModel(name, provider=provider)


def _mistral(connection: Connection, http: httpx2.AsyncClient) -> Callable[[str], Model]:
    try:
        models = importlib.import_module("pydantic_ai.models.mistral")
        providers = importlib.import_module("pydantic_ai.providers.mistral")
    except ImportError as exc:
        raise failed("bad_request", "Mistral's library is not installed: pip install 'runwell[mistral]'") from exc
    provider = providers.MistralProvider(api_key=connection.api_key or _NO_KEY, base_url=connection.base_url, http_client=http)
    return lambda name: cast(Model, models.MistralModel(name, provider=provider))


_MODELS: Final[dict[Protocol, Callable[[Connection, httpx2.AsyncClient], Callable[[str], Model]]]] = {
    "openai": _openai,
    "anthropic": _anthropic,
    "google": _google,
    "mistral": _mistral,
}


def _chat_profile(connection: Connection) -> OpenAIModelProfile:
    """A stream without finish reason has been cut. Servers other than OpenAI's know `max_tokens` better than its successor."""
    if connection.imitates:
        return OpenAIModelProfile(openai_chat_streaming_requires_finish_reason=True, openai_chat_supports_max_completion_tokens=False)
    return OpenAIModelProfile(openai_chat_streaming_requires_finish_reason=True)
