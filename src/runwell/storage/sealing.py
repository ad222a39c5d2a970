"""Sealed values: AES-256-GCM under the server's key, bound to the place at which they are kept.

A sealed value is `0x01`, the key's id (8 bytes), a nonce (12 bytes) and the ciphertext with its tag. The associated data
is kind, organization, project, row and allowed origins: a value that somebody moves to another row, project or
organization, or whose origins somebody widens, does not open. Nonces are random; a key is good for 2**32 values.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from runwell.model.errors import InvalidInput, SealBroken
from runwell.model.secret_key import SecretKey
from runwell.storage.durable import make_directory, sync_directory

KEY_FILE: Final = "secret.key"
_VERSION: Final = b"\x01"
_NONCE: Final = slice(9, 21)


class Place(msgspec.Struct, frozen=True, array_like=True):
    """Where a sealed value is kept, and whereto it may go."""

    kind: Literal["secret", "connection"]
    org_id: str
    project_id: str
    row_id: str
    origins: tuple[str, ...]


class KeyRing:
    """The key of the settings, else that of the file, which is made when the first value is sealed; and keys before it."""

    def __init__(self, directory: Path, current: SecretKey | None = None, previous: Sequence[SecretKey] = ()) -> None:
        self._file = directory / KEY_FILE
        self._current = current
        self._previous = {key.id: key for key in previous}

    def current(self) -> SecretKey:
        """Return the key to seal with. Raises `InvalidInput` when the file holds none."""
        if self._current is None:
            self._current = _read(self._file) or _make(self._file)
        return self._current

    def find(self, key_id: bytes) -> SecretKey | None:
        """Return the key of this id. None is made for it."""
        if self._current is None:
            self._current = _read(self._file)
        return self._current if self._current is not None and self._current.id == key_id else self._previous.get(key_id)


class Sealer:
    def __init__(self, keys: KeyRing) -> None:
        self._keys = keys

    def seal(self, place: Place, value: bytes) -> bytes:
        """Return the value, sealed under the current key."""
        key, nonce = self._keys.current(), os.urandom(12)
        return _VERSION + key.id + nonce + AESGCM(key.content).encrypt(nonce, value, _about(place))

    def open(self, place: Place, sealed: bytes) -> bytes:
        """Return the value. Raises `SealBroken`."""
        key = self._keys.find(sealed[1:9]) if sealed[:1] == _VERSION else None
        if key is None:
            raise SealBroken(
                f"this {place.kind} was sealed with a key that this server does not have",
                hint="set RUNWELL_SECRET_KEY, or RUNWELL_SECRET_KEY_PREVIOUS, to that key; or give the secret again",
            )
        try:
            return AESGCM(key.content).decrypt(sealed[_NONCE], sealed[_NONCE.stop :], _about(place))
        except InvalidTag:
            broken = SealBroken(
                f"this {place.kind} was moved or changed in the database since it was sealed", hint="delete it, and give the secret again"
            )
        raise broken


def _about(place: Place) -> bytes:
    return b"runwell sealed value\0" + msgspec.json.encode(msgspec.structs.replace(place, origins=tuple(sorted(place.origins))))


def _read(file: Path) -> SecretKey | None:
    try:
        fd = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise InvalidInput(f"the key file {str(file)!r} cannot be read: {exc.strerror}", hint="let this user own it") from exc
    with open(fd, encoding="ascii", errors="replace") as content:
        if os.fstat(fd).st_mode & 0o077:
            raise InvalidInput(f"others may read the key file {str(file)!r}", hint=f"chmod 600 {file}")
        return SecretKey.read(content.read(1_000), f"the file {str(file)!r}")


def _make(file: Path) -> SecretKey:
    """Write a new key so that the file is whole or not there, and never in place of another."""
    make_directory(file.parent)
    key = SecretKey(os.urandom(32))
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        with open(fd, "w", encoding="ascii") as content:
            content.write(key.text + "\n")
            content.flush()
            os.fsync(fd)
        os.link(temporary, file)
    except FileExistsError:
        return _read(file) or key
    finally:
        temporary.unlink(missing_ok=True)
    sync_directory(file.parent)
    return key
