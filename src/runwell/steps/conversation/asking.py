"""The model calls of a turn: asked of one model after the other, and never twice."""

from collections.abc import Sequence
from typing import Any

import msgspec

from runwell.model.errors import StepError
from runwell.model.schema import SchemaCheck
from runwell.ports.models import Message, ModelAnswer, ModelRequest, ToolOffer
from runwell.ports.steps import StepContext
from runwell.steps.conversation.document import ConversationStep, WorkerNode
from runwell.steps.conversation.recall import Recall
from runwell.steps.generation import call_model, record_answer
from runwell.steps.llm import another_may_do, invalid_output, read_answer, with_repair


class Asking:
    """Asks the models of one conversation step. What the turn asked before, it recalls."""

    def __init__(self, ctx: StepContext, spec: ConversationStep, recall: Recall) -> None:
        self._ctx, self._spec, self._recall = ctx, spec, recall

    def of_worker(self, node: WorkerNode) -> list[str]:
        """Return the models that the node asks in turn. Raises `StepError` when there are none."""
        given = self._ctx.input
        named: Any = node.models or (node.model and [node.model]) or given.get("models") or [given.get("model")]
        return [_named(name) for name in named]

    def of_judge(self) -> list[str]:
        given = self._ctx.input
        first = next(iter(given.get("models") or ()), None)
        return [_named(given.get("judge_model") or given.get("model") or first)]

    def request(
        self,
        model: str,
        messages: Sequence[Message],
        node: WorkerNode | None = None,
        *,
        tools: tuple[ToolOffer, ...] = (),
        tool_choice: str = "auto",
        output_schema: dict[str, Any] | None = None,
    ) -> ModelRequest:
        spec = self._spec
        own_model = node is not None and (node.model or node.models)
        return ModelRequest(
            scope=self._ctx.scope,
            model=model,
            messages=tuple(messages),
            output_schema=output_schema,
            params={**(self._ctx.input.get("params") or {}), **(node.params if node is not None else {})},
            connection=node.connection if node is not None and own_model else spec.connection,
            tools=tools,
            tool_choice=tool_choice,
        )

    async def ask(self, models: Sequence[str], request: ModelRequest, repair_attempts: int = 0, *, live: bool = True) -> ModelAnswer:
        """Return the first answer of the models. With an `output_schema`, one without tool calls obeys it."""
        recalled = self._recall.answer()
        if recalled is not None:
            return recalled
        for place, model in enumerate(models):
            try:
                return await self._ask_one(msgspec.structs.replace(request, model=model), repair_attempts, place, live)
            except StepError as exc:
                if place == len(models) - 1 or not another_may_do(exc, self._spec.fallback_on):
                    raise
        raise AssertionError("a list of models is not empty")

    async def _ask_one(self, request: ModelRequest, repair_attempts: int, place: int, live: bool) -> ModelAnswer:
        check = SchemaCheck(request.output_schema)
        for _ in range(repair_attempts + 1):
            answer = await call_model(self._ctx, request, place, live=live and request.output_schema is None)
            wrong = [] if request.output_schema is None or answer.tool_calls else read_answer(answer.text, check)[1]
            record_answer(self._ctx, request, answer, place, "invalid_output" if wrong else None)
            if not wrong:
                return answer
            request = with_repair(request, answer.text, wrong)
        raise invalid_output(request.model, answer.text, wrong, repair_attempts + 1)


def _named(name: Any) -> str:
    if not isinstance(name, str):
        raise StepError("LLM_REQUEST_FAILED", f"the model's name is {name!r}, not text", details={"reason": "unknown_model"})
    return name
