"""What an llm step records of its calls, whom it asks next, and what the demo model does with tools."""

import asyncio
from typing import Any

import msgspec
import pytest
from tests.step_context import FakeContext

from runwell.adapters.models.connections import Connection
from runwell.adapters.models.demo import DemoModels
from runwell.adapters.models.failures import failed
from runwell.adapters.models.sources import ModelSources
from runwell.model.errors import StepError
from runwell.model.events import Event, GenerationCompleted, decode_event, encode_event, event_json
from runwell.model.model_call import KeySource, Reason
from runwell.model.raw_body import RawBody, shown_body
from runwell.model.scope import DEFAULT_SCOPE, Scope
from runwell.model.scrubber import Scrubber
from runwell.ports.models import FailedCall, File, Message, ModelAnswer, ModelRequest, Text, ToolCall, ToolOffer
from runwell.query.model_calls import model_calls, token_usage
from runwell.steps.llm import STEP, LlmStep, ask
from runwell.testing import ScriptedModels
from runwell.testing.scripted_model import Answer

LABEL = {"type": "object", "required": ["label"], "properties": {"label": {"enum": ["spam", "ham"]}}}
RAW = RawBody(text="{}", bytes=2, status=500)


def asked(answers: list[Answer], **fields: Any) -> tuple[Any, list[GenerationCompleted], ScriptedModels]:
    models = ScriptedModels(answers)
    given = fields if "messages" in fields else {"prompt": "Hi", **fields}
    spec = LlmStep.model_validate({"id": "ask", "type": "llm", **given})
    rendered = {name: given[name] for name in LlmStep.templates if name in given}
    context = FakeContext(spec, rendered, models=models, step_id="ask")
    try:
        result: Any = asyncio.run(ask(context))
    except StepError as exc:
        result = exc
    return result, [event for event in context.events if isinstance(event, GenerationCompleted)], models


def test_a_failed_call_is_recorded_with_its_class_bodies_and_place() -> None:
    error = failed("overloaded", "busy")
    error.call = FailedCall(provider="openai", model="a", latency_ms=7.0, raw_request=RAW, raw_response=RAW, key="own")
    result, (first, second), _ = asked([error, "Hello"], models=["openai:a", "demo:b"])
    assert result == "Hello"
    assert (first.ok, first.error_class, first.model_index, first.latency_ms, first.key) == (False, "overloaded", 0, 7.0, "own")
    assert (first.raw_request, first.raw_response) == (RAW, RAW)
    assert (second.ok, second.error_class, second.model_index) == (True, None, 1)


@pytest.mark.parametrize(
    ("on", "reason", "moves"),
    [
        (["timeout"], "timeout", True),
        (["timeout"], "rate_limit", False),
        (["bad_request"], "bad_request", True),
        ([], "overloaded", False),
        (None, "overloaded", True),
        (None, "bad_request", False),
    ],
)
def test_on_what_the_next_model_is_asked(on: list[Reason] | None, reason: Reason, moves: bool) -> None:
    more = {} if on is None else {"fallback_on": on}
    result, _, models = asked([failed(reason, "no"), "Hello"], models=["a:a", "b:b"], **more)
    assert (result == "Hello") == moves
    assert len(models.requests) == 1 + moves


def test_an_answer_that_breaks_the_schema_is_marked_and_another_model_may_be_asked() -> None:
    answers: list[Answer] = ["no", "no", {"label": "ham"}]
    result, calls, _ = asked(answers, models=["a:a", "b:b"], output_schema=LABEL, repair_attempts=1, fallback_on=["invalid_output"])
    assert result == {"label": "ham"}
    assert [(call.ok, call.error_class, call.model_index) for call in calls] == [
        (True, "invalid_output", 0),
        (True, "invalid_output", 0),
        (True, None, 1),
    ]


def test_fallback_on_without_a_choice_and_files_without_a_prompt_are_told_at_once() -> None:
    spec = LlmStep.model_validate(
        {
            "id": "ask",
            "type": "llm",
            "model": "a:a",
            "messages": [{"role": "user", "content": "Hi"}],
            "files": ["x"],
            "fallback_on": ["timeout"],
        }
    )
    assert [pointer for pointer, _, _ in STEP.problems(spec)] == ["/files", "/fallback_on"]


def test_files_go_along_and_are_recorded_by_their_hash() -> None:
    url = "data:application/pdf;base64,SGk="
    _, (call,), models = asked(["A letter"], model="a:a", files=[url])
    assert models.requests[0].messages[0].content == (Text(text="Hi"), File(url=url, media_type="application/pdf"))
    assert call.messages is not None
    kept = call.messages[0]["content"][1]
    assert kept == {
        "type": "file",
        "media_type": "application/pdf",
        "bytes": 2,
        "sha256": "3639efcd08abb273b1619e82e78c29a7df02c1051b1820e99fc395dcaa3326b8",
    }
    for bad in ("https://example.com/x", "data:;base64,x", ""):
        error = asked(["no"], model="a:a", files=[bad])[0]
        assert (error.code, error.details) == ("LLM_REQUEST_FAILED", {"reason": "bad_request"})


def test_parts_of_a_message_are_text_and_files() -> None:
    content = [{"type": "text", "text": "Look"}, {"type": "file", "url": "data:image/png;base64,SGk="}]
    _, _, models = asked(["A pixel"], model="a:a", messages=[{"role": "user", "content": content}])
    assert models.requests[0].messages[0].content == (Text(text="Look"), File(url="data:image/png;base64,SGk=", media_type="image/png"))


# Events


def test_events_of_an_older_runwell_are_read_and_the_outside_sees_no_raw_bodies() -> None:
    old = b'{"seq": 1, "run_id": "run_1", "type": "generation_completed", "ts": 1, "data": {"provider": "openai", "model": "gpt"}, "v": 1}'
    assert decode_event(old).of(GenerationCompleted).key is None
    whole = Event(1, "run_1", "generation_completed", 1, None, None, None, GenerationCompleted(provider="a", model="b", raw_request=RAW))
    assert decode_event(encode_event(whole)) == whole
    assert b"raw_request" not in event_json(whole)
    assert b"raw_request" in event_json(whole, raw=True)


def test_own_and_fallback_keys_are_counted_apart() -> None:
    keys: list[KeySource | None] = ["own", "fallback", "fallback", "none", None]
    calls = [GenerationCompleted(provider="a", model="b", key=key) for key in keys]
    events = [Event(place, "run_1", "generation_completed", 1, None, None, None, call) for place, call in enumerate(calls, 1)]
    usage = token_usage(model_calls(events))
    for told in (usage, usage.breakdown_by_models[0]):
        assert (told.call_count_with_user_keys, told.call_count_with_fallback_keys, told.call_count) == (2, 2, 5)


def test_whose_key_it_is() -> None:
    sources = ModelSources({"OPENAI_API_KEY": "k"}, share_keys=True)
    tenant = Scope("org_2", "prj_2")
    shared = sources.usual(tenant, "openai")
    assert sources.key_source(tenant, shared) == "fallback"
    assert sources.key_source(DEFAULT_SCOPE, shared) == "own"
    stored = msgspec.structs.replace(shared, stored_id="con_1")
    assert sources.key_source(tenant, stored) == "own"
    local = Connection(name="x", provider="openai", vendor="openai", base_url="http://localhost/v1", api_key=None)
    assert sources.key_source(tenant, local) == "none"


# Bodies


def test_a_key_is_not_kept_by_halves() -> None:
    key = "sk-very-secret-key"
    content = b"before " + key.encode()
    for length in range(len(content) + 1):
        kept = shown_body(content[:length], len(content) + 9, Scrubber([key])).text
        assert "sk-" not in kept
        assert "before ".startswith(kept.removesuffix("***"))


def test_what_is_no_text_is_base64() -> None:
    body = shown_body(b"\xff\xfe\x00", 3, Scrubber())
    assert (body.encoding, body.text, body.truncated) == ("base64", "//4A", False)
    assert shown_body("aä".encode()[:2], 3, Scrubber()).text == "a"


# The demo model


SCHEMA = {"type": "object", "required": ["city"], "properties": {"city": {"enum": ["Rome", "Oslo"]}}}
OFFERS = (ToolOffer(name="weather", input_schema=SCHEMA), ToolOffer(name="news", input_schema=SCHEMA))


def demo(*messages: Message, **fields: Any) -> ModelAnswer:
    request = ModelRequest(scope=DEFAULT_SCOPE, model="demo:x", messages=messages, tools=OFFERS, **fields)
    return asyncio.run(DemoModels().generate(request))


def test_the_demo_model_calls_tools_and_then_answers() -> None:
    question = Message(role="user", content="How are news and weather?")
    first = demo(question)
    assert first == msgspec.structs.replace(demo(question), latency_ms=first.latency_ms)
    assert (first.text, first.finish_reason, [call.name for call in first.tool_calls]) == ("", "tool_call", ["weather", "news"])
    assert all(call.args["city"] in ("Rome", "Oslo") for call in first.tool_calls)
    assert len({call.id for call in first.tool_calls}) == 2
    results = [Message(role="tool", content="sunny", tool_call_id=call.id) for call in first.tool_calls]
    last = demo(question, first.as_message(), *results)
    assert not last.tool_calls
    assert "sunny" in last.text


def test_the_demo_model_keeps_the_tool_choice() -> None:
    hello = Message(role="user", content="Hello")
    assert [call.name for call in demo(hello).tool_calls] == ["weather"]
    assert demo(hello, tool_choice="none").tool_calls == ()
    assert [call.name for call in demo(hello, tool_choice="news").tool_calls] == ["news"]
    done = Message(role="tool", content="sunny", tool_call_id="c")
    assert len(demo(hello, done, tool_choice="required").tool_calls) == 1


def test_scripted_models_call_tools() -> None:
    models = ScriptedModels([[ToolCall(id="c1", name="weather", args={"city": "Rome"})]])
    request = ModelRequest(scope=DEFAULT_SCOPE, model="demo:x", messages=(Message(role="user", content="Hi"),), tools=OFFERS)
    answer = asyncio.run(models.generate(request))
    assert (answer.text, answer.finish_reason, answer.tool_calls[0].args) == ("", "tool_call", {"city": "Rome"})
