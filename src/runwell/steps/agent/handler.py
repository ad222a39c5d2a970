"""The loop: ask the model, call the tools that it wants called, ask again with what they returned, until it has an answer.

What was done stands in the journal, so an attempt begins with what those before it did: answers that were paid for are not asked
for again, and tools that returned are not called again. A call whose end nobody saw is made again with the same idempotency key.
"""

import re
from typing import Any, Final

import msgspec

from runwell.model.errors import StepError
from runwell.model.schema import SchemaCheck
from runwell.model.usage import usd
from runwell.model.waits import ChildWait
from runwell.ports.models import Message, ModelAnswer, ModelRequest, ToolOffer
from runwell.ports.steps import StepContext, StepType, Suspended
from runwell.steps.agent.calls import Calls
from runwell.steps.agent.document import AgentStep, agent_problems
from runwell.steps.agent.history import History
from runwell.steps.generation import call_model, record_answer
from runwell.steps.llm import another_may_do, as_text, invalid_output, plea, read_answer
from runwell.steps.tool_calls import offered

_CALL_ID: Final = re.compile(r"[A-Za-z0-9_.:-]{1,80}")


async def run_agent(ctx: StepContext) -> Any:
    spec, history = ctx.spec, History(ctx.recorded())
    assert isinstance(spec, AgentStep)
    if spec.agent is not None:
        return _of_published(ctx, spec, spec.agent, history)
    offers = history.offers
    if offers is None:
        offers = await offers_of(ctx, spec)
    return await _Agent(ctx, spec, history, offers).result()


async def offers_of(ctx: StepContext, spec: AgentStep) -> tuple[ToolOffer, ...]:
    found = await offered(ctx, spec.tools)
    return tuple(ToolOffer(name=info.name, description=info.description, input_schema=info.input_schema) for info in found)


def _of_published(ctx: StepContext, spec: AgentStep, slug: str, history: History) -> Any:
    """Return what came of the agent's own run."""
    end = history.end("agent")
    if end is None:
        given = ctx.input.get("input") if "input" in ctx.input else ctx.input.get("prompt")
        raise Suspended(ChildWait(key="agent", workflow=slug, version=spec.version, input=given))
    if end.error is not None:
        raise StepError("CHILD_RUN_FAILED", end.error.message, details=end.error.details)
    return end.output


class _Round(msgspec.Struct, frozen=True):
    """An answer of the model. Without tool calls it is the last one, unless something is `wrong` with it."""

    answer: Message
    value: Any = None
    wrong: list[str] = []


class _Agent:
    def __init__(self, ctx: StepContext, spec: AgentStep, history: History, offers: tuple[ToolOffer, ...]) -> None:
        self._ctx, self._spec, self._history, self._offers = ctx, spec, history, offers
        self._calls = Calls(ctx, history, {offer.name: offer for offer in offers})
        self._check = None if spec.output_schema is None else SchemaCheck(spec.output_schema)
        self._messages = beginning(ctx)
        self._used, self._rounds, self._tries, self._place = history.usage, len(history.answers), 0, 0
        self._ids = {call.id for answered in history.answers for call in answered.message.tool_calls}

    async def result(self) -> Any:
        pending = [self._read(answered.message) for answered in self._history.answers]
        if self._history.answers:
            self._place = min(self._history.answers[-1].model_index, len(self._models()) - 1)
        if self._gave_up(pending):
            pending = pending[: -self._spec.repair_attempts - 1]
        while True:
            turn = pending.pop(0) if pending else await self._ask()
            self._messages.append(turn.answer)
            if turn.answer.tool_calls:
                self._tries = 0
                self._messages += await self._calls.answers(turn.answer.tool_calls)
                await self._ctx.kept()  # so that whatever happens from here on, none of them is made again
            elif not turn.wrong:
                return turn.value
            else:
                self._tries += 1
                self._messages.append(plea(turn.wrong))

    def _gave_up(self, rounds: list[_Round]) -> bool:
        """Whether the attempt before this one ended because no repair helped: this one tries anew."""
        last = rounds[-self._spec.repair_attempts - 1 :]
        return len(last) == self._spec.repair_attempts + 1 and all(turn.wrong for turn in last)

    def _models(self) -> list[Any]:
        given = self._ctx.input
        names = given.get("models") or [given.get("model")]
        return names if isinstance(names, list) else [names]

    async def _ask(self) -> _Round:
        self._check_limits()
        answer, request = await self._first_answer()
        answer = self._with_own_ids(answer)
        turn = self._read(answer.as_message())
        record_answer(self._ctx, request, answer, self._place, "invalid_output" if turn.wrong else None)
        self._used, self._rounds = self._used + answer.usage, self._rounds + 1
        if turn.wrong and self._tries >= self._spec.repair_attempts:
            raise invalid_output(request.model, answer.text, turn.wrong, self._tries + 1)
        return turn

    async def _first_answer(self) -> tuple[ModelAnswer, ModelRequest]:
        """Ask the models in turn, from the one that answered last, until one answers."""
        names = self._models()
        while True:
            request = self._request(names[self._place])
            try:
                return await call_model(self._ctx, request, self._place), request
            except StepError as exc:
                if self._place == len(names) - 1 or not another_may_do(exc, self._spec.fallback_on):
                    raise
                self._place += 1

    def _request(self, name: Any) -> ModelRequest:
        if not isinstance(name, str):
            raise StepError("LLM_REQUEST_FAILED", f"the model's name is {name!r}, not text", details={"reason": "unknown_model"})
        return ModelRequest(
            scope=self._ctx.scope,
            model=name,
            messages=tuple(self._messages),
            output_schema=self._spec.output_schema,
            params=self._ctx.input.get("params") or {},
            connection=self._spec.connection,
            tools=self._offers,
        )

    def _read(self, message: Message) -> _Round:
        if message.tool_calls or self._check is None:
            return _Round(message, message.text)
        value, wrong = read_answer(message.text, self._check)
        return _Round(message, value, wrong)

    def _with_own_ids(self, answer: ModelAnswer) -> ModelAnswer:
        """Return the answer with ids of calls that nothing in this step has: small servers begin anew in each answer."""
        calls = []
        for i, call in enumerate(answer.tool_calls):
            own = call.id if _CALL_ID.fullmatch(call.id) and call.id not in self._ids else f"call_{self._rounds + 1}_{i + 1}"
            self._ids.add(own)
            calls.append(call if own == call.id else msgspec.structs.replace(call, id=own))
        return msgspec.structs.replace(answer, tool_calls=tuple(calls))

    def _check_limits(self) -> None:
        """Raise `StepError` when the agent may not ask again."""
        limits, used = self._spec.limits, self._used
        tokens = used.input_tokens + used.output_tokens
        if self._rounds >= limits.rounds:
            raise _over("rounds", f"{limits.rounds} rounds", self._rounds)
        if limits.tokens is not None and tokens >= limits.tokens:
            raise _over("tokens", f"{limits.tokens} tokens", tokens)
        if limits.cost_usd is not None and used.cost_nanos >= limits.cost_usd * 1e9:
            raise _over("cost_usd", f"{limits.cost_usd:g} US dollars", usd(used.cost_nanos))


def beginning(ctx: StepContext) -> list[Message]:
    """Return what the model is told first: the instructions, and what is asked."""
    given = ctx.input
    system = [Message(role="system", content=as_text(given["instructions"]))] if given.get("instructions") else []
    if ctx.history:
        return system + msgspec.convert(list(ctx.history), list[Message])
    asked = given.get("input") if "input" in given else given.get("prompt")
    return [*system, Message(role="user", content=as_text(asked))]


def _over(limit: str, allowed: str, used: Any) -> StepError:
    message = f"the agent had no answer within its limit of {allowed}"
    return StepError("AGENT_LIMIT_EXCEEDED", message, details={"limit": limit, "used": used})


STEP: Final = StepType(name="agent", spec=AgentStep, handler=run_agent, problems=agent_problems, caches=True)
