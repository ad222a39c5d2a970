"""The peers' own environments: made at benchmark time, from pinned and hashed requirements, never mixed with Runwell's."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from benchmarks.measure import ENVS

ROOT: Final = Path(__file__).parents[2]
PEERS: Final = ("langgraph", "dbos")
TIMEOUT_S: Final = 180


class BenchmarkFailed(Exception):
    """A benchmark's process did not print its result."""


def prepare(peer: str) -> Path:
    """Bring the peer's environment to its requirement file, and return its Python. Quick when nothing changed."""
    environment = ENVS / peer
    python = environment / "bin" / "python"
    if not python.exists():
        _uv("venv", "--quiet", "--python", sys.executable, str(environment))
    _uv("pip", "sync", "--quiet", "--require-hashes", "--python", str(python), f"benchmarks/peers/{peer}.txt")
    return python


def result_of(python: Path | str, module: str) -> dict[str, Any]:
    """Run a benchmark module with this Python, in a process of its own, and return the JSON object it prints."""
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    try:
        done = subprocess.run([str(python), "-m", module], cwd=ROOT, env=env, capture_output=True, text=True, check=True, timeout=TIMEOUT_S)
        result: dict[str, Any] = json.loads(done.stdout.strip().rpartition("\n")[2])
    except subprocess.CalledProcessError as exc:
        raise BenchmarkFailed(f"{module} ended with exit code {exc.returncode}:\n{exc.stderr[-4_000:]}") from exc
    except subprocess.TimeoutExpired as exc:
        raise BenchmarkFailed(f"{module} took longer than {TIMEOUT_S} s") from exc
    except ValueError as exc:
        raise BenchmarkFailed(f"{module} printed no JSON object") from exc
    return result


def _uv(*arguments: str) -> None:
    subprocess.run(["bash", "scripts/uv.sh", *arguments], cwd=ROOT, check=True)
