"""A workflow document as somebody wrote it: its data, and where in the text each part stands."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from runwell.model.errors import Problem
from runwell.model.workflow_views import Kind


class Document(NamedTuple):
    """The data, and from each part's JSON pointer to its line, from 1.

    `problems` are of parts that cannot be taken as they are; something else stands at the pointers `unread`.
    """

    data: Any
    lines: dict[str, int]
    problems: tuple[Problem, ...] = ()
    unread: frozenset[str] = frozenset()

    def beside(self, problems: Iterable[Problem]) -> tuple[Problem, ...]:
        """Return those of the data's problems that are not of what stands in for something that was not read."""
        return tuple(problem for problem in problems if not self.unread.intersection(_around(problem.pointer)))


def _around(pointer: str) -> Iterator[str]:
    """Yield the pointer and those of all that it lies in."""
    while pointer:
        yield pointer
        pointer = pointer.rpartition("/")[0]
    yield ""


def nearest_line(lines: dict[str, int], pointer: str) -> int | None:
    """Return the line of what the pointer names or, when the document has no such part, of what is nearest around it."""
    while pointer and pointer not in lines:
        pointer = pointer.rpartition("/")[0]
    return lines.get(pointer)


def steps_of(document: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (pointer, step) for every step, those inside loops too, in the document's order. The document may be broken."""
    yield from _steps(document.get("steps") if isinstance(document, dict) else None, "/steps")


def _steps(steps: Any, pointer: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for i, step in enumerate(steps if isinstance(steps, list) else ()):
        if isinstance(step, dict):
            yield f"{pointer}/{i}", step
            yield from _steps(step.get("steps"), f"{pointer}/{i}/steps")


def kind_of(document: Any) -> Kind:
    """Return `agent` for a document that is one agent, written whole."""
    steps = document.get("steps") if isinstance(document, dict) else None
    only = steps[0] if isinstance(steps, list) and len(steps) == 1 else None
    return "agent" if isinstance(only, dict) and only.get("type") == "agent" and "agent" not in only else "workflow"


class Named(NamedTuple):
    """A workflow that a document runs by its slug: where it is named, and which of its versions, if that is said."""

    pointer: str
    slug: Any
    version: Any
    step: dict[str, Any]


def workflows_named(document: Any) -> Iterator[Named]:
    """Yield each workflow that a step runs, as a child run, as an agent or as a tool of one. The document may be broken."""
    for pointer, step in steps_of(document):
        if step.get("type") == "workflow":
            yield Named(f"{pointer}/workflow", step.get("workflow"), step.get("version"), step)
        elif step.get("type") == "agent":
            if "agent" in step:
                yield Named(f"{pointer}/agent", step["agent"], step.get("version"), step)
            tools: Any = step.get("tools")
            for i, tool in enumerate(tools if isinstance(tools, list) else ()):
                if isinstance(tool, str) and tool.startswith("workflow:"):
                    yield Named(f"{pointer}/tools/{i}", tool.partition(":")[2], None, step)


def workflow_steps(document: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (pointer, step) for every step that runs another workflow. The document may be broken."""
    return ((pointer, step) for pointer, step in steps_of(document) if step.get("type") == "workflow")
