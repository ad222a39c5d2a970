"""Model calls in spans: OpenTelemetry's conventions of now and before, OpenInference's, Langfuse's and OpenLLMetry's names."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from genai_prices import Usage as Tokens

from runwell.adapters.models.prices import price_elsewhere
from runwell.adapters.otlp.attributes import Attributes, data_of, number_of
from runwell.adapters.otlp.messages import Message, answer_of, messages_of
from runwell.model.errors import ErrorInfo, InvalidInput
from runwell.model.generation import GenerationCompleted
from runwell.model.times import from_rfc3339
from runwell.model.traces import Span, SpanEvent
from runwell.model.usage import Usage

_NANOS: Final = 1_000_000_000
_MOST_USD: Final = 1_000_000
_ASKED: Final = ("system", "user", "assistant", "tool")
"""Who speaks in the events `gen_ai.<role>.message` of earlier conventions."""

_PARAMS: Final = ("temperature", "top_p", "top_k", "max_tokens", "frequency_penalty", "presence_penalty", "stop_sequences", "seed")
Place = Callable[[], Any]
"""Where messages may stand: it takes them out and returns them, None without any."""

_DETAILS: Final = "gen_ai.client.inference.operation.details"


def generation_of(
    span: Span, attributes: Attributes, times: tuple[int, int], error: ErrorInfo | None
) -> tuple[GenerationCompleted, tuple[SpanEvent, ...]]:
    """Return the model call, and the span's events that it does not tell. `times`: start and end in ms since 1970."""
    events = _Events(span.events)
    attributes.left.update({key: value for key, value in events.details.items() if key not in attributes})
    provider = attributes.text("gen_ai.provider.name", "gen_ai.system", "llm.provider", "llm.system", "ai.model.provider") or "unknown"
    asked = attributes.text(
        "gen_ai.request.model",
        "llm.request.model",
        "langfuse.observation.model.name",
        "llm.model_name",
        "embedding.model_name",
        "ai.model.id",
    )
    answered = attributes.text("gen_ai.response.model", "llm.response.model", "ai.response.model")
    messages = events.asked or _asked(attributes)
    answer = answer_of(events.answered or _answered(attributes))
    usage, snapshot = _usage(attributes, provider, times[0], answered, asked)
    latency = max(span.end - span.start, 0) / 1e6 if span.start and span.end else float(times[1] - times[0])
    call = GenerationCompleted(
        provider=provider.lower(),
        model=asked or answered or "unknown",
        response_model=answered,
        ok=error is None,
        usage=usage,
        latency_ms=latency,
        first_token_ms=_first_token(attributes, span),
        finish_reason=_finish_reason(attributes) or answer.finish_reason,
        messages=messages or None,
        params=_params(attributes),
        tools=_tools(attributes),
        response=answer.response,
        tool_calls=answer.tool_calls,
        thought=answer.thought,
        error=error,
        price_snapshot=snapshot,
    )
    return call, tuple(events.left)


class _Events:
    """What a span's events tell of its messages, as conventions before 1.37 had it."""

    def __init__(self, events: tuple[SpanEvent, ...]) -> None:
        self.asked: list[Message] = []
        self.answered: list[Message] = []
        self.details: dict[str, Any] = {}
        self.left: list[SpanEvent] = []
        for event in events:
            self._take(event)

    def _take(self, event: SpanEvent) -> None:
        name, told = event.name, event.attributes
        role = name.removeprefix("gen_ai.").removesuffix(".message")
        if name == f"gen_ai.{role}.message" and role in _ASKED:
            self.asked += messages_of({"role": role, **_plain(told)})
        elif name == "gen_ai.choice":
            self.answered += messages_of({"role": "assistant", **_plain(told)})
        elif name == "gen_ai.content.prompt" and "gen_ai.prompt" in told:
            self.asked += messages_of(told["gen_ai.prompt"])
        elif name == "gen_ai.content.completion" and "gen_ai.completion" in told:
            self.answered += messages_of(told["gen_ai.completion"], "assistant")
        elif name == _DETAILS:
            self.details.update(told)
        else:
            self.left.append(event)


def _plain(told: dict[str, Any]) -> dict[str, Any]:
    """Return an event's attributes as a message has them: its fields, or the fields of a `message` within."""
    fields = {key.removeprefix("gen_ai.").removeprefix("event."): data_of(value) for key, value in told.items()}
    inner = fields.pop("message", None)
    fields = {**fields, **inner} if isinstance(inner, dict) else fields if inner is None else {**fields, "content": inner}
    calls = fields.get("tool_calls")
    found: dict[str, Any] = {key: fields[key] for key in ("role", "content", "parts", "finish_reason") if key in fields}
    if isinstance(calls, list):
        found["tool_calls"] = calls
    if fields.get("id"):
        found["tool_call_id"] = fields["id"]
    return found


def _asked(attributes: Attributes) -> list[Message]:
    told = data_of(attributes.peek("gen_ai.system_instructions"))
    system: list[Message] = []
    if isinstance(told, list):
        attributes.take("gen_ai.system_instructions")
        system = messages_of({"role": "system", "parts": told})
    places: tuple[Place, ...] = (
        lambda: attributes.take("gen_ai.input.messages"),
        lambda: attributes.tree("gen_ai.prompt"),
        lambda: attributes.tree("llm.input_messages"),
        lambda: attributes.take("langfuse.observation.input", "ai.prompt.messages", "gen_ai.prompt"),
        lambda: _prompts(attributes.tree("llm.prompts")),
        lambda: attributes.take("input.value", "traceloop.entity.input"),
    )
    return [*system, *messages_of(_first(places))]


def _answered(attributes: Attributes) -> list[Message]:
    places: tuple[Place, ...] = (
        lambda: attributes.take("gen_ai.output.messages"),
        lambda: attributes.tree("gen_ai.completion"),
        lambda: attributes.tree("llm.output_messages"),
        lambda: attributes.take("langfuse.observation.output", "ai.response.text", "gen_ai.completion"),
        lambda: attributes.take("output.value", "traceloop.entity.output"),
    )
    return messages_of(_first(places), "assistant")


def _first(places: tuple[Place, ...]) -> Any:
    return next((said for read in places if (said := read()) is not None), None)


def _prompts(held: Any) -> Any:
    """Return the texts of OpenInference's prompts, which are no messages."""
    if not isinstance(held, list):
        return held
    inner = [one.get("prompt", one) if isinstance(one, dict) else one for one in held]
    return "\n".join(str(one.get("text", one)) if isinstance(one, dict) else str(one) for one in inner)


def _usage(attributes: Attributes, provider: str, at: int, *models: str | None) -> tuple[Usage, str | None]:
    """Return what was used, and which price table gave its cost; None where the span told the cost, or nobody knows it."""
    told = _told(attributes, "langfuse.observation.usage_details")
    given = attributes.whole(
        "gen_ai.usage.input_tokens",
        "gen_ai.usage.prompt_tokens",
        "llm.usage.prompt_tokens",
        "llm.token_count.prompt",
        "ai.usage.promptTokens",
    )
    written = attributes.whole(
        "gen_ai.usage.output_tokens",
        "gen_ai.usage.completion_tokens",
        "llm.usage.completion_tokens",
        "llm.token_count.completion",
        "ai.usage.completionTokens",
    )
    cached = attributes.whole(
        "gen_ai.usage.cache_read.input_tokens",
        "gen_ai.usage.cache_read_input_tokens",
        "gen_ai.usage.details.cache_read_tokens",
        "llm.token_count.prompt_details.cache_read",
    )
    kept = attributes.whole(
        "gen_ai.usage.cache_creation.input_tokens",
        "gen_ai.usage.cache_creation_input_tokens",
        "gen_ai.usage.details.cache_write_tokens",
        "llm.token_count.prompt_details.cache_write",
    )
    reasoned = attributes.whole(
        "gen_ai.usage.reasoning.output_tokens",
        "gen_ai.usage.reasoning_tokens",
        "gen_ai.usage.details.reasoning_tokens",
        "llm.token_count.completion_details.reasoning",
    )
    cached = cached if cached is not None else told("cache_read_input_tokens", "input_cached_tokens", "input_cache_read")
    kept = kept if kept is not None else told("cache_creation_input_tokens", "input_cache_creation")
    given = given if given is not None else told("input", "prompt_tokens", "input_tokens")
    written = written if written is not None else told("output", "completion_tokens", "output_tokens")
    reasoned = reasoned if reasoned is not None else told("output_reasoning_tokens", "reasoning_tokens")
    if given < cached + kept:  # some count them apart
        given += cached + kept
    cost, snapshot = _cost(attributes, provider, at, _tokens(given, cached, kept, written), models)
    usage = Usage(
        input_tokens=given, cached_tokens=cached, output_tokens=written, reasoning_tokens=reasoned, generations=1, cost_nanos=cost
    )
    return usage, snapshot


def _tokens(given: int, cached: int, kept: int, written: int) -> Tokens:
    return Tokens(input_tokens=given, cache_read_tokens=cached or None, cache_write_tokens=kept or None, output_tokens=written)


def _told(attributes: Attributes, name: str) -> Callable[..., int]:
    """Return what finds a count by one of several names in an attribute that holds an object."""
    held = attributes.data(name) if isinstance(data_of(attributes.peek(name)), dict) else {}

    def find(*names: str) -> int:
        return next((int(found) for key in names if (found := number_of(held.get(key))) is not None), 0)

    return find


def _cost(attributes: Attributes, provider: str, at: int, tokens: Tokens, models: tuple[str | None, ...]) -> tuple[int, str | None]:
    held = data_of(attributes.peek("langfuse.observation.cost_details"))
    if isinstance(held, dict) and number_of(held.get("total")) is not None:
        attributes.take("langfuse.observation.cost_details")
        return _nanos(held["total"]), None
    stated = attributes.number("runwell.cost_usd", "llm.cost.total", "gen_ai.usage.cost")
    if stated is not None:
        return _nanos(stated), None
    price = price_elsewhere(provider.lower(), tokens, datetime.fromtimestamp(at / 1000, UTC), *models)
    return min(price.nanos, _MOST_USD * _NANOS), price.snapshot


def _nanos(usd: Any) -> int:
    return round(min(number_of(usd) or 0.0, _MOST_USD) * _NANOS)


def _first_token(attributes: Attributes, span: Span) -> float | None:
    seconds = attributes.number("gen_ai.response.time_to_first_chunk")
    if seconds is not None:
        return seconds * 1000
    told = attributes.number("runwell.first_token_ms", "ai.response.msToFirstChunk")
    if told is not None:
        return told
    name = "langfuse.observation.completion_start_time"
    try:
        began = from_rfc3339(str(attributes.peek(name)).strip('"'))
    except InvalidInput:
        return None
    attributes.take(name)
    return max(began - span.start / 1e6, 0.0) if span.start else None


def _finish_reason(attributes: Attributes) -> str | None:
    reasons = attributes.data("gen_ai.response.finish_reasons", "ai.response.finishReason", "llm.finish_reason")
    first = reasons[0] if isinstance(reasons, list) and reasons else reasons
    return str(first) if isinstance(first, str) and first else None


def _params(attributes: Attributes) -> dict[str, Any] | None:
    held = attributes.data("llm.invocation_parameters", "langfuse.observation.model.parameters")
    params: dict[str, Any] = held if isinstance(held, dict) else {} if held is None else {"given": held}
    for name in _PARAMS:
        value = attributes.take(f"gen_ai.request.{name}")
        if value is not None:
            params[name] = value
    return params or None


def _tools(attributes: Attributes) -> list[dict[str, Any]] | None:
    offered = attributes.data("gen_ai.tool.definitions") or attributes.tree("llm.request.functions") or attributes.tree("llm.tools")
    if not isinstance(offered, list):
        return None
    return [tool if isinstance(tool, dict) else {"definition": data_of(tool)} for tool in map(data_of, offered)] or None
