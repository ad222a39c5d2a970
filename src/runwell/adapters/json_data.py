"""From the values that sandboxed code returns to JSON data, or a refusal that names the cure."""

import base64
import math
from collections.abc import Iterable
from datetime import date, datetime, time
from typing import Any, Final

from runwell.model.errors import StepError

MAX_DEPTH: Final = 200


def json_data(value: Any, depth: int = 0) -> Any:
    """Return the value as JSON data.

    Tuples and sets become lists, bytes base64 text, dates ISO 8601 text, dict keys text. Raises
    `StepError` `PYTHON_FAILED` for anything else, for NaN and infinity, and for what is nested too deep.
    """
    if value is None or isinstance(value, bool | str | int):
        return value
    if depth > MAX_DEPTH:
        raise _refused(f"is nested deeper than {MAX_DEPTH} levels", "return a flatter value")
    match value:
        case float():
            return _finite(value)
        case dict():
            return {_key(key): json_data(item, depth + 1) for key, item in value.items()}
        case list() | tuple():
            return [json_data(item, depth + 1) for item in value]
        case set() | frozenset():
            return _sorted(json_data(item, depth + 1) for item in value)
        case bytes():
            return base64.b64encode(value).decode("ascii")
        case datetime() | date() | time():
            return value.isoformat()
    raise _refused(f"holds a value of type {_type_name(value)}", "return text, numbers, lists or dicts, for example str(value)")


def _finite(value: float) -> float:
    if math.isfinite(value):
        return value
    raise _refused(f"holds {value}, which JSON has no word for", "return None or text instead")


def _key(key: Any) -> str:
    if isinstance(key, str):
        return key
    data = json_data(key)
    return {True: "true", False: "false", None: "null"}[data] if isinstance(data, bool | None) else str(data)


def _sorted(items: Iterable[Any]) -> list[Any]:
    """Sets have no order; sort them so that the same set gives the same list, where their items compare."""
    unsorted = list(items)
    try:
        return sorted(unsorted)
    except TypeError:
        return unsorted


def _type_name(value: Any) -> str:
    """Return the type's name as the code knows it. The sandbox sends stand-ins for its own classes and built-ins."""
    kind = type(value)
    name = getattr(value, "name", None)
    return repr(name if kind.__module__.startswith("pydantic_monty") and isinstance(name, str) else kind.__name__)


def _refused(what: str, cure: str) -> StepError:
    return StepError("PYTHON_FAILED", f"the result {what}; {cure}")
