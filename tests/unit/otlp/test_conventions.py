"""What spans say of model calls and tools, whichever convention they follow."""

import json
from typing import Any

import pytest

from runwell.adapters.otlp.conventions import read_span
from runwell.adapters.otlp.reading import read_trace
from runwell.model.generation import GenerationCompleted
from runwell.model.traces import Span, SpanEvent, SpanFacts

AT = 1_790_000_000_000
ASKED = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello?"}]
CALL = [{"id": "c1", "name": "find", "args": {"order": 17}}]


def spanned(attributes: dict[str, Any], **fields: Any) -> Span:
    times = {"start": AT * 1_000_000, "end": (AT + 500) * 1_000_000}
    return Span(**{"trace_id": "a" * 32, "span_id": "b" * 16, "name": "it", "attributes": attributes, **times, **fields})


def facts(attributes: dict[str, Any], **fields: Any) -> SpanFacts:
    return read_span(spanned(attributes, **fields), AT + 1_000, is_root=False, calls_model_itself=True, tells_resource=True).facts


def call(attributes: dict[str, Any], **fields: Any) -> GenerationCompleted:
    found = facts(attributes, **fields).generation
    assert found is not None
    return found


def event(name: str, **attributes: Any) -> SpanEvent:
    return SpanEvent(name=name, at=AT * 1_000_000, attributes={key.replace("__", "."): value for key, value in attributes.items()})


OPENTELEMETRY = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.usage.input_tokens": 1_000,
    "gen_ai.usage.output_tokens": 100,
    "gen_ai.usage.cache_read.input_tokens": 400,
    "gen_ai.response.finish_reasons": ["stop"],
    "gen_ai.system_instructions": json.dumps([{"type": "text", "content": "Be brief."}]),
    "gen_ai.input.messages": json.dumps([{"role": "user", "parts": [{"type": "text", "content": "Hello?"}]}]),
    "gen_ai.output.messages": json.dumps(
        [
            {
                "role": "assistant",
                "finish_reason": "stop",
                "parts": [
                    {"type": "reasoning", "content": "Hm."},
                    {"type": "text", "content": "Hi."},
                    {"type": "tool_call", "id": "c1", "name": "find", "arguments": {"order": 17}},
                ],
            }
        ]
    ),
}
EARLIER = {
    "gen_ai.operation.name": "chat",
    "gen_ai.system": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.usage.prompt_tokens": 1_000,
    "gen_ai.usage.completion_tokens": 100,
    "gen_ai.usage.cache_read_input_tokens": 400,
}
EARLIER_EVENTS = (
    event("gen_ai.system.message", content="Be brief."),
    event("gen_ai.user.message", content="Hello?"),
    event(
        "gen_ai.choice",
        finish_reason="stop",
        message=json.dumps({"content": "Hi.", "tool_calls": [{"id": "c1", "function": {"name": "find", "arguments": '{"order": 17}'}}]}),
    ),
)
OPENINFERENCE = {
    "openinference.span.kind": "LLM",
    "llm.provider": "openai",
    "llm.model_name": "gpt-4o",
    "llm.token_count.prompt": 1_000,
    "llm.token_count.completion": 100,
    "llm.token_count.prompt_details.cache_read": 400,
    "llm.token_count.total": 1_100,
    "llm.input_messages.0.message.role": "system",
    "llm.input_messages.0.message.content": "Be brief.",
    "llm.input_messages.1.message.role": "user",
    "llm.input_messages.1.message.contents.0.message_content.type": "text",
    "llm.input_messages.1.message.contents.0.message_content.text": "Hello?",
    "llm.output_messages.0.message.role": "assistant",
    "llm.output_messages.0.message.content": "Hi.",
    "llm.output_messages.0.message.tool_calls.0.tool_call.id": "c1",
    "llm.output_messages.0.message.tool_calls.0.tool_call.function.name": "find",
    "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments": '{"order": 17}',
    "llm.invocation_parameters": '{"temperature": 0.5}',
}
LANGFUSE = {
    "langfuse.observation.type": "generation",
    "gen_ai.system": "openai",
    "langfuse.observation.model.name": "gpt-4o",
    "langfuse.observation.usage_details": '{"input": 1000, "output": 100, "cache_read_input_tokens": 400}',
    "langfuse.observation.input": json.dumps(ASKED),
    "langfuse.observation.output": json.dumps(
        {"role": "assistant", "content": "Hi.", "tool_calls": [{"id": "c1", "function": {"name": "find", "arguments": '{"order": 17}'}}]}
    ),
    "langfuse.observation.model.parameters": '{"temperature": 0.5}',
    "langfuse.observation.completion_start_time": '"2026-09-21T14:13:20.250Z"',
}
OPENLLMETRY = {
    "llm.request.type": "chat",
    "gen_ai.system": "OpenAI",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.usage.prompt_tokens": 1_000,
    "gen_ai.usage.completion_tokens": 100,
    "gen_ai.usage.cache_read_input_tokens": 400,
    "gen_ai.prompt.0.role": "system",
    "gen_ai.prompt.0.content": "Be brief.",
    "gen_ai.prompt.1.role": "user",
    "gen_ai.prompt.1.content": "Hello?",
    "gen_ai.completion.0.role": "assistant",
    "gen_ai.completion.0.content": "Hi.",
    "gen_ai.completion.0.finish_reason": "stop",
    "gen_ai.completion.0.tool_calls.0.id": "c1",
    "gen_ai.completion.0.tool_calls.0.name": "find",
    "gen_ai.completion.0.tool_calls.0.arguments": '{"order": 17}',
}


@pytest.mark.parametrize(
    ("attributes", "events"),
    [(OPENTELEMETRY, ()), (EARLIER, EARLIER_EVENTS), (OPENINFERENCE, ()), (LANGFUSE, ()), (OPENLLMETRY, ())],
    ids=["opentelemetry", "earlier", "openinference", "langfuse", "openllmetry"],
)
def test_every_convention_tells_the_same_call(attributes: dict[str, Any], events: tuple[SpanEvent, ...]) -> None:
    found = call(attributes, events=events)
    assert (found.provider, found.model) == ("openai", "gpt-4o")
    assert found.messages == ASKED
    assert (found.response, found.tool_calls) == ("Hi.", CALL)
    assert (found.usage.input_tokens, found.usage.cached_tokens, found.usage.output_tokens) == (1_000, 400, 100)
    assert found.usage.cost_nanos == 600 * 2_500 + 400 * 1_250 + 100 * 10_000  # 2.50, 1.25 and 10 dollars a million
    assert found.latency_ms == 500
    left = facts(attributes, events=events).record
    assert set(left.attributes) <= {"llm.token_count.total"}
    assert left.events == []


def test_what_only_some_tell() -> None:
    assert call(OPENTELEMETRY).thought == "Hm."
    assert (
        call(OPENTELEMETRY).finish_reason == call(OPENLLMETRY).finish_reason == call(EARLIER, events=EARLIER_EVENTS).finish_reason == "stop"
    )
    assert call(LANGFUSE).params == call(OPENINFERENCE).params == {"temperature": 0.5}
    began = call({**LANGFUSE, "langfuse.observation.completion_start_time": "2026-09-21T14:13:20.250Z"})
    assert began.first_token_ms == 250


def test_messages_in_an_event_of_details() -> None:
    told = {key: value for key, value in OPENTELEMETRY.items() if "messages" in key or "instructions" in key}
    rest = {key: value for key, value in OPENTELEMETRY.items() if key not in told}
    details = SpanEvent(name="gen_ai.client.inference.operation.details", attributes=told)
    assert call(rest, events=(details,)).messages == ASKED


def test_attributes_that_are_lists_and_objects_themselves() -> None:
    plain = {key: json.loads(value) if isinstance(value, str) and value[:1] in "[{" else value for key, value in OPENTELEMETRY.items()}
    assert call(plain).messages == ASKED
    assert call(plain).tool_calls == CALL


def test_a_price_that_is_told_goes_before_the_table() -> None:
    for told in ({"gen_ai.usage.cost": 0.25}, {"llm.cost.total": "0.25"}, {"langfuse.observation.cost_details": '{"total": 0.25}'}):
        found = call({**EARLIER, **told})
        assert (found.usage.cost_nanos, found.price_snapshot) == (250_000_000, None)
    assert call({**EARLIER, "gen_ai.request.model": "nobody-knows-it"}).usage.cost_nanos == 0
    assert call({**EARLIER, "gen_ai.usage.cost": -1}).usage.cost_nanos > 0


def test_cached_tokens_may_be_counted_apart() -> None:
    found = call({**EARLIER, "gen_ai.usage.prompt_tokens": 100, "gen_ai.usage.cache_read_input_tokens": 900})
    assert (found.usage.input_tokens, found.usage.cached_tokens) == (1_000, 900)
    assert found.usage.cost_nanos == 100 * 2_500 + 900 * 1_250 + 100 * 10_000


@pytest.mark.parametrize(
    ("attributes", "tool", "call_id", "result"),
    [
        ({"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "find", "gen_ai.tool.call.id": "c1"}, "find", "c1", None),
        ({"openinference.span.kind": "TOOL", "tool.name": "find", "output.value": '{"a": 1}'}, "find", None, {"a": 1}),
        ({"langfuse.observation.type": "tool", "langfuse.observation.output": "yes"}, "it", None, "yes"),
        ({"traceloop.span.kind": "tool", "traceloop.entity.name": "find", "traceloop.entity.output": "3"}, "find", None, "3"),
    ],
)
def test_tools(attributes: dict[str, Any], tool: str, call_id: str | None, result: Any) -> None:
    found = facts(attributes)
    assert (found.record.step_type, found.tool, found.call_id, found.output) == ("tool", tool, call_id, result)


@pytest.mark.parametrize(
    ("attributes", "kind"),
    [
        ({}, "span"),
        ({"gen_ai.operation.name": "invoke_agent"}, "agent"),
        ({"gen_ai.operation.name": "embeddings"}, "embedding"),
        ({"gen_ai.operation.name": "Something.New"}, "something.new"),
        ({"openinference.span.kind": "RETRIEVER"}, "retriever"),
        ({"openinference.span.kind": "CHAIN"}, "chain"),
        ({"traceloop.span.kind": "workflow"}, "workflow"),
        ({"gen_ai.system": "openai", "gen_ai.request.model": "gpt-4"}, "llm"),
    ],
)
def test_other_kinds(attributes: dict[str, Any], kind: str) -> None:
    assert facts(attributes).record.step_type == kind


def test_what_nobody_knows_is_left_as_it_is() -> None:
    odd = {"my.number": 3, "my.list": [1, {"a": None}], "gen_ai.something.new": "x"}
    record = facts({**EARLIER, **odd}, events=(event("cache.miss", key="k"),)).record
    assert record.attributes == odd
    assert [one["name"] for one in record.events] == ["cache.miss"]


def test_a_run_is_named_and_tagged_by_what_its_spans_say() -> None:
    root = spanned({"langfuse.trace.tags": ["a", "b"], "langfuse.trace.metadata.tier": "gold"}, resource={"service.name": "shop"})
    below = spanned({"user.id": "u1", "session.id": "s1", "langfuse.trace.tags": '["b"]'}, span_id="c" * 16, parent_id="b" * 16)
    reading = read_trace([below, root], AT + 1_000, False)
    assert reading.workflow == "shop"
    assert reading.tags == ("a", "b")
    assert reading.metadata.items() >= {"tier": "gold", "user_id": "u1", "session_id": "s1", "trace_id": "a" * 32}.items()
