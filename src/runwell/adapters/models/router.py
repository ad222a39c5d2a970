"""The models of this installation: which adapter answers is told by the prefix of a model's name.

`demo:` is answered here, without key or network. Everything else goes through pydantic-ai, whose import takes seconds:
it is loaded in a worker thread, by the first call that needs it.
"""

import asyncio
import importlib
import os
from collections.abc import Sequence
from typing import Any, Protocol

import msgspec

from runwell.adapters.models.connections import PROVIDERS, Connection, canonical
from runwell.adapters.models.demo import DemoModels
from runwell.adapters.models.failures import failed
from runwell.adapters.models.sources import ModelSources
from runwell.adapters.models.turns import Turns
from runwell.model.errors import StepError
from runwell.model.scrubber import ScrubbedStream, Scrubber
from runwell.ports.models import ModelAnswer, ModelCallFailed, ModelRequest, Models, OnDelta


class _Vendors(Protocol):
    async def generate(self, connection: Connection, model: str, request: ModelRequest, on_delta: OnDelta | None) -> ModelAnswer: ...

    async def aclose(self) -> None: ...


class ModelRouter(Models):
    """Every model that a document can name. Used on one event loop; `aclose` ends all connections.

    Stored connections reach public addresses, and the networks (CIDR) in `http_allow`. No key comes back in an answer.
    """

    def __init__(self, sources: ModelSources | None = None, http_allow: Sequence[str] = ()) -> None:
        self._sources = sources or ModelSources(os.environ)
        self._http_allow = http_allow
        self._demo = DemoModels()
        self._turns = Turns()
        self._vendors: _Vendors | None = None
        self._loading = asyncio.Lock()

    async def generate(self, request: ModelRequest, *, on_delta: OnDelta | None = None) -> ModelAnswer:
        if request.connection is None and request.model.startswith("demo:"):
            return await self._demo.generate(request, on_delta=on_delta)
        connection, model = await self._route(request)
        vendors = await self._loaded()
        key = self._sources.key_source(request.scope, connection)
        by_vendor = connection.name is None or request.model.partition(":")[0] in PROVIDERS
        provider = connection.vendor if by_vendor else connection.name or connection.vendor
        try:
            async with self._turns.turn(connection):
                answer = await _without_key(vendors, connection, model, request, on_delta)
        except ModelCallFailed as exc:
            if exc.call is not None:
                exc.call = msgspec.structs.replace(exc.call, provider=provider, key=key)
            raise
        return msgspec.structs.replace(answer, provider=provider, key=key)

    async def aclose(self) -> None:
        vendors, self._vendors = self._vendors, None
        if vendors is not None:
            await vendors.aclose()

    async def _route(self, request: ModelRequest) -> tuple[Connection, str]:
        prefix, colon, model = request.model.partition(":")
        if request.connection is not None:
            connection = await self._sources.named(request.scope, request.connection)
            return connection, _model_of(connection, request.model)
        environment = self._sources.environment(request.scope)
        if colon and model:
            if (stored := await self._sources.stored(request.scope, prefix)) is not None:
                return stored, model
            if prefix in PROVIDERS:
                return self._sources.usual(request.scope, prefix), model
            if environment.knows(prefix):
                return environment.named(prefix), model
        known = ", ".join(f"{name}:" for name in ("demo", *PROVIDERS, *environment.names))
        raise failed("unknown_model", f"no provider answers for {request.model!r}: begin the model with one of {known}")

    async def _loaded(self) -> _Vendors:
        async with self._loading:
            if self._vendors is None:
                module: Any = await asyncio.to_thread(importlib.import_module, "runwell.adapters.models.pydantic_ai_models")
                self._vendors = module.PydanticAiModels(self._http_allow)
            return self._vendors


async def _without_key(
    vendors: _Vendors, connection: Connection, model: str, request: ModelRequest, on_delta: OnDelta | None
) -> ModelAnswer:
    """Make the call; a server that sends the key back is not repeated."""
    if connection.api_key is None:
        return await vendors.generate(connection, model, request, on_delta)
    scrubber = Scrubber([connection.api_key])
    shown = None if on_delta is None else ScrubbedStream(scrubber, on_delta)
    try:
        answer = await vendors.generate(connection, model, request, shown)
    except StepError as exc:
        exc.message = scrubber.text(exc.message)
        raise
    if shown is not None:
        shown.end()
    words = {name: scrubber.data(getattr(answer, name)) for name in ("text", "response_model", "finish_reason")}
    calls = tuple(msgspec.structs.replace(call, args=scrubber.data(call.args)) for call in answer.tool_calls)
    thoughts = tuple(msgspec.structs.replace(thought, text=scrubber.text(thought.text)) for thought in answer.thoughts)
    return msgspec.structs.replace(answer, **words, tool_calls=calls, thoughts=thoughts)


def _model_of(connection: Connection, name: str) -> str:
    """Return the model's name as the provider knows it; a prefix must be the connection's own."""
    prefix, _, model = name.partition(":")
    if model and canonical(prefix) == canonical(connection.name or ""):
        return model
    if model and prefix in PROVIDERS | {"demo": "demo"}:
        if PROVIDERS.get(prefix) != connection.vendor:
            raise failed("bad_request", f"the connection {connection.name!r} reaches {connection.provider!r}, not {prefix!r}: change one")
        return model
    return name
