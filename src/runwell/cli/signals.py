"""What the keyboard and the system ask of this process while it carries a run."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

Wish = Literal["graceful", "immediate", "leave"]
"""Ctrl-C once: stop the run, what runs may end. Twice: stop it at once. SIGTERM: leave the run, it goes on later."""


class Wishes:
    """Tells `listener` each wish, in order, on the event loop's thread."""

    def __init__(self, listener: Callable[[Wish], None]) -> None:
        self._listener = listener
        self._interrupts = 0

    @contextmanager
    def heard(self) -> Iterator[None]:
        """Listen for as long as the context lasts. A third Ctrl-C interrupts Python itself."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGINT, self._interrupt, loop)
        loop.add_signal_handler(signal.SIGTERM, self._listener, "leave")
        try:
            yield
        finally:
            loop.remove_signal_handler(signal.SIGINT)
            loop.remove_signal_handler(signal.SIGTERM)

    def _interrupt(self, loop: asyncio.AbstractEventLoop) -> None:
        self._interrupts += 1
        if self._interrupts > 1:
            loop.remove_signal_handler(signal.SIGINT)
        self._listener("graceful" if self._interrupts == 1 else "immediate")
