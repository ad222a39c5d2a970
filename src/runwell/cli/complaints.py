"""Errors as people read them: what is wrong, where, and what to do, on stderr."""

import sys
import unicodedata
from collections.abc import Sequence

import msgspec
import typer

from runwell.cli.formatting import one_line
from runwell.model.errors import InvalidInput, Problem, RunwellError


class FileProblem(Problem, frozen=True, kw_only=True):
    """A problem of a document that was read from a file; `file` is its path as the person gave it."""

    file: str

    def __str__(self) -> str:
        line = f":{self.line}" if self.line else ""
        return f"{self.file}{line}: {_told(self)}"


class QueryProblem(Problem, frozen=True, kw_only=True):
    """A problem of a search; `query` is its text as the person gave it."""

    query: str

    def lines(self) -> list[str]:
        """Return the search, the place in it marked below, and what is wrong there."""
        query = "".join(letter if letter.isprintable() else " " for letter in self.query)
        start = min(self.position or 0, len(query))
        marked = max(min(self.length or 1, len(query) - start), 1)
        return [f"  {query}", f"  {' ' * _width(query[:start])}{'^' * max(_width(query[start : start + marked]), 1)} {_told(self)}"]


def _width(text: str) -> int:
    """Return how many cells of a terminal the text takes."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 0 if unicodedata.combining(letter) else 1 for letter in text)


def placed(problems: Sequence[Problem], query: str) -> tuple[Problem, ...]:
    """Return the problems, those of the search with its text."""
    return tuple(
        problem if problem.position is None else QueryProblem(**msgspec.structs.asdict(problem), query=query) for problem in problems
    )


def complain(error: RunwellError) -> None:
    """Print the error, its problems one per line, and its cure."""
    problems = error.problems if isinstance(error, InvalidInput) else ()
    lines = [f"{_red('error:')} {one_line(error.message)}"]
    for problem in problems:
        lines += problem.lines() if isinstance(problem, QueryProblem) else [f"  {_line(problem)}"]
    if error.hint:
        lines.append(f"{typer.style('hint:', bold=True) if sys.stderr.isatty() else 'hint:'} {one_line(error.hint)}")
    sys.stderr.write("\n".join(lines) + "\n")


def _line(problem: Problem) -> str:
    return one_line(str(problem) if isinstance(problem, FileProblem) else _told(problem))


def _told(problem: Problem) -> str:
    cure = f" ({problem.hint})" if problem.hint else ""
    return f"{problem.message}{cure}" if isinstance(problem, QueryProblem) else f"{problem.pointer or '/'}: {problem.message}{cure}"


def _red(text: str) -> str:
    return typer.style(text, fg="red", bold=True) if sys.stderr.isatty() else text
