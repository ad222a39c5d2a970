"""What the run store does not have yet, for whoever asks it."""

from collections.abc import Sequence
from typing import Protocol

from runwell.model.run_record import RunRecord


class Projection(Protocol):
    """The way from the journal to the run store."""

    async def catch_up(self) -> None:
        """Take in what the journal has by now, so that the overlay and the store together hold every run."""
        ...

    def overlay(self) -> Sequence[RunRecord]:
        """Return the runs of which the store has nothing or only an older revision. Taken before the store is asked."""
        ...

    @property
    def lag_ms(self) -> int:
        """How long ago, in ms, the oldest event happened that neither has; 0 when there is none."""
        ...
