"""Variants: a workflow's version with other words, another model or other parameters in one step, to be compared with others.

The same shape wherever variants are tried: in experiments and in the playground.
"""

import copy
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from runwell.model.errors import InvalidInput

MOST_VARIANTS: Final = 8
VARIED: Final = ("llm", "agent")
"""The step types that have models."""


class Variant(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`version`: which of the workflow's, None for the one that runs start with.

    The rest changes one step of it, `step`, None for the only llm or agent step. What is None stays as it is. `instructions` are an
    agent step's, and what an llm step has as `system`. `params` go over the step's own; one that is null is left out.
    """

    name: str
    version: int | None = None
    step: str | None = None
    model: str | None = None
    models: tuple[str, ...] | None = None
    instructions: str | None = None
    prompt: str | None = None
    params: dict[str, Any] = {}

    @property
    def changes(self) -> bool:
        """Whether it is anything else than its version as it is."""
        return bool(self.params) or any(value is not None for value in (self.model, self.models, self.instructions, self.prompt))


def varied(document: dict[str, Any], variant: Variant) -> dict[str, Any]:
    """Return the document with the variant's changes; it is not checked. Raises `InvalidInput` when there is no such step in it."""
    if not variant.changes:
        return document
    made = copy.deepcopy(document)
    step = _step_of(made, variant)
    if variant.model is not None or variant.models is not None:
        step.pop("model", None)
        step.pop("models", None)
        step.update({"model": variant.model} if variant.model is not None else {"models": list(variant.models or ())})
    if variant.instructions is not None:
        step["instructions" if step.get("type") == "agent" else "system"] = variant.instructions
    if variant.prompt is not None:
        step.pop("messages", None)
        step["prompt"] = variant.prompt
    if variant.params:
        merged = {**(step.get("params") or {}), **variant.params}
        step["params"] = {name: value for name, value in merged.items() if value is not None}
    return made


def _step_of(document: dict[str, Any], variant: Variant) -> dict[str, Any]:
    steps = [step for step in _steps(document) if step.get("type") in VARIED]
    known = ", ".join(repr(step.get("id")) for step in steps) or "none"
    if variant.step is None and len(steps) != 1:
        message = f"the variant {variant.name!r} does not say which step it changes, and the workflow has {len(steps)} that have a model"
        raise InvalidInput(message, hint=f"name one as `step`: {known}")
    found = steps if variant.step is None else [step for step in steps if step.get("id") == variant.step]
    if not found:
        raise InvalidInput(
            f"the variant {variant.name!r} changes the step {variant.step!r}, which has no model or is not there", hint=known
        )
    return found[0]


def _steps(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for step in document.get("steps") or ():
        if isinstance(step, dict):
            yield step
            yield from _steps(step)
