"""Taking down what a `@workflow` function calls, as the steps of a document.

Steps depend on those whose results they mention, wherever they do, so dependencies are found in the finished steps. Until a loop's
body is whole, its item has a name of its own there (`item__1`): an inner loop has an item, too, and hides that of the outer one.
"""

import itertools
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

from runwell.authoring.references import Reference, Wrong, as_document, source_of
from runwell.engine.expressions import Expr, read_expression
from runwell.engine.templates import read_template
from runwell.model.errors import InvalidInput
from runwell.sdk.authored import Authored
from runwell.sdk.tool import Tool, in_workflow

_STAND_IN: Final = re.compile(r"\b(?:item|index|last)__\d+\b")
LOOP: Final = "loop number"
LAST: Final = "last step"
"""Under these keys a loop keeps its number and the step that `last` stands for, until the document is finished."""

Document = dict[str, Any]


class _Body:
    def __init__(self) -> None:
        self.steps: list[Document] = []
        self.conditions: list[str] = []


class Recorder:
    """The document of one function that is being made. `tools` and `needs` are what its steps call that is not in it."""

    def __init__(self) -> None:
        self.tools: dict[str, Tool[..., Any]] = {}
        self.needs: dict[str, Authored] = {}
        self.places: dict[str, int] = {}
        self._bodies = [_Body()]
        self._ids: set[str] = set()
        self._loops = itertools.count(1)

    def add(self, kind: str, name: str, fields: Mapping[str, Any], options: Mapping[str, Any]) -> Reference:
        """Add a step and return its result. It is called as `options` say, or by `name`, which gets a number when it is taken."""
        given = dict(options)
        step_id = self._own_id(given.pop("id", None), _as_id(name))
        after, when = given.pop("after", None), given.pop("when", None)
        step: Document = {"id": step_id, "type": kind}
        step.update({key: as_document(value) for key, value in {**fields, **given}.items() if value is not None})
        conditions = [*self._bodies[-1].conditions, *([] if when is None else [condition_of(when)])]
        if conditions:
            step["when"] = " && ".join(f"({one})" for one in conditions) if len(conditions) > 1 else conditions[0]
        if after is not None:
            step["depends_on"] = [step_named(one) for one in (after if isinstance(after, list | tuple) else [after])]
        if "fallback" in given:
            step["fallback"] = as_document(given["fallback"])  # null is one, too
        self.places[step_id] = _calling_line()
        self._bodies[-1].steps.append(step)
        return Reference(_result(step_id))

    @contextmanager
    def condition(self, condition: Any) -> Iterator[None]:
        """Let the steps that are added meanwhile run only if it holds."""
        body = self._bodies[-1]
        body.conditions.append(condition_of(condition))
        try:
            yield
        finally:
            body.conditions.pop()

    def loop(self, kind: str, name: str, inside: Callable[[int], Document], options: Mapping[str, Any]) -> Reference:
        """Add a loop. `inside` is called with the loop's number, adds the steps of its body, and returns the loop's fields."""
        number, body = next(self._loops), _Body()
        self._bodies.append(body)
        try:
            fields = inside(number)
        finally:
            self._bodies.pop()
        if not body.steps:
            raise Wrong(f"the body of {name} has no steps", hint="call steps, tools or agents in it")
        return self.add(kind, name, {**fields, "steps": body.steps, LOOP: number}, options)

    @property
    def last_added(self) -> str | None:
        """The id of the step that was added last in the body that is being made."""
        steps = self._bodies[-1].steps
        return str(steps[-1]["id"]) if steps else None

    def call_tool(self, tool: Tool[..., Any], args: Mapping[str, Any], options: Mapping[str, Any]) -> Reference:
        self.use(tool)
        return self.add("tool", tool.name, {"tool": tool.full_name, "args": dict(args)}, options)

    def use(self, used: Any) -> str:
        """Return how a document names a tool that is a function, a workflow or an agent; see to it that it is there."""
        if isinstance(used, str):
            return used
        if isinstance(used, Tool):
            known = self.tools.setdefault(used.name, used)
            if known is not used:
                raise Wrong(f"two tools are called {used.full_name!r}: {known!r} and {used!r}", hint='rename one: @tool(name="...")')
            return used.full_name
        if not isinstance(used, Reference) and isinstance(used, Authored):
            return f"workflow:{self.need(used)}"
        raise Wrong(f"{used!r:.80} is no tool", hint='give functions with @tool, workflows, or names like "mcp:desk/find_ticket"')

    def need(self, other: Authored) -> str:
        """Return the slug of another workflow, which is published before this one."""
        known = self.needs.setdefault(other.slug, other)
        if known is not other:
            raise Wrong(f"two workflows are called {other.slug!r}: {known!r} and {other!r}", hint='rename one: @workflow(name="...")')
        return other.slug

    def finished(self, output: Any) -> Document:
        """Return `steps` and what goes along with them. Raises `Wrong` for a loop's item outside of its loop."""
        steps = [_with_names(step, {}) for step in self._bodies[0].steps]
        _depend(steps)
        written: Document = {}
        if self.tools:
            written["tools"] = [tool.declaration() for tool in self.tools.values()]
        written["steps"] = steps
        if output is not None:
            written["output"] = _renamed(as_document(output), {})
        return written

    def _own_id(self, wanted: str | None, name: str) -> str:
        if wanted is not None:
            if wanted in self._ids:
                raise Wrong(f"two steps have the id {wanted!r}", hint="give one of them another")
            self._ids.add(wanted)
            return wanted
        names = itertools.chain([name], (f"{name}_{i}" for i in itertools.count(2)))
        found = next(one for one in names if one not in self._ids)
        self._ids.add(found)
        return found


_current: Final[ContextVar[Recorder | None]] = ContextVar("recorder", default=None)


def recorder(what: str) -> Recorder:
    """Return what takes down the function that is being read. Raises `InvalidInput` when none is."""
    found = _current.get()
    if found is None:
        raise InvalidInput(
            f"{what} was called outside of a @workflow function", hint="call it in one: it stands for a step of its document"
        )
    return found


def is_recording() -> bool:
    return _current.get() is not None


@contextmanager
def recording(own: Recorder) -> Iterator[None]:
    current, hook = _current.set(own), in_workflow.set(own.call_tool)
    try:
        yield
    finally:
        in_workflow.reset(hook)
        _current.reset(current)


def condition_of(condition: Any) -> str:
    if not isinstance(condition, Reference | str):
        raise Wrong(
            f"a condition is {condition!r:.80}: Python has decided it already", hint="compare what a step returned, as in answer.score > 3"
        )
    return source_of(condition) if isinstance(condition, Reference) else condition


def step_named(value: Any) -> str:
    """Return the id of the step whose result this is."""
    found = re.match(r'steps(?:\.(\w+)|\["([\w-]+)"\])', source_of(value)) if isinstance(value, Reference) else None
    if found is None:
        raise Wrong(f"{value!r:.80} is not what a step returned", hint="give what the call of a step, tool or agent returned")
    return found[1] or found[2]


def _as_id(name: str) -> str:
    word = "".join(c if c.isascii() and (c.isalnum() or c == "_") else "_" for c in name)[:50].strip("_")
    return word if word[:1].isalpha() else f"step_{word}"


def _result(step_id: str) -> str:
    return source_of(Reference("steps")[step_id].result)


def _calling_line() -> int:
    """Return the line that called a step: the innermost one outside of this package."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith(("runwell.authoring.", "runwell.sdk.", "contextlib")):
        frame = frame.f_back
    return frame.f_lineno


def _with_names(step: Document, names: Mapping[str, str]) -> Document:
    """Return the step with the names that its loops' items have in the document."""
    own = {key: value for key, value in step.items() if key not in (LOOP, LAST)}
    if LOOP not in step:
        return {key: _renamed(value, names) for key, value in own.items()}
    inner = _inner_names(step, names)
    written: Document = {}
    for key, value in own.items():
        if key == "steps":
            written[key] = [_with_names(one, inner) for one in value]
        else:
            written[key] = _renamed(value, inner if key in _INSIDE else names)
    return written


_INSIDE: Final = ("condition", "output")
"""Fields of a loop that see what is inside of it."""


def _inner_names(step: Document, names: Mapping[str, str]) -> dict[str, str]:
    number = step[LOOP]
    if step["type"] == "for_each":
        around = {name: meant for name, meant in names.items() if not name.startswith(("item", "index"))}
        return {**around, f"item__{number}": "item", f"index__{number}": "index"}
    around = {name: meant for name, meant in names.items() if not name.startswith("last")}
    return {**around, f"last__{number}": source_of(Reference("loop.previous")[step[LAST]].result)}


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return _STAND_IN.sub(lambda found: _meant(found[0], names), value)
    if isinstance(value, dict):
        return {key: _renamed(one, names) for key, one in value.items()}
    return [_renamed(one, names) for one in value] if isinstance(value, list) else value


def _meant(name: str, names: Mapping[str, str]) -> str:
    if name not in names:
        what = "the last result" if name.startswith("last") else f"the {name.partition('_')[0]}"
        raise Wrong(
            f"{what} of a loop is used outside of it, or in a loop within it", hint="keep it in the outer loop: step.transform(item)"
        )
    return names[name]


def _depend(steps: Sequence[Document]) -> set[str]:
    """Let each step depend on those that it mentions; return what they mention of the bodies around."""
    ids, outside = [step["id"] for step in steps], set[str]()
    for step in steps:
        found = _mentioned_by(step)
        outside |= found - set(ids)
        said = step.get("depends_on", [])
        depends = [*said, *(one for one in ids if one in found and one not in said and one != step["id"])]
        if depends:
            step["depends_on"] = depends
    return outside


def _mentioned_by(step: Document) -> set[str]:
    """Return the steps outside of the step that it mentions. Those inside of it depend on each other after this."""
    fields = {key: value for key, value in step.items() if key not in ("steps", "depends_on", "code", "when", "condition")}
    found = _in_templates(fields) | {one for key in ("when", "condition") if key in step for one in _in_expression(step[key])}
    if "steps" in step:
        found |= _depend(step["steps"])
        found -= {one["id"] for one in step["steps"]}
    return found


def _in_templates(value: Any) -> set[str]:
    if isinstance(value, str):
        return {one for expr in read_template(value).exprs for one in _steps_of(expr)}
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return set[str]().union(*map(_in_templates, parts))


def _in_expression(text: str) -> set[str]:
    expr = read_expression(text).expr
    return set() if expr is None else set(_steps_of(expr))


def _steps_of(expr: Expr) -> Iterator[str]:
    yield from (str(ref.keys[0]) for ref in expr.refs if ref.root == "steps" and ref.keys)
