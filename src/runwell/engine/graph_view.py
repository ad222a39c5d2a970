"""From a state to the picture of its version's graph."""

from collections import Counter

from runwell.engine.plan import Body, StepPlan
from runwell.engine.state import RunState
from runwell.model.run import GraphEdge, GraphNode, RunGraph


def run_graph(state: RunState) -> RunGraph:
    """Return the graph of the run's version with the status of each step."""
    counts: dict[str, Counter[str]] = {}
    for step in state.steps.values():
        if step.iteration is None:
            counts.setdefault(step.plan.id, Counter())[step.status.value] += 1
    return _spans(state) if state.plan.is_traced else _graph(state.plan.body, state, counts)


def _spans(state: RunState) -> RunGraph:
    """Return the steps of a trace, each behind the one that it is below."""
    steps = [step for step in state.steps.values() if step.span is not None]
    above = ((state.spans.get(step.span.parent_span_id or ""), step.path) for step in steps if step.span is not None)
    edges = [GraphEdge(source=source, target=path) for source, path in above if source]
    return RunGraph(
        nodes=[
            GraphNode(id=step.path, type=step.plan.type, name=step.plan.spec.name, status=step.status, reason=step.reason) for step in steps
        ],
        edges=edges,
    )


def _graph(body: Body, state: RunState, counts: dict[str, Counter[str]]) -> RunGraph:
    edges = [GraphEdge(source=dep, target=plan.id, when=plan.spec.when) for plan in body.steps.values() for dep in plan.deps]
    return RunGraph(nodes=[_node(plan, state, counts) for plan in body.steps.values()], edges=edges)


def _node(plan: StepPlan, state: RunState, counts: dict[str, Counter[str]]) -> GraphNode:
    step = state.steps.get(plan.id)  # an inner step has instances only, each with a path of its own
    return GraphNode(
        id=plan.id,
        type=plan.type,
        name=plan.spec.name,
        status=None if step is None else step.status,
        reason=None if step is None else step.reason,
        steps=None if plan.body is None else _graph(plan.body, state, counts),
        instances={} if step is not None else dict(counts.get(plan.id, {})),
    )
