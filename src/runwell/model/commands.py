"""Commands: what somebody wants of a run, imperative. The engine's `decide` turns them into events.

People and programs send the first group; the runtime sends the second, to report what came of
an action.
"""

from typing import Any

import msgspec

from runwell.model.caching import CacheHit
from runwell.model.errors import ErrorInfo, LimitName
from runwell.model.events import EventData, RunCreated, RunEvaluated, StopMode, Verdict
from runwell.model.traces import SpanFacts
from runwell.model.waits import Wait


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """`actor` says who wants it; None is Runwell itself."""

    actor: str | None = None


class StartRun(Command, frozen=True, kw_only=True):
    """Create the run. It is queued until `AdmitRun`."""

    run: RunCreated


class PauseRun(Command, frozen=True, kw_only=True):
    pass


class ResumeRun(Command, frozen=True, kw_only=True):
    pass


class StopRun(Command, frozen=True, kw_only=True):
    mode: StopMode = "immediate"
    drain_timeout_s: float | None = None


class CompleteTask(Command, frozen=True, kw_only=True):
    """Decide a task, once. `result` edits what was proposed."""

    task_id: str
    approved: bool
    result: dict[str, Any] | None = None
    comment: str | None = None


class SendMessage(Command, frozen=True, kw_only=True):
    """A message with the same `message_id` counts once."""

    name: str
    body: Any = None
    message_id: str | None = None


class AddComment(Command, frozen=True, kw_only=True):
    comment_id: str
    content: str


class ArchiveRun(Command, frozen=True, kw_only=True):
    """Leave the run out of lists. It must have ended."""


class UnarchiveRun(Command, frozen=True, kw_only=True):
    pass


class ReviewRun(Command, frozen=True, kw_only=True):
    """Say what one thinks of the run, in place of what was said before. `score` is a finite number."""

    review: Verdict = ""
    score: float | None = None
    comment: str | None = None
    by_end_user: bool = False


class RecordEvaluation(Command, frozen=True, kw_only=True):
    """Say what an evaluation run made of the run. Once for each evaluation run."""

    evaluation: RunEvaluated


class AdmitRun(Command, frozen=True, kw_only=True):
    """A slot is free: begin."""


class ServeRun(Command, frozen=True, kw_only=True):
    """Give a run that has not begun the output of an earlier one."""

    hit: CacheHit
    output: Any = None


class Tick(Command, frozen=True, kw_only=True):
    """Time passed: whatever is due at `now` happens."""


class RecordProgress(Command, frozen=True, kw_only=True):
    """An attempt says something while it runs: a log line, a model call, a tool call."""

    step_id: str
    attempt: int
    data: EventData


class CompleteAttempt(Command, frozen=True, kw_only=True):
    """`cache`: nothing was done, the result was had before. `cache_key`: under which it may be had again."""

    step_id: str
    attempt: int
    result: Any = None
    cache: CacheHit | None = None
    cache_key: str | None = None


class SuspendAttempt(Command, frozen=True, kw_only=True):
    """The handler goes on when `wait` is over; until then the attempt needs no process."""

    step_id: str
    attempt: int
    wait: Wait


class FailAttempt(Command, frozen=True, kw_only=True):
    step_id: str
    attempt: int
    error: ErrorInfo
    retryable: bool = False
    retry_after_s: float | None = None
    jitter: float = 0.5
    """A random number from 0 to 1, drawn by the runtime: the engine draws none."""
    limit: LimitName | None = None


class ChildEnded(Command, frozen=True, kw_only=True):
    """A child run reached its end: its output, or why it has none."""

    step_id: str
    child_run_id: str
    output: Any = None
    error: ErrorInfo | None = None


class RecoverRun(Command, frozen=True, kw_only=True):
    """Attempts in flight ended without a report: they are to be made again, at `retry_at` (now, if that is None).

    `alive` are the steps whose attempts go on all the same. `suspect`: the process died, and each of
    the attempts may have caused it.
    """

    alive: frozenset[str] = frozenset()
    suspect: bool = True
    retry_at: int | None = None


class RecordSpans(Command, frozen=True, kw_only=True):
    """What a run did that was made elsewhere. Spans that are known already count once; an `ending` ends a run that has not ended."""

    spans: tuple[SpanFacts, ...]
    ending: EventData | None = None
    start: int = 0
    end: int = 0


class EndInternally(Command, frozen=True, kw_only=True):
    """A defect of Runwell, not of the workflow: end the run and say so."""

    error: ErrorInfo
