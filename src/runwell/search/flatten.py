"""What can be searched of a run, made flat: what the store keeps in its indices, and what `matches` looks at.

- `kv`: `i:path=value` for texts of the input (`o:` output, `m:` metadata), `i:path#hash` for texts over `MAX_VALUE` characters,
  `i:path!true` and `i:path!false`, `i:path` for whatever is not empty, and `s:step=status`.
- `nums`: numbers by path; `path.length` of lists; `path@` of texts that are dates, in ms since 1970 UTC.
- `text`: every text, folded, once. What parts them is a word of its own: no words are next to each other across two texts.

A path is written as in the search language: `ticket.lang`, `items[].name`, `"a.b".c`. A list's items share one path.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from runwell.model.run_record import RunRecord
from runwell.search.paths import joined

MAX_ENTRIES: Final = 2_000
"""Entries of `kv`, and of `nums`, that one run may have; what comes later is not found by its path."""

MAX_TEXT: Final = 256 * 1024
"""Characters of `text`; what comes later is not found by its words."""

MAX_VALUE: Final = 64
"""A longer text is kept as its hash."""

MAX_PATH: Final = 512
"""What has a longer path is not found by it."""

BETWEEN: Final = "\n\ue000\n"
"""A character that is nobody's word."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MS: Final = timedelta(milliseconds=1)
_TOKEN: Final = re.compile("[0-9A-Za-z\x80-\U0010ffff]+")
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?)?", re.ASCII)


class Flat(NamedTuple):
    kv: list[str]
    nums: list[tuple[str, float]]
    text: str


def fold(text: str) -> str:
    """Return the text in lower case, character by character, so that its length stays."""
    if text.isascii():
        return text.lower()
    return "İ".join(
        part.lower() for part in text.replace("\u03a3", "\u03c3").split("İ")
    )  # capital sigma, dotted I: their lower case is not one to one


def tokens(text: str) -> list[str]:
    """Return the words of the text, folded. ASCII characters that are neither letters nor digits part them."""
    return _TOKEN.findall(fold(text))


def moment_of(text: str) -> int | None:
    """Return ms since 1970 UTC when the text is an ISO 8601 date, or date and time. Without an offset it is UTC."""
    if not 10 <= len(text) <= 35 or text[4] != "-" or not _MOMENT.fullmatch(text):
        return None
    try:
        moment = datetime.fromisoformat(text)
        return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH) // _MS
    except (ValueError, OverflowError):
        return None


def entry(path: str, value: str) -> str:
    """Return what `kv` holds for a text at this path."""
    if len(value) <= MAX_VALUE:
        return f"{path}={value}"
    return f"{path}#{hashlib.sha256(value.encode(errors='replace')).hexdigest()[:32]}"


def truth(path: str, value: bool) -> str:
    """Return what `kv` holds for a boolean at this path."""
    return f"{path}!{'true' if value else 'false'}"


def flatten(record: RunRecord) -> Flat:
    """Return what can be searched of the run."""
    paths = _Paths()
    paths.kv.update(dict.fromkeys(sorted({f"s:{step.id}={step.status}" for step in record.steps})))
    paths.add("m:", record.metadata)
    texts: list[str] = [record.error_message] if record.error_message else []
    texts += paths.add("i:", record.input)
    texts += paths.add("o:", record.output)
    texts += _spoken(record, set(texts))
    return Flat(list(paths.kv), list(paths.nums), _bounded(texts))


def _bounded(texts: Iterable[str]) -> str:
    kept, room = [], MAX_TEXT
    for text in texts:
        if room <= 0:
            break
        kept.append(text[:room])
        room -= len(text) + len(BETWEEN)
    return fold(BETWEEN.join(kept))


def _spoken(record: RunRecord, said: set[str]) -> Iterator[str]:
    """Yield what was said to models and by them, once: prompts repeat inputs, and each call what was said before."""
    for generation in record.generations:
        prompts = [value for message in generation.messages or () for key, value in message.items() if key != "role"]
        for text in leaves([prompts, generation.response, generation.error_message]):
            if text not in said:
                said.add(text)
                yield text


def leaves(value: Any) -> Iterator[str]:
    """Yield every text within a JSON value, in order."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict):
            waiting.extend(reversed(item.values()))
        elif isinstance(item, list | tuple):
            waiting.extend(reversed(item))


class _Paths:
    """Dicts, as sets that keep their order."""

    def __init__(self) -> None:
        self.kv: dict[str, None] = {}
        self.nums: dict[tuple[str, float], None] = {}

    def add(self, path: str, value: Any) -> list[str]:
        """Take a JSON value in; return its texts. What nests deep must not need a deep stack."""
        texts: list[str] = []
        waiting: list[tuple[str, Any]] = [(path, value)]
        while waiting:
            path, value = waiting.pop()
            if len(path) > MAX_PATH:
                texts.extend(leaves(value))
            elif isinstance(value, str):
                texts.append(value)
                self._text(path, value)
            elif isinstance(value, dict):
                if value:
                    self._keep(path)
                    waiting.extend((joined(path, key), value[key]) for key in reversed(value))
            elif isinstance(value, list | tuple):
                self._number(joined(path, "length"), len(value))
                if value:
                    self._keep(path)
                    inner = f"{path}[]"
                    waiting.extend((inner, item) for item in reversed(value))
            elif isinstance(value, bool):
                self._keep(path)
                self._keep(truth(path, value))
            elif value is not None:
                self._keep(path)
                self._number(path, value)
        return texts

    def _text(self, path: str, value: str) -> None:
        if value:
            self._keep(path)
        self._keep(entry(path, value))
        at = moment_of(value)
        if at is not None:
            self._number(f"{path}@", at)

    def _keep(self, text: str) -> None:
        if len(self.kv) < MAX_ENTRIES:
            self.kv[text] = None

    def _number(self, path: str, value: float) -> None:
        if len(self.nums) < MAX_ENTRIES:
            try:
                self.nums[path, float(value) + 0.0] = None  # -0.0 becomes 0.0: ClickHouse's IN takes them for two
            except OverflowError:  # an integer beyond all floats
                return
