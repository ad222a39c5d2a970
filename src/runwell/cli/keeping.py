"""What a person is told while nothing can be kept, and when that is given up."""

import asyncio
from collections.abc import Callable
from typing import Final

from runwell.cli.formatting import one_line
from runwell.model.errors import JournalUnavailable
from runwell.ports.keeping import Trouble

PATIENCE_S: Final = 10.0
"""How long it is tried again before the run is left."""


class KeepingWatch:
    """Listens to `Keeping`: says what is wrong at once, and calls `give_up` when that lasts."""

    def __init__(self, say: Callable[[str], None], give_up: Callable[[], None]) -> None:
        self._say = say
        self._give_up = give_up
        self._trouble: Trouble | None = None
        self._timer: asyncio.TimerHandle | None = None

    def hear(self, trouble: Trouble | None) -> None:
        self.close()
        self._trouble = trouble
        if trouble is None:
            self._say("It goes on: what happens is kept again.")
            return
        cure = f" Cure: {one_line(trouble.error.hint)}." if trouble.error.hint else ""
        self._say(f"error: {one_line(trouble.error.message)}. Trying again for {PATIENCE_S:g} s.{cure}")
        self._timer = asyncio.get_running_loop().call_later(PATIENCE_S, self._give_up)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def require(self) -> None:
        """Raise `JournalUnavailable` when what happened last is not kept."""
        if self._trouble is not None:
            error = self._trouble.error
            raise JournalUnavailable(f"the run is left as it was kept: {error.message}", hint=error.hint)


def located(error: JournalUnavailable, directory: str) -> JournalUnavailable:
    """Return the error with the directory that it is about."""
    if directory in error.message:
        return error
    return JournalUnavailable(f"{directory}: {error.message}", hint=error.hint)
