"""What is wrong with `depends_on`, and which steps are upstream of which all the same."""

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches

from runwell.engine.graph import Graph
from runwell.engine.references import Place, inner_ids, is_named, named, nearest
from runwell.model.errors import Problem
from runwell.model.step import StepSpec


def graph_of(specs: Sequence[StepSpec]) -> Graph:
    """Return the graph as it is written; of two steps with one id the first counts."""
    deps: dict[str, tuple[str, ...]] = {}
    for spec in specs:
        deps.setdefault(spec.id, spec.depends_on)
    return Graph(deps)


def meant_graph(specs: Sequence[StepSpec], graph: Graph) -> Graph:
    """Return the graph as it was probably meant, so that one mistake is told of once.

    A dependency with a typing error counts as what it resembles, and steps with one id have the dependencies of all of them.
    """
    unknown = any(dep not in graph.deps for spec in specs for dep in spec.depends_on)
    if not unknown and len(graph.deps) == len(specs):
        return graph
    deps: dict[str, list[str]] = {}
    for spec in specs:
        deps.setdefault(spec.id, []).extend(_meant(spec, graph))
    return Graph(deps)


def _meant(spec: StepSpec, graph: Graph) -> Iterator[str]:
    for dep in spec.depends_on:
        yield from [dep] if dep in graph.deps else get_close_matches(dep, graph.deps, n=1)


def wrong_dependencies(specs: Sequence[StepSpec], graph: Graph, pointer: str, outer: Place) -> Iterator[Problem]:
    """Yield a problem for each dependency that is no step beside, and for each cycle."""
    inner = inner_ids(specs)
    for i, spec in enumerate(specs):
        for j, dep in enumerate(() if "depends_on" in spec.unread else spec.depends_on):
            if dep not in graph.deps and dep not in outer.unread:
                message = f"{spec.id!r} depends on {dep!r}, which is no step beside it"
                place, cure = f"{pointer}/{i}/depends_on/{j}", _cure(dep, graph, inner, outer)
                yield Problem(code="unknown_dependency", message=message, pointer=place, step_id=spec.id, hint=cure)
    for cycle in graph.cycles():
        at = next(i for i, spec in enumerate(specs) if spec.id == cycle[0])
        yield Problem(
            code="cycle",
            message=f"steps wait for each other: {' -> '.join([*cycle, cycle[0]])}",
            pointer=f"{pointer}/{at}/depends_on",
            step_id=cycle[0],
            hint="remove one of these depends_on",
        )


def never_reached(specs: Sequence[StepSpec], graph: Graph, pointer: str) -> Iterator[Problem]:
    """Yield a problem for each step that waits for all of its dependencies where one of them never runs.

    A branch may be switched off at its beginning: what joins by `any` is then skipped with it, and is no problem.
    """
    known = {spec.id: spec for spec in reversed(specs)}
    dead = dict.fromkeys(spec.id for spec in known.values() if not spec.enabled)
    ahead = list(dead)
    while ahead:
        for step_id in graph.dependents(ahead.pop()):
            spec = known[step_id]
            stops = any if spec.join == "all" else all
            if step_id not in dead and stops(dep in dead for dep in spec.depends_on):
                dead[step_id] = None
                ahead.append(step_id)
    for i, spec in enumerate(specs):
        missing = next((dep for dep in spec.depends_on if dep in dead), None)
        if missing is not None and spec.enabled and spec.join == "all":
            why = "is switched off" if not known[missing].enabled else "never runs"
            yield Problem(
                code="unreachable_step",
                message=f"{spec.id!r} can never run: with join: all it needs {missing!r}, which {why}",
                pointer=f"{pointer}/{i}/join",
                step_id=spec.id,
                hint="write join: any, take the dependency out, or switch this step off, too",
            )


def _cure(dep: str, graph: Graph, inner: Mapping[str, str], outer: Place) -> str:
    if dep in inner:
        return f"it is inside the loop {inner[dep]!r}: depend on {inner[dep]!r}"
    if dep in outer.visible:
        return "it is resolved before the loop begins: leave it out"
    if dep in outer.outside:
        return f"put it into the depends_on of the loop {outer.outside[dep]!r}"
    beside = [step_id for step_id in graph.deps if is_named(step_id)]
    return nearest(dep, beside) or f"steps beside it are {named(beside)}"
