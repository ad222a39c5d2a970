"""Checking data against a JSON Schema, compiled once."""

from typing import Any, Final

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


def schema_problems(schema: Any) -> list[Problem]:
    """Return what is wrong with a JSON Schema, each with its pointer within it: all of it, as far as that can be told."""
    try:
        jsonschema_rs.validator_for(schema, offline=True)
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, TypeError) as exc:
        first = _problem_of(exc)
    except ValueError as exc:  # it is no JSON: a key that is no text, a number without end
        return [_problem_of(exc)]
    else:
        return []
    draft = schema.get("$schema", _NEWEST) if isinstance(schema, dict) else _NEWEST
    found = [_problem_of(error) for error in _META.iter_errors(schema)] if draft == _NEWEST else []
    by_place = {problem.pointer: problem for problem in reversed(found)}
    return list(reversed(by_place.values())) or [first]


_NEWEST: Final = "https://json-schema.org/draft/2020-12/schema"
_META: Final = jsonschema_rs.validator_for({"$ref": _NEWEST}, offline=True)
_TYPES: Final = ("array", "boolean", "integer", "null", "number", "object", "string")


def _problem_of(error: Exception) -> Problem:
    path = [str(part) for part in getattr(error, "instance_path", ())]
    pointer = "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in path)
    message, hint = str(error).partition("\n")[0], "mend it; json-schema.org lists the keywords"
    if path[-1:] == ["type"] and "anyOf" in message:
        message, hint = message.partition(" is not valid under")[0] + " is no type", f"types are {', '.join(_TYPES)}, or a list of them"
    return Problem(code="bad_schema", message=f"not a JSON Schema: {message}", pointer=pointer, hint=hint)


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
