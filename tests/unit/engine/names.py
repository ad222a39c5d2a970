"""An environment for expressions, made of plain data."""

from typing import Any

from runwell.engine.expressions import compile_expression
from runwell.engine.templates import compile_template


class Names:
    """Root names, and the steps that are visible."""

    def __init__(self, steps: dict[str, Any] | None = None, **roots: Any) -> None:
        self._steps = steps or {}
        self._roots = roots

    def value(self, root: str) -> Any:
        return self._roots[root]

    def step(self, step_id: str) -> dict[str, Any]:
        return {"result": self._steps[step_id], "input": None, "status": "succeeded", "error": None}


def evaluate(source: str, names: Names | None = None, **given: Any) -> Any:
    """Return the value of an expression; `given` is the run's input."""
    return compile_expression(source).evaluate(names or Names(input=given))


def render(template: str, names: Names | None = None, **given: Any) -> Any:
    return compile_template(template).render(names or Names(input=given))
