"""A real `runwell serve` on a free loopback port, and a proxy before it that cuts connections."""

import os
import random
import re
import select
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import httpx2
from tests.acceptance.command_line import PATIENCE_S, RUNWELL


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a data directory below `folder`, without sign-in; yield the address once requests are answered."""
    with serving(folder) as (address, _):
        yield address


@contextmanager
def serving(folder: Path, **settings: str) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """As `served`, with further environment variables; yield the process, too, which may be killed."""
    env = {"PATH": os.defpath, "HOME": str(folder), "LANG": "C.UTF-8", "RUNWELL_DATA_DIR": str(folder / "served"), **settings}
    with (folder / "server.log").open("a") as log:
        process = subprocess.Popen(
            [RUNWELL, "serve", "--no-auth", "--port", "0"], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True
        )
        try:
            yield _ready(process, folder / "server.log"), process
        finally:
            process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                process.wait(PATIENCE_S)
            process.kill()
            process.wait()
            assert process.stdout is not None
            process.stdout.close()


def _ready(process: "subprocess.Popen[str]", log: Path) -> str:
    assert process.stdout is not None
    poll = select.poll()  # not select: a process that had many stores open has high descriptors
    poll.register(process.stdout, select.POLLIN)
    readable = poll.poll(PATIENCE_S * 1000)
    found = re.search(r"http://\S+", process.stdout.readline() if readable else "")
    assert found is not None, log.read_text()
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        with suppress(httpx2.HTTPError):
            if httpx2.get(f"{found[0]}/readyz").status_code == 200:
                return found[0]
    raise AssertionError(f"not ready: {log.read_text()}")


_CHUNK: Final = 65_536


class CuttingProxy:
    """Forwards connections to the server; cuts the first ones after as many bytes of the answer as chance says."""

    def __init__(self, address: str, cuts: int, seed: int, most_bytes: int = 6_000) -> None:
        host, port = address.removeprefix("http://").split(":")
        self._behind = (host, int(port))
        self._chance = random.Random(seed)
        self._cuts, self._most_bytes = cuts, most_bytes
        self.cut = 0
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"

    @contextmanager
    def running(self) -> Iterator["CuttingProxy"]:
        threading.Thread(target=self._accept, daemon=True).start()
        try:
            yield self
        finally:
            self._listening.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                front, _ = self._listening.accept()
                threading.Thread(target=self._serve, args=(front,), daemon=True).start()

    def _serve(self, front: socket.socket) -> None:
        with front, socket.create_connection(self._behind) as back, suppress(OSError):
            threading.Thread(target=_forward, args=(front, back), daemon=True).start()
            left = self._chance.randrange(1, self._most_bytes) if self.cut < self._cuts else None
            while piece := back.recv(_CHUNK):
                if left is not None and len(piece) >= left:
                    front.sendall(piece[:left])
                    self.cut += 1
                    front.shutdown(socket.SHUT_RDWR)
                    return
                front.sendall(piece)
                left = None if left is None else left - len(piece)


def _forward(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(_CHUNK):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)
