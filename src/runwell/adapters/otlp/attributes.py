"""A span's attributes, read by whoever knows their names. What nobody took is left, and kept as it is."""

import math
from typing import Any, Final

import msgspec

_MOST_WHOLE: Final = 2**53
_MOST_LEVELS: Final = 12
_MOST_DEPTH: Final = 64
"""JSON in a text that is nested deeper stays text."""


class Attributes:
    """Each `take...` looks for the first of several names that has a fitting value, and takes that one out."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.left = {key: value for key, value in values.items() if value is not None}

    def __contains__(self, name: str) -> bool:
        return name in self.left

    def peek(self, name: str) -> Any:
        return self.left.get(name)

    def take(self, *names: str) -> Any:
        return next((self.left.pop(name) for name in names if name in self.left), None)

    def text(self, *names: str) -> str | None:
        for name in names:
            value = self.left.get(name)
            if isinstance(value, str | int | float) and not isinstance(value, bool) and str(value):
                return str(self.left.pop(name))
        return None

    def number(self, *names: str) -> float | None:
        """A finite number that is not negative."""
        for name in names:
            found = number_of(self.left.get(name))
            if found is not None:
                del self.left[name]
                return found
        return None

    def whole(self, *names: str) -> int | None:
        found = self.number(*names)
        return None if found is None else int(min(found, _MOST_WHOLE))

    def data(self, *names: str) -> Any:
        """A value; of a text that is JSON, what it says."""
        return data_of(self.take(*names))

    def under(self, prefix: str) -> dict[str, Any]:
        """Everything whose name begins with the prefix and a dot, by what follows."""
        found = {key: value for key, value in self.left.items() if key.startswith(f"{prefix}.")}
        for key in found:
            del self.left[key]
        return {key[len(prefix) + 1 :]: value for key, value in found.items()}

    def tree(self, prefix: str) -> Any:
        """What is flattened below the prefix (`prefix.0.role`), as lists and objects; None without any."""
        root: dict[str, Any] = {}
        for key in [key for key in self.left if key.startswith(f"{prefix}.")]:
            if _hang(root, key[len(prefix) + 1 :].split(".", _MOST_LEVELS), self.left[key]):
                del self.left[key]
        return _listed(root) if root else None


def _hang(node: dict[str, Any], path: list[str], value: Any) -> bool:
    for part in path[:-1]:
        below = node.setdefault(part, {})
        if not isinstance(below, dict):
            return False
        node = below
    if path[-1] in node:
        return False
    node[path[-1]] = value
    return True


def _listed(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    items = {key: _listed(value) for key, value in node.items()}
    if items and all(key.isdecimal() and len(key) < 10 for key in items):
        return [items[key] for key in sorted(items, key=int)]
    return items


def number_of(value: Any) -> float | None:
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        return None
    return value


def data_of(value: Any) -> Any:
    """Return what a text says that is JSON of an object or a list; anything else as it is."""
    if not isinstance(value, str) or value.lstrip()[:1] not in ("{", "["):
        return value
    try:
        found = msgspec.json.decode(value)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return value
    return found if _is_flat(found) else value


def _is_flat(value: Any) -> bool:
    level = [value]
    for _ in range(_MOST_DEPTH):
        level = [item for held in level for item in (held.values() if isinstance(held, dict) else held if isinstance(held, list) else ())]
        if not level:
            return True
    return False
