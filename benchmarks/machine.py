"""What the numbers were measured on: without it they mean nothing."""

import os
import platform
import sqlite3
from pathlib import Path


def pin(cores: int) -> list[int]:
    """Bind this process, and all that it starts, to its last `cores` cores; return their numbers, none where the system cannot."""
    if not hasattr(os, "sched_setaffinity"):
        return []
    chosen = sorted(os.sched_getaffinity(0))[-cores:]  # the first one is where a system likes to handle interrupts
    os.sched_setaffinity(0, chosen)
    return chosen


def describe(data: Path) -> dict[str, str]:
    """Return what is known of processor, kernel, disk under `data`, Python and SQLite."""
    return {
        "cpu": f"{_cpu()}, {os.cpu_count()} cores",
        "kernel": f"{platform.system()} {platform.release()}",
        "disk": _disk(data),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
    }


def _cpu() -> str:
    for line in _read(Path("/proc/cpuinfo")).splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _disk(data: Path) -> str:
    number = data.stat().st_dev
    device = Path(f"/sys/dev/block/{os.major(number)}:{os.minor(number)}").resolve()
    filesystem = _filesystem(f"{os.major(number)}:{os.minor(number)}")
    if not device.is_dir():
        return filesystem
    disk = device if (device / "queue").is_dir() else device.parent  # a partition's queue is its disk's
    told = {"0": "solid state", "1": "rotational"}.get(_read(disk / "queue/rotational"), "unknown kind")
    kind = "virtual" if disk.name.startswith(("vd", "xvd")) else told  # what a virtual disk tells says nothing
    cache = _read(disk / "queue/write_cache") or "unknown"
    return f"{filesystem} on {disk.name} ({kind}, write cache: {cache})"


def _filesystem(number: str) -> str:
    for line in _read(Path("/proc/self/mountinfo")).splitlines():
        left, _, right = line.partition(" - ")
        if left.split()[2] == number:
            return right.split()[0]
    return "unknown file system"


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return ""
