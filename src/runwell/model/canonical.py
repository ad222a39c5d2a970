"""One spelling for one JSON value: sorted keys, no spaces, UTF-8. Hashes are over it."""

import hashlib
from typing import Any

import msgspec

_encoder = msgspec.json.Encoder(order="sorted")


def canonical_json(value: Any) -> bytes:
    return _encoder.encode(value)


def content_hash(value: Any) -> str:
    """Return the SHA-256 of the value's canonical JSON, as 64 hex digits."""
    return hashlib.sha256(canonical_json(value)).hexdigest()
