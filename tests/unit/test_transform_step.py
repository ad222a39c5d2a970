"""The transform step's value is its result."""

from runwell.steps.transform import STEP, TransformStep


def test_the_rendered_value_is_the_result() -> None:
    assert STEP.inline is not None
    assert STEP.inline({"value": {"a": [1, None]}}) == {"a": [1, None]}
    assert STEP.handler is None
    assert STEP.spec is TransformStep
    assert TransformStep.templates == {"value"}


def test_a_transform_has_no_attempts_to_repeat_or_to_end() -> None:
    spec = TransformStep.model_validate({"id": "a", "type": "transform", "value": 1, "retry": {}, "timeout_s": 5})
    assert [(pointer, message) for pointer, message, _ in STEP.problems(spec)] == [
        ("/retry", "a transform step cannot be retried: it is done at once, and a second attempt would give the same"),
        ("/timeout_s", "a transform step has no time limit: it is done at once"),
    ]
    assert STEP.problems(TransformStep.model_validate({"id": "a", "type": "transform", "value": 1})) == []
