"""A body as it went over the wire, as far as it is kept."""

import base64
from typing import Final, Literal

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
