"""Whatever a document holds, validation answers with problems that have cures, and never with an exception of Python."""

import random
from collections.abc import Callable
from typing import Any, Final

import pytest

from runwell.cli.checking import document_check
from runwell.engine.plan import Plan
from runwell.model.errors import InvalidDocument, Problem

VALUES: Final[list[Any]] = [
    None,
    1,
    -1,
    True,
    "",
    "a",
    "{{ steps.a.result }}",
    "{{ x",
    "{{ 1/0 }}",
    [],
    ["a"],
    {},
    {"a": 1},
    [None],
    ["a", 3],
]
VALUES.extend([{"url": 3}, {"id": "a"}, [{"id": "a", "type": "transform", "value": 1}], [[1]], 1e300])
FIELDS: Final = [
    "id",
    "type",
    "name",
    "depends_on",
    "when",
    "retry",
    "timeout_s",
    "fallback",
    "items",
    "steps",
    "condition",
    "max_iterations",
    "output",
    "value",
    "model",
    "models",
    "prompt",
    "messages",
    "request",
    "code",
    "inputs",
    "for_s",
    "until",
    "title",
    "message",
    "workflow",
    "connection",
    "output_schema",
    "expires_in_s",
    "zzz",
]
TYPES: Final = ["transform", "http", "python", "llm", "for_each", "while", "delay", "approval", "wait", "workflow", "nope", None, 3]


def step(dice: random.Random, depth: int = 0) -> Any:
    made: dict[Any, Any] = {"id": dice.choice(["a", "b", "c", None, "a b", 3]), "type": dice.choice(TYPES)}
    for field in dice.choices(FIELDS, k=dice.randrange(7)):
        inner = field == "steps" and depth < 3 and dice.random() < 0.6
        made[field] = [step(dice, depth + 1) for _ in range(dice.randrange(3))] if inner else dice.choice(VALUES)
    return made if dice.random() > 0.05 else dice.choice(VALUES)


def problems(check: Callable[[Any], Plan], document: Any) -> tuple[Problem, ...]:
    try:
        check(document)
    except InvalidDocument as exc:
        return exc.problems
    return ()


@pytest.mark.parametrize("seed", range(20))
def test_every_answer_is_a_problem_with_a_cure(seed: int) -> None:
    dice, check, told = random.Random(seed), document_check({}), 0
    for _ in range(50):
        document = {
            "name": dice.choice(["t", None]),
            "steps": [step(dice) for _ in range(dice.randrange(5))],
            "output": dice.choice(VALUES),
        }
        document[dice.choice(["limits", "tags", "on_failure", "input_schema", "concurrency"])] = dice.choice(VALUES)
        found = problems(check, document)
        told += len(found)
        assert [problem for problem in found if not problem.hint or (problem.step_id or "").startswith("/")] == []
    assert told > 50
