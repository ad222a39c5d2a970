"""A workflow document as somebody wrote it: its data, and where in the text each part stands."""

from collections.abc import Iterator
from typing import Any, NamedTuple


class Document(NamedTuple):
    """The data, and from each part's JSON pointer to its line, from 1."""

    data: Any
    lines: dict[str, int]


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


def workflow_steps(document: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (pointer, step) for every step that runs another workflow. The document may be broken."""
    return ((pointer, step) for pointer, step in steps_of(document) if step.get("type") == "workflow")
