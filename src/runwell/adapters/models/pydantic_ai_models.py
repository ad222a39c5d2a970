"""The vendors' models through pydantic-ai: one request each, by its low-level interface.

Loaded by the router when the first call needs it, as the import takes seconds. What stands here is ours to keep:
no retries below the engine's, no stream that ends early taken for a whole answer, no key in an error.
"""

import asyncio
import time
from collections.abc import Sequence

import msgspec
from pydantic_ai.direct import model_request, model_request_stream
from pydantic_ai.messages import (
    ModelMessage,
    ModelResponse,
    ModelResponseStreamEvent,
    PartDeltaEvent,
    PartStartEvent,
    TextPart,
    TextPartDelta,
)
from pydantic_ai.models import Model, ModelRequestParameters
from pydantic_ai.settings import ModelSettings

from runwell.adapters.models.connections import Connection
from runwell.adapters.models.failures import failed
from runwell.adapters.models.prices import price_of
from runwell.adapters.models.recording import Recorder, recording
from runwell.adapters.models.stored_clients import StoredClients
from runwell.adapters.models.vendor_clients import VendorClient
from runwell.adapters.models.vendor_failures import refuses_schema, tells_key, translated
from runwell.adapters.models.vendor_messages import ToolNames, messages_of, thoughts_of, tool_calls_of, tool_choice, tool_parameters
from runwell.adapters.models.vendor_request import (
    asks_json_object,
    held_output,
    settings_of,
    speaks_schemas,
    with_schema_asked,
    with_strictness,
)
from runwell.model.raw_body import RawBody, tells_in_pieces, withheld
from runwell.model.scrubber import Scrubber
from runwell.model.usage import Usage
from runwell.ports.models import FailedCall, ModelAnswer, ModelCallFailed, ModelRequest, OnDelta

_Call = tuple[list[ModelMessage], ModelSettings, ModelRequestParameters]


class PydanticAiModels:
    """Answers for every connection. Used on one event loop; `aclose` ends all connections."""

    def __init__(self, http_allow: Sequence[str] = ()) -> None:
        self._clients: dict[Connection, VendorClient] = {}
        self._stored = StoredClients(http_allow)
        self._without_schemas: set[tuple[str | Connection, str]] = set()

    async def generate(self, connection: Connection, model: str, request: ModelRequest, on_delta: OnDelta | None) -> ModelAnswer:
        watch = _Watch(on_delta)
        names = ToolNames(request)
        with recording() as recorder:
            try:
                async with asyncio.timeout(connection.limits.timeout_s):
                    response = await self._respond(connection, model, request, names, watch)
                answer = _answer(connection, model, response, names, watch)
            except ModelCallFailed as exc:
                exc.call = _failed_call(connection, model, recorder, watch)
                raise
            except Exception as exc:
                error = translated(exc, connection, model, streamed=on_delta is not None)
                if error is None:
                    raise
                error.call = _failed_call(connection, model, recorder, watch)
                raise error from (None if tells_key(exc, connection.api_key) else exc)
        sent, received = _bodies(connection, recorder, answer)
        return msgspec.structs.replace(answer, raw_request=sent, raw_response=received)

    async def aclose(self) -> None:
        clients, self._clients = self._clients, {}
        for client in clients.values():
            await client.aclose()
        await self._stored.aclose()

    async def _respond(self, connection: Connection, name: str, request: ModelRequest, names: ToolNames, watch: "_Watch") -> ModelResponse:
        settings = settings_of(connection, request.params)
        if (choice := tool_choice(request, names)) is not None:
            settings["tool_choice"] = choice
        model = self._client(connection).model(name)
        tools = with_strictness(connection, model, tool_parameters(request, names))
        server = connection.stored_id or connection
        if (schema := request.output_schema) is None:
            return await _request(model, (messages_of(request.messages, names), settings, tools), watch)
        asked = messages_of(with_schema_asked(request), names)
        if speaks_schemas(connection, model, schema) and (server, name) not in self._without_schemas:
            # A server that is not the vendor's own may take no notice of the schema, so it is told in words too.
            in_words = connection.imitates or asks_json_object(connection, model, schema)
            messages = asked if in_words else messages_of(request.messages, names)
            try:
                return await _request(model, (messages, settings, held_output(connection, model, schema, tools)), watch)
            except Exception as exc:
                if not (connection.imitates and refuses_schema(exc)):
                    raise
                self._without_schemas.add((server, name))
        return await _request(model, (asked, settings, tools), watch)

    def _client(self, connection: Connection) -> VendorClient:
        if connection.stored_id is not None:
            return self._stored.client(connection)
        if connection not in self._clients:
            self._clients[connection] = VendorClient(connection)
        return self._clients[connection]


class _Watch:
    """Hands text on as it comes, and knows the times in ms."""

    def __init__(self, on_delta: OnDelta | None) -> None:
        self.on_delta = on_delta
        self.first_token_ms: float | None = None
        self._started = time.perf_counter()

    def see(self, text: str) -> None:
        if text and self.on_delta is not None:
            if self.first_token_ms is None:
                self.first_token_ms = self.elapsed_ms
            self.on_delta(text)

    @property
    def elapsed_ms(self) -> float:
        return round((time.perf_counter() - self._started) * 1000, 3)


async def _request(model: Model, call: _Call, watch: _Watch) -> ModelResponse:
    """Raises `ConnectionError` for an answer that does not say why it ended: pydantic-ai may stream what we ask for whole."""
    response = await (_whole if watch.on_delta is None else _streamed)(model, call, watch)
    if response.finish_reason is None and not (response.provider_details or {}).get("finish_reason"):
        raise ConnectionError("the stream ended before the answer did")
    return response


async def _whole(model: Model, call: _Call, watch: _Watch) -> ModelResponse:
    messages, settings, parameters = call
    return await model_request(model, messages, model_settings=settings, model_request_parameters=parameters, instrument=False)


async def _streamed(model: Model, call: _Call, watch: _Watch) -> ModelResponse:
    messages, settings, parameters = call
    async with model_request_stream(
        model, messages, model_settings=settings, model_request_parameters=parameters, instrument=False
    ) as stream:
        async for event in stream:
            watch.see(_text(event))
        return stream.get()


def _text(event: ModelResponseStreamEvent) -> str:
    match event:
        case PartStartEvent(part=TextPart(content=text)) | PartDeltaEvent(delta=TextPartDelta(content_delta=text)):
            return text
        case _:
            return ""


def _answer(connection: Connection, model: str, response: ModelResponse, names: ToolNames, watch: _Watch) -> ModelAnswer:
    if response.finish_reason == "content_filter":
        raise failed("content_filter", f"{connection.name or connection.provider} filtered the answer of {model!r}: change the messages")
    price = price_of(connection, response.usage, response.model_name, model)
    return ModelAnswer(
        text="".join(part.content for part in response.parts if isinstance(part, TextPart)),
        provider=connection.vendor,
        model=model,
        tool_calls=tool_calls_of(response, names),
        thoughts=thoughts_of(response),
        response_model=response.model_name,
        usage=_usage(response, price.nanos),
        latency_ms=watch.elapsed_ms,
        first_token_ms=watch.first_token_ms,
        finish_reason=response.finish_reason,
        price_snapshot=price.snapshot,
    )


def _failed_call(connection: Connection, model: str, recorder: Recorder, watch: _Watch) -> FailedCall:
    sent, received = _bodies(connection, recorder)
    return FailedCall(
        provider=connection.vendor,
        model=model,
        latency_ms=watch.elapsed_ms,
        first_token_ms=watch.first_token_ms,
        raw_request=sent,
        raw_response=received,
    )


def _bodies(connection: Connection, recorder: Recorder, answer: ModelAnswer | None = None) -> tuple[RawBody | None, RawBody | None]:
    """Return the bodies. A stream that brings the key back in pieces is withheld: what the whole answer says tells it at once."""
    scrubber = Scrubber([] if connection.api_key is None else [connection.api_key])
    sent, received = recorder.request(scrubber), recorder.response(scrubber)
    if received is None or connection.api_key is None:
        return sent, received
    said = (
        None
        if answer is None
        else [answer.text, *(thought.text for thought in answer.thoughts), *(call.args for call in answer.tool_calls)]
    )
    told = tells_in_pieces(received, scrubber) if said is None else scrubber.data(said) != said
    return sent, withheld(received) if told and "event-stream" in (received.content_type or "") else received


def _usage(response: ModelResponse, cost_nanos: int) -> Usage:
    used = response.usage
    return Usage(
        input_tokens=used.input_tokens,
        cached_tokens=used.cache_read_tokens,
        output_tokens=used.output_tokens,
        reasoning_tokens=used.details.get("reasoning_tokens") or used.details.get("thoughts_tokens") or 0,
        generations=1,
        cost_nanos=cost_nanos,
    )
