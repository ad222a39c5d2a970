"""Which differences between two OpenAPI documents break a caller who was written for the first.

What callers send may be asked for less, never more; what they are sent may grow, never shrink.
"""

from collections.abc import Iterator
from typing import Any

Json = Any


def breaking_changes(old: Json, new: Json) -> list[str]:
    """Return a line for each change that breaks callers; empty when there is none."""
    return sorted(_documents(old, new))


def _documents(old: Json, new: Json) -> Iterator[str]:
    for path, operations in old["paths"].items():
        for method, operation in operations.items():
            place = f"{method.upper()} {path}"
            now = new["paths"].get(path, {}).get(method)
            if now is None:
                yield f"{place}: gone"
                continue
            if operation.get("operationId") != now.get("operationId"):
                yield f"{place}: operation id {operation.get('operationId')!r} became {now.get('operationId')!r}"
            yield from _parameters(place, operation, now, (old, new))
            yield from _bodies(place, operation, now, (old, new))
            yield from _answers(place, operation, now, (old, new))


def _parameters(place: str, old: Json, new: Json, roots: tuple[Json, Json]) -> Iterator[str]:
    before = {(each["in"], each["name"]): each for each in old.get("parameters", ())}
    after = {(each["in"], each["name"]): each for each in new.get("parameters", ())}
    for key in before.keys() - after.keys():
        yield f"{place}: {key[0]} parameter {key[1]!r} is gone"
    for key, parameter in after.items():
        known = before.get(key)
        if parameter.get("required") and not (known or {}).get("required"):
            yield f"{place}: {key[0]} parameter {key[1]!r} is required now"
        if known is not None:
            yield from _sent(f"{place}: {key[1]}", known.get("schema", {}), parameter.get("schema", {}), roots, set())


def _bodies(place: str, old: Json, new: Json, roots: tuple[Json, Json]) -> Iterator[str]:
    before, after = old.get("requestBody"), new.get("requestBody")
    if after and after.get("required") and not (before or {}).get("required"):
        yield f"{place}: a body is required now"
    for kind, content in (before or {}).get("content", {}).items():
        now = (after or {}).get("content", {}).get(kind)
        if now is None:
            yield f"{place}: takes no {kind} any more"
        else:
            yield from _sent(f"{place}: body", content.get("schema", {}), now.get("schema", {}), roots, set())


def _answers(place: str, old: Json, new: Json, roots: tuple[Json, Json]) -> Iterator[str]:
    for status, answer in old.get("responses", {}).items():
        now = new.get("responses", {}).get(status)
        if now is None:
            yield f"{place}: never answers {status} any more"
            continue
        for kind, content in answer.get("content", {}).items():
            if kind not in now.get("content", {}):
                yield f"{place}: {status} is no {kind} any more"
            else:
                yield from _received(f"{place}: {status}", content.get("schema", {}), now["content"][kind].get("schema", {}), roots, set())


def _sent(place: str, old: Json, new: Json, roots: tuple[Json, Json], seen: set[str]) -> Iterator[str]:
    """What callers send: no new demand, no field and no value less."""
    pair = _pair(old, new, roots, seen)
    if pair is None:
        return
    old, new = pair
    for name in set(new.get("required", ())) - set(old.get("required", ())):
        yield f"{place}.{name} is required now"
    yield from _types(place, old, new, wider=True)
    for name, schema in old.get("properties", {}).items():
        if name in new.get("properties", {}):
            yield from _sent(f"{place}.{name}", schema, new["properties"][name], roots, seen)
        elif new.get("additionalProperties") is False:
            yield f"{place}.{name} is not taken any more"
    if "items" in old and "items" in new:
        yield from _sent(f"{place}[]", old["items"], new["items"], roots, seen)


def _received(place: str, old: Json, new: Json, roots: tuple[Json, Json], seen: set[str]) -> Iterator[str]:
    """What callers are sent: every field is still there, and no value is of a kind that they do not know."""
    pair = _pair(old, new, roots, seen)
    if pair is None:
        return
    old, new = pair
    for name, schema in old.get("properties", {}).items():
        if name not in new.get("properties", {}):
            yield f"{place}.{name} is gone"
        else:
            yield from _received(f"{place}.{name}", schema, new["properties"][name], roots, seen)
    for name in set(old.get("required", ())) - set(new.get("required", ())):
        if name in new.get("properties", {}):
            yield f"{place}.{name} may be missing now"
    yield from _types(place, old, new, wider=False)
    if "items" in old and "items" in new:
        yield from _received(f"{place}[]", old["items"], new["items"], roots, seen)


def _types(place: str, old: Json, new: Json, *, wider: bool) -> Iterator[str]:
    before, after = _kinds(old), _kinds(new)
    lost = before - after if wider else after - before
    if before and after and lost:
        yield f"{place}: {'takes no' if wider else 'may now be'} {', '.join(sorted(lost))}"
    if "enum" in old and "enum" in new and wider:
        for value in set(map(str, old["enum"])) - set(map(str, new["enum"])):
            yield f"{place}: takes no {value!r} any more"


def _kinds(schema: Json) -> set[str]:
    if "type" in schema:
        kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        return set(kinds)
    return {kind for option in schema.get("anyOf", ()) if "type" in option for kind in _kinds(option)}


def _pair(old: Json, new: Json, roots: tuple[Json, Json], seen: set[str]) -> tuple[Json, Json] | None:
    """Return both schemas with their references followed; None where that was done before."""
    name = old.get("$ref", "")
    if name in seen:
        return None
    if name:
        seen.add(name)
    return _followed(old, roots[0]), _followed(new, roots[1])


def _followed(schema: Json, root: Json) -> Json:
    while "$ref" in schema:
        schema = root["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema
