"""What happens, told live within the process: durable events, and model text that is not kept."""

from collections.abc import Callable, Sequence

from runwell.model.events import Event
from runwell.model.text_delta import Delta
from runwell.ports.journal import Kept
from runwell.ports.keeping import Keeping

Listener = Callable[[Kept | Delta], None]


class Feed:
    """Listeners are called on the loop's thread, in the order of commits; they must be quick and must not raise.

    `keeping` tells when nothing happens because nothing can be kept.
    """

    def __init__(self) -> None:
        self.keeping = Keeping()
        self._listeners: dict[str | None, list[Listener]] = {}

    def listen(self, listener: Listener, about: str | None = None) -> Callable[[], None]:
        """Call `listener` for one run or one workflow, by its id, or, with None, for all; return what ends that."""
        self._listeners.setdefault(about, []).append(listener)
        return lambda: self._forget(listener, about)

    def _forget(self, listener: Listener, about: str | None) -> None:
        held = self._listeners.get(about, [])
        if listener in held:
            held.remove(listener)
        if not held:
            self._listeners.pop(about, None)

    def events(self, workflow_id: str, events: Sequence[Event], position: int) -> None:
        """Tell of one append's events, which are durable."""
        if self._listeners:
            self._tell(workflow_id, events[0].run_id, [Kept(position, event) for event in events])

    def delta(self, workflow_id: str, delta: Delta) -> None:
        """Tell of a piece of model text."""
        if self._listeners:
            self._tell(workflow_id, delta.run_id, [delta])

    def _tell(self, workflow_id: str, run_id: str, items: Sequence[Kept | Delta]) -> None:
        for about in (run_id, workflow_id, None):
            for listener in list(self._listeners.get(about, ())):
                for item in items:
                    listener(item)
