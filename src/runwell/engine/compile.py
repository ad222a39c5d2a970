"""From a workflow document to a plan, or to every problem that it has."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from runwell.engine.dependencies import graph_of, meant_graph, never_reached, wrong_dependencies
from runwell.engine.expressions import Expr, read_expression
from runwell.engine.graph import Graph
from runwell.engine.plan import Body, Plan, StepPlan, ToolPlan
from runwell.engine.references import Place, at_end, inner_ids, is_named, wrong_references
from runwell.engine.step_checks import Finding, wrong_condition, wrong_constant, wrong_fields, wrong_items, wrong_trace
from runwell.engine.templates import Const, DictNode, ListNode, Node, Single, escape, read_template, secret_pointers
from runwell.engine.tools import SEEN, guarded, wrong_tools
from runwell.model.errors import InvalidDocument, Problem
from runwell.model.step import ForEach, StepSpec, While, body_of
from runwell.model.tool import ToolSpec
from runwell.model.workflow import INVALID, Parsed

SpecProblems = Callable[[StepSpec], list[tuple[str, str, str]]]
"""A step type's own checks: (pointer within the step, message, hint) for each problem."""

Reach = Callable[[StepSpec | ToolSpec], list[Problem]]
"""What an installation cannot reach of what a step or tool names (models, connections, functions); pointers are within it."""


def compile_workflow(parsed: Parsed, checks: Mapping[str, SpecProblems] | None = None, reach: Reach | None = None) -> Plan:
    """Return the plan. Raises `InvalidDocument` with every problem, those of `parsed` included.

    `checks` are the step types' own, by type. `reach` depends on the installation, so it is for those
    who validate: a version that was published stays a version.
    """
    compiler = _Compiler(parsed, checks or {}, reach)
    workflow = parsed.workflow
    tools = compiler.tools()
    body = compiler.body(workflow.steps, "/steps", Place(unread=parsed.unread))
    scope = Place(visible=frozenset(spec.id for spec in workflow.steps), inner=inner_ids(workflow.steps), unread=parsed.unread)
    output = None if workflow.output is None else compiler.template(workflow.output, "/output", None, scope)
    if compiler.problems:
        raise InvalidDocument(INVALID, problems=tuple(compiler.problems))
    is_traced = any(step.control == "trace" for step in body.steps.values())
    if is_traced:
        body = Body(steps={}, roots=(), last="")
    return Plan(workflow=workflow, body=body, tools=tools, output=output, hash=parsed.hash, document=parsed.document, is_traced=is_traced)


class _Compiler:
    """Compiles what could be read of a document and collects the problems of all of it."""

    def __init__(self, parsed: Parsed, checks: Mapping[str, SpecProblems], reach: Reach | None) -> None:
        self._checks = checks
        self._reach = reach
        self._tools = parsed.workflow.tools
        self._count = len(parsed.workflow.steps)
        self.problems: list[Problem] = list(parsed.problems)

    def tools(self) -> dict[str, ToolPlan]:
        plans = {}
        for i, spec in enumerate(self._tools):
            inputs: dict[str, Node] = {}
            if spec.step is not None:
                self._check_spec(spec.step, f"/tools/{i}")
                inputs = guarded(self._inputs(spec.step, f"/tools/{i}", SEEN))
            for problem in self._reach(spec) if self._reach else ():
                self.problems.append(replace(problem, pointer=f"/tools/{i}{problem.pointer}"))
            plans[spec.full_name] = ToolPlan(spec=spec, inputs=inputs, secret_pointers=secret_pointers(inputs))
        return plans

    def body(self, specs: Sequence[StepSpec], pointer: str, outer: Place) -> Body:
        graph = graph_of(specs)
        self.problems += [_named(problem) for problem in wrong_dependencies(specs, graph, pointer, outer)]
        self.problems += [_named(problem) for problem in never_reached(specs, graph, pointer)]
        meant = meant_graph(specs, graph)
        inner = {**outer.inner, **inner_ids(specs)}
        beside = frozenset(graph.deps)
        steps = {}
        for i, spec in enumerate(specs):
            place = replace(outer, visible=outer.visible | meant.upstream(spec.id), beside=beside, inner=inner)
            steps[spec.id] = self._step(spec, f"{pointer}/{i}", place, graph)
        roots = tuple(step_id for step_id, step in steps.items() if not step.deps)
        return Body(steps=steps, roots=roots, last=specs[-1].id if specs else "")

    def _step(self, spec: StepSpec, pointer: str, place: Place, graph: Graph) -> StepPlan:
        self._check_spec(spec, pointer)
        when = self._condition(spec.when, "when", pointer, spec, place)
        inputs = self._inputs(spec, pointer, place)
        inside = self._inside(spec, place)
        output = getattr(spec, "output", None) if body_of(spec) else None
        return StepPlan(
            id=spec.id,
            type=spec.type,
            control=spec.control,
            spec=spec,
            deps=tuple(dep for dep in dict.fromkeys(spec.depends_on) if dep in graph.deps),
            dependents=graph.dependents(spec.id),
            when=when,
            inputs=inputs,
            secret_pointers=secret_pointers(inputs),
            body=self.body(body_of(spec), f"{pointer}/steps", inside) if body_of(spec) else None,
            condition=self._condition(spec.condition, "condition", pointer, spec, inside) if isinstance(spec, While) else None,
            output=None if output is None else self.template(output, f"{pointer}/output", spec.id, at_end(inside, body_of(spec))),
            late=self._late(spec, pointer, replace(place, names=place.names | spec.late_names)) if _is_whole(spec) else {},
        )

    def _inside(self, spec: StepSpec, place: Place) -> Place:
        """Return what the body of a loop sees."""
        added = {"item", "index"} if isinstance(spec, ForEach) else {"loop"} if isinstance(spec, While) else set()
        return replace(
            place,
            names=place.names | added,
            outside={**place.outside, **dict.fromkeys(place.beside - place.visible, spec.id)},
            loops=(*place.loops, spec.id),
            loop_steps=frozenset(inner.id for inner in body_of(spec)) if isinstance(spec, While) else place.loop_steps,
        )

    def _late(self, spec: StepSpec, pointer: str, place: Place) -> dict[str, Node]:
        found: dict[str, Node] = {}
        for where, value, kind in spec.late():
            if kind == "condition":
                expr = self._condition(value, where[1:], pointer, spec, place)
                found |= {} if expr is None else {where: Single(expr)}
            else:
                node = self.template(value, pointer + where, spec.id, place, secrets=kind == "request")
                found[where] = guarded({"request": node})["request"] if kind == "request" else node
        return found

    def _inputs(self, spec: StepSpec, pointer: str, place: Place) -> dict[str, Node]:
        nodes = {}
        dumped = spec.model_dump(mode="json", by_alias=True, include=set(spec.templates), exclude_unset=True)
        for field, value in dumped.items():
            if value is not None:
                nodes[field] = self.template(value, f"{pointer}/{field}", spec.id, place, field in spec.secret_fields)
        if isinstance(spec, ForEach) and "items" not in spec.unread:
            self._find(wrong_items(nodes.get("items", Const(None))), pointer, spec.id)
        return nodes

    def _check_spec(self, spec: StepSpec, pointer: str) -> None:
        self._find(wrong_fields(spec), pointer, spec.id)
        self._find(wrong_trace(spec, alone=pointer == "/steps/0" and self._count == 1), pointer, spec.id)
        if _is_whole(spec):
            own = self._checks[spec.type](spec) if spec.type in self._checks else []
            self._find([Finding("bad_step", message, place, cure) for place, message, cure in own], pointer, spec.id)
            self._find(wrong_tools(spec, self._tools), pointer, spec.id)
        for problem in self._reach(spec) if self._reach else ():
            self.problems.append(_named(replace(problem, pointer=pointer + problem.pointer, step_id=spec.id)))

    def template(self, value: Any, pointer: str, step_id: str | None, place: Place, secrets: bool = False) -> Node:
        """Compile a value whose strings are templates; a value without any becomes a constant."""
        if isinstance(value, dict):
            items = {str(k): self.template(v, f"{pointer}/{escape(str(k))}", step_id, place, secrets) for k, v in value.items()}
            return Const(value) if all(isinstance(node, Const) for node in items.values()) else DictNode(items)
        if isinstance(value, list | tuple):
            nodes = [self.template(v, f"{pointer}/{i}", step_id, place, secrets) for i, v in enumerate(value)]
            return Const(list(value)) if all(isinstance(node, Const) for node in nodes) else ListNode(nodes)
        if not isinstance(value, str):
            return Const(value)
        node, exprs, faults = read_template(value)
        for source, fault in faults:
            self._report("bad_expression", f"{source[:80]!r}: {fault.message}", pointer, step_id, fault.cure)
        for expr in exprs:
            self._check_references(expr, pointer, step_id, place, secrets)
            if not faults:
                self._find(wrong_constant(expr, ""), pointer, step_id)
        return node

    def _condition(self, source: str | None, field: str, pointer: str, spec: StepSpec, place: Place) -> Expr | None:
        if source is None:
            return None
        expr, faults = read_expression(source)
        for fault in faults:
            self._report("bad_expression", f"{source[:80]!r}: {fault.message}", f"{pointer}/{field}", spec.id, fault.cure)
        if expr is not None:
            self._check_references(expr, f"{pointer}/{field}", spec.id, place, secrets=False)
            if not faults:
                self._find(wrong_condition(expr, field, spec.id), pointer, spec.id)
        return expr

    def _check_references(self, expr: Expr, pointer: str, step_id: str | None, place: Place, secrets: bool) -> None:
        for code, message, cure in wrong_references(expr, step_id, place, secrets):
            self._report(code, message, pointer, step_id, cure)

    def _find(self, findings: Iterable[Finding], pointer: str, step_id: str | None) -> None:
        for found in findings:
            self._report(found.code, found.message, pointer + found.place, step_id, found.cure)

    def _report(self, code: str, message: str, pointer: str, step_id: str | None, hint: str) -> None:
        self.problems.append(_named(Problem(code=code, message=message, pointer=pointer, step_id=step_id, hint=hint)))


def _is_whole(spec: StepSpec) -> bool:
    """Whether the fields of the step's type could be read, on which its own checks rely."""
    return spec.unread <= StepSpec.model_fields.keys() - {"type"}


def _named(problem: Problem) -> Problem:
    """Return the problem without the id of a stand-in, which is none."""
    return problem if problem.step_id is None or is_named(problem.step_id) else msgspec.structs.replace(problem, step_id=None)
