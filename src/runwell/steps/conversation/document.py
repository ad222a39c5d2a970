"""What a conversation is in a workflow document: nodes that say and do something, and the ways between them."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import ConfigDict, Field

from runwell.model.caching import CacheUse
from runwell.model.model_call import Reason
from runwell.model.step import Expression, Late, Part, StepId, StepSpec
from runwell.steps.http import HttpCall, Status
from runwell.steps.http_message import Parse

Selection = Literal["random", "in_turn"]
"""Which of several messages is said: one by chance (the same again after a crash), or one after the other."""

Says = Annotated[tuple[str, ...], Field(max_length=50)]
Prompt = Annotated[str, Field(min_length=1, max_length=200_000)]


class Condition(Part):
    """When a way is taken: `when` is an expression, `freeform` says in words what a model is to judge. At most one of them.

    Of what a model judges, `args_schema` says what it reads out of the conversation; that becomes variables. `messages` are said
    on the way, one of them.
    """

    when: Expression | None = None
    freeform: Prompt | None = Field(default=None, description="as in: the person asks for a refund")
    args_schema: dict[str, Any] | None = Field(default=None, description="JSON Schema of an object, with freeform")
    messages: Says = Field(default=(), description="template")
    selection: Selection = "random"

    @property
    def is_given(self) -> bool:
        return self.when is not None or self.freeform is not None


class GlobalWay(Condition):
    """How a node is reached from everywhere, whenever the person has said something."""

    returns: bool = Field(default=False, description="afterwards the conversation goes on where it was; for nodes without edges")


class Edge(Condition):
    """A way from a node to another. Without a condition it is taken when no other leads on."""

    model_config = ConfigDict(serialize_by_alias=True)

    id: StepId | None = Field(default=None, description="left out, `<from>-<to>`")
    from_: StepId = Field(alias="from")
    to: StepId
    name: str | None = Field(default=None, max_length=200)
    description: str | None = None
    enabled: bool = True

    @property
    def key(self) -> str:
        return self.id or f"{self.from_}-{self.to}"


class ToolUse(Part):
    """A tool that a worker may call, and what goes with a call: a message said before, and the variable that takes the result."""

    tool: str = Field(min_length=1, max_length=300)
    variable: StepId | None = None
    messages: Says = Field(default=(), description="template")
    selection: Selection = "random"


class NodeBase(Part):
    """What every node has. The first one is the start unless another says that it is."""

    waits: ClassVar[bool] = True

    id: StepId
    name: str | None = Field(default=None, max_length=200)
    description: str | None = None
    start: bool = False
    global_: GlobalWay | None = Field(default=None, alias="global", description="makes it reachable from every node")
    self_loop: bool = Field(default=False, description="when no edge leads on, it is carried out again")
    wait_for_user_message: bool | None = Field(
        default=None, description="left out, say waits and so does a worker that writes text; the others do not"
    )
    default_error_message: str | None = Field(
        default=None, max_length=10_000, description="said when the node fails, which is then carried out again after the next message"
    )

    model_config = ConfigDict(serialize_by_alias=True)

    @property
    def waits_for_person(self) -> bool:
        return self.waits if self.wait_for_user_message is None else self.wait_for_user_message

    @property
    def result_variable(self) -> str | None:
        """The variable that takes the node's result."""
        return None


class WorkerNode(NodeBase):
    """A model answers. With an `output_schema` it writes an object, and the person is told `reply`, if that is given."""

    type: Literal["worker"]
    prompt: Prompt | None = Field(default=None, description="template; left out, that of the step")
    model: str | None = Field(default=None, description="left out, that of the step")
    models: tuple[str, ...] | None = Field(default=None, min_length=1, max_length=10)
    connection: str | None = None
    params: dict[str, Any] = {}
    tools: tuple[str | ToolUse, ...] = Field(default=(), max_length=50, description="`mcp:<server>/*` stands for all of a server's")
    max_consecutive_tool_calls: int = Field(default=3, ge=0, le=50, description="rounds of tool calls; then the model has to answer")
    output_schema: dict[str, Any] | None = None
    reply: str | None = Field(default=None, description="template; with output_schema")
    repair_attempts: int = Field(default=2, ge=0, le=5)
    variable: StepId | None = Field(default=None, description="takes the text, or the object")
    backchannel: Prompt | None = Field(default=None, description="template; prompt of a word to the person before tools are called")

    @property
    def waits_for_person(self) -> bool:
        speaks = self.output_schema is None or self.reply is not None
        return speaks if self.wait_for_user_message is None else self.wait_for_user_message

    @property
    def result_variable(self) -> str | None:
        return self.variable

    @property
    def uses(self) -> tuple[ToolUse, ...]:
        return tuple(ToolUse(tool=one) if isinstance(one, str) else one for one in self.tools)


class SayNode(NodeBase):
    """Says one of its messages."""

    type: Literal["say"]
    messages: Annotated[tuple[str, ...], Field(min_length=1, max_length=50)] = Field(description="template")
    selection: Selection = "random"


class _DoingNode(NodeBase):
    waits: ClassVar[bool] = False

    variable: StepId = Field(default="tool_result", description="takes the result")
    messages: Says = Field(default=(), description="template; one of them is said before")
    selection: Selection = "random"
    backchannel: Prompt | None = Field(default=None, description="template; prompt of a word to the person before the call")

    @property
    def result_variable(self) -> str | None:
        return self.variable


class ToolNode(_DoingNode):
    """Calls a tool."""

    type: Literal["tool"]
    tool: str = Field(min_length=1, max_length=300)
    args: dict[str, Any] = Field(default={}, description="template")


class HttpNode(_DoingNode):
    """Sends a request; the result is the answer's body. Another status than expected is a failure."""

    type: Literal["http"]
    request: HttpCall = Field(description="template, in which secrets may stand")
    expect_status: Status | Annotated[tuple[Status, ...], Field(min_length=1)] | None = None
    parse: Parse | None = None


Node = Annotated[WorkerNode | SayNode | ToolNode | HttpNode, Field(discriminator="type")]
AnyNode = WorkerNode | SayNode | ToolNode | HttpNode


class ConversationLimits(Part):
    """What a conversation may do before it counts as going round: then it ends with `LOOPING_RISK`."""

    max_turns: int = Field(default=100, ge=1, le=10_000)
    max_nodes_per_turn: int = Field(default=25, ge=1, le=1_000, description="nodes carried out between two messages of the person")
    max_self_loops: int = Field(default=25, ge=1, le=10_000, description="how often a node is carried out again without another between")
    max_visits: int = Field(default=100, ge=1, le=10_000, description="of one node in the whole conversation")


NAMES: Final = frozenset({"vars", "conversation"})


class ConversationStep(StepSpec):
    """Talk with a person: nodes answer, and edges lead from node to node. The result is `{turns, variables, value, ended}`.

    It begins by itself, with `message` if one is given. Then each message named like the step's path is a turn. A conversation
    ends after a node from which nothing leads on.
    """

    templates = frozenset({"model", "models", "judge_model", "params", "variables", "message"})
    late_names = NAMES
    calls_model = True

    type: Literal["conversation"]
    nodes: tuple[Node, ...] = Field(min_length=1, max_length=500)
    edges: tuple[Edge, ...] = Field(default=(), max_length=2_000)
    variables: dict[str, Any] = Field(default={}, description="`vars` at the beginning")
    message: str | None = Field(default=None, description="what the person says first")
    model: str | None = Field(default=None, description="of workers that name none")
    models: tuple[str, ...] | None = Field(default=None, min_length=1, max_length=10)
    judge_model: str | None = Field(default=None, description="of freeform conditions; left out, model, or the first of models")
    fallback_on: tuple[Reason, ...] | None = None
    connection: str | None = None
    params: dict[str, Any] = {}
    prompt: Prompt | None = Field(default=None, description="template; of workers that have none")
    prompt_prefix: Prompt | None = Field(default=None, description="template; before every worker's prompt")
    prompt_suffix: Prompt | None = Field(default=None, description="template; behind every worker's prompt")
    backchannel: Prompt | None = Field(default=None, description="template; of nodes that have none")
    default_error_message: str | None = Field(default=None, max_length=10_000, description="of nodes that have none")
    expires_in_s: float | None = Field(default=None, gt=0, le=315_360_000, description="without a message for so long it ends")
    limits: ConversationLimits = ConversationLimits()
    output: Any = Field(default=None, description="template, filled in at the end; left out, what was said last")

    def cacheable(self, given: Mapping[str, Any]) -> CacheUse:
        return "never"

    def late(self) -> list[Late]:
        return [
            *_texts("", self, ("prompt", "prompt_prefix", "prompt_suffix", "backchannel", "output")),
            *(late for i, node in enumerate(self.nodes) for late in _late_of_node(f"/nodes/{i}", node)),
            *(late for i, edge in enumerate(self.edges) for late in _late_of_condition(f"/edges/{i}", edge)),
        ]

    def tools_named(self) -> list[tuple[str, str]]:
        nodes: Any = self.nodes  # a stand-in of a broken step may hold anything
        named = []
        for i, node in enumerate(nodes if isinstance(nodes, tuple) else ()):
            if isinstance(node, ToolNode):
                named.append((f"/nodes/{i}/tool", node.tool))
            elif isinstance(node, WorkerNode):
                named += [
                    (f"/nodes/{i}/tools/{j}" + ("" if isinstance(node.tools[j], str) else "/tool"), use.tool)
                    for j, use in enumerate(node.uses)
                ]
        return named


def _texts(place: str, part: Part, fields: tuple[str, ...]) -> Iterator[Late]:
    for field in fields:
        value = getattr(part, field, None)
        if value is not None and value != ():
            yield Late(f"{place}/{field}", value)


def _late_of_node(place: str, node: AnyNode) -> Iterator[Late]:
    yield from _texts(place, node, ("prompt", "reply", "backchannel"))
    yield from _messages(place, getattr(node, "messages", ()))
    if isinstance(node, ToolNode):
        yield Late(f"{place}/args", node.args)
    elif isinstance(node, HttpNode):
        yield Late(f"{place}/request", node.request.model_dump(mode="json", by_alias=True, exclude_unset=True), "request")
    elif isinstance(node, WorkerNode):
        for i, use in enumerate(node.tools):
            yield from _messages(f"{place}/tools/{i}", () if isinstance(use, str) else use.messages)
    if node.global_ is not None:
        yield from _late_of_condition(f"{place}/global", node.global_)


def _late_of_condition(place: str, condition: Condition) -> Iterator[Late]:
    if condition.when is not None:
        yield Late(f"{place}/when", condition.when, "condition")
    yield from _texts(place, condition, ("freeform",))
    yield from _messages(place, condition.messages)


def _messages(place: str, messages: tuple[str, ...]) -> Iterator[Late]:
    yield from (Late(f"{place}/messages/{i}", text) for i, text in enumerate(messages))
