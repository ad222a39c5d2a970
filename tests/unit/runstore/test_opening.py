"""Opening the run store leaves the process as it was, and does not hold it up."""

import subprocess
import sys
from pathlib import Path

import pytest

from runwell.model.errors import InvalidInput
from runwell.runstore.url import RunStoreUrl

_IN_A_PROCESS = """
import asyncio, ctypes, faulthandler, signal, sys, threading
from pathlib import Path
from runwell.runstore.store import open_run_store

assert "chdb" not in sys.modules and "clickhouse_connect" not in sys.modules
faulthandler.enable()

def actions():
    found = {}
    for number in range(1, signal.SIGRTMIN):
        action = ctypes.create_string_buffer(1024)
        if ctypes.CDLL(None).sigaction(number, None, action) == 0:
            found[number] = action.raw[:8]  # the handler
    return found

async def main():
    loop = asyncio.get_running_loop()
    asked = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, asked.set)
    before, blocked = actions(), signal.pthread_sigmask(signal.SIG_BLOCK, [])
    store = open_run_store(Path(sys.argv[1]))
    await store.clear()
    assert store.trouble() is None and await store.position() == 0
    assert "chdb" in sys.modules
    assert actions() == before, "handlers were replaced"
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == blocked
    signal.raise_signal(signal.SIGTERM)
    await asyncio.wait_for(asked.wait(), 5)
    await store.close()
    assert actions() == before

asyncio.run(main())
"""


def test_signal_handlers_stay_as_they_were(tmp_path: Path) -> None:
    found = subprocess.run([sys.executable, "-c", _IN_A_PROCESS, str(tmp_path / "runs")], capture_output=True, text=True, timeout=60)
    assert (found.returncode, found.stderr) == (0, "")


def test_the_planted_import_without_care_is_seen(tmp_path: Path) -> None:
    planted = _IN_A_PROCESS.replace("from pathlib", "from runwell.runstore import engine, targets\nfrom pathlib", 1).replace(
        "async def main", "def careless():\n    import chdb\n\ntargets.import_engine = careless\n\nasync def main", 1
    )
    found = subprocess.run([sys.executable, "-c", planted, str(tmp_path / "runs")], capture_output=True, text=True, timeout=60)
    assert "handlers were replaced" in found.stderr


def test_the_loop_goes_on_while_it_opens(tmp_path: Path) -> None:
    script = f"""
import asyncio, time
from pathlib import Path
from runwell.runstore.store import open_run_store

async def main():
    longest, last, is_open = 0.0, time.perf_counter(), asyncio.Event()
    store = open_run_store(Path({str(tmp_path / "runs")!r}))
    opening = asyncio.create_task(store.clear())
    while not opening.done():
        await asyncio.sleep(0.001)
        longest, last = max(longest, time.perf_counter() - last), time.perf_counter()
    print(longest)
    await store.close()

asyncio.run(main())
"""
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert float(found.stdout) < 1.0


@pytest.mark.parametrize(
    ("text", "shown", "host", "port", "database", "is_tls"),
    [
        ("clickhouse://me:p%40ss@db:9000/runs", "clickhouse://me@db:9000/runs", "db", 9000, "runs", False),
        ("http://db", "http://db", "db", 8123, "runwell", False),
        ("https://me@db/", "https://me@db/", "db", 8443, "runwell", True),
        ("clickhouses://[::1]:1/x", "clickhouses://[::1]:1/x", "::1", 1, "x", True),
    ],
)
def test_urls(text: str, shown: str, host: str, port: int, database: str, is_tls: bool) -> None:
    url = RunStoreUrl(text)
    assert (str(url), url.host, url.port, url.database, url.is_tls) == (shown, host, port, database, is_tls)
    assert "p@ss" not in repr(url)
    assert (url.password == "p@ss") == ("%40" in text)


@pytest.mark.parametrize(
    "text", ["", "secret", "postgresql://secret@x/", "clickhouse://", "http://h:secret", "http://h/a/secret", "http://h/?secret"]
)
def test_urls_that_cannot_be_are_not_repeated(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        RunStoreUrl(text)
    assert "secret" not in str(refused.value)
