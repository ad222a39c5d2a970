"""The step `python`: a snippet in the sandbox. Its inputs are variables, its last expression is the result."""

import ast
import keyword
import warnings
from collections.abc import Callable
from typing import Any, Final, Literal

from pydantic import Field

from runwell.model.errors import StepError
from runwell.model.events import Log
from runwell.model.step import StepSpec
from runwell.ports.sandbox import SandboxLimits
from runwell.ports.steps import StepContext, StepType

DEFAULT_TIME_S: Final = 10.0
DEFAULT_MEMORY_MB: Final = 128

Problem = tuple[str, str, str]
"""Pointer within the step, message, hint."""


class PythonStep(StepSpec):
    """`code` is taken literally: values reach it through `inputs` only, so no input can become code.

    The result is the value of the last expression. Without `timeout_s` an attempt may take 10 s.
    """

    templates = frozenset({"inputs"})

    type: Literal["python"]
    code: str = Field(min_length=1, max_length=262_144)
    inputs: dict[str, Any] = {}


class _Lines:
    """Cuts what is printed into lines, each stream for itself."""

    def __init__(self, emit: Callable[[str, str], None]) -> None:
        self._emit = emit
        self._open: dict[str, list[str]] = {}

    def write(self, stream: str, text: str) -> None:
        *lines, rest = text.split("\n")
        open_line = self._open.setdefault(stream, [])
        for line in lines:
            self._emit(stream, "".join(open_line) + line)
            open_line.clear()
        if rest:
            open_line.append(rest)

    def finish(self) -> None:
        """Emit the last line of each stream, if it did not end."""
        for stream, pieces in self._open.items():
            if pieces:
                self._emit(stream, "".join(pieces))
        self._open.clear()


async def run_python(ctx: StepContext) -> Any:
    spec = ctx.spec
    assert isinstance(spec, PythonStep)
    lines = _Lines(lambda stream, line: ctx.record(Log(message=line, stream=stream)))
    try:
        result = await ctx.services.sandbox.run(spec.code, ctx.input.get("inputs") or {}, _limits(ctx), lines.write)
    except StepError:
        lines.finish()
        raise
    lines.finish()
    return result


def _limits(ctx: StepContext) -> SandboxLimits:
    time_s = ctx.spec.timeout_s or DEFAULT_TIME_S
    memory_mb = ctx.limits.memory_mb or DEFAULT_MEMORY_MB
    return SandboxLimits(time_s=time_s, sleep_s=time_s, memory_bytes=memory_mb * 1024 * 1024, output_bytes=ctx.limits.log_bytes)


def python_problems(spec: StepSpec) -> list[Problem]:
    """Return what is wrong with the code's syntax and the names of its inputs."""
    assert isinstance(spec, PythonStep)
    names = [name for name in spec.inputs if not name.isidentifier() or keyword.iskeyword(name)]
    found = [(f"/inputs/{_escaped(name)}", f"{name!r} cannot be the name of a variable", "use letters, digits and _") for name in names]
    return [*_syntax_problems(spec.code), *found]


def _syntax_problems(code: str) -> list[Problem]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(code)
    except SyntaxError as exc:
        return [("/code", f"line {exc.lineno or 1} of the code: {exc.msg}", "code is Python and takes no {{ }}; pass values by inputs")]
    except (ValueError, RecursionError, MemoryError) as exc:
        return [("/code", f"the code cannot be read: {exc}", "make it simpler; it must not hold null characters")]
    return []


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


STEP = StepType(name="python", spec=PythonStep, handler=run_python, problems=python_problems)
