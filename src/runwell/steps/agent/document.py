"""How an agent stands in a document: whole, or as the name of one that is published."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, model_validator

from runwell.model.caching import CacheUse, is_zero
from runwell.model.model_call import Reason
from runwell.model.slugs import is_slug
from runwell.model.step import Part, StepSpec
from runwell.model.tool import name_fault

Problem = tuple[str, str, str]
"""Pointer within the step, message, hint."""

_OWN = ("model", "models", "fallback_on", "instructions", "tools", "output_schema", "limits", "params", "connection", "repair_attempts")
"""What a published agent brings along."""


class AgentLimits(Part):
    """Where an agent that has no answer yet is ended. What its last answer costs may go over `tokens` and `cost_usd`."""

    rounds: int = Field(default=20, ge=1, le=200, description="answers of the model, with and without tool calls")
    tokens: int | None = Field(default=None, ge=1, description="input and output tokens of all rounds")
    cost_usd: float | None = Field(default=None, gt=0, le=1_000_000, allow_inf_nan=False)


class AgentStep(StepSpec):
    """Let a model call tools until it has an answer: its text or, with `output_schema`, the object that it wrote.

    `tools` are `mcp:<server>/<tool>` or `mcp:<server>/*`, `http:<name>` and `python:<name>` of the document's `tools`, and
    `workflow:<slug>`. `models` is a list of which the next one is asked when one fails; the one that answered stays.
    What is asked is `prompt`, or `input` as JSON; left out, it is the run's input. `agent` names a published agent (a slug),
    which runs as a child run with `prompt` or `input` as its input.
    """

    templates = frozenset({"model", "models", "instructions", "prompt", "input", "params"})
    calls_model = True
    waits_for_approval = True

    type: Literal["agent"]
    agent: str | None = Field(default=None, description="slug of a published agent")
    version: int | None = Field(default=None, ge=1, description="of the published agent; left out, the one that its runs start with")
    model: str | None = None
    models: tuple[str, ...] | None = Field(default=None, min_length=1, max_length=10)
    fallback_on: tuple[Reason, ...] | None = None
    instructions: str | None = None
    prompt: str | None = None
    input: Any = None
    tools: tuple[str, ...] = Field(default=(), max_length=100)
    output_schema: dict[str, Any] | None = None
    limits: AgentLimits = AgentLimits()
    params: dict[str, Any] = {}
    connection: str | None = None
    repair_attempts: int = Field(default=2, ge=0, le=5)

    @model_validator(mode="before")
    @classmethod
    def _asks_for_the_input(cls, given: Any) -> Any:
        if isinstance(given, dict) and "prompt" not in given and "input" not in given:
            return {**given, "prompt": "{{ input }}"}
        return given

    def cacheable(self, given: Mapping[str, Any]) -> CacheUse:
        if self.agent is not None or any(name.startswith("workflow:") for name in self.tools):
            return "never"  # it starts runs, which have their own results
        params = given.get("params")
        return "auto" if not self.tools and isinstance(params, Mapping) and is_zero(params.get("temperature")) else "always"

    def tools_named(self) -> list[tuple[str, str]]:
        tools: Any = self.tools  # a stand-in of a broken step may hold anything
        return [(f"/tools/{i}", name) for i, name in enumerate(tools) if isinstance(name, str)] if isinstance(tools, list | tuple) else []


def agent_problems(spec: StepSpec) -> list[Problem]:
    """Return what is wrong with the step beyond its shape."""
    assert isinstance(spec, AgentStep)
    found: list[Problem] = []
    if spec.agent is None:
        found += _own_problems(spec)
    else:
        found += _named_problems(spec, spec.agent)
    if {"prompt", "input"} <= spec.model_fields_set:
        found.append(("", "an agent step needs prompt or input, and not both", 'write prompt: "..."'))
    return found


def _own_problems(spec: AgentStep) -> list[Problem]:
    found: list[Problem] = []
    if (spec.model is None) == (spec.models is None):
        found.append(("", "an agent step needs model or models, and not both", "write model: openai:gpt-5-mini, or models: [a, b]"))
    if spec.fallback_on is not None and spec.models is None:
        found.append(("/fallback_on", "fallback_on chooses between models, and there is only one", "write models: [a, b]"))
    if spec.version is not None:
        found.append(("/version", "version is that of a published agent, and the step names none", "add agent: its-slug"))
    for place, name in spec.tools_named():
        fault = name_fault(f"{name[:-1]}all" if name.startswith("mcp:") and name.endswith("/*") else name)
        if fault is not None:
            found.append((place, *fault))
    return found


def _named_problems(spec: AgentStep, slug: str) -> list[Problem]:
    own = [name for name in _OWN if name in spec.model_fields_set]
    cure = "leave it out here, or leave out agent and write all here"
    found = [(f"/{name}", f"{slug!r} is published with its own {name}", cure) for name in own]
    if not is_slug(slug):
        found.append(("/agent", f"{slug!r} is no slug", "name a published agent, as in agent: support-triage"))
    return found
