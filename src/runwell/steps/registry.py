"""Every step type that this installation knows.

Plug-ins add theirs by the entry point group `runwell.step_types`: each entry names a `StepType`.
"""

from importlib.metadata import entry_points

from runwell.model.errors import InvalidInput
from runwell.model.step import CONTROL_STEPS, StepSpec
from runwell.ports.steps import StepType, StepTypes
from runwell.steps import http, llm, python, tool, transform
from runwell.steps.agent import handler as agent


def _control_type(spec: type[StepSpec]) -> StepType:
    return StepType(name=spec.model_fields["type"].annotation.__args__[0], spec=spec)  # type: ignore[union-attr]


BUILT_IN: tuple[StepType, ...] = (
    *(transform.STEP, http.STEP, python.STEP, llm.STEP, agent.STEP, tool.STEP),
    *map(_control_type, CONTROL_STEPS),
)


def step_types() -> StepTypes:
    """Return the built-in step types and those of installed plug-ins, by name.

    Raises `InvalidInput` when a plug-in is no `StepType` or takes a name that is taken.
    """
    types = {step_type.name: step_type for step_type in BUILT_IN}
    for entry in entry_points(group="runwell.step_types"):
        step_type = entry.load()
        if not isinstance(step_type, StepType):
            raise InvalidInput(f"the plug-in {entry.name!r} is no StepType", hint="point the entry point at a runwell.ports.steps.StepType")
        if step_type.name in types:
            raise InvalidInput(
                f"the plug-in {entry.name!r} takes the step type {step_type.name!r}, which exists", hint="uninstall one of them"
            )
        types[step_type.name] = step_type
    return types
