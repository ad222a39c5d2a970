"""Workflow documents in files, and the files that they refer to.

A `workflow` step may name a file beside its document (`workflow: ./child.yaml`). All files that a
document needs are read and checked together, each once, and published together, children first: what
is stored of the parent then names the child by its slug and the version that was published with it (`publication`).
"""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from runwell.adapters.documents import read_leniently
from runwell.cli.complaints import FileProblem
from runwell.engine.plan import Plan
from runwell.model.documents import Document, nearest_line, workflow_steps
from runwell.model.errors import InvalidDocument, Problem

SUFFIXES: Final = (".yaml", ".yml", ".json")


class Source(msgspec.Struct, kw_only=True):
    """One file that could be read. `plan` is None when it has problems; `children`: from a step's pointer to its file."""

    shown: str
    document: Document
    plan: Plan | None = None
    children: dict[str, "Source"] = {}


class DocumentFiles:
    """Reads files and collects every problem of all of them in `problems`."""

    def __init__(self, compile_document: Callable[[Any], Plan]) -> None:
        self._compile = compile_document
        self._read: dict[Path, Source | None] = {}
        self._open: list[tuple[Path, str]] = []
        self.problems: list[FileProblem] = []

    def read(self, shown: str) -> Source | None:
        """Return the file with all that it refers to; None when it cannot be read at all."""
        return self._read_once(Path(shown).expanduser().resolve(), shown)

    def require(self, shown: str) -> Source:
        """Return the file, fit to be published. Raises `InvalidDocument` with every problem of it and its children."""
        source = self.read(shown)
        if source is None or self.problems:
            raise refusal(self.problems)
        return source

    def _read_once(self, path: Path, shown: str) -> Source | None:
        if path not in self._read:
            self._read[path] = self._load(path, shown)
        return self._read[path]

    def _load(self, path: Path, shown: str) -> Source | None:
        try:
            document = read_leniently(_text(path))
        except InvalidDocument as exc:
            self._report(shown, {}, exc.problems)
            return None
        source = Source(shown=shown, document=document)
        self._report(shown, document.lines, document.problems)
        try:
            source.plan = self._compile(document.data)
        except InvalidDocument as exc:
            self._report(shown, document.lines, document.beside(exc.problems))
        self._open.append((path, shown))
        for pointer, step in workflow_steps(document.data):
            if is_path(step.get("workflow")):
                self._load_child(source, path, pointer, step)
        self._open.pop()
        return source

    def _load_child(self, source: Source, path: Path, pointer: str, step: dict[str, Any]) -> None:
        """Read the file that a step names, unless that leads in a circle."""
        child_path = (path.parent / step["workflow"]).resolve()
        shown = os.path.normpath(Path(source.shown).parent / step["workflow"])
        problem = self._circle(child_path) or _misnamed(child_path, shown, step)
        if problem is not None:
            code, message, cure = problem
            place = f"{pointer}/workflow"
            self._report(
                source.shown, source.document.lines, [Problem(code=code, message=message, pointer=place, hint=cure, step_id=_id(step))]
            )
            return
        child = self._read_once(child_path, shown)
        if child is not None:
            source.children[pointer] = child

    def _circle(self, child_path: Path) -> tuple[str, str, str] | None:
        around = [opened for opened, _ in self._open]
        if child_path not in around:
            return None
        circle = [shown for _, shown in self._open[around.index(child_path) :]]
        message = f"files refer to each other in a circle: {' -> '.join([*circle, circle[0]])}"
        return "file_cycle", message, "a workflow that calls itself does so by its slug"

    def _report(self, shown: str, lines: dict[str, int], problems: Sequence[Problem]) -> None:
        for problem in problems:
            line = problem.line or nearest_line(lines, problem.pointer)
            fields = {**msgspec.structs.asdict(problem), "line": line}
            self.problems.append(FileProblem(file=shown, **fields))


def refusal(problems: Sequence[FileProblem]) -> InvalidDocument:
    """Return the error that refuses documents for these problems."""
    files = len({problem.file for problem in problems})
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    message = f"the workflow is not valid: {count}" + (f" in {files} files" if files > 1 else "")
    return InvalidDocument(message, problems=tuple(in_order(problems)))


def in_order(problems: Sequence[FileProblem]) -> list[FileProblem]:
    """Return the problems of each file by line; files in the order in which they came up."""
    files = list(dict.fromkeys(problem.file for problem in problems))
    return sorted(problems, key=lambda problem: (files.index(problem.file), problem.line or 0))


def _misnamed(path: Path, shown: str, step: dict[str, Any]) -> tuple[str, str, str] | None:
    if not path.is_file():
        return "no_file", f"there is no file {shown!r}", "give its path from this document's directory, or the slug of a published workflow"
    if step.get("version") is not None:
        return "version_of_file", "a file has no version number", "remove version:"
    return None


def _id(step: dict[str, Any]) -> str | None:
    return step["id"] if isinstance(step.get("id"), str) else None


def is_path(workflow: Any) -> bool:
    """Whether a `workflow:` names a file: a slug has neither a slash nor one of the suffixes."""
    return isinstance(workflow, str) and ("/" in workflow or workflow.endswith(SUFFIXES))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as exc:
        problem = Problem(code="no_file", message=f"the file cannot be read: {exc.strerror}", hint="check the path")
        raise InvalidDocument("the file cannot be read", problems=(problem,)) from exc
    except UnicodeDecodeError as exc:
        problem = Problem(code="bad_encoding", message=f"not UTF-8 at byte {exc.start}", hint="save the file as UTF-8")
        raise InvalidDocument("the file is not UTF-8", problems=(problem,)) from exc
