"""Secrets in a step's input: put in at the last moment, kept out of everything that is kept.

The engine renders a template that mentions `secrets.NAME` to `{"$secret_text": ["Bearer ",
{"secret": "NAME"}]}` and names the place in `ctx.secret_pointers`. Only there is it replaced: the
same shape anywhere else came from data, and stays data. Whatever a handler hands back or raises
goes through the `Scrubber`, because the other side may echo what it was sent.
"""

import base64
import html
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final
from urllib.parse import quote, quote_plus

import msgspec

from runwell.model.errors import StepError
from runwell.ports.steps import StepContext

KEY: Final = "$secret_text"
MASK: Final = "***"

Spell = Callable[[str, str, str], str]
"""From a pointer, the text before a secret and its value to how the value is written there."""


def plain(pointer: str, before: str, value: str) -> str:
    return value


class Scrubber:
    """Replaces every revealed value by `***`, also in the spellings that URLs, JSON, HTML, `repr` and base64 give it."""

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


class Revealed(msgspec.Struct, frozen=True, kw_only=True):
    """An input with its secrets in place. It must not leave the handler; `scrubber` knows the values."""

    input: dict[str, Any]
    scrubber: Scrubber


async def reveal_secrets(ctx: StepContext, url: str | None, spell: Spell = plain) -> Revealed:
    """Return the context's input with the secret texts, at their pointers only, written by `spell` for use against `url`.

    Raises `StepError` `SECRET_MISSING`.
    """
    values: dict[str, str] = {}
    input: Any = dict(ctx.input)
    for pointer in sorted(ctx.secret_pointers):
        path = tokens(pointer)
        parts = _parts(at(input, path))
        for name in _names(parts):
            if name not in values:
                values[name] = await ctx.services.secrets.reveal(ctx.org_id, name, url)
        text = ""
        for part in parts:
            text += part if isinstance(part, str) else spell(pointer, text, values[part["secret"]])
        input = _replaced(input, path, text)
    return Revealed(input=input, scrubber=Scrubber(values.values()))


def masked(value: Any) -> Any:
    """Return a secret text with `***` in place of each secret; any other value as it is."""
    if not (isinstance(value, Mapping) and KEY in value):
        return value
    return "".join(part if isinstance(part, str) else MASK for part in _parts(value))


def tokens(pointer: str) -> list[str]:
    """Return the steps of a JSON pointer (RFC 6901), unescaped."""
    return [token.replace("~1", "/").replace("~0", "~") for token in pointer.split("/")[1:]]


def at(value: Any, path: list[str]) -> Any:
    for token in path:
        value = value[int(token)] if isinstance(value, list | tuple) else value[token]
    return value


def _replaced(value: Any, path: list[str], text: str) -> Any:
    """Return a copy of the value with the text at the path; what lies beside the path is shared."""
    if not path:
        return text
    head, *rest = path
    if isinstance(value, list | tuple):
        index = int(head)
        return [*value[:index], _replaced(value[index], rest, text), *value[index + 1 :]]
    return {**value, head: _replaced(value[head], rest, text)}


def _parts(value: Any) -> list[Any]:
    parts = value[KEY]
    assert isinstance(parts, list | tuple)
    return list(parts)


def _names(parts: list[Any]) -> list[str]:
    return [part["secret"] for part in parts if not isinstance(part, str)]


def _spellings(value: str) -> set[str]:
    plain = {value, value.strip()}
    return plain | {spelling for text in plain for spelling in _encodings(text)}


def _encodings(text: str) -> tuple[str, ...]:
    content = text.encode("utf-8", "surrogatepass")
    return (
        quote(content, safe=""),
        quote(content),
        quote_plus(content),
        json.dumps(text)[1:-1],
        json.dumps(text, ensure_ascii=False)[1:-1],
        repr(text)[1:-1],
        html.escape(text),
        base64.b64encode(content).decode("ascii"),
    )
