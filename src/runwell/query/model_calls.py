"""The model calls of a run, added up in total and by model."""

from collections.abc import Iterable

from runwell.model.events import Event, GenerationCompleted
from runwell.model.run_document import LatencyStats, ModelLatency, ModelTokens, TokenUsage

Key = tuple[str, str]
"""Provider, and the model that answered; the one that was asked where the answer does not say."""

Calls = dict[Key, list[GenerationCompleted]]


def model_calls(events: Iterable[Event]) -> Calls:
    """Return the run's model calls, failed ones too, by model, in the order in which each was first asked."""
    calls: Calls = {}
    for event in events:
        if isinstance(event.data, GenerationCompleted):
            calls.setdefault((event.data.provider, event.data.response_model or event.data.model), []).append(event.data)
    return calls


def token_usage(calls: Calls) -> TokenUsage:
    every = [call for part in calls.values() for call in part]
    return TokenUsage(
        total_input_tokens=_input(every),
        total_output_tokens=_output(every),
        total_tokens=_input(every) + _output(every),
        call_count_with_user_keys=_with_user_keys(every),
        call_count_with_fallback_keys=_with_fallback_keys(every),
        call_count=len(every),
        breakdown_by_models=[_model_tokens(key, part) for key, part in calls.items()],
    )


def _model_tokens(key: Key, calls: list[GenerationCompleted]) -> ModelTokens:
    return ModelTokens(
        response_model=key[1],
        provider=key[0],
        total_input_tokens=_input(calls),
        total_output_tokens=_output(calls),
        total_tokens=_input(calls) + _output(calls),
        call_count_with_user_keys=_with_user_keys(calls),
        call_count_with_fallback_keys=_with_fallback_keys(calls),
        call_count=len(calls),
    )


def _with_user_keys(calls: list[GenerationCompleted]) -> int:
    """Count the calls with a key of the organization. Older events do not say whose key it was: nobody else's was there."""
    return sum(call.key in ("own", None) for call in calls)


def _with_fallback_keys(calls: list[GenerationCompleted]) -> int:
    """Count the calls with the key that the operator lends to every organization."""
    return sum(call.key == "fallback" for call in calls)


def _input(calls: list[GenerationCompleted]) -> int:
    return sum(call.usage.input_tokens for call in calls)


def _output(calls: list[GenerationCompleted]) -> int:
    return sum(call.usage.output_tokens for call in calls)


def latency_stats(calls: Calls) -> LatencyStats:
    every = [call for part in calls.values() for call in part]
    return LatencyStats(
        call_count=len(every),
        total_latency_milliseconds=_total(every),
        average_latency_milliseconds=_average(every),
        breakdown_by_models=[_model_latency(key, part) for key, part in calls.items()],
    )


def _model_latency(key: Key, calls: list[GenerationCompleted]) -> ModelLatency:
    return ModelLatency(
        response_model=key[1],
        provider=key[0],
        call_count=len(calls),
        total_latency_milliseconds=_total(calls),
        average_latency_milliseconds=_average(calls),
    )


def _total(calls: list[GenerationCompleted]) -> int:
    return round(sum(call.latency_ms for call in calls))


def _average(calls: list[GenerationCompleted]) -> int:
    return round(sum(call.latency_ms for call in calls) / len(calls)) if calls else 0
