"""Which status an event makes of which: the whole state machine of runs and steps, literally.

`docs/reference/statuses.md` is drawn from these tables. What is not in them cannot happen:
`evolve` refuses it.

A run is created `queued`. It is `running` while any of its steps can do something by itself,
`waiting` when all it has are steps that wait, `paused` while an operator holds it, `draining`
while nothing new starts and what is in flight ends. Whatever ends it is final.

A step that waits (a delay, a task, a message, a child run, the next attempt) holds nothing but
its place in the state. An iteration of a loop is a step, too: `each[3]`.
"""

from typing import Final

from runwell.model.errors import RunwellError
from runwell.model.statuses import RunStatus, StepStatus


class ImpossibleEvent(RunwellError):
    """The event cannot follow this state: the journal is damaged or the engine has a defect."""


Q, R, W, P, D = RunStatus.QUEUED, RunStatus.RUNNING, RunStatus.WAITING, RunStatus.PAUSED, RunStatus.DRAINING
LIVE: Final = (Q, R, W, P, D)

LIMIT_STATUS: Final = {
    "timeout_s": RunStatus.TIMED_OUT,
    "memory_mb": RunStatus.MEMORY_LIMIT_EXCEEDED,
    "log_bytes": RunStatus.LOG_SIZE_EXCEEDED,
    "credits": RunStatus.QUOTA_EXCEEDED,
}

RUN_TRANSITIONS: Final[dict[tuple[RunStatus | None, str], RunStatus]] = {
    (None, "run_created"): Q,
    (Q, "run_started"): R,
    (R, "run_paused"): P,
    (W, "run_paused"): P,
    (P, "run_resumed"): R,
    (R, "run_waiting"): W,
    (W, "step_resumed"): R,
    (W, "step_started"): R,
    (W, "step_failed"): R,
    (W, "step_retrying"): R,
    (R, "run_draining"): D,
    (W, "run_draining"): D,
    (P, "run_draining"): D,
    (R, "run_succeeded"): RunStatus.SUCCEEDED,
    (P, "run_succeeded"): RunStatus.SUCCEEDED,
    (Q, "run_served_from_cache"): RunStatus.SUCCEEDED,
    **{(status, "run_failed"): RunStatus.FAILED for status in LIVE},
    **{(status, "run_stopped"): RunStatus.STOPPED for status in LIVE},
    **{(status, "run_internal_error"): RunStatus.INTERNAL_ERROR for status in LIVE},
    **{(status, f"run_limit_exceeded:{which}"): end for status in LIVE for which, end in LIMIT_STATUS.items()},
}
"""(status, event) -> status. Events of steps that are not listed leave the run's status as it is."""

STEP_TRANSITIONS: Final[dict[tuple[StepStatus | None, str], StepStatus]] = {
    (None, "step_started"): StepStatus.RUNNING,
    (StepStatus.PENDING, "step_started"): StepStatus.RUNNING,
    (StepStatus.PENDING, "step_completed"): StepStatus.SUCCEEDED,
    (StepStatus.PENDING, "step_completed:skipped"): StepStatus.SKIPPED,
    (StepStatus.PENDING, "step_failed"): StepStatus.FAILED,
    (StepStatus.RUNNING, "step_completed"): StepStatus.SUCCEEDED,
    (StepStatus.RUNNING, "step_failed"): StepStatus.FAILED,
    (StepStatus.RUNNING, "step_cancelled"): StepStatus.CANCELLED,
    (StepStatus.RUNNING, "step_stopped"): StepStatus.STOPPED,
    (StepStatus.RUNNING, "step_retrying"): StepStatus.WAITING,
    (StepStatus.RUNNING, "step_waiting"): StepStatus.WAITING,
    (StepStatus.WAITING, "step_started"): StepStatus.RUNNING,
    (StepStatus.WAITING, "step_resumed"): StepStatus.RUNNING,
    (StepStatus.WAITING, "step_failed"): StepStatus.FAILED,
    (StepStatus.WAITING, "step_cancelled"): StepStatus.CANCELLED,
    (StepStatus.WAITING, "step_stopped"): StepStatus.STOPPED,
}
"""(status, event) -> status. A pending step that completes was taken over from an earlier run."""
