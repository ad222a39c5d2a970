"""Secrets in a step's input: put in at the last moment, kept out of everything that is kept.

The engine renders a template that mentions `secrets.NAME` to `{"$secret_text": ["Bearer ",
{"secret": "NAME"}]}` and names the place in `ctx.secret_pointers`. Only there is it replaced: the
same shape anywhere else came from data, and stays data. Whatever a handler hands back or raises
goes through the `Scrubber`, because the other side may echo what it was sent.
"""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from runwell.model.errors import StepError
from runwell.model.origins import permits
from runwell.model.scrubber import MASK, Scrubber
from runwell.ports.secrets import Secret
from runwell.ports.steps import StepContext

KEY: Final = "$secret_text"

Spell = Callable[[str, str, str], str]
"""From a pointer, the text before a secret and its value to how the value is written there."""


def plain(pointer: str, before: str, value: str) -> str:
    return value


class Revealed(msgspec.Struct, frozen=True, kw_only=True):
    """An input with its secrets in place. It must not leave the handler; `scrubber` knows the values.

    `masked` is the input with `***` instead of each secret: what may be shown. Before the input is sent
    anywhere, `check` must have been called with the address.
    """

    input: dict[str, Any]
    masked: dict[str, Any] = {}
    secrets: tuple[Secret, ...] = ()

    @property
    def scrubber(self) -> Scrubber:
        return Scrubber(secret.value for secret in self.secrets)

    def check(self, url: str) -> None:
        """Raise `StepError` `SECRET_REFUSED` when one of the secrets is bound to other origins than the address's."""
        for secret in self.secrets:
            if secret.origins is not None and not permits(secret.origins, url):
                allowed = ", ".join(secret.origins)
                raise StepError(
                    "SECRET_REFUSED", f"the secret {secret.name!r} may only be sent to {allowed}; send it there, or change that"
                )


async def reveal_secrets(ctx: StepContext, spell: Spell = plain) -> Revealed:
    """Return the context's input with the secret texts, at their pointers only, written by `spell`.

    Raises `StepError` `SECRET_MISSING` and `SECRET_UNREADABLE`.
    """
    known: dict[str, Secret] = {}
    input: Any = dict(ctx.input)
    masked: Any = input
    for pointer in sorted(ctx.secret_pointers):
        path = tokens(pointer)
        parts = _parts(at(input, path))
        for name in _names(parts):
            if name not in known:
                known[name] = await ctx.services.secrets.reveal(ctx.scope, name)
        text = ""
        for part in parts:
            text += part if isinstance(part, str) else spell(pointer, text, known[part["secret"]].value)
        input = _replaced(input, path, text)
        masked = _replaced(masked, path, "".join(part if isinstance(part, str) else MASK for part in parts))
    return Revealed(input=input, masked=masked, secrets=tuple(known.values()))


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
