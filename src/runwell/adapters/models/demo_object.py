"""A value that obeys a JSON Schema, for the demo model.

Written top down. Where a schema leaves a choice (an enum, a branch of `anyOf`, a type), candidates are tried in order and
the first that validates is taken, so combinations need no reasoning of their own. Objects and lists stop growing with depth,
and past `_SHALLOW` the branch that ends soonest comes first: recursive schemas stay small.
"""

import hashlib
import json
import math
from collections.abc import Iterable, Iterator
from typing import Any, Final

import jsonschema_rs

from runwell.adapters.models.demo_pattern import Pick, matching_text
from runwell.adapters.models.demo_schema import ROOT, Schema, absolute, merged, resolve, type_names
from runwell.adapters.models.demo_values import by_preference, number, text

_SHALLOW: Final = 3
_DEEPEST: Final = 40
_TRIES: Final = 6
_CHOICES: Final = ("anyOf", "oneOf", "if", "not", "contains", "patternProperties", "propertyNames", "dependentSchemas", "pattern")


class Unbuildable(ValueError):
    """No value was found for a part of the schema; the message names the part."""


def demo_object(schema: Any, *, seed: str, message: str) -> Any:
    """Return a value obeying the schema; the same arguments give the same value. Raises `Unbuildable`."""
    writer = _Writer(absolute(schema), seed, message)
    for salt in range(_TRIES):
        value = writer.value({"$ref": ROOT}, "", 0, salt)
        if writer.obeys({"$ref": ROOT}, value):
            return value
    raise Unbuildable("the whole")


class _Writer:
    def __init__(self, root: Any, seed: str, message: str) -> None:
        self._root = root
        self._seed = seed
        self._message = message

    def value(self, schema: Any, path: str, depth: int, salt: int = 0) -> Any:
        if depth > _DEEPEST:
            raise Unbuildable(f"{path} never ends")
        checked = _leaves_a_choice(self._flat(schema))
        for offset in range(_TRIES if checked else 1):
            for candidate in self._candidates(schema, path, depth, salt + offset):
                if not checked or self.obeys(schema, candidate):
                    return candidate
        raise Unbuildable(path or "the whole")

    def obeys(self, schema: Any, value: Any) -> bool:
        whole = {"$defs": {"root": self._root}, "allOf": [schema]}
        if isinstance(self._root, dict) and "$schema" in self._root:
            whole["$schema"] = self._root["$schema"]
        return bool(jsonschema_rs.validator_for(whole, offline=True, validate_formats=True).is_valid(value))

    def _flat(self, schema: Any) -> Schema:
        """Return the schema with its references and `allOf` merged in."""
        if schema is True:
            return {}
        if schema is False:
            return {"enum": []}
        flat = dict(schema)
        for _ in range(_DEEPEST):
            if "$ref" in flat:
                target = resolve(self._root, flat.pop("$ref"))
                if target is None:
                    raise Unbuildable(f"the reference {schema.get('$ref')!r}")
                flat = merged(self._flat_once(target), flat)
            elif "allOf" in flat:
                for part in flat.pop("allOf"):
                    flat = merged(flat, self._flat_once(part))
            else:
                return flat
        raise Unbuildable("a circle of references")

    @staticmethod
    def _flat_once(schema: Any) -> Schema:
        return dict(schema) if isinstance(schema, dict) else ({} if schema else {"enum": []})

    def _candidates(self, schema: Any, path: str, depth: int, salt: int) -> Iterator[Any]:
        flat = self._flat(schema)
        if "const" in flat:
            yield flat["const"]
        elif "enum" in flat:
            yield from by_preference(flat["enum"], self._message, self._pick(path, 0))[salt if salt < len(flat["enum"]) else 0 :]
        elif branching := next((key for key in ("anyOf", "oneOf") if key in flat), None):
            rest = {key: value for key, value in flat.items() if key != branching}
            for branch in self._ordered(flat[branching], path, depth):
                yield from self._each([merged(rest, self._flat_once(branch))], path, depth, salt)
        elif "if" in flat:
            yield from self._each(_conditions(flat), path, depth, salt)
        else:
            for kind in type_names(flat):
                yield from self._of_type(kind, flat, path, depth, salt)

    def _each(self, schemas: Iterable[Schema], path: str, depth: int, salt: int) -> Iterator[Any]:
        for schema in schemas:
            try:
                yield from self._candidates(schema, path, depth, salt)
            except Unbuildable:
                continue

    def _ordered(self, branches: list[Any], path: str, depth: int) -> list[Any]:
        if depth > _SHALLOW:
            return sorted(branches, key=lambda branch: self._height(branch, frozenset(), 0))
        consts = [branch.get("const") if isinstance(branch, dict) else None for branch in branches]
        if any(isinstance(const, str) for const in consts):
            preferred = by_preference(consts, self._message, self._pick(path, 0))
            return sorted(branches, key=lambda branch: preferred.index(branch.get("const") if isinstance(branch, dict) else None))
        return branches

    def _height(self, schema: Any, seen: frozenset[str], depth: int) -> float:
        """Return how many levels a value of the schema has at least."""
        if not isinstance(schema, dict):
            return 0
        if depth > 2 * _SHALLOW + 4:
            return math.inf
        ref = schema.get("$ref")
        if ref is not None:
            return math.inf if ref in seen else self._height(resolve(self._root, ref), seen | {ref}, depth + 1)
        parts = [self._height(part, seen, depth + 1) for part in schema.get("allOf", ())]
        parts += [min(self._height(branch, seen, depth + 1) for branch in schema[key]) for key in ("anyOf", "oneOf") if schema.get(key)]
        properties = schema.get("properties", {})
        parts += [1 + self._height(properties[name], seen, depth + 1) for name in schema.get("required", ()) if name in properties]
        if schema.get("minItems"):
            parts.append(1 + self._height(schema.get("items"), seen, depth + 1))
        return max(parts, default=0)

    def _of_type(self, kind: str, schema: Schema, path: str, depth: int, salt: int) -> Iterator[Any]:
        pick = self._pick(path, salt)
        match kind:
            case "object":
                yield from self._objects(schema, path, depth, salt)
            case "array":
                yield self._list(schema, path, depth, salt)
            case "null":
                yield None
            case "boolean":
                yield bool((self._pick(path, 0)(2) + salt) % 2)
            case "integer" | "number":
                if (found := number(schema, self._pick(path, 0), salt, whole=kind == "integer")) is not None:
                    yield found
            case _:
                if (words := text(schema, path.rpartition("/")[2].replace("_", " ") or "answer", pick, salt)) is not None:
                    yield words

    def _objects(self, schema: Schema, path: str, depth: int, salt: int) -> Iterator[dict[str, Any]]:
        properties: dict[str, Any] = schema.get("properties", {})
        required = list(dict.fromkeys(schema.get("required", ())))
        optional = [name for name in properties if name not in required] if depth < _SHALLOW else []
        room = int(schema.get("maxProperties", 1_000)) - len(required)
        for extra in (optional[: max(room, 0)], []) if optional else ([],):
            made = {name: self._property(schema, name, path, depth, salt) for name in required}
            for name in extra:
                try:
                    made[name] = self._property(schema, name, path, depth, salt)
                except Unbuildable:
                    continue
            self._fill(made, schema, path, depth, salt)
            yield made

    def _property(self, schema: Schema, name: str, path: str, depth: int, salt: int) -> Any:
        if name in schema.get("properties", {}):
            part = schema["properties"][name]
        else:
            part = schema.get("additionalProperties", True)
        return self.value(part, f"{path}/{name}", depth + 1, salt)

    def _fill(self, made: dict[str, Any], schema: Schema, path: str, depth: int, salt: int) -> None:
        """Add what `dependentRequired` and `minProperties` ask for."""
        for name, needed in schema.get("dependentRequired", {}).items():
            for other in needed if name in made else ():
                if other not in made:
                    made[other] = self._property(schema, other, path, depth, salt)
        patterns: dict[str, Any] = schema.get("patternProperties", {})
        for number_ in range(4 * int(schema.get("minProperties", 0))):
            if len(made) >= schema["minProperties"]:
                return
            name, part = self._extra_name(schema, patterns, f"{path}/key{number_}", depth, number_)
            if name not in made:
                made[name] = self.value(part, f"{path}/{name}", depth + 1, salt)

    def _extra_name(self, schema: Schema, patterns: dict[str, Any], path: str, depth: int, salt: int) -> tuple[str, Any]:
        for pattern, part in patterns.items():
            name = matching_text(pattern, self._pick(path, salt))
            if name is not None:
                return name, part
        names = schema.get("propertyNames")
        if names is not None:
            named = merged({"type": "string"}, self._flat_once(names))
            return str(self.value(named, path, depth + 1, salt)), schema.get("additionalProperties", True)
        return f"key{salt + 1}", schema.get("additionalProperties", True)

    def _list(self, schema: Schema, path: str, depth: int, salt: int) -> list[Any]:
        first: list[Any] = list(schema.get("prefixItems", ()))
        rest = schema.get("items", True)
        wanted = [schema["contains"]] * int(schema.get("minContains", 1)) if "contains" in schema else []
        natural = 0 if rest is False else 2 if depth < _SHALLOW else 0
        low = int(schema.get("minItems", 0))
        size = min(max(low, len(first) + natural, len(wanted)), int(schema.get("maxItems", 1_000_000)))
        made: list[Any] = []
        for place in range(max(size, low)):
            part = first[place] if place < len(first) else rest
            if wanted and place >= len(first):
                part = merged(self._flat_once(part), self._flat_once(wanted.pop()))
            item = self._item(part, f"{path}/{place}", depth, salt, made if schema.get("uniqueItems") else [])
            if item is _NONE and place >= low:
                break
            made.append(item)
        return made

    def _item(self, schema: Any, path: str, depth: int, salt: int, others: list[Any]) -> Any:
        taken = {json.dumps(other, sort_keys=True) for other in others}
        for offset in range(len(others) + _TRIES):
            item = self.value(schema, path, depth + 1, salt + offset)
            if json.dumps(item, sort_keys=True) not in taken:
                return item
        return _NONE

    def _pick(self, path: str, salt: int) -> Pick:
        """Return a source of numbers that depends on the request, the place and the try, and on nothing else."""
        calls = 0

        def pick(below: int) -> int:
            nonlocal calls
            calls += 1
            digest = hashlib.sha256(f"{self._seed}|{path}|{salt}|{calls}".encode()).digest()
            return int.from_bytes(digest[:8], "big") % max(below, 1)

        return pick


_NONE: Final = object()


def _conditions(flat: Schema) -> list[Schema]:
    rest = {key: value for key, value in flat.items() if key not in ("if", "then", "else")}
    met = [part if isinstance(part, dict) else {} for part in (flat["if"], flat.get("then", {}))]
    unmet = flat.get("else", {})
    return [merged(merged(rest, met[0]), met[1]), merged(rest, unmet if isinstance(unmet, dict) else {})]


def _leaves_a_choice(flat: Schema) -> bool:
    return any(key in flat for key in _CHOICES) or isinstance(flat.get("type"), list)
