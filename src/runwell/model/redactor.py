"""Takes out of data what a project does not want to be kept, and puts `[redacted:<name>]` in its place.

A path begins with where the data is from: `input`, `output`, `metadata`; or with `*`, for anywhere and at any depth. What follows are
keys, without regard to case; `*` (or `[]`) stands for any one key or element. A key with dots is quoted: `input."card.number"`.
A text that is JSON is looked into like what it says, and written anew when something was taken out.

Doing it twice does what doing it once does: what stands for something is never looked into.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, Literal

import msgspec

from runwell.model.errors import InvalidInput
from runwell.model.redaction import Redaction, mark
from runwell.model.sensitive_text import KINDS

Root = Literal["input", "output", "metadata"]

ROOTS: Final = ("input", "output", "metadata", "*")
MOST_SEGMENTS: Final = 30
NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,40}")

Replace = Callable[[str, str], str]
"""From a text and what is to stand for each match to the text without them."""

CompilePattern = Callable[[str], Replace]
"""From a regular expression to what replaces its matches, in time that grows with the text only. Raises `InvalidInput`."""

_SEGMENT: Final = re.compile(r'"((?:[^"\\]|\\.)*)"|([^."\[\]]+)|\[\]')
_ANY: Final = "*"

_Place = tuple["_Path", int]
"""How many of a path's segments were passed."""


class _Path:
    """One rule about places. `segments` are in lower case, without the root; `anywhere`: they may begin at any depth."""

    def __init__(self, text: str) -> None:
        segments = list(_segments(text))
        root, *self.segments = segments or [""]
        if root not in ROOTS or not self.segments or len(segments) > MOST_SEGMENTS:
            hint = "write it like input.card.number, output.*.iban or *.password: where it begins, then keys, * for any one"
            raise InvalidInput(f"{text!r:.200} is no path", hint=hint)
        if all(segment == _ANY for segment in self.segments):
            raise InvalidInput(f"{text!r:.200} names no key: it would leave nothing", hint="end it with the key that is to go")
        self.root, self.anywhere = root, root == _ANY
        named = next(segment for segment in reversed(self.segments) if segment != _ANY)
        self.mark = mark(re.sub(r"[^A-Za-z0-9_-]", "_", named)[:40])


def _segments(text: str) -> Iterator[str]:
    at = 0
    while at < len(text):
        found = _SEGMENT.match(text, at)
        if found is None:
            raise InvalidInput(f"{text!r:.200} is no path", hint='a key with dots, quotes or brackets is quoted: input."card.number"')
        at = found.end()
        try:
            yield _ANY if found[0] == "[]" else found[2].casefold() if found[2] is not None else str(json.loads(found[0])).casefold()
        except ValueError as exc:
            raise InvalidInput(f"{found[0]!r:.200} is no quoted key", hint="quote it as JSON does") from exc
        if text[at : at + 1] == "." and at + 1 < len(text):
            at += 1
        elif at < len(text) and text[at] != "[":
            raise InvalidInput(f"{text!r:.200} is no path", hint="keys are parted by single dots")


class Redactor:
    """Raises `InvalidInput` for rules that cannot be followed."""

    def __init__(self, rules: Redaction, compile_pattern: CompilePattern) -> None:
        self._paths = [_Path(text) for text in rules.paths]
        self._anywhere: list[_Place] = [(path, 0) for path in self._paths if path.anywhere]
        patterns = [(mark(rule.name), compile_pattern(rule.pattern)) for rule in rules.patterns]
        for rule in rules.patterns:
            if not NAME.fullmatch(rule.name):
                raise InvalidInput(f"{rule.name!r:.100} cannot name a rule", hint="use letters, digits, _ and -, at most 40")
        self._replacements: list[tuple[str, Replace]] = [
            *((mark(kind), _by_spans(find)) for kind, find in KINDS.items() if kind in rules.kinds),
            *patterns,
        ]
        known = {name for name, _ in self._replacements} | {path.mark for path in self._paths}
        self._marks = re.compile("|".join(map(re.escape, sorted(known))) or r"(?!)")

    @property
    def knows_paths(self) -> bool:
        """Say whether any rule is about a place."""
        return bool(self._paths)

    def data(self, value: Any, *roots: Root) -> Any:
        """Return JSON data without what is not to be kept; the very same object when there is nothing. `roots`: where it is from."""
        places: list[_Place] = [(path, 0) for path in self._paths if path.anywhere or path.root in roots]
        try:
            return self._value(value, places)
        except RecursionError:
            return mark("too-deep")

    def text(self, text: str) -> str:
        """Return the text without what is not to be kept."""
        try:
            return str(self._text(text, self._anywhere))
        except RecursionError:
            return mark("too-deep")

    def _value(self, value: Any, places: list[_Place]) -> Any:
        if isinstance(value, str):
            return self._text(value, places)
        if isinstance(value, dict):
            return self._object(value, places)
        if isinstance(value, list | tuple):
            items = [self._below(item, None, places) for item in value]
            return value if all(new is old for new, old in zip(items, value, strict=True)) else type(value)(items)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return value
        return self._number(value)

    def _object(self, value: dict[str, Any], places: list[_Place]) -> dict[str, Any]:
        kept: dict[str, Any] = {}
        changed = False
        for key, inner in value.items():
            name, new = self._plain(key), self._below(inner, key.casefold(), places)
            changed = changed or new is not inner or name != key
            while name != key and name in kept:
                name += "'"
            kept[name] = new
        return kept if changed else value

    def _below(self, value: Any, key: str | None, places: list[_Place]) -> Any:
        """Redact what stands under a key, or, without one, in a list."""
        below: list[_Place] = list(self._anywhere)
        for path, at in places:
            if path.segments[at] not in (_ANY, key):
                continue
            if at + 1 < len(path.segments):
                below.append((path, at + 1))
            elif value is not None:
                return value if value == path.mark else path.mark
        return self._value(value, below)

    def _number(self, value: int | float) -> Any:
        if not self._replacements:
            return value
        text = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
        clean = self._plain(text)
        return value if clean == text else clean

    def _text(self, text: str, places: list[_Place]) -> str:
        if places and text.lstrip()[:1] in ("{", "["):
            clean = self._inside(text, places)
            if clean is not None:
                return clean
        return self._plain(text)

    def _inside(self, text: str, places: list[_Place]) -> str | None:
        """Return the JSON that the text is, redacted; None when it is none, or says nothing that must go."""
        try:
            value = msgspec.json.decode(text)
        except (msgspec.MsgspecError, UnicodeEncodeError):
            return None
        clean = self._value(value, places)
        return None if clean is value else msgspec.json.encode(clean).decode()

    def _plain(self, text: str) -> str:
        if not self._replacements or not text:
            return text
        clean = text
        for name, replace in self._replacements:
            clean = _around(self._marks, clean, name, replace)
        return text if clean == text else clean


def _around(marks: re.Pattern[str], text: str, name: str, replace: Replace) -> str:
    """Replace in what is no mark."""
    if "[redacted:" not in text:
        return replace(text, name)
    pieces, at = list[str](), 0
    for found in marks.finditer(text):
        pieces += (replace(text[at : found.start()], name), found[0])
        at = found.end()
    return "".join((*pieces, replace(text[at:], name)))


def _by_spans(find: Callable[[str], Iterator[tuple[int, int]]]) -> Replace:
    def replace(text: str, name: str) -> str:
        spans: Sequence[tuple[int, int]] = list(find(text))
        for start, end in reversed(spans):
            text = text[:start] + name + text[end:]
        return text

    return replace
