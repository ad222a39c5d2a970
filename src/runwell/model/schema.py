"""Checking data against a JSON Schema, compiled once."""

from typing import Any

import jsonschema_rs

from runwell.model.errors import InvalidInput, Problem


class SchemaCheck:
    """A compiled JSON Schema; None accepts everything."""

    def __init__(self, schema: Any) -> None:
        self._validator = None if schema is None else jsonschema_rs.validator_for(schema)

    def problems(self, value: Any) -> list[Problem]:
        """Return what is wrong with the value, each with its JSON pointer."""
        if self._validator is None:
            return []
        found = []
        for error in self._validator.iter_errors(value):
            pointer = "".join(f"/{part}" for part in error.instance_path)
            found.append(Problem(code="schema", message=error.message, pointer=pointer))
        return found

    def require(self, value: Any, what: str) -> None:
        """Raise `InvalidInput` with every problem when the value breaks the schema."""
        problems = self.problems(value)
        if problems:
            more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
            raise InvalidInput(f"{what} breaks its schema: {problems[0]}{more}", problems=tuple(problems))
