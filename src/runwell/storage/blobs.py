"""Payloads too large for the journal: files named by the SHA-256 of what they hold.

    <root>/ab/cdef0123...   the name is the hash, less its first two digits, which are the directory

A payload is written once and never changed. Whoever puts the same bytes again gets the same reference.
A crash between `put` and the commit that mentions the payload leaves a file that nobody refers to.
"""

import hashlib
import itertools
import os
import re
from pathlib import Path
from typing import Final

from runwell.model.errors import InvalidInput, JournalUnavailable, NotFound
from runwell.storage.durable import make_directory, replace_file, sync_directory

_REF: Final = re.compile(r"sha256:([0-9a-f]{2})([0-9a-f]{62})")


class DirectoryBlobs:
    """Payloads in a directory. Safe to use from several threads."""

    def __init__(self, path: Path) -> None:
        self._root = path
        self._durable_folders: set[Path] = set()
        self._numbers = itertools.count()

    def put(self, content: bytes) -> str:
        """Make the bytes durable and return their reference. Blocking; raises `OSError` when the disk refuses."""
        ref = f"sha256:{hashlib.sha256(content).hexdigest()}"
        path = self._path(ref)
        self._make_folder(path.parent)
        if _holds(path, content):
            sync_directory(path.parent)  # whoever wrote it may have died before its name was durable
        else:
            replace_file(path, path.with_name(f"tmp-{os.getpid()}-{next(self._numbers)}"), content)
        return ref

    def get(self, ref: str) -> bytes:
        """Return the bytes. Raises `NotFound`, or `JournalUnavailable` when the file no longer holds what was put."""
        path = self._path(ref)
        try:
            content = path.read_bytes()
        except FileNotFoundError as exc:
            raise NotFound(f"the payload {ref!r} is missing", hint=f"restore {str(path)!r} from a backup") from exc
        if f"sha256:{hashlib.sha256(content).hexdigest()}" != ref:
            raise JournalUnavailable(f"the payload {ref!r} is damaged", hint=f"restore {str(path)!r} from a backup")
        return content

    def remove(self, ref: str) -> None:
        """Delete the payload, durably. Nobody may put the same bytes meanwhile."""
        path = self._path(ref)
        try:
            path.unlink()
        except FileNotFoundError:
            return
        sync_directory(path.parent)

    def _path(self, ref: str) -> Path:
        match = _REF.fullmatch(ref)
        if match is None:
            raise InvalidInput(f"{ref!r} is no payload reference", hint="a reference is sha256: and 64 hex digits")
        return self._root / match[1] / match[2]

    def _make_folder(self, folder: Path) -> None:
        """Create the folder, durably; one that exists may be a dead process's, its name not yet durable."""
        if folder in self._durable_folders:
            return
        make_directory(self._root)
        folder.mkdir(mode=0o700, exist_ok=True)
        sync_directory(self._root)
        self._durable_folders.add(folder)


def _holds(path: Path, content: bytes) -> bool:
    try:
        return path.read_bytes() == content
    except FileNotFoundError:
        return False
