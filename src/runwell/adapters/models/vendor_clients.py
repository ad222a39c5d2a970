"""The HTTP clients of the vendors, and pydantic-ai's models on top of them.

The vendors' libraries read headers from the environment by themselves (OPENAI_ORG_ID, ..._CUSTOM_HEADERS). Those belong to
the vendor's usual settings: a named connection is its own variables alone, so its requests lose them on their way out.
"""

import os
from typing import Final

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

from runwell.adapters.models.connections import Connection, Vendor
from runwell.adapters.models.recording import RecordingClient

_NO_KEY = "no-key"
"""What a server that wants no key is sent: the libraries insist on one."""

_KEY_HEADERS: Final[dict[Vendor, str]] = {"openai": "authorization", "anthropic": "x-api-key", "google": "x-goog-api-key"}

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


class _OwnHeaders:
    """Takes out of a request what the environment put in, and sees that the key is the connection's."""

    def __init__(self, connection: Connection) -> None:
        key = connection.api_key or _NO_KEY
        self._header = _KEY_HEADERS[connection.vendor]
        self._value = f"Bearer {key}" if connection.vendor == "openai" else key
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


def _openai(connection: Connection, http: httpx2.AsyncClient) -> Provider[AsyncOpenAI]:
    client = AsyncOpenAI(api_key=connection.api_key or _NO_KEY, base_url=connection.base_url, http_client=http, max_retries=0)
    if connection.foreign:
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
