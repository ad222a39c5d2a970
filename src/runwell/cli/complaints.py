"""Errors as people read them: what is wrong, where, and what to do, on stderr."""

import sys

import typer

from runwell.cli.formatting import one_line
from runwell.model.errors import InvalidInput, Problem, RunwellError


class FileProblem(Problem, frozen=True, kw_only=True):
    """A problem of a document that was read from a file; `file` is its path as the person gave it."""

    file: str

    def __str__(self) -> str:
        line = f":{self.line}" if self.line else ""
        return f"{self.file}{line}: {_told(self)}"


def complain(error: RunwellError) -> None:
    """Print the error, its problems one per line, and its cure."""
    problems = error.problems if isinstance(error, InvalidInput) else ()
    lines = [f"{_red('error:')} {one_line(error.message)}"]
    lines += [f"  {one_line(str(problem) if isinstance(problem, FileProblem) else _told(problem))}" for problem in problems]
    if error.hint:
        lines.append(f"{typer.style('hint:', bold=True) if sys.stderr.isatty() else 'hint:'} {one_line(error.hint)}")
    sys.stderr.write("\n".join(lines) + "\n")


def _told(problem: Problem) -> str:
    cure = f" ({problem.hint})" if problem.hint else ""
    return f"{problem.pointer or '/'}: {problem.message}{cure}"


def _red(text: str) -> str:
    return typer.style(text, fg="red", bold=True) if sys.stderr.isatty() else text
