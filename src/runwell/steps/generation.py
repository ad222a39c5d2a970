"""A step's model call, on the record: asked for, made, and kept as a `generation_completed`, failed or not."""

import base64
import binascii
import hashlib
from typing import Any

import msgspec

from runwell.model.errors import StepError
from runwell.model.events import GenerationCompleted
from runwell.model.model_call import REASONS, Reason
from runwell.ports.models import FailedCall, File, Message, ModelAnswer, ModelCallFailed, ModelRequest
from runwell.ports.steps import StepContext


async def call_model(ctx: StepContext, request: ModelRequest, model_index: int = 0) -> ModelAnswer:
    """Make the call. One that fails is recorded and its `StepError` raised; the answer is the caller's to `record_answer`."""
    try:
        return await ctx.services.models.generate(request, on_delta=ctx.delta)
    except StepError as exc:
        provider, _, model = request.model.partition(":")
        call = (exc.call if isinstance(exc, ModelCallFailed) else None) or FailedCall(provider=provider, model=model)
        ctx.record(
            GenerationCompleted(
                provider=call.provider,
                model=call.model,
                ok=False,
                latency_ms=call.latency_ms,
                first_token_ms=call.first_token_ms,
                error=exc.info(ctx.step_id),
                error_class=reason_of(exc),
                model_index=model_index,
                key=call.key,
                raw_request=call.raw_request,
                raw_response=call.raw_response,
                **_asked(request),
            )
        )
        raise


def record_answer(
    ctx: StepContext, request: ModelRequest, answer: ModelAnswer, model_index: int = 0, error_class: Reason | None = None
) -> None:
    """Record the answer; with `error_class` as one that cannot be used."""
    ctx.record(
        GenerationCompleted(
            provider=answer.provider,
            model=answer.model,
            response_model=answer.response_model,
            usage=msgspec.structs.replace(answer.usage, generations=1),
            latency_ms=answer.latency_ms,
            first_token_ms=answer.first_token_ms,
            finish_reason=answer.finish_reason,
            response=answer.text,
            tool_calls=[msgspec.to_builtins(call) for call in answer.tool_calls] or None,
            thought=answer.thought,
            thoughts=[msgspec.to_builtins(thought) for thought in answer.thoughts if thought.opaque] or None,
            error_class=error_class,
            model_index=model_index,
            key=answer.key,
            price_snapshot=answer.price_snapshot,
            raw_request=answer.raw_request,
            raw_response=answer.raw_response,
            **_asked(request),
        )
    )


def reason_of(error: StepError) -> Reason | None:
    """Return why the model call failed, None for an error of another kind."""
    if error.code == "LLM_INVALID_OUTPUT":
        return "invalid_output"
    told = (error.details or {}).get("reason")
    return next((reason for reason in REASONS if reason == told), None)


def _asked(request: ModelRequest) -> dict[str, Any]:
    return {
        "messages": [_kept(message) for message in request.messages],
        "params": request.params or None,
        "tools": [msgspec.to_builtins(tool) for tool in request.tools] or None,
    }


def _kept(message: Message) -> dict[str, Any]:
    """Return the message as data; of a file what tells which one it was, as the step's input and the raw request hold it whole."""
    told: dict[str, Any] = msgspec.to_builtins(message)
    if not isinstance(message.content, str):
        told["content"] = [_shown_file(part) if isinstance(part, File) else msgspec.to_builtins(part) for part in message.content]
    return told


def _shown_file(file: File) -> dict[str, Any]:
    content = file.url.partition(",")[2]
    try:
        data = base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError):
        data = content.encode()
    return {"type": "file", "media_type": file.media_type, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
