"""The step `transform`: a value built by expressions, nothing more."""

from collections.abc import Mapping
from typing import Any, Literal

from runwell.model.caching import CacheUse
from runwell.model.step import StepSpec
from runwell.ports.steps import StepType


class TransformStep(StepSpec):
    """Any JSON with templates inside. The result is the rendered value."""

    templates = frozenset({"value"})

    type: Literal["transform"]
    value: Any

    def cacheable(self, given: Mapping[str, Any]) -> CacheUse:
        return "auto"


def transform(input: Mapping[str, Any]) -> Any:
    return input["value"]


def _problems(spec: StepSpec) -> list[tuple[str, str, str]]:
    found = []
    if spec.retry is not None:
        message = "a transform step cannot be retried: it is done at once, and a second attempt would give the same"
        found.append(("/retry", message, "take retry: out"))
    if spec.timeout_s is not None:
        found.append(("/timeout_s", "a transform step has no time limit: it is done at once", "take timeout_s: out"))
    return found


STEP = StepType(name="transform", spec=TransformStep, inline=transform, problems=_problems)
