"""From a workflow document to a plan, or to every problem that it has."""

import difflib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from runwell.engine.expressions import ROOTS, BadExpression, Expr, compile_expression, mentions_secrets, secret_name
from runwell.engine.graph import Graph
from runwell.engine.plan import Body, Plan, StepPlan
from runwell.engine.templates import Const, DictNode, ListNode, Node, SecretText, compile_template
from runwell.engine.waits import moment, seconds
from runwell.model.errors import InvalidDocument, InvalidInput, Problem
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


class _Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where in the document an expression stands: what it may see there, and what it may not.

    `visible`: steps that have been resolved when the expression is evaluated. `beside`: steps of the
    same body, upstream or not. `inner`: from a step inside a loop of this body, or of one around it,
    to that loop. `outside`: from a step of a body around this one to the loop there that would have
    to depend on it. `loops`: the loops around. `loop_steps`: the steps that `loop.previous` has.
    """

    visible: frozenset[str] = frozenset()
    names: frozenset[str] = ROOTS - {"item", "index", "loop"}
    beside: frozenset[str] = frozenset()
    inner: Mapping[str, str] = {}
    outside: Mapping[str, str] = {}
    loops: tuple[str, ...] = ()
    loop_steps: frozenset[str] = frozenset()


class _Compiler:
    def __init__(self, checks: Mapping[str, SpecProblems], connections: frozenset[str] | None) -> None:
        self._checks = checks
        self._connections = connections
        self.problems: list[Problem] = []

    def body(self, specs: Sequence[StepSpec], pointer: str, outer: _Place) -> Body:
        graph = Graph({spec.id: spec.depends_on for spec in specs})
        self._check_graph(specs, graph, pointer, outer)
        inner = {**outer.inner, **_inner_ids(specs)}
        steps = {}
        for i, spec in enumerate(specs):
            upstream = outer.visible | graph.upstream(spec.id)
            place = replace(outer, visible=upstream, beside=frozenset(graph.deps), inner=inner)
            steps[spec.id] = self._step(spec, f"{pointer}/{i}", place, graph)
        roots = tuple(step_id for step_id, step in steps.items() if not step.deps)
        return Body(steps=steps, roots=roots, last=specs[-1].id if specs else "")

    def _check_graph(self, specs: Sequence[StepSpec], graph: Graph, pointer: str, outer: _Place) -> None:
        inner = _inner_ids(specs)
        for i, spec in enumerate(specs):
            for j, dep in enumerate(spec.depends_on):
                if dep not in graph.deps:
                    message = f"{spec.id!r} depends on {dep!r}, which is no step beside it"
                    hint = _cure_of_dependency(dep, graph, inner, outer)
                    self._report("unknown_dependency", message, f"{pointer}/{i}/depends_on/{j}", spec.id, hint)
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
            output=None if output is None else self.template(output, f"{pointer}/output", spec.id, _at_end(inside, body_of(spec))),
        )

    def _inside(self, spec: StepSpec, place: _Place) -> _Place:
        """Return what the body of a loop sees."""
        added = {"item", "index"} if isinstance(spec, ForEach) else {"loop"} if isinstance(spec, While) else set()
        return replace(
            place,
            names=place.names | added,
            outside={**place.outside, **dict.fromkeys(place.beside - place.visible, spec.id)},
            loops=(*place.loops, spec.id),
            loop_steps=frozenset(inner.id for inner in body_of(spec)) if isinstance(spec, While) else place.loop_steps,
        )

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
        self._check_times(spec, pointer)
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

    def _check_times(self, spec: StepSpec, pointer: str) -> None:
        for field in ("for_s", "until", "expires_in_s"):
            value = getattr(spec, field, None)
            if value is None or (isinstance(value, str) and "{{" in value):
                continue
            try:
                moment(value) if field == "until" else seconds(value, field)
            except InvalidInput as exc:
                self._report("bad_time", exc.message, f"{pointer}/{field}", spec.id, exc.hint)

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
                message, cure = f"{ref.root!r} has a value only inside a {loop} step", f"move this step into the steps of a {loop} step"
                self._report("name_not_here", message, pointer, step_id, cure)
            elif ref.root == "steps" and str(ref.keys[0]) not in place.visible:
                self._report_step(str(ref.keys[0]), pointer, step_id, place)
            elif ref.root == "loop" and ref.keys[:1] == ("previous",) and len(ref.keys) > 1 and ref.keys[1] not in place.loop_steps:
                cure = _nearest(str(ref.keys[1]), place.loop_steps) or f"its steps are {', '.join(sorted(place.loop_steps))}"
                self._report("unknown_step", f"loop.previous has no step {ref.keys[1]!r}", pointer, step_id, cure)
        if mentions_secrets(expr) and not (secrets and secret_name(expr)):
            cure = "write {{ secrets.NAME }} by itself" if secrets else "secrets can stand in an http step's request only"
            self._report("secret_not_here", f"a secret cannot be used in {expr.source!r}", pointer, step_id, cure)

    def _report_step(self, target: str, pointer: str, step_id: str | None, place: _Place) -> None:
        code, message, cure = _why_unseen(target, step_id, place)
        self._report(code, message, pointer, step_id, cure)

    def _report(self, code: str, message: str, pointer: str, step_id: str | None, hint: str | None = None) -> None:
        self.problems.append(Problem(code=code, message=message, pointer=pointer, step_id=step_id, hint=hint))


def _why_unseen(target: str, step_id: str | None, place: _Place) -> tuple[str, str, str | None]:
    """Return code, message and cure for a reference to a step that is not visible."""
    if target in place.loops:
        return "not_visible", f"the loop {target!r} has no result while it runs", "use item, index or loop"
    if target == step_id:
        return "not_upstream", f"step {target!r} refers to itself", "use its result in a step that depends on it"
    if target in place.outside:
        loop = place.outside[target]
        return "not_upstream", f"step {target!r} is not upstream of the loop {loop!r}", f"add {target!r} to the depends_on of {loop!r}"
    if target in place.loop_steps and place.loops[-1:] == (step_id,):
        return "not_visible", f"step {target!r} has not run yet in this iteration", f"use loop.previous.{target}.result"
    if target in place.beside:
        return "not_upstream", f"step {target!r} is not upstream of {step_id!r}", f"add {target!r} to its depends_on"
    if step_id is not None and place.inner.get(target) == step_id:
        return "not_visible", f"step {target!r} is inside {step_id!r}, which has not begun", "only its steps and its output see them"
    if target in place.inner:
        loop = place.inner[target]
        return "not_visible", f"step {target!r} is inside the loop {loop!r}", f"use steps.{loop}.result"
    return "unknown_step", f"there is no step {target!r}", _nearest(target, place.visible | place.beside)


def _cure_of_dependency(dep: str, graph: Graph, inner: Mapping[str, str], outer: _Place) -> str | None:
    if dep in inner:
        return f"it is inside the loop {inner[dep]!r}: depend on {inner[dep]!r}"
    if dep in outer.visible:
        return "it is resolved before the loop begins: leave it out"
    if dep in outer.outside:
        return f"put it into the depends_on of the loop {outer.outside[dep]!r}"
    return _nearest(dep, graph.deps) or f"steps beside it are {', '.join(graph.deps)}"


def _at_end(place: _Place, specs: Sequence[StepSpec]) -> _Place:
    """Return what the output of a loop sees: every inner step has been resolved."""
    return replace(place, visible=place.visible | {spec.id for spec in specs})


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
