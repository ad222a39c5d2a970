"""Facts on their way to becoming events: what happened, where, in which attempt."""

import msgspec

from runwell.engine.state import RunState, StepState
from runwell.model.events import TYPE_OF, Event, EventData, StepStarted


class Fact(msgspec.Struct, frozen=True):
    """An event without its place in the log. `at`: when it happened elsewhere (ms since 1970); None for now."""

    data: EventData
    step_id: str | None = None
    attempt: int | None = None
    actor: str | None = None
    at: int | None = None


class Draft:
    """Facts about one run, in order, each drawn from the state as it is before any of them."""

    def __init__(self, state: RunState, actor: str | None = None) -> None:
        self.state = state
        self.facts: list[Fact] = []
        self.resolved: set[str] = set()
        """Steps that a fact of this draft ends."""
        self._actor = actor

    def run(self, data: EventData) -> None:
        self.facts.append(Fact(data, None, None, self._actor))

    def step(self, step: StepState, data: EventData) -> None:
        self.facts.append(Fact(data, step.path, step.attempt or None, self._actor))

    def start(self, step: StepState, data: StepStarted) -> None:
        self.facts.append(Fact(data, step.path, step.attempt + 1, self._actor))

    def end(self, step: StepState, data: EventData) -> None:
        """Add a fact that ends the step, unless one of this draft did so already."""
        if step.path not in self.resolved:
            self.resolved.add(step.path)
            self.step(step, data)


def sequence(state: RunState, fact: Fact, now: int, ahead: int = 0) -> Event:
    """Return the fact as the run's next event, or as the one that is `ahead` after it."""
    at = now if fact.at is None else fact.at
    return Event(state.seq + 1 + ahead, state.run_id, TYPE_OF[type(fact.data)], at, fact.step_id, fact.attempt, fact.actor, fact.data)
