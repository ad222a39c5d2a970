"""Whether a provider may hold its answer to a schema strictly: strict modes close each object, which must not change what it means.

An object that names its properties and says nothing of others may be closed: what it names is what it asks for. One that
names none, or lets others in by `additionalProperties` or `patternProperties`, is open: closed it would take `{}` alone.
"""

import warnings
from collections.abc import Iterator
from typing import Any, Final

from pydantic_ai.exceptions import UserError
from pydantic_ai.models import Model

_MAPS: Final = ("properties", "$defs", "definitions")
_LISTS: Final = ("prefixItems", "anyOf", "oneOf", "allOf")
_TYPED: Final = ("type", "$ref", "anyOf", "oneOf", "allOf", "enum", "const")
_BRANCHED: Final = ("$ref", "anyOf", "oneOf", "allOf")
_CONDITIONS: Final = ("not", "if", "dependentSchemas", "dependentRequired")
_NOTES: Final = frozenset({"type", "title", "description", "$schema", "$id", "$comment", "examples", "default"})


def strictness(model: Model, schema: dict[str, Any]) -> bool | None:
    """Return what pydantic-ai takes as `strict` for OpenAI's protocol: None finds the schema strict, False leaves it as it is."""
    transformer = model.profile.get("json_schema_transformer")
    if is_open(schema) or transformer is None:
        return False
    transformed = transformer(schema, strict=None)
    try:
        transformed.walk()
    except UserError:
        return False
    return None if transformed.is_strict_compatible else False


def survives_closing(model: Model, schema: dict[str, Any]) -> bool:
    """Say whether Anthropic's strict mode can be told the schema: it has all objects closed, and knows no lists of types."""
    transformer = model.profile.get("json_schema_transformer")
    if is_open(schema) or transformer is None:
        return False
    try:
        with warnings.catch_warnings(action="ignore"):
            transformer(schema, strict=True).walk()
    except (UserError, ValueError, TypeError, AssertionError):  # all that its library raises for what it does not know
        return False
    return True


def is_any_object(schema: dict[str, Any]) -> bool:
    """Say whether each object obeys the schema, and nothing else does."""
    rest = {name: value for name, value in schema.items() if name not in _NOTES}
    others = rest.pop("additionalProperties", True)
    named = rest.pop("properties", {})
    return schema.get("type") == "object" and others in (True, {}) and named == {} and not rest


def is_open(schema: dict[str, Any]) -> bool:
    """Say whether the schema means more values, somewhere in it, than it does with its objects closed."""
    return any(_opens(node, told) for node, told in _nodes(schema))


def _nodes(schema: Any) -> Iterator[tuple[Any, bool]]:
    """Yield each schema in this one, and whether it must tell by itself that it is closed: below a list of types nobody adds that."""
    waiting: list[tuple[Any, bool]] = [(schema, False)]
    while waiting:
        node, told = waiting.pop()
        told = told or (isinstance(node, dict) and isinstance(node.get("type"), list))
        yield node, told
        if isinstance(node, dict):
            waiting.extend((part, told) for part in _parts(node))


def _parts(node: dict[str, Any]) -> Iterator[Any]:
    for name in _MAPS:
        yield from (node.get(name) or {}).values()
    for name in _LISTS:
        yield from node.get(name) or ()
    items = node.get("items")
    if items is not None:
        yield from items if isinstance(items, list) else (items,)


def _opens(node: Any, told: bool) -> bool:
    if not isinstance(node, dict):
        return node is not False
    if not any(name in node for name in _TYPED) or any(name in node for name in _CONDITIONS) or len(node.get("allOf") or ()) > 1:
        return True
    types = node.get("type")
    if "object" not in (types if isinstance(types, list) else (types,)):
        return False
    if node.get("patternProperties") or any(name in node for name in _BRANCHED):
        return True
    named, others = node.get("properties") or {}, node.get("additionalProperties")
    if told:
        return others is not False or not set(named) <= set(node.get("required") or ())
    return others is not False and (others is not None or not named)
