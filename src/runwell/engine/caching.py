"""What a workflow version says about having its runs' results again. Pure: it looks at the document only."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from runwell.engine.expressions import Expr
from runwell.engine.plan import Body, Plan, StepPlan
from runwell.engine.templates import Node
from runwell.model.caching import CacheUse
from runwell.model.step import StepSpec

_THE_SAME: Final = frozenset({"version"})
"""What of `run` is the same in every run of a version; what else is looked at belongs to a run's key."""

_OWN: Final = frozenset({"id", "created_at", "source_run_id"})
"""What of `run` no two runs have in common."""


class Caching(msgspec.Struct, frozen=True):
    """`least`: what it takes to have a run's result again (see `caching.allows`). `reads_run`: it depends on more than the input."""

    least: CacheUse
    reads_run: bool


def caching_of(plan: Plan) -> Caching:
    """Return what holds for runs of the version.

    A result can be had again when each of its steps' can. By itself (`auto`) only where a model is called at all: without, there
    is nothing to save; and not where an expression asks which run it is, or a step has `cache: never`.
    """
    steps = list(_steps(plan.body))
    uses = {least_of(step.spec, step.spec.model_dump(mode="json", include=set(step.spec.templates)), plan) for step in steps}
    read = {key for expr in _expressions(plan, steps) for key in _of_run(expr)}
    least: CacheUse = "never" if "never" in uses else "always" if "always" in uses else "auto"
    if least == "auto" and (read & _OWN or not any(step.spec.calls_model for step in steps) or _wants_none(steps)):
        least = "always"
    return Caching(least, reads_run=bool(read - _THE_SAME))


def least_of(spec: StepSpec, given: Mapping[str, Any], plan: Plan) -> CacheUse:
    """Return what it takes to have the step's result again. Never where a person may be asked about the call of a tool."""
    if spec.tools_named() and any(tool.spec.requires_approval for tool in plan.tools.values()):
        return "never"
    return spec.cacheable(given)


def _wants_none(steps: list[StepPlan]) -> bool:
    return any(step.spec.cache == "never" for step in steps)


def _steps(body: Body) -> Iterator[StepPlan]:
    for step in body.steps.values():
        yield step
        if step.body is not None:
            yield from _steps(step.body)


def _expressions(plan: Plan, steps: list[StepPlan]) -> Iterator[Expr]:
    nodes: list[Node | None] = [plan.output]
    for step in steps:
        yield from (expr for expr in (step.when, step.condition) if expr is not None)
        nodes += [step.output, *step.inputs.values()]
    for tool in plan.tools.values():
        nodes += tool.inputs.values()
    for node in nodes:
        if node is not None:
            yield from node.expressions()


def _of_run(expr: Expr) -> Iterator[str]:
    """Yield what the expression looks at of `run`."""
    for ref in expr.refs:
        if ref.root == "run":
            yield from (str(ref.keys[0]),) if ref.keys else _OWN
