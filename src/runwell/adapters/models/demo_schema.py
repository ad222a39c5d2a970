"""JSON Schemas taken apart: references resolved, two schemas joined into one that asks for both."""

from typing import Any, Final

Schema = dict[str, Any]

ROOT: Final = "#/$defs/root"
"""Where the whole schema stands once `absolute` has rewritten its references."""

_LARGER: Final = frozenset({"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties", "minContains"})
_SMALLER: Final = frozenset({"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"})
_LITERAL: Final = frozenset({"const", "enum", "default", "examples"})
_KINDS: Final = {
    "object": ("properties", "required", "additionalProperties", "minProperties", "patternProperties", "propertyNames"),
    "array": ("items", "prefixItems", "minItems", "uniqueItems", "contains"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
}


def absolute(schema: Any) -> Any:
    """Return a copy whose local references point below `ROOT`, so that any part of it can be validated alone."""
    if isinstance(schema, list):
        return [absolute(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: value if key in _LITERAL else absolute(value) for key, value in schema.items() if key != "$id"}
    if isinstance(made.get("$ref"), str) and made["$ref"].startswith("#"):
        made["$ref"] = ROOT + made["$ref"][1:]
    return made


def resolve(root: Any, ref: str) -> Any:
    """Return what a rewritten reference points at; None when it points nowhere here."""
    if ref != ROOT and not ref.startswith(ROOT + "/"):
        return None
    node = root
    for token in ref[len(ROOT) :].split("/")[1:]:
        key = token.replace("~1", "/").replace("~0", "~")
        if isinstance(node, dict) and key in node:
            node = node[key]
        elif isinstance(node, list) and key.isdigit() and int(key) < len(node):
            node = node[int(key)]
        else:
            return None
    return node


def merged(one: Schema, other: Schema) -> Schema:
    """Return a schema that asks for both, as far as keywords can be joined; what cannot stays apart in `allOf`."""
    made = dict(one)
    for key, value in other.items():
        if key not in made or made[key] == value:
            made[key] = value
        elif key in _LARGER | _SMALLER and not isinstance(value, bool):
            made[key] = (max if key in _LARGER else min)(made[key], value)
        elif key == "required":
            made[key] = [*made[key], *(name for name in value if name not in made[key])]
        elif key == "properties":
            made[key] = _joined(made[key], value)
        elif key == "items":
            made[key] = {"allOf": [made[key], value]}
        elif key == "enum":
            made[key] = [choice for choice in made[key] if choice in value]
        elif key == "type":
            made[key] = _common_types(made[key], value)
        elif key == "allOf":
            made[key] = [*made[key], *value]
        elif key in ("anyOf", "oneOf"):
            made[key] = [merged(a, b) for a in made[key] for b in value if isinstance(a, dict) and isinstance(b, dict)]
        elif key == "additionalProperties":
            made[key] = value if made[key] is True else made[key]
        else:
            made[key] = value
    return made


def _joined(one: Schema, other: Schema) -> Schema:
    return {**one, **{name: {"allOf": [one[name], part]} if name in one else part for name, part in other.items()}}


def _common_types(one: Any, other: Any) -> Any:
    ours, theirs = ([kinds] if isinstance(kinds, str) else list(kinds) for kinds in (one, other))
    both = [kind for kind in ours if kind in theirs or (kind == "integer" and "number" in theirs)]
    both += [kind for kind in theirs if kind == "integer" and "number" in ours and kind not in both]
    return both[0] if len(both) == 1 else both


def type_names(schema: Schema) -> list[str]:
    """Return the types that a value may have, `null` last; guessed from the keywords when the schema names none."""
    kinds = schema.get("type")
    if kinds is None:
        kinds = next((kind for kind, keys in _KINDS.items() if any(key in schema for key in keys)), "string")
    names = [kinds] if isinstance(kinds, str) else list(kinds)
    return sorted(names, key=lambda name: name == "null")
