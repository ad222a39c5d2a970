"""The HTTP clients of the vendors, and pydantic-ai's models on top of them.

A client gets its key and address from the connection alone: what the vendors' libraries read from the environment by
themselves would send one connection's key to another's address.
"""

import httpx2
from anthropic import AsyncAnthropic
from openai import AsyncOpenAI
from pydantic_ai.models import Model
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.google import GoogleModel
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.profiles.openai import OpenAIModelProfile
from pydantic_ai.providers import Provider
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.google import GoogleProvider
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider

from runwell.adapters.models.connections import Connection

_NO_KEY = "no-key"
"""What a server that wants no key is sent: the libraries insist on one."""

_TIMEOUT = httpx2.Timeout(600, connect=10)
"""A step's `timeout_s` ends a call long before; this only frees a connection on which nothing comes any more."""


class VendorClient:
    """One connection's HTTP client, shared by all its models."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._http = httpx2.AsyncClient(timeout=_TIMEOUT, limits=httpx2.Limits(max_connections=1_000, max_keepalive_connections=100))
        match connection.vendor:
            case "openai":
                self._openai = _openai(connection, self._http)
            case "anthropic":
                self._anthropic = _anthropic(connection, self._http)
            case "google":
                self._google = GoogleProvider(api_key=connection.api_key or _NO_KEY, base_url=connection.base_url, http_client=self._http)

    def model(self, name: str) -> Model:
        match self._connection.vendor:
            case "anthropic":
                return AnthropicModel(name, provider=self._anthropic)
            case "google":
                return GoogleModel(name, provider=self._google)
            case "openai" if self._connection.provider == "openai-responses":
                return OpenAIResponsesModel(name, provider=self._openai)
            case "openai":
                return OpenAIChatModel(name, provider=self._openai, profile=_chat_profile(self._connection))

    async def aclose(self) -> None:
        await self._http.aclose()


def _openai(connection: Connection, http: httpx2.AsyncClient) -> Provider[AsyncOpenAI]:
    client = AsyncOpenAI(api_key=connection.api_key or _NO_KEY, base_url=connection.base_url, http_client=http, max_retries=0)
    if connection.foreign:
        client.organization = client.project = None  # from the environment, meant for OpenAI itself
        return OpenAICompatibleProvider(connection.name or "openai-compatible", openai_client=client)
    return OpenAIProvider(openai_client=client)


def _anthropic(connection: Connection, http: httpx2.AsyncClient) -> AnthropicProvider:
    client = AsyncAnthropic(api_key=connection.api_key or _NO_KEY, base_url=connection.base_url, http_client=http, max_retries=0)
    return AnthropicProvider(anthropic_client=client)


def _chat_profile(connection: Connection) -> OpenAIModelProfile:
    """A stream without finish reason has been cut. Servers other than OpenAI's know `max_tokens` better than its successor."""
    if connection.foreign:
        return OpenAIModelProfile(openai_chat_streaming_requires_finish_reason=True, openai_chat_supports_max_completion_tokens=False)
    return OpenAIModelProfile(openai_chat_streaming_requires_finish_reason=True)
