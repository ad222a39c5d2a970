"""What `schedule` finds that a run can do now."""

from typing import Any

import msgspec

from runwell.engine.draft import Fact


class StartAttempt(msgspec.Struct, frozen=True):
    """Make an attempt of a step by its handler. `deadline` is its end in ms since 1970."""

    step_id: str
    attempt: int
    input: dict[str, Any] | None
    deadline: int | None


class Settle(msgspec.Struct, frozen=True):
    """What follows from the state alone: skips, loops that go on, waits that begin, the run's end."""

    facts: list[Fact]


Action = StartAttempt | Settle
