"""The step `conversation`: it takes a turn, waits for the person, and goes on from what it recorded."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from runwell.model.errors import ErrorInfo, StepError
from runwell.model.events import EventData, MessageReceived, StepResumed, StepWaiting, TurnStarted
from runwell.model.waits import MessageWait
from runwell.ports.steps import StepContext, StepType, Suspended
from runwell.steps.conversation.asking import Asking
from runwell.steps.conversation.checks import conversation_problems
from runwell.steps.conversation.document import ConversationStep
from runwell.steps.conversation.flow import (
    EXPIRED,
    LOOPED,
    Carry,
    Excuse,
    Graph,
    Judge,
    Looping,
    Need,
    Say,
    Talk,
    resumed,
    take_turn,
    text_of,
)
from runwell.steps.conversation.judging import excuse, judge
from runwell.steps.conversation.nodes import Nodes
from runwell.steps.conversation.recall import Recall


class Given(NamedTuple):
    """What the person gave for a turn."""

    message: str | None
    variables: Mapping[str, Any] = {}


async def converse(ctx: StepContext) -> Any:
    """Take turns until the conversation waits or is over. Raises `Suspended`; and `StepError`, `LOOPING_RISK` when it went round."""
    spec = ctx.spec
    assert isinstance(spec, ConversationStep)
    graph, recorded = Graph(spec), ctx.recorded()
    talk = resumed(graph, _variables(ctx), recorded)
    while talk.ended is None:
        key = f"turn-{talk.turn + 1}"
        given = _first(ctx) if talk.turn == 0 else _came(key, recorded)
        if given is None:
            raise Suspended(MessageWait(key=key, name=ctx.step_id, expires_in_s=spec.expires_in_s))
        if given == EXPIRED:
            talk.ended = EXPIRED
        elif isinstance(given, Given):
            await _take_turn(ctx, spec, graph, talk, given, recorded)
    if talk.ended == LOOPED and talk.error is not None:
        raise StepError("LOOPING_RISK", talk.error.message, details=talk.error.details)
    return _result(ctx, spec, talk)


def _variables(ctx: StepContext) -> dict[str, Any]:
    given = ctx.input.get("variables")
    return dict(given) if isinstance(given, dict) else {}


def _first(ctx: StepContext) -> Given:
    message = ctx.input.get("message")
    return Given(None if message is None else text_of(message))


def _came(key: str, recorded: Sequence[EventData]) -> Given | str | None:
    """Return what came of the wait: what the person gave, or `EXPIRED`; None while it lasts or before it began."""
    began = next((i for i, event in enumerate(recorded) if isinstance(event, StepWaiting) and event.key == key), len(recorded))
    for event in recorded[began:]:
        if isinstance(event, MessageReceived):
            return given_of(event.body)
        if isinstance(event, StepResumed) and event.by == "timer":
            return EXPIRED
    return None


def given_of(body: Any) -> Given:
    """Return what a message's body gives: a text, or `{message, variables}`."""
    if isinstance(body, dict) and body.keys() <= {"message", "variables"} and isinstance(body.get("variables", {}), dict):
        message = body.get("message")
        return Given(None if message is None else text_of(message), body.get("variables", {}))
    return Given(text_of(body))


async def _take_turn(
    ctx: StepContext, spec: ConversationStep, graph: Graph, talk: Talk, given: Given, recorded: Sequence[EventData]
) -> None:
    recall = Recall(recorded)
    asking = Asking(ctx, spec, recall)
    nodes = Nodes(ctx, spec, talk, asking, recall)
    started = talk.begin(given.message, given.variables)
    if not any(isinstance(event, TurnStarted) and event.turn == talk.turn for event in recorded):
        ctx.record(started)

    async def meet(need: Need) -> Any:
        match need:
            case Say():
                return ctx.delta(need.text) if recall.is_over else None
            case Carry():
                return await nodes.carry(need)
            case Judge():
                return await judge(ctx, spec, talk, asking, need)
            case Excuse():
                return excuse(ctx, spec, need)

    turn = take_turn(graph, talk, ctx.late.fill, ctx.idempotency_key)
    try:
        need = next(turn, None)
        while need is not None:
            answer = await meet(need)
            try:
                need = turn.send(answer)
            except StopIteration:
                need = None
    except Looping as exc:
        details: dict[str, object] = {"limit": exc.limit, "most": exc.most, "node": exc.node, "turn": talk.turn}
        message = f"the conversation went round: {exc}; raise limits.{exc.limit} if that is right"
        talk.ended, talk.error = LOOPED, ErrorInfo(code="LOOPING_RISK", message=message, step_id=ctx.step_id, details=details)
    ctx.record(talk.end())


def _result(ctx: StepContext, spec: ConversationStep, talk: Talk) -> dict[str, Any]:
    told = [said.text for said in talk.said if said.role == "assistant"]
    value = ctx.late.fill("/output", talk.names()) if spec.output is not None else told[-1] if told else None
    return {
        "turns": talk.history,
        "variables": talk.variables,
        "value": value,
        "ended": {"node": talk.node, "reason": talk.ended},
    }


STEP = StepType(name="conversation", spec=ConversationStep, handler=converse, problems=conversation_problems)
