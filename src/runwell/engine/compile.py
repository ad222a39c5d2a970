"""From a workflow document to a plan, or to every problem that it has."""

import difflib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from runwell.engine.expressions import ROOTS, BadExpression, Expr, compile_expression, mentions_secrets, secret_name
from runwell.engine.graph import Graph
from runwell.engine.plan import Body, Plan, StepPlan
from runwell.engine.templates import Const, DictNode, ListNode, Node, SecretText, compile_template
from runwell.model.errors import InvalidDocument, Problem
from runwell.model.step import Delay, ForEach, StepSpec, While, body_of
from runwell.model.workflow import Parsed

SpecProblems = Callable[[StepSpec], list[tuple[str, str, str]]]
"""A step type's own checks: (pointer within the step, message, hint) for each problem."""


def compile_workflow(parsed: Parsed, checks: Mapping[str, SpecProblems] | None = None, connections: frozenset[str] | None = None) -> Plan:
    """Return the plan. Raises `InvalidDocument` with every problem.

    `checks` are the step types' own, by type. `connections`: the names that exist; None: do not check.
    """
    compiler = _Compiler(checks or {}, connections)
    workflow = parsed.workflow
    body = compiler.body(workflow.steps, "/steps", _Place())
    scope = _Place(visible=frozenset(spec.id for spec in workflow.steps), inner=_inner_ids(workflow.steps))
    output = None if workflow.output is None else compiler.template(workflow.output, "/output", None, scope)
    if compiler.problems:
        raise InvalidDocument("the workflow document is not valid", problems=tuple(compiler.problems))
    return Plan(workflow=workflow, body=body, output=output, hash=parsed.hash, document=parsed.document)


class _Place:
    """Where in the document an expression stands: what it may see there."""

    def __init__(
        self,
        visible: frozenset[str] = frozenset(),
        names: frozenset[str] = ROOTS - {"item", "index", "loop"},
        known: frozenset[str] = frozenset(),
        inner: Mapping[str, str] | None = None,
        loop_steps: frozenset[str] = frozenset(),
    ) -> None:
        self.visible = visible
        """Steps that have been resolved when the expression is evaluated."""
        self.names = names
        self.known = known
        """Steps of the same scope, upstream or not."""
        self.inner = inner or {}
        """From a step inside a loop to that loop, for a helpful message."""
        self.loop_steps = loop_steps
        """Steps that `loop.previous` has."""


class _Compiler:
    def __init__(self, checks: Mapping[str, SpecProblems], connections: frozenset[str] | None) -> None:
        self._checks = checks
        self._connections = connections
        self.problems: list[Problem] = []

    def body(self, specs: Sequence[StepSpec], pointer: str, outer: _Place) -> Body:
        graph = Graph({spec.id: spec.depends_on for spec in specs})
        self._check_graph(specs, graph, pointer)
        inner = {**outer.inner, **_inner_ids(specs)}
        steps = {}
        for i, spec in enumerate(specs):
            place = _Place(outer.visible | graph.upstream(spec.id), outer.names, frozenset(graph.deps), inner, outer.loop_steps)
            steps[spec.id] = self._step(spec, f"{pointer}/{i}", place, graph)
        roots = tuple(step_id for step_id, step in steps.items() if not step.deps)
        return Body(steps=steps, roots=roots, last=specs[-1].id if specs else "")

    def _check_graph(self, specs: Sequence[StepSpec], graph: Graph, pointer: str) -> None:
        for i, spec in enumerate(specs):
            for j, dep in enumerate(spec.depends_on):
                if dep not in graph.deps:
                    self._report(
                        "unknown_dependency",
                        f"{spec.id!r} depends on {dep!r}, which is no step beside it",
                        f"{pointer}/{i}/depends_on/{j}",
                        spec.id,
                        _nearest(dep, graph.deps),
                    )
        for cycle in graph.cycles():
            place = next(i for i, spec in enumerate(specs) if spec.id == cycle[0])
            self._report(
                "cycle",
                f"steps wait for each other: {' -> '.join([*cycle, cycle[0]])}",
                f"{pointer}/{place}/depends_on",
                cycle[0],
                "remove one of these depends_on",
            )

    def _step(self, spec: StepSpec, pointer: str, place: _Place, graph: Graph) -> StepPlan:
        self._check_spec(spec, pointer)
        when = self.expression(spec.when, f"{pointer}/when", spec.id, place)
        if when and when.source == "false":
            self._report(
                "unreachable_step",
                f"{spec.id!r} can never run: its condition is always false",
                f"{pointer}/when",
                spec.id,
                "use enabled: false to switch a step off",
            )
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
            secret_pointers=_secret_pointers(inputs),
            body=self.body(body_of(spec), f"{pointer}/steps", inside) if body_of(spec) else None,
            condition=self.expression(spec.condition, f"{pointer}/condition", spec.id, inside) if isinstance(spec, While) else None,
            output=None if output is None else self.template(output, f"{pointer}/output", spec.id, _whole(inside, body_of(spec))),
        )

    def _inside(self, spec: StepSpec, place: _Place) -> _Place:
        names = place.names | (
            frozenset({"item", "index"}) if isinstance(spec, ForEach) else frozenset({"loop"}) if isinstance(spec, While) else frozenset()
        )
        loop_steps = frozenset(inner.id for inner in body_of(spec)) if isinstance(spec, While) else place.loop_steps
        return _Place(place.visible, names, place.known, place.inner, loop_steps)

    def _inputs(self, spec: StepSpec, pointer: str, place: _Place) -> dict[str, Node]:
        nodes = {}
        dumped = spec.model_dump(mode="json", by_alias=True, include=set(spec.templates), exclude_unset=True)
        for field, value in dumped.items():
            if value is not None:
                nodes[field] = self.template(value, f"{pointer}/{field}", spec.id, place, field in spec.secret_fields)
        return nodes

    def _check_spec(self, spec: StepSpec, pointer: str) -> None:
        if spec.control and spec.retry:
            self._report(
                "retry_not_here",
                f"a {spec.type} step cannot be retried as a whole",
                f"{pointer}/retry",
                spec.id,
                "put retry: on the steps that fail",
            )
        if isinstance(spec, Delay) and (spec.for_s is None) == (spec.until is None):
            self._report(
                "delay_needs_one",
                "a delay needs for_s or until, and not both",
                pointer,
                spec.id,
                "write for_s: 60, or until: 2026-06-12T03:23:00Z",
            )
        connection = getattr(spec, "connection", None)
        if self._connections is not None and isinstance(connection, str) and connection not in self._connections:
            self._report(
                "missing_connection",
                f"there is no connection {connection!r}",
                f"{pointer}/connection",
                spec.id,
                _nearest(connection, self._connections) or "set it up first",
            )
        for place, message, hint in self._own_problems(spec):
            self._report("bad_step", message, f"{pointer}{place}", spec.id, hint)

    def _own_problems(self, spec: StepSpec) -> list[tuple[str, str, str]]:
        check = self._checks.get(spec.type)
        return check(spec) if check else []

    def template(self, value: Any, pointer: str, step_id: str | None, place: _Place, secrets: bool = False) -> Node:
        """Compile a value whose strings are templates; a value without any becomes a constant."""
        if isinstance(value, dict):
            items = {str(k): self.template(v, f"{pointer}/{_escape(str(k))}", step_id, place, secrets) for k, v in value.items()}
            return Const(value) if all(isinstance(node, Const) for node in items.values()) else DictNode(items)
        if isinstance(value, list | tuple):
            nodes = [self.template(v, f"{pointer}/{i}", step_id, place, secrets) for i, v in enumerate(value)]
            return Const(list(value)) if all(isinstance(node, Const) for node in nodes) else ListNode(nodes)
        if not isinstance(value, str):
            return Const(value)
        try:
            node = compile_template(value)
        except BadExpression as exc:
            self._report("bad_expression", f"{value[:80]!r}: {exc}", pointer, step_id)
            return Const(value)
        for expr in node.expressions():
            self._check_references(expr, pointer, step_id, place, secrets)
        return node

    def expression(self, source: str | None, pointer: str, step_id: str, place: _Place) -> Expr | None:
        if source is None:
            return None
        try:
            expr = compile_expression(source)
        except BadExpression as exc:
            self._report("bad_expression", f"{source[:80]!r}: {exc}", pointer, step_id)
            return None
        self._check_references(expr, pointer, step_id, place, secrets=False)
        return expr

    def _check_references(self, expr: Expr, pointer: str, step_id: str | None, place: _Place, secrets: bool) -> None:
        for ref in expr.refs:
            if ref.root not in place.names:
                loop = "while" if ref.root == "loop" else "for_each"
                self._report("name_not_here", f"{ref.root!r} has a value only inside a {loop} step", pointer, step_id)
            elif ref.root == "steps" and str(ref.keys[0]) not in place.visible:
                self._report_step(str(ref.keys[0]), pointer, step_id, place)
            elif ref.root == "loop" and ref.keys[:1] == ("previous",) and len(ref.keys) > 1 and ref.keys[1] not in place.loop_steps:
                self._report(
                    "unknown_step",
                    f"loop.previous has no step {ref.keys[1]!r}",
                    pointer,
                    step_id,
                    _nearest(str(ref.keys[1]), place.loop_steps),
                )
        if mentions_secrets(expr) and not (secrets and secret_name(expr)):
            cure = "write {{ secrets.NAME }} by itself" if secrets else "secrets can stand in an http step's request only"
            self._report("secret_not_here", f"a secret cannot be used in {expr.source!r}", pointer, step_id, cure)

    def _report_step(self, target: str, pointer: str, step_id: str | None, place: _Place) -> None:
        if target == step_id:
            self._report("not_upstream", f"step {target!r} refers to itself", pointer, step_id)
        elif target in place.known:
            self._report(
                "not_upstream", f"step {target!r} is not upstream of {step_id!r}", pointer, step_id, f"add {target!r} to its depends_on"
            )
        elif target in place.inner:
            self._report(
                "not_visible",
                f"step {target!r} is inside the loop {place.inner[target]!r}",
                pointer,
                step_id,
                f"use steps.{place.inner[target]}.result",
            )
        else:
            self._report("unknown_step", f"there is no step {target!r}", pointer, step_id, _nearest(target, place.visible | place.known))

    def _report(self, code: str, message: str, pointer: str, step_id: str | None, hint: str | None = None) -> None:
        self.problems.append(Problem(code=code, message=message, pointer=pointer, step_id=step_id, hint=hint))


def _whole(place: _Place, specs: Sequence[StepSpec]) -> _Place:
    return _Place(place.visible | {spec.id for spec in specs}, place.names, place.known, place.inner, place.loop_steps)


def _inner_ids(specs: Sequence[StepSpec], loop: str | None = None) -> dict[str, str]:
    """Return, for every step inside a loop among `specs`, the id of the outermost such loop."""
    found: dict[str, str] = {}
    for spec in specs:
        if loop:
            found[spec.id] = loop
        found.update(_inner_ids(body_of(spec), loop or spec.id))
    return found


def _secret_pointers(inputs: Mapping[str, Node]) -> frozenset[str]:
    found: set[str] = set()

    def walk(node: Node, pointer: str) -> None:
        if isinstance(node, SecretText):
            found.add(pointer)
        elif isinstance(node, DictNode):
            for key, item in node.items.items():
                walk(item, f"{pointer}/{_escape(key)}")
        elif isinstance(node, ListNode):
            for i, item in enumerate(node.items):
                walk(item, f"{pointer}/{i}")

    for field, node in inputs.items():
        walk(node, f"/{field}")
    return frozenset(found)


def _escape(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


def _nearest(word: str, known: Any) -> str | None:
    close = difflib.get_close_matches(word, list(known), n=1)
    return f"did you mean {close[0]!r}?" if close else None
