"""Feedback tokens: `rwf_` and, in base64url, the id of the key (8 bytes), HMAC-SHA256 under a key of its own, and what is allowed.

The key is derived from the server's secret key, so that no token says anything about what is sealed under that. Nothing is kept:
a token holds until it expires, or its key is gone.
"""

import binascii
import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Final

import msgspec

from runwell.model.secret_key import SecretKey
from runwell.ports.feedback import Leave
from runwell.storage.sealing import KeyRing

PREFIX: Final = "rwf_"
_ID: Final = 8
_MAC: Final = 32


class SignedTokens:
    """`FeedbackTokens` under the keys with which secrets are sealed."""

    def __init__(self, keys: KeyRing) -> None:
        self._keys = keys

    def issue(self, leave: Leave) -> str:
        key, content = self._keys.current(), msgspec.msgpack.encode(leave)
        return PREFIX + urlsafe_b64encode(key.id + _mac(key, content) + content).rstrip(b"=").decode()

    def read(self, token: str) -> Leave | None:
        try:
            text = token.removeprefix(PREFIX).encode("ascii")
            raw = urlsafe_b64decode(text + b"=" * (-len(text) % 4))
        except (UnicodeEncodeError, binascii.Error):
            return None
        key, content = self._keys.find(raw[:_ID]), raw[_ID + _MAC :]
        if key is None or not token.startswith(PREFIX) or not hmac.compare_digest(raw[_ID : _ID + _MAC], _mac(key, content)):
            return None
        return msgspec.msgpack.decode(content, type=Leave)


def _mac(key: SecretKey, content: bytes) -> bytes:
    own = hmac.digest(key.content, b"runwell feedback token", hashlib.sha256)
    return hmac.digest(own, content, hashlib.sha256)
