"""Checking data against a JSON Schema, compiled once."""

from typing import Any

import jsonschema_rs

from runwell.model.errors import InvalidInput, Problem


def validator_of(schema: Any) -> Any:
    """Compile a JSON Schema. Raises `ValueError` when it is none, or refers to another file or address.

    Schemas come from users: following a reference would read our files and call addresses for them.
    """
    try:
        return jsonschema_rs.validator_for(schema, offline=True)
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, TypeError) as exc:
        raise ValueError(str(exc).partition("\n")[0]) from exc


class SchemaCheck:
    """A compiled JSON Schema; None accepts everything."""

    def __init__(self, schema: Any) -> None:
        self._validator = None if schema is None else validator_of(schema)

    def problems(self, value: Any) -> list[Problem]:
        """Return what is wrong with the value, each with its JSON pointer."""
        if self._validator is None:
            return []
        found = []
        for error in self._validator.iter_errors(value):
            pointer = "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in error.instance_path)
            found.append(Problem(code="schema", message=error.message, pointer=pointer))
        return found

    def require(self, value: Any, what: str) -> None:
        """Raise `InvalidInput` with every problem when the value breaks the schema."""
        problems = self.problems(value)
        if problems:
            more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
            raise InvalidInput(f"{what} breaks its schema: {problems[0]}{more}", problems=tuple(problems))
