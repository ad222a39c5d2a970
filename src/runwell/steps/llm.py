"""The step `llm`: one answer of a model, as text or as an object of a schema."""

import json
from typing import Any, Final, Literal

import msgspec
from pydantic import Field

from runwell.model.errors import StepError
from runwell.model.events import GenerationCompleted
from runwell.model.schema import SchemaCheck
from runwell.model.step import Part, StepSpec
from runwell.ports.models import Message, ModelAnswer, ModelRequest
from runwell.ports.steps import StepContext, StepType

MOVES_ON: Final = frozenset({"auth", "unknown_model", "missing_key", "content_filter", "context_length"})
"""Reasons that another attempt does not mend, but another model may."""

SHOWN_ERRORS: Final = 5


class ChatMessage(Part):
    """One message of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


class LlmStep(StepSpec):
    """Ask a model. The result is its text or, with `output_schema`, the object that it wrote.

    `models` is a list of which the next one is asked when one fails. An answer that breaks the schema is sent back, with what
    is wrong, up to `repair_attempts` times.
    """

    templates = frozenset({"model", "models", "prompt", "messages", "system", "params"})

    type: Literal["llm"]
    model: str | None = None
    models: tuple[str, ...] | None = Field(default=None, min_length=1, max_length=10)
    prompt: str | None = None
    messages: tuple[ChatMessage, ...] | None = Field(default=None, min_length=1)
    system: str | None = None
    output_schema: dict[str, Any] | None = None
    params: dict[str, Any] = {}
    connection: str | None = None
    repair_attempts: int = Field(default=2, ge=0, le=5)


async def ask(ctx: StepContext) -> Any:
    """Ask the models in turn until one answers; raise the last one's error when none does."""
    given, spec = ctx.input, ctx.spec
    assert isinstance(spec, LlmStep)
    names = given.get("models") or [given.get("model")]
    for place, name in enumerate(names):
        try:
            return await _ask_one(ctx, spec, _request(ctx, spec, name))
        except StepError as exc:
            if place == len(names) - 1 or not _another_may_do(exc):
                raise
    raise AssertionError("a list of models is not empty")


def _another_may_do(error: StepError) -> bool:
    return error.retryable or (error.details or {}).get("reason") in MOVES_ON


def _request(ctx: StepContext, spec: LlmStep, name: Any) -> ModelRequest:
    given = ctx.input
    if not isinstance(name, str):
        raise StepError("LLM_REQUEST_FAILED", f"the model's name is {name!r}, not text", details={"reason": "unknown_model"})
    system = [Message(role="system", content=given["system"])] if given.get("system") else []
    turns = [Message(role=turn["role"], content=_as_text(turn["content"])) for turn in given.get("messages") or ()]
    prompt = [Message(role="user", content=_as_text(given["prompt"]))] if given.get("prompt") is not None else []
    return ModelRequest(
        scope=ctx.scope,
        model=name,
        messages=(*system, *turns, *prompt),
        output_schema=spec.output_schema,
        params=given.get("params") or {},
        connection=spec.connection,
    )


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


async def _ask_one(ctx: StepContext, spec: LlmStep, request: ModelRequest) -> Any:
    answer = await _generate(ctx, request)
    if spec.output_schema is None:
        return answer.text
    check = SchemaCheck(spec.output_schema)
    for left in range(spec.repair_attempts, -1, -1):
        value, wrong = _read(answer.text, check)
        if not wrong:
            return value
        if left:
            request = _with_repair(request, answer.text, wrong)
            answer = await _generate(ctx, request)
    details: dict[str, object] = {"raw": answer.text[:20_000], "errors": wrong}
    message = f"{request.model} gave no answer of the output_schema in {spec.repair_attempts + 1} tries: {wrong[0]}"
    raise StepError("LLM_INVALID_OUTPUT", message, retryable=True, details=details)


def _read(text: str, check: SchemaCheck) -> tuple[Any, list[str]]:
    """Return the value of the JSON text and what is wrong with it."""
    try:
        value = msgspec.json.decode(_unfenced(text))
    except msgspec.DecodeError as exc:
        return None, [f"not JSON: {exc}"]
    return value, [str(problem) for problem in check.problems(value)[:SHOWN_ERRORS]]


def _unfenced(text: str) -> str:
    """Return the text without the Markdown fence that models like to put around JSON."""
    text = text.strip()
    if text.startswith("```") and text.endswith("```") and len(text) > 6:
        text = text[3:-3].removeprefix("json").removeprefix("JSON")
    return text


def _with_repair(request: ModelRequest, text: str, wrong: list[str]) -> ModelRequest:
    plea = (
        "Your answer does not follow the schema:\n" + "\n".join(f"- {what}" for what in wrong) + "\nAnswer again, with the whole JSON only."
    )
    more = (Message(role="assistant", content=text), Message(role="user", content=plea))
    return msgspec.structs.replace(request, messages=request.messages + more)


async def _generate(ctx: StepContext, request: ModelRequest) -> ModelAnswer:
    """Make one call and record it, failed or not."""
    messages = [msgspec.to_builtins(message) for message in request.messages]
    provider, _, model = request.model.partition(":")
    try:
        answer = await ctx.services.models.generate(request, on_delta=ctx.delta)
    except StepError as exc:
        failure = exc.info(ctx.step_id)
        ctx.record(
            GenerationCompleted(provider=provider, model=model, ok=False, messages=messages, params=request.params or None, error=failure)
        )
        raise
    ctx.record(
        GenerationCompleted(
            provider=answer.provider,
            model=answer.model,
            response_model=answer.response_model,
            usage=msgspec.structs.replace(answer.usage, generations=1),
            latency_ms=answer.latency_ms,
            first_token_ms=answer.first_token_ms,
            finish_reason=answer.finish_reason,
            messages=messages,
            params=request.params or None,
            response=answer.text,
        )
    )
    return answer


def _problems(spec: StepSpec) -> list[tuple[str, str, str]]:
    assert isinstance(spec, LlmStep)
    found = []
    if (spec.model is None) == (spec.models is None):
        found.append(("", "an llm step needs model or models, and not both", "write model: openai:gpt-5-mini, or models: [a, b]"))
    if (spec.prompt is None) == (spec.messages is None):
        found.append(("", "an llm step needs prompt or messages, and not both", 'write prompt: "..."'))
    return found


STEP = StepType(name="llm", spec=LlmStep, handler=ask, problems=_problems)
