"""The step `transform`: a value built by expressions, nothing more."""

from collections.abc import Mapping
from typing import Any, Literal

from runwell.model.step import StepSpec
from runwell.ports.steps import StepType


class TransformStep(StepSpec):
    """Any JSON with templates inside. The result is the rendered value."""

    templates = frozenset({"value"})

    type: Literal["transform"]
    value: Any


def transform(input: Mapping[str, Any]) -> Any:
    return input["value"]


STEP = StepType(name="transform", spec=TransformStep, inline=transform)
