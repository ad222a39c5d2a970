"""Secrets that Runwell makes: 256 random bits, of which only the SHA-256 is kept.

An API key is `rw_<id>_<secret>`; the id is no secret and grows with time. A session's CSRF token and what an
OIDC sign-in needs are derived from a secret that only the browser has.
"""

import hashlib
import hmac
import re
import secrets
from base64 import urlsafe_b64encode
from typing import Final, NamedTuple

_KEY: Final = re.compile(r"rw_([0-9a-f]{20})_([A-Za-z0-9_-]{43})")


class MadeKey(NamedTuple):
    """`text` is shown once and kept nowhere."""

    text: str
    key_id: str
    secret_hash: str


def new_secret() -> str:
    """Return 256 random bits as 43 characters that need no quoting anywhere."""
    return secrets.token_urlsafe(32)


def hashed(secret: str) -> str:
    """Return what is kept of a secret."""
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()


def derived(secret: str, use: str) -> str:
    """Return another secret, which follows from this one but does not tell it."""
    return urlsafe_b64encode(hmac.digest(secret.encode(errors="replace"), use.encode(), "sha256")).rstrip(b"=").decode()


def same(one: str, other: str) -> bool:
    """Compare in a time that does not tell where they differ."""
    return hmac.compare_digest(one.encode(errors="replace"), other.encode(errors="replace"))


def new_key(now: int) -> MadeKey:
    bare, secret = f"{now:012x}{secrets.token_hex(4)}", new_secret()
    return MadeKey(f"rw_{bare}_{secret}", f"key_{bare}", hashed(secret))


def read_key(text: str) -> tuple[str, str] | None:
    """Return the key's id and the hash of its secret; None when the text is no key."""
    parts = _KEY.fullmatch(text)
    return None if parts is None else (f"key_{parts[1]}", hashed(parts[2]))
