"""A body as it went over the wire, as far as it is kept."""

import base64
from contextlib import suppress
from typing import Any, Final, Literal

import msgspec

from runwell.model.scrubber import Scrubber

RAW_LIMIT: Final = 1_048_576
"""Bytes that are kept of each body."""


class RawBody(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A request's or answer's body, decoded from its content encoding; what was secret in it is `***`.

    `text` is its text, or base64 when it is none. `bytes` is its whole length; `truncated` says that `text` is only its
    beginning, and `cut` that the connection ended before the body did.
    """

    text: str
    bytes: int
    encoding: Literal["utf-8", "base64"] = "utf-8"
    truncated: bool = False
    cut: bool = False
    url: str | None = None
    status: int | None = None
    content_type: str | None = None


def shown_body(content: bytes, total: int, scrubber: Scrubber) -> RawBody:
    """Return what may be kept of `content`, which is the first part of a body of `total` bytes."""
    truncated = total > len(content)
    try:
        text = content.decode()
    except UnicodeDecodeError as exc:
        if not (truncated and exc.start >= len(content) - 3):
            return RawBody(text=base64.b64encode(scrubber.content(content)).decode(), bytes=total, encoding="base64", truncated=truncated)
        text = content[: exc.start].decode()
    text = scrubber.text(text)
    if truncated:
        text = text[: len(text) - scrubber.unsure(text)]  # half a key is no less secret
    return RawBody(text=text, bytes=total, truncated=truncated)


WITHHELD: Final = "[withheld: it held a secret in pieces]"
REDACTED: Final = "[withheld: it held what this project redacts]"


def withheld(body: RawBody, why: str = WITHHELD) -> RawBody:
    """Return the body without its text."""
    return msgspec.structs.replace(body, text=why, encoding="utf-8", truncated=True)


def tells_in_pieces(body: RawBody, scrubber: Scrubber) -> bool:
    """Say whether a stream of events holds a secret of which each event brings a piece, too short to be found by itself."""
    joined: dict[str, list[str]] = {}
    for line in body.text.splitlines():
        if line.startswith("data:"):
            with suppress(msgspec.DecodeError):
                _gather(msgspec.json.decode(line[5:]), "", joined)
    return any(scrubber.text(text) != text for text in map("".join, joined.values()))


def _gather(value: Any, path: str, joined: dict[str, list[str]]) -> None:
    if isinstance(value, str):
        joined.setdefault(path, []).append(value)
    elif isinstance(value, dict):
        for name, item in value.items():
            _gather(item, f"{path}/{name}", joined)
    elif isinstance(value, list):
        for item in value:
            _gather(item, path, joined)
