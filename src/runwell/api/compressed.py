"""Request bodies that come compressed."""

import zlib
from typing import Final

from runwell.api.errors import Malformed, PayloadTooLarge, UnsupportedMediaType

_WINDOWS: Final = {"gzip": 31, "deflate": 15}


def decompressed(body: bytes, encoding: str, limit: int) -> bytes:
    """Return what the body says. It takes no more memory than `limit` bytes and a little.

    Raises `PayloadTooLarge` when it says more than that, `Malformed` when it is broken, `UnsupportedMediaType` for another encoding.
    """
    named = encoding.strip().lower()
    if named in ("", "identity"):
        return body
    if named not in _WINDOWS:
        raise UnsupportedMediaType(f"the body is encoded as {encoding[:80]!r}", hint="compress it with gzip, or not at all")
    reader = zlib.decompressobj(wbits=_WINDOWS[named])
    try:
        plain = reader.decompress(body, limit + 1)
    except zlib.error as exc:
        raise Malformed(f"the body is no {named}: {exc}", hint="send it whole, or without Content-Encoding") from exc
    if len(plain) > limit:
        hint = "send fewer spans at once, or ask the operator to raise RUNWELL_MAX_BODY_BYTES"
        raise PayloadTooLarge(f"the body says more than {limit} bytes", hint=hint)
    if not reader.eof:
        raise Malformed(f"the body's {named} is cut short", hint="send it whole")
    return plain
