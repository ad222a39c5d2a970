"""What is wrong with a request, in words that name the value and the cure; pydantic's name neither."""

from typing import Any, Final

_QUIET: Final = frozenset({"password", "new_password", "value", "secret", "token"})
"""Of these fields no answer repeats the text."""

_PLACES: Final = {"body": "", "path": "/path", "query": "/query", "header": "/header", "cookie": "/cookie"}


def pointer_start(where: str) -> str:
    """Return what pointers into this part of a request begin with; those into the body are bare."""
    return _PLACES.get(where, f"/{where}")


def words_for(error: Any, where: str, path: list[Any]) -> tuple[str, str | None]:
    """Return message and cure of one of pydantic's errors. `path` is the place within the part `where` of the request."""
    name = repr(path[-1]) if path else "the body" if where == "body" else f"the {where}"
    context = error.get("ctx") or {}
    match error["type"]:
        case "missing" if not path:
            return "the body is required and missing", "send a JSON object, with Content-Type: application/json"
        case "missing":
            return f"{name} is required and missing", "give it"
        case "extra_forbidden":
            return f"there is no field {name} here", "take it out, or look its name up in /openapi.json"
        case "json_invalid":
            return f"the body is no JSON: {context.get('error', 'it cannot be read')}", "mend it at the place that the pointer counts to"
        case "model_attributes_type" | "dict_type" if not path:
            return "the body is no JSON object", "send one, with Content-Type: application/json"
        case "union_tag_invalid":
            return f"{name} is {shown(context.get('tag'))}: it is one of {context.get('expected_tags')}", None
        case "union_tag_not_found":
            return f"{context.get('discriminator', name)} is required and missing", "say which it is"
        case "value_error" | "assertion_error":
            return error["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, "), None
    given = shown(error.get("input"), quiet=bool(_QUIET.intersection(map(str, path))))
    return f"{name} is {given}: {error['msg'][:1].lower()}{error['msg'][1:]}", None


def shown(value: Any, *, quiet: bool = False) -> str:
    """Return a value short enough for a message; of what is long, or `quiet`, only its kind."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, int | float):
        return f"{value:.40g}" if isinstance(value, float) else str(value) if abs(value) < 10**40 else "a number of over 40 digits"
    if isinstance(value, str):
        return repr(value) if len(value) <= 40 and not quiet else f"text of {len(value)} characters"
    return "an object" if isinstance(value, dict) else "a list" if isinstance(value, list | tuple) else "of another kind"
