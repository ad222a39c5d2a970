"""How places within inputs, outputs and metadata are written: `ticket.lang`, `items[].name`, `"a.b".c`."""

import json
import re
from functools import lru_cache
from typing import Final

PLAIN: Final = re.compile(r"[\w$-]+")
"""A key that is written as it is; any other is quoted."""

_UNQUOTABLE: Final = re.compile('["\\\\\x00-\x1f]')


def quoted(text: str) -> str:
    """Return the text between quotes, with JSON's escapes."""
    return json.dumps(text, ensure_ascii=False) if _UNQUOTABLE.search(text) else f'"{text}"'


@lru_cache(maxsize=8192)
def segment(key: str) -> str:
    """Return how an object's key is written in a path."""
    return key if PLAIN.fullmatch(key) else quoted(key)


def joined(path: str, key: str) -> str:
    """Return the path of a key of the object at `path`, which may end in the colon of `i:`, `o:` and `m:`."""
    written = segment(key) if len(key) <= 64 else segment.__wrapped__(key)
    return path + written if path[-1] == ":" else f"{path}.{written}"
