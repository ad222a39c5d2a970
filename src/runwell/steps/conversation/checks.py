"""What is wrong with a conversation, whatever is said in it: found before anything runs."""

from collections.abc import Iterator

from runwell.model.field_problems import nearest
from runwell.model.schema import schema_problems
from runwell.model.step import StepSpec
from runwell.model.tool import name_fault
from runwell.steps.conversation.document import AnyNode, Condition, ConversationStep, HttpNode, ToolNode, WorkerNode
from runwell.steps.http import HttpStep, http_problems

Problem = tuple[str, str, str]
"""Pointer within the step, message, hint."""

NOT_A_KEY = "none_of_these"


def conversation_problems(spec: StepSpec) -> list[Problem]:
    """Return what is wrong with the nodes and the ways between them."""
    assert isinstance(spec, ConversationStep)
    found = [*_models(spec), *_ids(spec), *_edges(spec), *_starts(spec)]
    for i, node in enumerate(spec.nodes):
        found += _node(spec, node, f"/nodes/{i}")
    if not found:
        found += _unreached(spec)
    return found


def _models(spec: ConversationStep) -> Iterator[Problem]:
    if spec.model is not None and spec.models is not None:
        yield "/models", "a conversation has model or models, not both", "keep one of them"
    has_default = spec.model is not None or spec.models is not None
    for i, node in enumerate(spec.nodes):
        if isinstance(node, WorkerNode) and node.model is not None and node.models is not None:
            yield f"/nodes/{i}/models", "a worker has model or models, not both", "keep one of them"
        if isinstance(node, WorkerNode) and not (has_default or node.model or node.models):
            yield f"/nodes/{i}", f"nobody answers for the worker {node.id!r}", "give it, or the conversation, model: openai:gpt-5-mini"
        if isinstance(node, WorkerNode) and node.prompt is None and spec.prompt is None:
            yield f"/nodes/{i}", f"the worker {node.id!r} has no prompt", "give it, or the conversation, prompt:"
    needs_judge = any(condition.freeform is not None for _, condition in _conditions(spec))
    needs_model = needs_judge or spec.backchannel is not None
    if needs_model and not (has_default or spec.judge_model):
        what = "freeform conditions" if needs_judge else "backchannel"
        yield "", f"no model for its {what}", "give the conversation model: openai:gpt-5-mini, or judge_model:"


def _conditions(spec: ConversationStep) -> Iterator[tuple[str, Condition]]:
    yield from ((f"/nodes/{i}/global", node.global_) for i, node in enumerate(spec.nodes) if node.global_ is not None)
    yield from ((f"/edges/{i}", edge) for i, edge in enumerate(spec.edges))


def _ids(spec: ConversationStep) -> Iterator[Problem]:
    seen: set[str] = set()
    for i, node in enumerate(spec.nodes):
        if node.id in seen:
            yield f"/nodes/{i}/id", f"the id {node.id!r} is taken", "give each node another"
        seen.add(node.id)
    keys = {NOT_A_KEY, *(node.id for node in spec.nodes if node.global_ is not None)}
    for i, edge in enumerate(spec.edges):
        if edge.key in keys:
            cure = "give it an id of its own" if edge.id is None else "give it another id"
            yield f"/edges/{i}", f"the id {edge.key!r} is taken by another edge or a global node", cure
        keys.add(edge.key)
    for place, condition in _conditions(spec):
        yield from _condition(place, condition)


def _condition(place: str, condition: Condition) -> Iterator[Problem]:
    if condition.when is not None and condition.freeform is not None:
        yield place, "a condition is an expression (when) or judged by a model (freeform), not both", "keep one of them"
    if condition.args_schema is None:
        return
    if condition.freeform is None:
        yield f"{place}/args_schema", "args_schema goes with a freeform condition", "a model reads the arguments when it judges"
    for problem in schema_problems(condition.args_schema):
        yield f"{place}/args_schema{problem.pointer}", problem.message, problem.hint or ""


def _edges(spec: ConversationStep) -> Iterator[Problem]:
    known = [node.id for node in spec.nodes]
    direct: set[str] = set()
    for i, edge in enumerate(spec.edges):
        for field, end in (("from", edge.from_), ("to", edge.to)):
            if end not in known:
                yield f"/edges/{i}/{field}", f"there is no node {end!r}", nearest(end, known) or f"nodes are {', '.join(known[:20])}"
        if not edge.is_given and edge.enabled:
            if edge.from_ in direct:
                yield f"/edges/{i}", f"{edge.from_!r} has another edge without a condition, which goes first", "give one a condition"
            direct.add(edge.from_)
    for i, node in enumerate(spec.nodes):
        leading = [edge for edge in spec.edges if edge.from_ == node.id and edge.enabled]
        if leading and node.id not in direct and not node.self_loop:
            cure = "add an edge without a condition, or self_loop: true"
            yield f"/nodes/{i}", f"nothing leads on from {node.id!r} when no condition holds", cure


def _starts(spec: ConversationStep) -> Iterator[Problem]:
    starts = [i for i, node in enumerate(spec.nodes) if node.start]
    for i in starts[1:]:
        yield f"/nodes/{i}/start", "another node is the start", "leave start: true with one of them"


def _node(spec: ConversationStep, node: AnyNode, place: str) -> Iterator[Problem]:
    way = node.global_
    if way is not None and not way.is_given:
        yield f"{place}/global", f"nothing says when {node.id!r} is reached", "give it when: or freeform:"
    if way is not None and way.returns and (node.self_loop or any(edge.from_ == node.id for edge in spec.edges)):
        yield f"{place}/global/returns", f"{node.id!r} leads somewhere else", "take out its edges and self_loop, or returns"
    if isinstance(node, WorkerNode):
        yield from _worker(node, place)
    elif isinstance(node, ToolNode):
        yield from _tool(node.tool, f"{place}/tool")
    elif isinstance(node, HttpNode):
        step = HttpStep(id=node.id, type="http", request=node.request, expect_status=node.expect_status, parse=node.parse)
        yield from ((f"{place}{where}", message, cure) for where, message, cure in http_problems(step))


def _worker(node: WorkerNode, place: str) -> Iterator[Problem]:
    if node.reply is not None and node.output_schema is None:
        yield f"{place}/reply", "reply goes with an output_schema", "without one the person is told what the model writes"
    for problem in () if node.output_schema is None else schema_problems(node.output_schema):
        yield f"{place}/output_schema{problem.pointer}", problem.message, problem.hint or ""
    for j, use in enumerate(node.tools):
        yield from _tool(use, f"{place}/tools/{j}") if isinstance(use, str) else _tool(use.tool, f"{place}/tools/{j}/tool")


def _tool(name: str, place: str) -> Iterator[Problem]:
    kind, _, rest = name.partition(":")
    if kind == "mcp" and rest.endswith("/*"):
        name = f"{name[:-1]}any"
    fault = name_fault(name)
    if fault is not None:
        yield (place, *fault)
    elif kind == "workflow":
        yield place, "a conversation cannot run a workflow", "end the conversation, and add a step of type workflow behind it"


def _unreached(spec: ConversationStep) -> Iterator[Problem]:
    ahead = {node.id for node in spec.nodes if node.global_ is not None}
    ahead.add(next((node.id for node in spec.nodes if node.start), spec.nodes[0].id))
    reached: set[str] = set()
    while ahead:
        reached |= ahead
        ahead = {edge.to for edge in spec.edges if edge.enabled and edge.from_ in reached} - reached
    for i, node in enumerate(spec.nodes):
        if node.id not in reached:
            yield f"/nodes/{i}", f"no edge leads to {node.id!r}", "add one, make it global, or take it out"
