"""What takes secrets out of whatever is kept or shown."""

import base64
import html
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final
from urllib.parse import quote, quote_plus

from runwell.model.errors import StepError
from runwell.model.url_parts import LONG, as_host, url_parts

MASK: Final = "***"
_KEPT_IN_URLS: Final = "!$%&'()*+,/:;=?@[]~"
"""What a client leaves as it is in an address that it is given whole."""


class Scrubber:
    """Replaces every revealed value by `***`, also in the spellings that URLs, JSON, HTML, `repr` and base64 give it.

    Of a value that is a URL the parts that tell something are replaced as well.
    """

    def __init__(self, values: Iterable[str] = ()) -> None:
        spellings = {spelling for value in values for spelling in _spellings(value)}
        self._spellings = sorted(filter(None, spellings), key=len, reverse=True)

    def text(self, text: str) -> str:
        for spelling in self._spellings:
            text = text.replace(spelling, MASK)
        return text

    def content(self, content: bytes) -> bytes:
        for spelling in self._spellings:
            content = content.replace(spelling.encode("utf-8", "surrogatepass"), MASK.encode())
        return content

    def data(self, value: Any) -> Any:
        """Return JSON data without the values; numbers that spell one become `***` too."""
        if not self._spellings:
            return value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.text(str(key)): self.data(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.data(item) for item in value]
        if isinstance(value, int | float) and not isinstance(value, bool) and str(value) in self._spellings:
            return MASK
        return value

    def clean(self, error: StepError) -> StepError:
        """Take the values out of the error, and the exceptions that led to it off it. Raise it outside of any `except`."""
        error.message = self.text(error.message)
        error.details = self.data(error.details)
        error.args = (error.message,)
        error.__cause__ = error.__context__ = None
        return error

    def unsure(self, text: str) -> int:
        """Return how many characters at the end of the text may be the beginning of a value."""
        for length in range(min(len(text), max(map(len, self._spellings), default=0)), 0, -1):
            if any(len(spelling) > length and spelling.startswith(text[-length:]) for spelling in self._spellings):
                return length
        return 0


class ScrubbedStream:
    """Hands text on as it comes, without the values, also where one comes in pieces. `end` hands on what was held back."""

    def __init__(self, scrubber: Scrubber, show: Callable[[str], None]) -> None:
        self._scrubber, self._show, self._held = scrubber, show, ""

    def __call__(self, text: str) -> None:
        text = self._scrubber.text(self._held + text)
        sure = len(text) - self._scrubber.unsure(text)
        self._held = text[sure:]
        if sure:
            self._show(text[:sure])

    def end(self) -> None:
        held, self._held = self._held, ""
        if held:
            self._show(held)


def _spellings(value: str) -> set[str]:
    plain = {value, value.strip(), *url_parts(value)}
    return plain | {as_host(text) for text in plain if len(text) >= LONG} | {spelling for text in plain for spelling in _encodings(text)}


def _encodings(text: str) -> tuple[str, ...]:
    content = text.encode("utf-8", "surrogatepass")
    return (
        quote(content, safe=""),
        quote(content),
        quote(content, safe=_KEPT_IN_URLS),
        quote_plus(content),
        json.dumps(text)[1:-1],
        json.dumps(text, ensure_ascii=False)[1:-1],
        repr(text)[1:-1],
        html.escape(text),
        base64.b64encode(content).decode("ascii"),
    )


def credential_parts(header: str) -> set[str]:
    """Return what of a header's value must not be told: all of it, and what is secret by itself (`Bearer x`, `Basic x`)."""
    scheme, _, rest = header.strip().partition(" ")
    found = {header, *(part for part in rest.split() if len(part) >= LONG)}
    if scheme.lower() == "basic":
        found |= _basic(rest)
    return found


def _basic(encoded: str) -> set[str]:
    try:
        pair = base64.b64decode(encoded.strip(), validate=True).decode()
    except ValueError:
        return set()
    password = pair.partition(":")[2]
    return {pair, password} if len(password) >= LONG else {pair}
