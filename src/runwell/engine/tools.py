"""The tools of a document: compiled with it, rendered for each call with what the call gives them.

Arguments come from models, and so from whoever writes what a model reads. In a URL they are percent-encoded, so that
none of them can leave its place: no other path, query or host.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from runwell.engine.environment import run_facts
from runwell.engine.expressions import Environment, Expr, ExpressionFailed, secret_name
from runwell.engine.functions import to_text
from runwell.engine.plan import ToolPlan
from runwell.engine.references import Place, nearest
from runwell.engine.state import RunState
from runwell.engine.step_checks import Finding
from runwell.engine.templates import DictNode, Node, SecretText, Text
from runwell.model.step import StepSpec
from runwell.model.tool import OWN_STEP, ToolSpec

SEEN = Place(names=frozenset({"args", "input", "run", "secrets"}))
"""What the templates of a tool may refer to."""


class ToolEnvironment:
    """The environment of one call's templates."""

    __slots__ = ("_args", "_state")

    def __init__(self, state: RunState, args: Mapping[str, Any]) -> None:
        self._state = state
        self._args = args

    def value(self, root: str) -> Any:
        if root == "args":
            return self._args
        if root == "input":
            return self._state.created.input
        if root == "run":
            return run_facts(self._state)
        raise KeyError(root)

    def step(self, step_id: str) -> dict[str, Any]:
        raise KeyError(step_id)


class UrlText(Text):
    """The URL of a tool: what comes from expressions is percent-encoded."""

    __slots__ = ()

    def render(self, env: Environment) -> Any:
        return _unclimbing("".join(str(_spelled(part, env)) for part in self.parts))


class SecretUrlText(SecretText):
    """The URL of a tool with secrets in it."""

    __slots__ = ()

    def render(self, env: Environment) -> Any:
        parts = [_spelled(part, env) for part in self.parts]
        _unclimbing("".join(part if isinstance(part, str) else "*" for part in parts))
        return {"$secret_text": parts}


def _spelled(part: str | Expr, env: Environment) -> Any:
    if isinstance(part, str):
        return part
    name = secret_name(part)
    return {"secret": name} if name else quote(to_text(part.evaluate(env)).encode("utf-8", "surrogatepass"), safe="")


def _unclimbing(url: str) -> str:
    """Return the URL. Raises `ExpressionFailed` when a part of its path leads upwards."""
    path = url.partition("?")[0].partition("#")[0]
    if any(segment in (".", "..") for segment in path.split("/")):
        raise ExpressionFailed("an argument would change the path of the tool's URL: '.' and '..' cannot stand in it")
    return url


def guarded(inputs: dict[str, Node]) -> dict[str, Node]:
    """Return the inputs of a tool's step with its URL guarded against arguments."""
    request = inputs.get("request")
    if not isinstance(request, DictNode) or not isinstance(url := request.items.get("url"), Text):
        return inputs
    kept = SecretUrlText(url.parts) if isinstance(url, SecretText) else UrlText(url.parts)
    return {**inputs, "request": DictNode({**request.items, "url": kept})}


def rendered(plan: ToolPlan, state: RunState, args: Mapping[str, Any]) -> dict[str, Any]:
    """Return the input of the tool's step. Raises `ExpressionFailed`."""
    env = ToolEnvironment(state, args)
    return {field: node.render(env) for field, node in plan.inputs.items()}


_FUNCTION: Final = " a registered function needs type and name only"


def wrong_tools(spec: StepSpec, tools: Sequence[ToolSpec]) -> list[Finding]:
    """Return what is wrong with the tools that a step names: those that the document would have to declare."""
    declared = {tool.full_name: tool for tool in tools}
    found = []
    for place, name in spec.tools_named():
        tool = declared.get(name)
        if tool is None and name.partition(":")[0] in OWN_STEP:
            cure = nearest(name, declared) or f"declare it in the workflow's tools:{_FUNCTION if name.startswith('python:') else ''}"
            found.append(Finding("unknown_tool", f"the document declares no tool {name!r}", place, cure))
        elif tool is not None and tool.requires_approval and not spec.waits_for_approval:
            cure = "put an approval step before this one, and take requires_approval off; agents ask by themselves"
            found.append(Finding("needs_approval", f"{name!r} requires approval, for which a {spec.type} step does not wait", place, cure))
    return found
