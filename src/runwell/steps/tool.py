"""The step `tool`: one call of a tool, of an MCP server or declared in the document."""

from typing import Any, Literal

from pydantic import Field

from runwell.model.step import StepSpec
from runwell.model.tool import name_fault
from runwell.ports.steps import StepContext, StepType
from runwell.steps.tool_calls import call_tool

Problem = tuple[str, str, str]
"""Pointer within the step, message, hint."""


class ToolStep(StepSpec):
    """Call `tool` with `args`. The result is what it returned.

    `tool` is `mcp:<server>/<tool>` (a stored connection of type mcp, or a command that the operator allows), or
    `http:<name>` or `python:<name>` of the document's `tools`. Without `timeout_s` a server has a minute.
    """

    templates = frozenset({"tool", "args"})

    type: Literal["tool"]
    tool: str = Field(min_length=1, max_length=300)
    args: dict[str, Any] | str = Field(default={}, description="an object, or one expression that gives an object")

    def tools_named(self) -> list[tuple[str, str]]:
        tool: Any = self.tool  # a stand-in of a broken step may hold anything
        return [("/tool", tool)] if isinstance(tool, str) and "{{" not in tool else []


async def run_tool(ctx: StepContext) -> Any:
    args = ctx.input.get("args")
    return await call_tool(ctx, ctx.input["tool"], {} if args is None else args)


def tool_problems(spec: StepSpec) -> list[Problem]:
    """Return what is wrong with the tool's name, and arguments that are no object."""
    assert isinstance(spec, ToolStep)
    found: list[Problem] = []
    for place, name in spec.tools_named():
        fault = name_fault(name)
        if fault is not None:
            found.append((place, *fault))
        elif name.startswith("workflow:"):
            found.append((place, "a tool step cannot run a workflow", f"use a step: type: workflow, workflow: {name.partition(':')[2]}"))
    if isinstance(spec.args, str) and "{{" not in spec.args:
        found.append(("/args", "the arguments are text, not an object", 'write them by name, or one template: "{{ input.args }}"'))
    return found


STEP = StepType(name="tool", spec=ToolStep, handler=run_tool, problems=tool_problems)
