"""The llm step: what it asks, how an answer becomes its result, and who is asked next."""

import asyncio
import json
from collections.abc import Iterable
from typing import Any

import pytest
from tests.step_context import FakeContext

from runwell.adapters.models.failures import failed
from runwell.model.errors import StepError
from runwell.model.events import GenerationCompleted
from runwell.model.model_call import RETRYABLE, Reason
from runwell.model.usage import Usage
from runwell.ports.models import Message, ModelAnswer
from runwell.steps.llm import STEP, LlmStep, ask
from runwell.testing import ScriptedModels
from runwell.testing.scripted_model import Answer

LABEL = {"type": "object", "required": ["label"], "properties": {"label": {"enum": ["spam", "ham"]}}}


def context(answers: Iterable[Answer], **fields: Any) -> tuple[FakeContext, ScriptedModels]:
    fields = {"model": "demo:a", "prompt": "Hello", **fields}
    if "models" in fields:
        del fields["model"]
    models = ScriptedModels(answers)
    spec = LlmStep.model_validate({"id": "ask", "type": "llm", **fields})
    rendered = {name: fields[name] for name in LlmStep.templates if name in fields}
    return FakeContext(spec, rendered, models=models, step_id="ask"), models


def result(answers: Iterable[Answer], **fields: Any) -> Any:
    return asyncio.run(ask(context(answers, **fields)[0]))


def calls(ctx: FakeContext) -> list[GenerationCompleted]:
    return [event for event in ctx.events if isinstance(event, GenerationCompleted)]


def test_text_is_the_result_and_shows_live() -> None:
    ctx, models = context(["Hello to you"])
    assert asyncio.run(ask(ctx)) == "Hello to you"
    assert ctx.deltas == ["Hello ", "to ", "you"]
    assert models.requests[0].messages == (Message(role="user", content="Hello"),)


def test_system_messages_and_prompt_in_their_order() -> None:
    said = [{"role": "user", "content": "1"}, {"role": "assistant", "content": "2"}]
    _, models = asked = context(["ok"], messages=said, system="Be brief", params={"temperature": 0}, connection="team")
    asked[0].input = {**asked[0].input, "prompt": {"data": 3}}
    asyncio.run(ask(asked[0]))
    request = models.requests[0]
    assert [(message.role, message.content) for message in request.messages] == [
        ("system", "Be brief"),
        ("user", "1"),
        ("assistant", "2"),
        ("user", '{"data": 3}'),
    ]
    assert (request.params, request.connection, request.model) == ({"temperature": 0}, "team", "demo:a")


@pytest.mark.parametrize(
    "text",
    ['{"label": "spam"}', ' \n{"label":"spam"}\n', '```json\n{"label": "spam"}\n```', '```\n{"label": "spam"}\n```'],
)
def test_an_object_of_the_schema(text: str) -> None:
    assert result([text], output_schema=LABEL) == {"label": "spam"}


@pytest.mark.parametrize("wrong", ["Surely: spam", '{"label": "eggs"}', "{}", "[]", "", "```"])
def test_a_wrong_answer_is_repaired(wrong: str) -> None:
    ctx, models = context([wrong, {"label": "ham"}], output_schema=LABEL)
    assert asyncio.run(ask(ctx)) == {"label": "ham"}
    first, second = models.requests
    assert second.messages[:-2] == first.messages
    assert second.messages[-2] == Message(role="assistant", content=wrong)
    assert "does not follow the schema" in second.messages[-1].content
    assert [call.ok for call in calls(ctx)] == [True, True]


def test_the_repair_says_what_is_wrong() -> None:
    _, models = asked = context([{"label": "eggs"}, {"label": "ham"}], output_schema=LABEL)
    asyncio.run(ask(asked[0]))
    assert '/label: "eggs" is not one of' in models.requests[1].messages[-1].content


def test_repairs_run_out() -> None:
    ctx, models = context(["no", "nope", '{"label": 1}'], output_schema=LABEL)
    with pytest.raises(StepError) as caught:
        asyncio.run(ask(ctx))
    assert caught.value.code == "LLM_INVALID_OUTPUT"
    assert caught.value.details is not None
    assert caught.value.details["raw"] == '{"label": 1}'
    assert caught.value.details["errors"]
    assert len(models.requests) == len(calls(ctx)) == 3


def test_no_repairs_when_none_are_wanted() -> None:
    with pytest.raises(StepError, match="in 1 tries"):
        result(["no"], output_schema=LABEL, repair_attempts=0)


@pytest.mark.parametrize("reason", ["rate_limit", "overloaded", "auth", "unknown_model", "missing_key", "content_filter", "context_length"])
def test_the_next_model_is_asked(reason: Reason) -> None:
    ctx, models = context([failed(reason, "no"), "from b"], models=["demo:a", "demo:b"])
    assert asyncio.run(ask(ctx)) == "from b"
    assert [request.model for request in models.requests] == ["demo:a", "demo:b"]
    assert [(call.model, call.ok) for call in calls(ctx)] == [("a", False), ("b", True)]


def test_an_answer_beyond_repair_sends_to_the_next_model() -> None:
    assert result(["no", {"label": "ham"}], models=["demo:a", "demo:b"], output_schema=LABEL, repair_attempts=0) == {"label": "ham"}


def test_a_bad_request_asks_no_other_model() -> None:
    ctx, models = context([failed("bad_request", "no")], models=["demo:a", "demo:b"])
    with pytest.raises(StepError, match="no"):
        asyncio.run(ask(ctx))
    assert len(models.requests) == 1


def test_the_last_models_error_is_the_steps() -> None:
    errors = [failed("auth", "first"), failed("rate_limit", "second", retry_after_s=3.0)]
    with pytest.raises(StepError, match="second") as caught:
        result(errors, models=["demo:a", "demo:b"])
    assert caught.value.retryable
    assert caught.value.retry_after_s == 3.0


def test_a_call_is_recorded_with_all_that_it_took() -> None:
    used = Usage(input_tokens=7, cached_tokens=2, output_tokens=3, reasoning_tokens=1, cost_nanos=40)
    answer = ModelAnswer(
        text="Hi",
        provider="team",
        model="a",
        response_model="a-2026",
        usage=used,
        latency_ms=12.5,
        first_token_ms=3.5,
        finish_reason="stop",
    )
    ctx, _ = context([answer], params={"temperature": 1})
    asyncio.run(ask(ctx))
    [call] = calls(ctx)
    assert call == GenerationCompleted(
        provider="team",
        model="a",
        response_model="a-2026",
        usage=used + Usage(generations=1),
        latency_ms=12.5,
        first_token_ms=3.5,
        finish_reason="stop",
        messages=[{"role": "user", "content": "Hello"}],
        params={"temperature": 1},
        response="Hi",
    )


def test_a_failed_call_is_recorded_with_its_error() -> None:
    ctx, _ = context([failed("overloaded", "busy", status=529)])
    with pytest.raises(StepError):
        asyncio.run(ask(ctx))
    [call] = calls(ctx)
    assert not call.ok
    assert call.error is not None
    assert (call.error.code, call.error.step_id, call.error.details) == (
        "LLM_REQUEST_FAILED",
        "ask",
        {"reason": "overloaded", "status": 529},
    )


def test_a_name_that_is_no_text_is_told() -> None:
    ctx, models = context([])
    ctx.input = {"model": 5, "prompt": "Hello"}
    with pytest.raises(StepError, match="the model's name is 5"):
        asyncio.run(ask(ctx))
    assert models.requests == []


def test_a_script_that_is_too_short_says_so() -> None:
    with pytest.raises(AssertionError, match="no answer left for 'demo:a'"):
        result([])


def test_a_script_may_be_a_function() -> None:
    models = ScriptedModels(lambda request: {"asked": request.model})
    ctx, _ = context([])
    ctx.models = models
    assert json.loads(asyncio.run(ask(ctx))) == {"asked": "demo:a"}


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"model": "demo:a", "prompt": "x"}, []),
        ({"models": ["demo:a"], "messages": [{"role": "user", "content": "x"}]}, []),
        ({"prompt": "x"}, ["model or models"]),
        ({"model": "demo:a", "models": ["demo:b"], "prompt": "x"}, ["model or models"]),
        ({"model": "demo:a"}, ["prompt or messages"]),
        ({}, ["model or models", "prompt or messages"]),
    ],
)
def test_problems_of_the_step(fields: dict[str, Any], told: list[str]) -> None:
    found = STEP.problems(LlmStep.model_validate({"id": "ask", "type": "llm", **fields}))
    assert len(found) == len(told)
    assert all(words in message and hint for words, (_, message, hint) in zip(told, found, strict=True))


def test_what_may_be_retried() -> None:
    assert {"rate_limit", "overloaded", "timeout", "connection", "invalid_response", "invalid_output"} == RETRYABLE
