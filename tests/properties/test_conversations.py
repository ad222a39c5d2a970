"""Whatever a document, a person and models do: a conversation's turns end, its events make it again, and a crash asks nothing twice."""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, cast

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.step_context import FakeContext

from runwell.model.errors import StepError
from runwell.model.events import EventData, GenerationCompleted, MessageReceived, StepResumed, StepWaiting, TurnEnded, TurnStarted
from runwell.model.scope import Scope
from runwell.ports.models import ModelRequest, ToolCall
from runwell.ports.steps import Suspended
from runwell.ports.tools import ToolInfo, ToolOutcome, Tools
from runwell.steps.conversation.document import ConversationStep
from runwell.steps.conversation.flow import Carry, Graph, Judge, Judgement, Looping, Outcome, Talk, resumed, take_turn
from runwell.steps.conversation.handler import converse
from runwell.testing import ScriptedModels
from runwell.testing.scripted_model import Answer

IDS = ["a", "b", "c", "d"]


@st.composite
def conversations(draw: st.DrawFn) -> ConversationStep:
    """Return a conversation that can be carried out, sensible or not."""
    ids = IDS[: draw(st.integers(1, 4))]
    nodes = []
    for node_id in ids:
        node: dict[str, Any] = {"id": node_id, "self_loop": draw(st.booleans())}
        if draw(st.booleans()):
            node |= {"type": "say", "messages": [f"{node_id}1", f"{node_id}2"], "selection": draw(st.sampled_from(["random", "in_turn"]))}
        else:
            node |= {"type": "worker", "prompt": node_id, "tools": draw(st.sampled_from([[], ["mcp:s/t"]])), "default_error_message": "!"}
        node["wait_for_user_message"] = draw(st.booleans())
        if draw(st.booleans()):
            node["global"] = {**draw(conditions()), "returns": draw(st.booleans())}
        nodes.append(node)
    ends = st.tuples(st.sampled_from(ids), st.sampled_from(ids))
    pairs = draw(st.lists(ends, max_size=6, unique=True))
    edges = [{"from": source, "to": target, **draw(st.one_of(st.just({}), conditions()))} for source, target in pairs]
    limits = {"max_turns": 6, "max_nodes_per_turn": 5, "max_self_loops": 3, "max_visits": 8}
    return ConversationStep.model_validate(
        {"id": "talk", "type": "conversation", "model": "m:x", "nodes": nodes, "edges": edges, "limits": limits}
    )


def conditions() -> st.SearchStrategy[dict[str, Any]]:
    return st.sampled_from([{"when": "w"}, {"freeform": "f", "messages": ["on my way"]}])


class Chance:
    """Stands for expressions, models and tools: what they say is drawn once for each question."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def fill(self, place: str, names: Mapping[str, Any]) -> Any:
        drawn = self._drawn(place, msgspec.json.encode(names).decode())
        return drawn % 3 == 0 if place.endswith("/when") else f"{place} {drawn % 5}"

    def _drawn(self, *what: Any) -> int:
        return int.from_bytes(hashlib.sha256(repr((self.seed, *what)).encode()).digest()[:4])

    def secret_pointers(self, place: str) -> frozenset[str]:
        return frozenset()

    def meet(self, need: Any, talk: Talk) -> Any:
        drawn = self._drawn(talk.turn, len(talk.path), talk.node)
        if isinstance(need, Judge):
            keys = [None, *(way.key for way in need.ways)]
            return Judgement(key=keys[drawn % len(keys)], args={"j": drawn % 4})
        if isinstance(need, Carry):
            if drawn % 3 == 0:
                return Outcome(error=StepError("LLM_REQUEST_FAILED", "x").info("talk"), apology="sorry")
            return Outcome(said=(f"says {drawn % 9}",), value=drawn, variables={"v": drawn % 4})
        return None

    def answer(self, request: ModelRequest) -> Answer:
        drawn = self._drawn(msgspec.json.encode(request).decode())
        if request.tool_choice == "required":
            return [ToolCall(id="1", name=request.tools[drawn % len(request.tools)].name, args={})]
        if request.tools and request.tool_choice == "auto" and drawn % 2:
            return [ToolCall(id=f"c{drawn}", name=request.tools[0].name, args={})]
        return StepError("LLM_REQUEST_FAILED", "down") if drawn % 11 == 0 else f"answer {drawn % 100}"


def one_turn(graph: Graph, talk: Talk, chance: Chance, message: str | None) -> list[EventData]:
    events: list[EventData] = [talk.begin(message, {})]
    turn = take_turn(graph, talk, chance.fill, "seed")
    try:
        need = next(turn)
        while True:
            need = turn.send(chance.meet(need, talk))
    except StopIteration:
        pass
    except Looping:
        talk.ended = "looping_risk"
    return [*events, talk.end()]


@settings(max_examples=200, deadline=None)
@given(conversations(), st.integers(0, 10**6))
def test_turns_end_within_their_limits_and_events_make_the_same_state(spec: ConversationStep, seed: int) -> None:
    graph, chance = Graph(spec), Chance(seed)
    talk, events = Talk(node=graph.start), list[EventData]()
    while talk.ended is None:
        events += one_turn(graph, talk, chance, None if talk.turn == 0 else f"message {talk.turn}")
        assert talk.turn <= spec.limits.max_turns
        assert len(talk.path) <= spec.limits.max_nodes_per_turn + 1
        assert max(talk.visits.values(), default=0) <= spec.limits.max_visits + 1
        assert msgspec.to_builtins(resumed(graph, {}, events)) == msgspec.to_builtins(talk)
        assert all(step["node"] in graph.nodes for step in talk.path)
    assert talk.ended in ("node", "looping_risk")
    assert talk.ended == "looping_risk" or graph.is_end(talk.node)


# Crashes


class Crashed(Exception):
    """The process died."""


class Tool:
    """One tool, whose calls are counted."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    async def list(self, scope: Scope, names: Sequence[str]) -> list[ToolInfo]:
        return [ToolInfo(name=name, input_schema={}) for name in names]

    async def call(self, scope: Scope, name: str, args: Any, *, idempotency_key: str, **options: Any) -> ToolOutcome:
        self.calls.append(idempotency_key)
        return ToolOutcome(result=idempotency_key)

    async def aclose(self) -> None: ...


class Process(FakeContext):
    """An attempt in a process that dies when it has recorded so many events; the last of them may be lost with it."""

    left: int = 10**9
    loses: bool = False

    def record(self, data: EventData) -> None:
        self.left -= 1
        if self.left >= 0 or not self.loses:
            super().record(data)
        if self.left < 0:
            raise Crashed


class Run(NamedTuple):
    journal: list[EventData]
    models: ScriptedModels
    tool: Tool

    def of(self, kind: type[EventData]) -> list[Any]:
        return [event for event in self.journal if isinstance(event, kind)]

    @property
    def answers(self) -> int:
        return sum(event.ok for event in self.of(GenerationCompleted))


def carried_out(spec: ConversationStep, seed: int, deaths: Sequence[tuple[int, bool]] = ()) -> Run:
    """Talk to the end, in processes of which each lives for so many events."""
    chance, lives = Chance(seed), list(deaths)
    run = Run([], ScriptedModels(chance.answer), Tool())
    while True:
        process = Process(
            spec=spec, input={"model": "m:x"}, models=run.models, external=cast(Tools, run.tool), late=chance, before=run.journal
        )
        if lives:
            process.left, process.loses = lives.pop()
        try:
            asyncio.run(converse(process))
            return Run(run.journal + process.events, run.models, run.tool)
        except Crashed:
            run = run._replace(journal=run.journal + process.events)
        except Suspended as exc:
            wait = exc.wait
            waited = [StepWaiting(waiting_for="message", key=wait.key), StepResumed(by="message", key=wait.key)]
            run = run._replace(journal=[*run.journal, *process.events, *waited, MessageReceived(name="talk", body=wait.key)])
        except StepError:
            return run._replace(journal=run.journal + process.events)


@settings(max_examples=150, deadline=None)
@given(conversations(), st.integers(0, 10**6), st.lists(st.tuples(st.integers(0, 8), st.booleans()), max_size=5))
def test_deaths_change_nothing_and_ask_nothing_twice(spec: ConversationStep, seed: int, deaths: list[tuple[int, bool]]) -> None:
    whole, torn = carried_out(spec, seed), carried_out(spec, seed, deaths)
    assert torn.of(TurnEnded) == whole.of(TurnEnded)
    assert torn.of(TurnStarted) == whole.of(TurnStarted)
    assert torn.answers == whole.answers, "an answer that was recorded was asked for again"
    lost = sum(loses for _, loses in deaths)
    assert len(torn.models.requests) <= len(torn.of(GenerationCompleted)) + lost
    assert len(set(torn.tool.calls)) == len(whole.tool.calls)
    assert len(torn.tool.calls) <= len(whole.tool.calls) + len(deaths)
