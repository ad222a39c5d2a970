"""An agent's first answer: what the playground shows of one. Whatever tools the model wants called, none is."""

from typing import Any, Final

import msgspec

from runwell.model.errors import StepError
from runwell.ports.models import ModelRequest
from runwell.ports.steps import StepContext
from runwell.steps.agent.document import AgentStep
from runwell.steps.agent.handler import STEP as AGENT
from runwell.steps.agent.handler import beginning, offers_of
from runwell.steps.chat import answer_to
from runwell.steps.llm import another_may_do


async def first_round(ctx: StepContext) -> Any:
    """Return the text, the object of the schema, or `{text, tool_calls}`."""
    spec, given = ctx.spec, ctx.input
    assert isinstance(spec, AgentStep)
    names: list[Any] = given.get("models") or [given.get("model")]
    offers = await offers_of(ctx, spec)
    for place, name in enumerate(names):
        request = ModelRequest(
            scope=ctx.scope,
            model=str(name),
            messages=tuple(beginning(ctx)),
            output_schema=spec.output_schema,
            params=given.get("params") or {},
            connection=spec.connection,
            tools=offers,
        )
        try:
            return await answer_to(ctx, request, spec.repair_attempts, place)
        except StepError as exc:
            if place == len(names) - 1 or not another_may_do(exc, spec.fallback_on):
                raise
    raise AssertionError("a list of models is not empty")


STEP: Final = msgspec.structs.replace(AGENT, handler=first_round)
