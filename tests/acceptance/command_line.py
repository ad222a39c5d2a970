"""The real `runwell` as a subprocess: piped, and on a terminal of its own (`pty`)."""

import errno
import fcntl
import json
import os
import pty
import re
import select
import signal
import sqlite3
import struct
import subprocess
import sys
import termios
import time
from contextlib import closing
from pathlib import Path
from typing import Any, Final

RUNWELL: Final = Path(sys.prefix) / "bin" / "runwell"
PATIENCE_S: Final = 30.0
_ESCAPES: Final = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")

Finished = subprocess.CompletedProcess[str]


class CommandLine:
    """Runs commands on one data directory, with nothing of the caller's environment but PATH."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data_dir = folder / "data"
        self.env = {"PATH": os.defpath, "HOME": str(folder), "LANG": "C.UTF-8", "TERM": "xterm", "RUNWELL_DATA_DIR": str(self.data_dir)}

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def run(self, *args: str, stdin: str = "") -> Finished:
        return subprocess.run(
            [RUNWELL, *args], cwd=self.folder, env=self.env, input=stdin, capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )

    def shell(self, script: str) -> Finished:
        """Run the script with bash, where `runwell` is the command."""
        env = self.env | {"PATH": f"{RUNWELL.parent}{os.pathsep}{os.defpath}"}
        return subprocess.run(
            ["bash", "-c", script], cwd=self.folder, env=env, capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )

    def json(self, *args: str, code: int = 0) -> Any:
        """Run the command piped, check its exit code and return what it printed."""
        done = self.run(*args)
        assert done.returncode == code, done.stdout + done.stderr
        return json.loads(done.stdout)

    def start(self, *args: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [RUNWELL, *args],
            cwd=self.folder,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def terminal(self, *args: str) -> "Terminal":
        return Terminal([str(RUNWELL), *args], self.folder, self.env)

    def wait_for_event(self, event_type: str, runs: int = 1) -> str:
        """Wait until an event of this type is durable in so many runs, reading beside their owner; return one's id."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            found = {str(line["run_id"]) for line in self._events() if line["type"] == event_type}
            if len(found) >= runs:
                return found.pop()
            time.sleep(0.02)
        raise AssertionError(f"no {event_type} within {PATIENCE_S} s")

    def _events(self) -> list[dict[str, Any]]:
        path = self.data_dir / "runwell.db"
        try:
            with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as reader:
                return [json.loads(body) for (body,) in reader.execute("SELECT body FROM event")]
        except sqlite3.OperationalError:  # not made yet
            return []


class Terminal:
    """A command on a terminal of 120 columns, as a person sees and types it."""

    def __init__(self, command: list[str], folder: Path, env: dict[str, str]) -> None:
        self._fd, inner = pty.openpty()
        fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            env=env,
            stdin=inner,
            stdout=inner,
            stderr=inner,
            start_new_session=True,
            preexec_fn=_control,
            close_fds=True,
        )
        os.close(inner)
        self.seen = ""

    def expect(self, text: str) -> str:
        """Read on until the text is on the screen, after what was expected before; return what came up to it."""
        deadline = time.monotonic() + PATIENCE_S
        while text not in self.seen:
            assert self._read(deadline), f"{text!r} did not come; this did:\n{self.seen}"
        before, _, self.seen = self.seen.partition(text)
        return before

    def type(self, text: str) -> None:
        os.write(self._fd, text.encode())

    def press_ctrl_c(self) -> None:
        self.type("\x03")

    def end(self) -> tuple[int, str]:
        """Wait for the command's end; return its exit code and what came after what was expected."""
        deadline = time.monotonic() + PATIENCE_S
        while self._read(deadline):
            pass
        code = self.process.wait(timeout=PATIENCE_S)
        os.close(self._fd)
        return code, self.seen

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        os.close(self._fd)

    def _read(self, deadline: float) -> bool:
        """Read what there is; false at the end of the output."""
        poll = select.poll()
        poll.register(self._fd, select.POLLIN)
        ready = poll.poll(max(0.0, deadline - time.monotonic()) * 1000)
        assert ready, f"nothing came for {PATIENCE_S} s; this did before:\n{self.seen}"
        try:
            more = os.read(self._fd, 65_536)
        except OSError as exc:
            if exc.errno != errno.EIO:
                raise
            return False
        self.seen += _ESCAPES.sub("", more.decode(errors="replace")).replace("\r\n", "\n")
        return bool(more)


def _control() -> None:
    """Make stdin the controlling terminal, so that Ctrl-C is a signal."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
