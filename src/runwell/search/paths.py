"""How places within inputs, outputs and metadata are written: `ticket.lang`, `items[].name`, `"a.b".c`."""

import json
import re
from functools import lru_cache
from typing import Final

Path = tuple[str | None, ...]
"""Keys from the outside in; None stands for any item of a list."""

PLAIN: Final = re.compile(r"[\w$-]+")
"""A key that is written as it is; any other is quoted."""

_QUOTED: Final = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_ESCAPED: Final = re.compile('["\\\\\x00-\x1f]')
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


class BadPath(Exception):
    """The text is no path; its message says what to write instead."""


class BadText(Exception):
    """What stands between the quotes is no text; its message says why."""


def quoted(text: str) -> str:
    """Return the text between quotes, with JSON's escapes."""
    return json.dumps(text, ensure_ascii=False) if _ESCAPED.search(text) else f'"{text}"'


def unquoted(text: str) -> str:
    """Return what stands between these quotes, escapes read. Raises `BadText`."""
    try:
        read = json.loads(text, strict=False)
    except ValueError as exc:
        raise BadText(r"a backslash begins an escape: \" \\ \n \t or \u and four hex digits") from exc
    assert isinstance(read, str)
    if _SURROGATE.search(read):
        raise BadText("it holds half a character (a lone surrogate)")
    return read


@lru_cache(maxsize=8192)
def _segment(key: str) -> str:
    return key if PLAIN.fullmatch(key) else quoted(key)


def segment(key: str) -> str:
    """Return how an object's key is written in a path."""
    return _segment(key) if len(key) <= 64 else _segment.__wrapped__(key)


def joined(path: str, key: str) -> str:
    """Return the path of a key of the object at `path`, which may end in the colon of `i:`, `o:` and `m:`."""
    return path + segment(key) if path[-1] == ":" else f"{path}.{segment(key)}"


def written(path: Path) -> str:
    """Return the path as it follows `input`, with its dot."""
    return "".join("[]" if key is None else f".{segment(key)}" for key in path)


def read_path(text: str) -> Path:
    """Return the path that a text such as `input.items[].name` is. Raises `BadPath`."""
    path: list[str | None] = []
    at, wanted = 0, True  # wanted: a key must come, as at the start and after a dot
    while at < len(text):
        if text.startswith("[]", at):
            path.append(None)
            at, wanted = at + 2, False
        elif text[at] == "." and not wanted:
            at, wanted = at + 1, True
        elif wanted:
            key = PLAIN.match(text, at) or _QUOTED.match(text, at)
            if key is None:
                raise BadPath(_cure(text, at))
            path.append(_key(key.group()))
            at, wanted = key.end(), False
        else:
            raise BadPath(_cure(text, at))
    if wanted:
        raise BadPath("a name must follow the dot" if text else "a name must stand here")
    return tuple(path)


def _key(text: str) -> str:
    try:
        return unquoted(text) if text[0] == '"' else text
    except BadText as exc:
        raise BadPath(str(exc)) from exc


def _cure(text: str, at: int) -> str:
    if text[at] == "[":
        return "any item of a list is written []"
    return f'a key with {text[at]!r} in it is written in quotes: input."first name"'
