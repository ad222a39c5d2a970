"""The state machine of a conversation. Pure: the same document, state, message and answers make the same turn.

A turn begins with what the person said (the first one with nothing, or with the step's `message`) and ends when a node waits for
the person, or the conversation is over. One that brings variables alone sets them and ends at once: no way on is looked for by a
message that is not there. Otherwise nodes are carried out, one after the other:

    message -> way on from where it waited -> node -> way on -> node ... -> a node that waits, or one from which nothing leads on

The way on is looked for in this order: expressions, first those of global nodes (only after a message), then those of edges, as
they stand in the document; free-form conditions, all of them judged at once; the edge without a condition; the self loop.

`take_turn` asks for what it cannot do by itself: it yields `Say`, `Carry`, `Judge` and `Excuse`, and is sent what came of it.
"""

import hashlib
from collections.abc import Generator, Mapping, Sequence
from typing import Any, Final, Literal, Protocol

import msgspec

from runwell.model.errors import ErrorInfo, StepError
from runwell.model.events import EventData, TurnEnded, TurnStarted
from runwell.steps.conversation.document import AnyNode, Condition, ConversationLimits, ConversationStep, SayNode, Selection

Via = str
"""How a node was reached: an edge's key, `start`, `global`, `self_loop`, or `again` after it failed."""

Limit = Literal["max_turns", "max_nodes_per_turn", "max_self_loops", "max_visits"]

LOOPED: Final = "looping_risk"
OVER: Final = "node"
EXPIRED: Final = "expired"


class Fill(Protocol):
    """Fills in what the document leaves open, see `LateValues.fill`."""

    def __call__(self, place: str, names: Mapping[str, Any]) -> Any: ...


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """A way to a node, and when it is taken. `key` is unique among the ways of a document."""

    key: str
    place: str
    target: str
    condition: Condition
    is_global: bool = False
    returns: bool = False


class Graph:
    """The nodes of a conversation and the ways between them."""

    def __init__(self, spec: ConversationStep) -> None:
        self.nodes: dict[str, AnyNode] = {node.id: node for node in spec.nodes}
        self.places = {node.id: f"/nodes/{i}" for i, node in enumerate(spec.nodes)}
        self.start = next((node.id for node in spec.nodes if node.start), spec.nodes[0].id)
        self.limits: ConversationLimits = spec.limits
        self.globals = tuple(
            Way(key=node.id, place=f"/nodes/{i}/global", target=node.id, condition=way, is_global=True, returns=way.returns)
            for i, node in enumerate(spec.nodes)
            if (way := node.global_) is not None
        )
        self.returning = frozenset(way.target for way in self.globals if way.returns)
        self.edges: dict[str, list[Way]] = {}
        for i, edge in enumerate(spec.edges):
            if edge.enabled:
                self.edges.setdefault(edge.from_, []).append(Way(key=edge.key, place=f"/edges/{i}", target=edge.to, condition=edge))

    def ways(self, node: str) -> Sequence[Way]:
        return self.edges.get(node, ())

    def is_end(self, node: str) -> bool:
        """Whether nothing leads on from the node."""
        return not self.ways(node) and not self.nodes[node].self_loop


# What a turn asks for, and what it is told


class Say(msgspec.Struct, frozen=True, kw_only=True):
    """The person is told a text that stands in the document."""

    text: str
    node: str


class Carry(msgspec.Struct, frozen=True, kw_only=True):
    """The node is to be carried out. Answered with an `Outcome`."""

    node: AnyNode
    place: str


class Judge(msgspec.Struct, frozen=True, kw_only=True):
    """Which of the ways' conditions holds? Answered with a `Judgement`."""

    node: str
    ways: tuple[Way, ...]


class Excuse(msgspec.Struct, frozen=True, kw_only=True):
    """A condition cannot be told. Answered with a `Judgement` that has an error, where something is to be said then."""

    node: str
    error: StepError


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a node: what it said, its result, and the variables that it set; with an `error` it failed."""

    said: tuple[str, ...] = ()
    value: Any = None
    variables: Mapping[str, Any] = {}
    error: ErrorInfo | None = None
    apology: str | None = None


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """The `key` of the way whose condition holds, None for none of them, and what was read out of the conversation."""

    key: str | None = None
    args: Mapping[str, Any] = {}
    error: ErrorInfo | None = None
    apology: str | None = None


Need = Say | Carry | Judge | Excuse
Turn = Generator[Need, Any, None]


class Looping(Exception):
    """The conversation goes round: it reached one of its limits."""

    def __init__(self, limit: Limit, most: int, node: str) -> None:
        self.limit, self.most, self.node = limit, most, node
        super().__init__(f"{limit} of {most} is reached at the node {node!r}")


# The state


class Said(msgspec.Struct, frozen=True):
    """One text of the conversation, by the person (`user`) or by a node."""

    role: Literal["user", "assistant"]
    text: str


class Talk(msgspec.Struct, kw_only=True):
    """A conversation as it stands. `take_turn` changes it in place; folding its events makes the same.

    `again`: the node failed, and is carried out again after the next message. `loops`: how often the node was carried out again
    without another between. `back`: where the conversation goes on after a global node that returns. `path`, `told` and `changed`
    are of the turn under way: the nodes carried out, what they said, and the variables that were set. `history` tells the turns
    that ended.
    """

    node: str
    turn: int = 0
    again: bool = False
    loops: int = 0
    back: str | None = None
    message: str | None = None
    variables: dict[str, Any] = {}
    said: list[Said] = []
    visits: dict[str, int] = {}
    value: Any = None
    error: ErrorInfo | None = None
    ended: str | None = None
    path: list[dict[str, str]] = []
    told: list[dict[str, str]] = []
    changed: dict[str, Any] = {}
    history: list[dict[str, Any]] = []

    def names(self) -> dict[str, Any]:
        """Return what expressions and templates see."""
        error = None if self.error is None else {"code": self.error.code, "message": self.error.message}
        about = {"turn": self.turn, "message": self.message, "node": self.node, "output": self.value, "error": error}
        return {"vars": self.variables, "conversation": {**about, "visits": self.visits}}

    def begin(self, message: str | None, variables: Mapping[str, Any]) -> TurnStarted:
        """Begin a turn; return the event that says so."""
        self.turn += 1
        self.message = message
        self.path, self.told, self.changed = [], [], {}
        self.set(variables)
        if message is not None:
            self.said.append(Said("user", message))
        return TurnStarted(turn=self.turn, node=self.node, message=message, variables=dict(variables))

    def set(self, variables: Mapping[str, Any]) -> None:
        self.variables = {**self.variables, **variables}
        self.changed = {**self.changed, **variables}

    def tell(self, text: str, node: str) -> None:
        self.said.append(Said("assistant", text))
        self.told.append({"node": node, "text": text})

    def enter(self, graph: Graph, node: str, via: Via) -> None:
        if via != "again":
            self.back = (self.back or self.node) if via == "global" and node in graph.returning else None
        self.loops = self.loops + 1 if via in ("self_loop", "again") else 0
        self.node, self.again = node, False
        self.visits = {**self.visits, node: self.visits.get(node, 0) + 1}
        self.path.append({"node": node, "via": via})

    def end(self) -> TurnEnded:
        """End the turn; return the event that says how."""
        self.history.append({"turn": self.turn, "node": self.node, "input": self.message, "output": self.told})
        return TurnEnded(
            turn=self.turn,
            node=self.node,
            path=self.path,
            output=self.told,
            variables=self.changed,
            value=self.value,
            error=self.error,
            again=self.again,
            ended=self.ended,
        )


def resumed(graph: Graph, variables: Mapping[str, Any], events: Sequence[EventData]) -> Talk:
    """Return the conversation as its events, up to the last turn that ended, have made it."""
    talk = Talk(node=graph.start, variables=dict(variables))
    started: TurnStarted | None = None
    for event in events:
        if isinstance(event, TurnStarted):
            started = event
        elif isinstance(event, TurnEnded) and started is not None:
            talk.begin(started.message, started.variables)
            _replay(graph, talk, event)
    return talk


def _replay(graph: Graph, talk: Talk, event: TurnEnded) -> None:
    for step in event.path:
        talk.enter(graph, step["node"], step["via"])
    for told in event.output:
        talk.tell(told["text"], told["node"])
    talk.set(event.variables)
    talk.node, talk.again, talk.ended = event.node, event.again, event.ended
    talk.back = talk.back if event.again else None
    talk.value, talk.error = event.value, event.error
    talk.end()


# A turn


def take_turn(graph: Graph, talk: Talk, fill: Fill, seed: str) -> Turn:
    """Take the turn that `talk.begin` began. `seed` decides which message is said where chance does. Raises `Looping`."""
    way: Way | None = None
    via: Via | None = None
    if talk.turn == 1:
        way, via = _to(graph.start), "start"
    elif talk.message is not None:
        way, via = yield from _after_message(graph, talk, fill, seed)
    while way is not None and via is not None:
        talk.enter(graph, way.target, via)
        _check(graph, talk)
        yield from _carry_out(graph, talk, fill, seed)
        node = graph.nodes[way.target]
        if talk.again:
            break
        if talk.back is not None:
            talk.node, talk.back = talk.back, None
            break
        if graph.is_end(node.id):
            talk.ended = OVER
            return
        if node.waits_for_person:
            break
        way, via = yield from _way_on(graph, talk, fill, seed, after_message=False)
    if talk.turn >= graph.limits.max_turns:
        raise Looping("max_turns", graph.limits.max_turns, talk.node)


def _to(node: str) -> Way:
    return Way(key=node, place="", target=node, condition=Condition())


def _after_message(graph: Graph, talk: Talk, fill: Fill, seed: str) -> Generator[Need, Any, tuple[Way | None, Via | None]]:
    if not talk.again:
        return (yield from _way_on(graph, talk, fill, seed, after_message=True))
    try:
        elsewhere = _first_that_holds(_globals(graph, talk), talk, fill)
    except StepError as exc:
        yield from _excuse(talk, exc)
        return None, None
    return (_to(talk.node), "again") if elsewhere is None else (elsewhere, "global")


def _globals(graph: Graph, talk: Talk) -> list[Way]:
    return [way for way in graph.globals if way.target != talk.node]


def _check(graph: Graph, talk: Talk) -> None:
    """Raise `Looping` when the node that was just entered is one too many."""
    limits, node = graph.limits, talk.node
    counts: dict[Limit, tuple[int, int]] = {
        "max_nodes_per_turn": (len(talk.path), limits.max_nodes_per_turn),
        "max_self_loops": (talk.loops, limits.max_self_loops),
        "max_visits": (talk.visits[node], limits.max_visits),
    }
    for limit, (count, most) in counts.items():
        if count > most:
            raise Looping(limit, most, node)


def _carry_out(graph: Graph, talk: Talk, fill: Fill, seed: str) -> Turn:
    node, place = graph.nodes[talk.node], graph.places[talk.node]
    yield from _say(talk, fill, seed, place, getattr(node, "messages", ()), getattr(node, "selection", "random"))
    if isinstance(node, SayNode):
        talk.value, talk.error = talk.told[-1]["text"], None
        return
    outcome: Outcome = yield Carry(node=node, place=place)
    for text in outcome.said:
        talk.tell(text, node.id)
    talk.set(outcome.variables)
    talk.value, talk.error, talk.again = outcome.value, outcome.error, outcome.error is not None
    yield from _apologise(talk, outcome.apology)


def _apologise(talk: Talk, text: str | None) -> Turn:
    if text is not None:
        talk.tell(text, talk.node)
        yield Say(text=text, node=talk.node)


def _way_on(graph: Graph, talk: Talk, fill: Fill, seed: str, *, after_message: bool) -> Generator[Need, Any, tuple[Way | None, Via | None]]:
    """Return the way that leads on; none when the conversation waits where it is."""
    conditional = [*(_globals(graph, talk) if after_message else ()), *(way for way in graph.ways(talk.node) if way.condition.is_given)]
    try:
        chosen = _first_that_holds(conditional, talk, fill)
    except StepError as exc:
        yield from _excuse(talk, exc)
        return None, None
    open_ways = tuple(way for way in conditional if way.condition.freeform is not None)
    if chosen is None and open_ways:
        judged: Judgement = yield Judge(node=talk.node, ways=open_ways)
        if judged.error is not None:
            yield from _failed(talk, judged)
            return None, None
        chosen = next((way for way in open_ways if way.key == judged.key), None)
        talk.set(judged.args if chosen is not None else {})
    if chosen is None:
        chosen = next((way for way in graph.ways(talk.node) if not way.condition.is_given), None)
    if chosen is None:
        return (_to(talk.node), "self_loop") if graph.nodes[talk.node].self_loop else (None, None)
    yield from _say(talk, fill, seed, chosen.place, chosen.condition.messages, chosen.condition.selection)
    return chosen, "global" if chosen.is_global else chosen.key


def _excuse(talk: Talk, error: StepError) -> Turn:
    yield from _failed(talk, (yield Excuse(node=talk.node, error=error)))


def _failed(talk: Talk, judged: Judgement) -> Turn:
    talk.error = judged.error
    yield from _apologise(talk, judged.apology)


def _first_that_holds(ways: Sequence[Way], talk: Talk, fill: Fill) -> Way | None:
    names = talk.names()
    return next((way for way in ways if _holds(way, fill, names)), None)


def _holds(way: Way, fill: Fill, names: Mapping[str, Any]) -> bool:
    """Whether the way's expression holds; false without one. Raises `StepError` for what is neither true nor false."""
    if way.condition.when is None:
        return False
    value = fill(f"{way.place}/when", names)
    if not isinstance(value, bool):
        raise StepError("EXPRESSION_FAILED", f"{way.place}/when gave {value!r}, which is neither true nor false")
    return value


def _say(talk: Talk, fill: Fill, seed: str, place: str, messages: Sequence[str], selection: Selection) -> Turn:
    """Say one of the messages, if there are any."""
    if not messages:
        return
    which = one_of(len(messages), selection, talk.visits.get(talk.node, 1) - 1, f"{seed}{place}/{talk.turn}/{len(talk.said)}")
    text = text_of(fill(f"{place}/messages/{which}", talk.names()))
    talk.tell(text, talk.node)
    yield Say(text=text, node=talk.node)


def one_of(count: int, selection: Selection, before: int, seed: str) -> int:
    """Return which of `count` messages is said; `before`: how often one of them was said already."""
    return before % count if selection == "in_turn" else int.from_bytes(hashlib.sha256(seed.encode()).digest()[:4]) % count


def text_of(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
