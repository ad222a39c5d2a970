"""The step `chat`: one model call as its caller put it, tools and all. Whoever asked carries the tool calls out."""

from typing import Any, Literal

import msgspec
from pydantic import Field

from runwell.model.errors import StepError
from runwell.model.schema import SchemaCheck
from runwell.model.step import StepSpec
from runwell.ports.models import ChatRequest, ModelAnswer, ModelRequest
from runwell.ports.steps import StepContext, StepType
from runwell.steps.generation import call_model, record_answer
from runwell.steps.llm import invalid_output, read_answer, with_repair


class ChatStep(StepSpec):
    """Ask a model what `request` says: `{model, messages, tools, tool_choice, output_schema, params, connection}`, usually a run's input.

    Nobody here calls the `tools`: when the model wants some called, the result is `{text, tool_calls}`, for the run's caller to
    ask again with what came of them. Otherwise it is the model's text or, with an `output_schema`, the object that it wrote.
    """

    templates = frozenset({"request"})
    calls_model = True

    type: Literal["chat"]
    request: dict[str, Any] | str = Field(description="an object, or one expression that gives an object, as in `{{ input }}`")


async def chat(ctx: StepContext) -> Any:
    asked = _asked(ctx.input["request"])
    request = ModelRequest(
        scope=ctx.scope,
        model=asked.model,
        messages=asked.messages,
        output_schema=asked.output_schema,
        params=asked.params,
        connection=asked.connection,
        tools=asked.tools,
        tool_choice=asked.tool_choice,
    )
    return await answer_to(ctx, request, asked.repair_attempts)


async def answer_to(ctx: StepContext, request: ModelRequest, repair_attempts: int, model_index: int = 0) -> Any:
    """Ask and record; return what the model says: its text, the object of the schema, or `{text, tool_calls}`."""
    check = _check(request.output_schema)
    for _ in range(repair_attempts + 1):
        answer = await call_model(ctx, request, model_index)
        if check is None or answer.tool_calls or answer.finish_reason == "length":
            record_answer(ctx, request, answer, model_index)
            return _result(answer)
        value, wrong = read_answer(answer.text, check)
        record_answer(ctx, request, answer, model_index, "invalid_output" if wrong else None)
        if not wrong:
            return value
        request = with_repair(request, answer.text, wrong)
    raise invalid_output(request.model, answer.text, wrong, repair_attempts + 1)


def _asked(request: Any) -> ChatRequest:
    try:
        asked = msgspec.convert(request, ChatRequest)
    except msgspec.ValidationError as exc:
        raise _refused(f"the request is none: {exc}") from exc
    if not asked.messages or not 0 <= asked.repair_attempts <= 5:
        raise _refused("a request has at least one message, and 0 to 5 repair_attempts")
    return asked


def _check(schema: dict[str, Any] | None) -> SchemaCheck | None:
    try:
        return None if schema is None else SchemaCheck(schema)
    except ValueError as exc:
        raise _refused(f"the output_schema is no JSON Schema: {exc}") from exc


def _refused(message: str) -> StepError:
    return StepError("LLM_REQUEST_FAILED", message, details={"reason": "bad_request"})


def _result(answer: ModelAnswer) -> Any:
    if not answer.tool_calls:
        return answer.text
    calls = [{"id": call.id, "name": call.name, "args": call.args} for call in answer.tool_calls]
    return {"text": answer.text, "tool_calls": calls}


STEP = StepType(name="chat", spec=ChatStep, handler=chat)
