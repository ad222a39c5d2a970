"""What a disk may hold after the power fails, given everything that a process did to its files until then.

The model, which is no kinder than a journaling file system (ext4, XFS, btrfs) on a disk with a volatile cache:

- What was written to a file before its last `fsync` is there, and so is its length at that moment.
- Each later write is independently there, absent, or torn: of its 512-byte sectors (the unit that a disk
  writes whole) any may be there. Order among them means nothing. A hole that an absent write leaves reads as
  zeros. A later change of length by truncation is independently there or not.
- A name (made, renamed, removed) is as it was at the last `fsync` of its directory, after which some first
  part of the later changes in that directory is there too: file systems keep their order within a directory.
  Each directory stops at a place of its own. `fsync` of a file does not keep its name, though ext4 would.
- A renamed file moves whole: it is never under both names, nor under none.
- `-shm` files are not files to us: SQLite rebuilds them.
"""

import itertools
import os
import random
import struct
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final, NamedTuple

SECTOR: Final = 512
_HEAD: Final = struct.Struct("<ciqII")


class Operation(NamedTuple):
    """One record of powercut.c: open, write, fsync (S), truncate, rename, unlink, mkdir, ack, by first letter."""

    kind: str
    fd: int
    number: int
    first: bytes
    second: bytes


def operations(trace: Path) -> Iterator[Operation]:
    data = trace.read_bytes()
    at = 0
    while at < len(data):
        kind, fd, number, first, second = _HEAD.unpack_from(data, at)
        at += _HEAD.size
        yield Operation(kind.decode(), fd, number, data[at : at + first], data[at + first : at + first + second])
        at += first + second


class _Write(NamedTuple):
    offset: int
    data: bytes


class _Truncate(NamedTuple):
    length: int


class _File:
    """`kept` is what the last fsync made certain; `later` is what came since."""

    def __init__(self) -> None:
        self.kept = bytearray()
        self.later: list[_Write | _Truncate] = []

    def sync(self) -> None:
        for change in self.later:
            _apply(self.kept, change)
        self.later.clear()

    def after_cut(self, rng: random.Random) -> bytes:
        content = bytearray(self.kept)
        for change in self.later:
            for part in _survivors(change, rng):
                _apply(content, part)
        return bytes(content)


def _apply(content: bytearray, change: _Write | _Truncate) -> None:
    end = change.length if isinstance(change, _Truncate) else change.offset
    if len(content) < end:
        content.extend(bytes(end - len(content)))
    if isinstance(change, _Truncate):
        del content[end:]
    else:
        content[end : end + len(change.data)] = change.data


def _survivors(change: _Write | _Truncate, rng: random.Random) -> Iterator[_Write | _Truncate]:
    fate = rng.random()
    if fate < 0.4:
        yield change
    elif fate < 0.6 and isinstance(change, _Write):
        start, end = change.offset, change.offset + len(change.data)
        bounds = [start, *range((start // SECTOR + 1) * SECTOR, end, SECTOR), end]
        for low, high in itertools.pairwise(bounds):
            if rng.random() < 0.5:
                yield _Write(low, change.data[low - start : high - start])


class _Directory:
    """Names to files and directories; `later` holds the states since the last fsync, one per change."""

    def __init__(self) -> None:
        self.now: dict[str, _File | _Directory] = {}
        self.kept: dict[str, _File | _Directory] = {}
        self.later: list[dict[str, _File | _Directory]] = []

    def change(self) -> None:
        self.later.append(dict(self.now))

    def sync(self) -> None:
        self.kept = dict(self.now)
        self.later.clear()


class Disk:
    """The files below the recorded directory, which itself is there."""

    def __init__(self) -> None:
        self._root = _Directory()
        self._open: dict[int, _File | _Directory] = {}

    def apply(self, operation: Operation) -> None:
        name = operation.first.decode("utf-8", "surrogateescape")
        match operation.kind:
            case "O":
                self._open[operation.fd] = self._opened(name, operation.number)
            case "W":
                self._file(operation.fd).later.append(_Write(operation.number, operation.first))
            case "T":
                self._file(operation.fd).later.append(_Truncate(operation.number))
            case "S":
                self._open[operation.fd].sync()
            case "M":
                self._enter(name, _Directory())
            case "U":
                self._leave(name)
            case "R":
                self._rename(name, operation.second.decode("utf-8", "surrogateescape"))

    def after_cut(self, target: Path, rng: random.Random) -> None:
        """Write to `target` what one power failure may have left."""
        _write(self._root, target, rng)

    def _file(self, fd: int) -> _File:
        found = self._open[fd]
        assert isinstance(found, _File)
        return found

    def _opened(self, name: str, flags: int) -> _File | _Directory:
        if not name:
            return self._root
        parent, last = self._parent(name)
        if last not in parent.now:
            assert flags & os.O_CREAT, name
            self._enter(name, _File())
        found = parent.now[last]
        if flags & os.O_TRUNC and isinstance(found, _File):
            found.later.append(_Truncate(0))
        return found

    def _parent(self, name: str) -> tuple[_Directory, str]:
        path = PurePosixPath(name)
        found = self._root
        for part in path.parts[:-1]:
            below = found.now[part]
            assert isinstance(below, _Directory)
            found = below
        return found, path.name

    def _enter(self, name: str, what: _File | _Directory) -> None:
        parent, last = self._parent(name)
        parent.now[last] = what
        parent.change()

    def _leave(self, name: str) -> None:
        parent, last = self._parent(name)
        del parent.now[last]
        parent.change()

    def _rename(self, old: str, new: str) -> None:
        (source, first), (target, last) = self._parent(old), self._parent(new)
        assert source is target, "the model knows no rename between directories"
        source.now[last] = source.now.pop(first)
        source.change()


def _write(directory: _Directory, path: Path, rng: random.Random) -> None:
    path.mkdir(mode=0o700, exist_ok=True)
    names = rng.choice([directory.kept, *directory.later])
    for name, what in names.items():
        if isinstance(what, _Directory):
            _write(what, path / name, rng)
        elif not name.endswith("-shm"):
            (path / name).write_bytes(what.after_cut(rng))
