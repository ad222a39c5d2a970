"""What happens, told live within the process: durable events, and model text that is not kept."""

from collections.abc import Callable, Sequence

import msgspec

from runwell.model.events import Event


class Delta(msgspec.Struct, frozen=True):
    """A piece of text that a model just wrote."""

    run_id: str
    step_id: str
    attempt: int
    text: str


Listener = Callable[[Event | Delta], None]


class Feed:
    """Listeners are called on the loop's thread, in order of `seq`; they must be quick and must not raise."""

    def __init__(self) -> None:
        self._listeners: dict[str | None, list[Listener]] = {}

    def listen(self, listener: Listener, run_id: str | None = None) -> Callable[[], None]:
        """Call `listener` for one run or, with None, for all; return what ends that."""
        self._listeners.setdefault(run_id, []).append(listener)
        return lambda: self._forget(listener, run_id)

    def _forget(self, listener: Listener, run_id: str | None) -> None:
        held = self._listeners.get(run_id, [])
        if listener in held:
            held.remove(listener)
        if not held:
            self._listeners.pop(run_id, None)

    def publish(self, run_id: str, items: Sequence[Event | Delta]) -> None:
        if not self._listeners:
            return
        for key in (run_id, None):
            for listener in list(self._listeners.get(key, ())):
                for item in items:
                    listener(item)
