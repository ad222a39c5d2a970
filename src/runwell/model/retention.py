"""How long runs are kept, and what is kept whatever the rules say."""

from collections.abc import Iterator

import msgspec

from runwell.model.errors import InvalidInput
from runwell.model.run import RunRow
from runwell.model.statuses import TERMINAL, RunStatus

DAY_MS = 86_400_000


class RetentionRule(msgspec.Struct, frozen=True, kw_only=True):
    """For runs of one workflow, or of any; that ended in one of these statuses, or in any. `keep_days` from their end; null: for ever."""

    workflow_id: str | None = None
    statuses: tuple[RunStatus, ...] = ()
    keep_days: int | None = None


class Retention(msgspec.Struct, frozen=True, kw_only=True):
    """How long a project's runs are kept once they have ended; null: for ever.

    Of several rules the most particular one holds: of the workflow and the status, of the workflow, of the status. `keep_days` is for
    runs of which no rule speaks.
    """

    keep_days: int | None = None
    rules: tuple[RetentionRule, ...] = ()


KEEP_EVERYTHING = Retention()


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """A run, or a workflow with all of its runs, that is kept until somebody lets go of it. `run_id` is null for a workflow's."""

    run_id: str | None
    workflow_id: str
    reason: str
    by: str
    at: str


def checked(retention: Retention) -> Retention:
    """Return the rules as they are. Raises `InvalidInput` where they are about runs under way, or contradict each other."""
    seen: set[tuple[str | None, RunStatus | None]] = set()
    for rule in retention.rules:
        for status in rule.statuses or (None,):
            if status is not None and status not in TERMINAL:
                raise InvalidInput(f"runs that are {status} have not ended", hint="they are never deleted; leave the status out")
            if (rule.workflow_id, status) in seen:
                raise InvalidInput(
                    f"two rules are for {status or 'any status'} of {rule.workflow_id or 'any workflow'}", hint="leave one of them out"
                )
            seen.add((rule.workflow_id, status))
    return retention


class Keeping:
    """A project's rules, ready to be asked about many runs."""

    def __init__(self, retention: Retention) -> None:
        self._default = retention.keep_days
        self._days = {key: rule.keep_days for rule in retention.rules for key in _keys(rule)}

    @property
    def shortest_ms(self) -> int | None:
        """For how long every run is kept at least; None when all are for ever."""
        days = [days for days in (self._default, *self._days.values()) if days is not None]
        return min(days) * DAY_MS if days else None

    def days(self, workflow_id: str, status: RunStatus) -> int | None:
        """Return for how long such runs are kept; None for ever."""
        for key in ((workflow_id, status), (workflow_id, None), (None, status)):
            if key in self._days:
                return self._days[key]
        return self._default

    def is_over(self, row: RunRow, now: int) -> bool:
        """Whether the run has ended and its time is over at `now` (ms since 1970)."""
        if row.status not in TERMINAL or row.ended_at is None:
            return False
        days = self.days(row.workflow_id, row.status)
        return days is not None and row.ended_at + days * DAY_MS <= now


def _keys(rule: RetentionRule) -> Iterator[tuple[str | None, RunStatus | None]]:
    for status in rule.statuses or (None,):
        yield rule.workflow_id, status
