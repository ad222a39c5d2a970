"""Questions on the terminal, without a thread: a question can be taken back at any moment."""

import asyncio
import os
import sys
import termios
from typing import Final

_CHUNK: Final = 65_536


class Keyboard:
    """Asks on stderr and reads lines from stdin, a terminal."""

    def __init__(self) -> None:
        self._fd = sys.stdin.fileno()
        self._typed = b""
        self._is_open = False

    def end_line(self) -> None:
        """Go to the next line if a question stands on this one."""
        if self._is_open:
            self._is_open = False
            sys.stderr.write("\n")
            sys.stderr.flush()

    def discard(self) -> None:
        """Forget what was typed before it was asked for."""
        termios.tcflush(self._fd, termios.TCIFLUSH)
        self._typed = b""

    async def ask(self, question: str) -> str | None:
        """Return the answer's line, trimmed; None at the end of input (Ctrl-D). Cancel it to take the question back."""
        sys.stderr.write(question)
        sys.stderr.flush()
        self._is_open = True
        while b"\n" not in self._typed:
            try:
                more = await self._more()
            except asyncio.CancelledError:
                self.end_line()
                raise
            if not more:
                self.end_line()
                return None
        self._is_open = False
        line, _, self._typed = self._typed.partition(b"\n")
        return line.decode(errors="replace").strip()

    async def _more(self) -> bool:
        loop = asyncio.get_running_loop()
        ready: asyncio.Future[None] = loop.create_future()
        loop.add_reader(self._fd, _mark, ready)
        try:
            await ready
        finally:
            loop.remove_reader(self._fd)
        try:
            more = os.read(self._fd, _CHUNK)
        except OSError:  # the terminal is gone
            return False
        self._typed += more
        return bool(more)


def _mark(ready: "asyncio.Future[None]") -> None:
    if not ready.done():
        ready.set_result(None)
