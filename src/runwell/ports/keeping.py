"""Whether the journal keeps what is appended, told live within the process.

The runtime takes up again, once a second, every run whose events were not kept. So while such a run is there,
the next failure or the first success is never far, and after a while without either nobody has tried.
"""

from collections.abc import Callable
from typing import Final

import msgspec

from runwell.model.errors import JournalUnavailable

QUIET_MS: Final = 10_000
"""After so long without a failure nothing is known of the journal."""


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """Appends are not kept, for the reason of `error`. `since` and `last`: when the first and the last failed, in ms."""

    error: JournalUnavailable
    since: int
    last: int


TroubleListener = Callable[[Trouble | None], None]


class Keeping:
    """Listeners are called when trouble begins and, with None, when an append is kept again; they must not raise."""

    def __init__(self) -> None:
        self._trouble: Trouble | None = None
        self._listeners: list[TroubleListener] = []

    def listen(self, listener: TroubleListener) -> Callable[[], None]:
        """Call `listener` from now on, and at once if there is trouble; return what ends that."""
        self._listeners.append(listener)
        if self._trouble is not None:
            listener(self._trouble)
        return lambda: self._listeners.remove(listener)

    def trouble(self, now: int) -> Trouble | None:
        """Return the trouble that there is, as far as is known."""
        return self._trouble if self._trouble is not None and now - self._trouble.last < QUIET_MS else None

    def failed(self, error: BaseException, now: int) -> None:
        """Take note that an append failed; what is not the journal's fault is no trouble."""
        if not isinstance(error, JournalUnavailable):
            return
        before = self.trouble(now)
        self._trouble = Trouble(error=error, since=now if before is None else before.since, last=now)
        if before is None:
            self._tell(self._trouble)

    def kept(self) -> None:
        """Take note that an append is durable."""
        if self._trouble is not None:
            self._trouble = None
            self._tell(None)

    def _tell(self, trouble: Trouble | None) -> None:
        for listener in list(self._listeners):
            listener(trouble)
