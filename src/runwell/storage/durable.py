"""Files and directories that outlive a power cut.

`fsync` of a file keeps its bytes; only `fsync` of the directory keeps its name.
"""

import errno
import os
from pathlib import Path


def sync_directory(path: Path) -> None:
    """Make the names within a directory durable."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def make_directory(path: Path) -> None:
    """Create a directory and its missing parents, durably and for this user only; an existing one is left as it is.

    Raises `NotADirectoryError`, which names what is in the way, and other `OSError`.
    """
    if path.is_dir():
        return
    refuse_obstacle(path)
    make_directory(path.parent)
    path.mkdir(mode=0o700, exist_ok=True)
    sync_directory(path.parent)


def obstacle(path: Path) -> Path | None:
    """Return what stands, and is no directory, where the path or one of its parents should be one."""
    return next((place for place in (path, *path.parents) if place.exists() and not place.is_dir()), None)


def refuse_obstacle(path: Path) -> None:
    """Raise `NotADirectoryError`, which names the obstacle, when the path can be no directory."""
    if (found := obstacle(path)) is not None:
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(found))


def replace_file(path: Path, temporary: Path, content: bytes) -> None:
    """Write `content` under `path` so that, whatever happens, the name stands for all of it or for what was there before."""
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with open(fd, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(fd)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_directory(path.parent)
