"""The transform step's value is its result."""

from runwell.steps.transform import STEP, TransformStep


def test_the_rendered_value_is_the_result() -> None:
    assert STEP.inline is not None
    assert STEP.inline({"value": {"a": [1, None]}}) == {"a": [1, None]}
    assert STEP.handler is None
    assert STEP.spec is TransformStep
    assert TransformStep.templates == {"value"}
