"""The checks of `runwell doctor`: what must be so that runs are kept and can do their work."""

import asyncio
import ipaddress
import os
import platform
import shutil
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Final, Literal

import msgspec

from runwell.adapters.models.connections import VENDOR_VARIABLES
from runwell.adapters.models.router import ModelRouter
from runwell.adapters.sandbox import MontySandbox
from runwell.cli.formatting import duration
from runwell.model.errors import DataDirectoryBusy, RunwellError
from runwell.model.scope import DEFAULT_SCOPE
from runwell.ports.models import Message, ModelRequest
from runwell.ports.sandbox import SandboxLimits
from runwell.settings import Settings
from runwell.storage.database import DATABASE_FILE
from runwell.storage.durable import obstacle
from runwell.storage.lock import LOCK_FILE, DirectoryLock

OLDEST_SQLITE: Final = (3, 37, 0)
COMMITS: Final = 20
SLOW_COMMIT_MS: Final = 50.0
LITTLE_DISK: Final = 1024**3
NO_DISK: Final = 100 * 1024**2


class Finding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one check found; `cure` says what to do about a warning or failure."""

    check: str
    verdict: Literal["ok", "warn", "fail"]
    found: str
    cure: str | None = None


def python(settings: Settings) -> Finding:
    found = f"{platform.python_version()} at {sys.executable}"
    return _finding("Python", found, fail=sys.version_info < (3, 11), cure="Runwell needs Python 3.11 or newer")


def sqlite(settings: Settings) -> Finding:
    old = sqlite3.sqlite_version_info < OLDEST_SQLITE
    return _finding("SQLite", sqlite3.sqlite_version, fail=old, cure="use a Python with SQLite 3.37 or newer")


def data_directory(settings: Settings) -> Finding:
    """Measure durable commits where the journal lies or, before there is one, where it will."""
    place = _existing(settings.data_dir)
    if (blocked := obstacle(settings.data_dir)) is not None:
        cure = "choose a directory with --data-dir or RUNWELL_DATA_DIR, or move the file away"
        return _finding("Data directory", f"{settings.data_dir} cannot be one: {blocked} is a file", fail=True, cure=cure)
    try:
        with tempfile.TemporaryDirectory(prefix=".runwell-doctor-", dir=place) as scratch:
            mode, millis = _commit_ms(Path(scratch) / DATABASE_FILE)
    except (OSError, sqlite3.Error) as exc:
        return _finding("Data directory", f"{settings.data_dir}: {exc}", fail=True, cure="choose one that you can write with --data-dir")
    found = f"{settings.data_dir}{'' if place == settings.data_dir else ' (not made yet)'}: a durable commit takes {millis:.1f} ms"
    if mode != "wal":
        return _finding("Data directory", f"{found}, no WAL", fail=True, cure="choose a local file system: this one cannot share memory")
    return _finding("Data directory", found, warn=millis > SLOW_COMMIT_MS, cure="this disk is slow to sync: choose a faster one")


def _commit_ms(path: Path) -> tuple[str, float]:
    """Return the journal mode that SQLite grants, and the median time of a commit at `synchronous=FULL`."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        mode = str(connection.execute("PRAGMA journal_mode=WAL").fetchone()[0])
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("CREATE TABLE probe (text)")
        times = []
        for _ in range(COMMITS):
            before = time.perf_counter()
            connection.execute("INSERT INTO probe VALUES ('one event')")
            times.append((time.perf_counter() - before) * 1000)
        return mode, statistics.median(times)
    finally:
        connection.close()


def lock(settings: Settings) -> Finding:
    if not (settings.data_dir / LOCK_FILE).exists():
        return _finding("Lock", "free")
    held = DirectoryLock(settings.data_dir)
    try:
        held.acquire()
    except DataDirectoryBusy as exc:
        return _finding("Lock", exc.message, warn=True, cure=exc.hint)
    except OSError as exc:
        return _finding("Lock", str(exc), fail=True, cure="check who owns the data directory")
    held.release()
    return _finding("Lock", "free")


def disk(settings: Settings) -> Finding:
    free = shutil.disk_usage(_existing(settings.data_dir)).free
    found = f"{free / 1024**3:.1f} GiB free"
    return _finding("Disk", found, warn=free < LITTLE_DISK, fail=free < NO_DISK, cure="free some space, or choose another data directory")


async def sandbox(settings: Settings) -> Finding:
    worker = MontySandbox(max_processes=1)
    before = time.perf_counter()
    try:
        result = await worker.run("1 + 1", {}, SandboxLimits(), lambda stream, text: None)
    except RunwellError as exc:
        return _finding("Sandbox", exc.message, fail=True, cure="python steps cannot run: reinstall runwell")
    finally:
        await worker.aclose()
    took = duration(round((time.perf_counter() - before) * 1000))
    return _finding("Sandbox", f"1 + 1 = {result}, in {took}", fail=result != 2, cure="python steps cannot be trusted: reinstall runwell")


async def demo_model(settings: Settings) -> Finding:
    models = ModelRouter()
    try:
        answer = await models.generate(
            ModelRequest(scope=DEFAULT_SCOPE, model="demo:doctor", messages=(Message(role="user", content="Hello"),))
        )
    except RunwellError as exc:
        return _finding("Demo model", exc.message, fail=True, cure="reinstall runwell")
    finally:
        await models.aclose()
    return _finding("Demo model", f"answers, {len(answer.text)} characters")


def provider_keys(settings: Settings, environ: Mapping[str, str] = os.environ) -> Finding:
    """Name the keys that are set; never show one."""
    known = [name for variables in VENDOR_VARIABLES.values() for name in variables.keys]
    present = [name for name in known if environ.get(name)]
    cure = f"without a key only demo: models answer; set one of {', '.join(known)}"
    return _finding("Provider keys", ", ".join(present) or "none", warn=not present, cure=cure)


def http_allow(settings: Settings) -> Finding:
    broken = [block for block in settings.http_allow if not _is_block(block)]
    if broken:
        return _finding("http_allow", f"no address block: {', '.join(broken)}", fail=True, cure="write RUNWELL_HTTP_ALLOW=10.0.0.0/8,...")
    return _finding("http_allow", ", ".join(settings.http_allow) or "public addresses only")


def _is_block(text: str) -> bool:
    try:
        ipaddress.ip_network(text)
    except ValueError:
        return False
    return True


def _existing(path: Path) -> Path:
    """Return the path, or its nearest parent that exists."""
    while not path.is_dir() and path != path.parent:
        path = path.parent
    return path


def _finding(check: str, found: str, *, warn: bool = False, fail: bool = False, cure: str | None = None) -> Finding:
    if fail:
        return Finding(check=check, verdict="fail", found=found, cure=cure)
    return Finding(check=check, verdict="warn", found=found, cure=cure) if warn else Finding(check=check, verdict="ok", found=found)


Check = Callable[[Settings], Finding | Awaitable[Finding]]

CHECKS: Final[tuple[Check, ...]] = (python, sqlite, data_directory, lock, disk, sandbox, demo_model, provider_keys, http_allow)


async def check_up(settings: Settings) -> list[Finding]:
    """Return what every check found, in the order of `CHECKS`."""
    findings = []
    for check in CHECKS:
        found = check(settings)
        findings.append(found if isinstance(found, Finding) else await asyncio.wait_for(found, timeout=30))
    return findings
