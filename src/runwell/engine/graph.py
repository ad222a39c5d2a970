"""Dependencies of the steps of one body, as a graph."""

from collections.abc import Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter


class Graph:
    """`deps` maps each step to the steps it depends on; unknown ones are left out."""

    def __init__(self, deps: Mapping[str, Sequence[str]]) -> None:
        self.deps: dict[str, tuple[str, ...]] = {key: tuple(d for d in dict.fromkeys(value) if d in deps) for key, value in deps.items()}
        self._dependents: dict[str, list[str]] = {key: [] for key in deps}
        for step, upstream in self.deps.items():
            for dep in upstream:
                self._dependents[dep].append(step)
        self._upstream: dict[str, frozenset[str]] = {}
        for step in self._order():
            direct = self.deps[step]
            self._upstream[step] = frozenset(direct).union(*(self._upstream[d] for d in direct))

    def dependents(self, step: str) -> tuple[str, ...]:
        return tuple(self._dependents[step])

    def upstream(self, step: str) -> frozenset[str]:
        """Return every step that is resolved before this one begins; in a cycle, every other one that it waits for."""
        if step not in self._upstream:
            self._upstream[step] = self._reached(step)
        return self._upstream[step]

    def _reached(self, step: str) -> frozenset[str]:
        found: set[str] = set()
        rest = list(self.deps[step])
        while rest:
            found.add(dep := rest.pop())
            rest.extend(further for further in self.deps[dep] if further not in found)
        return frozenset(found - {step})

    def _order(self) -> list[str]:
        try:
            return list(TopologicalSorter(self.deps).static_order())
        except CycleError:
            return []

    def cycles(self) -> Iterator[list[str]]:
        """Yield one cycle for each group of steps that wait for each other."""
        deps = {key: set(value) for key, value in self.deps.items()}
        while True:
            try:
                TopologicalSorter(deps).prepare()
                return
            except CycleError as exc:
                cycle = list(reversed(exc.args[1][:-1]))
                yield cycle
                for i, step in enumerate(cycle):
                    deps[step].discard(cycle[(i + 1) % len(cycle)])
