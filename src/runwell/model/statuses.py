"""The statuses of runs and steps, and which of them are final."""

from enum import StrEnum
from typing import Final, Literal


class RunStatus(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    PAUSED = "paused"
    DRAINING = "draining"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    STOPPED = "stopped"
    TIMED_OUT = "timed_out"
    QUOTA_EXCEEDED = "quota_exceeded"
    MEMORY_LIMIT_EXCEEDED = "memory_limit_exceeded"
    LOG_SIZE_EXCEEDED = "log_size_exceeded"
    INTERNAL_ERROR = "internal_error"


class StepStatus(StrEnum):
    PENDING = "pending"
    RUNNING = "running"
    WAITING = "waiting"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    STOPPED = "stopped"
    SKIPPED = "skipped"


WaitingFor = Literal["delay", "approval", "message", "child_run", "retry"]
SkipReason = Literal["blocked", "condition_false", "disabled", "dependency_skipped", "cached"]
"""`blocked`: by a failure or stop. `dependency_skipped`: what it needs was skipped, for a reason of its own. `cached`: the run was."""

TERMINAL: Final = frozenset(
    {
        RunStatus.SUCCEEDED,
        RunStatus.FAILED,
        RunStatus.STOPPED,
        RunStatus.TIMED_OUT,
        RunStatus.QUOTA_EXCEEDED,
        RunStatus.MEMORY_LIMIT_EXCEEDED,
        RunStatus.LOG_SIZE_EXCEEDED,
        RunStatus.INTERNAL_ERROR,
    }
)
"""Run statuses that nothing rewrites."""

RESOLVED: Final = frozenset({StepStatus.SUCCEEDED, StepStatus.FAILED, StepStatus.CANCELLED, StepStatus.STOPPED, StepStatus.SKIPPED})
"""Step statuses that nothing rewrites."""

IN_FLIGHT: Final = frozenset({StepStatus.RUNNING, StepStatus.WAITING})

RUN_LABELS: Final[dict[RunStatus, str]] = {
    RunStatus.QUEUED: "Queued",
    RunStatus.RUNNING: "Running",
    RunStatus.WAITING: "Waiting",
    RunStatus.PAUSED: "Paused",
    RunStatus.DRAINING: "Stopping",
    RunStatus.SUCCEEDED: "Succeeded",
    RunStatus.FAILED: "Failed",
    RunStatus.STOPPED: "Canceled",
    RunStatus.TIMED_OUT: "Timeout",
    RunStatus.QUOTA_EXCEEDED: "Quota Exceeded",
    RunStatus.MEMORY_LIMIT_EXCEEDED: "Memory Limit Exceeded",
    RunStatus.LOG_SIZE_EXCEEDED: "Log Size Exceeded",
    RunStatus.INTERNAL_ERROR: "Internal Error",
}

STEP_BADGES: Final[dict[StepStatus, str]] = {
    StepStatus.PENDING: "Pending",
    StepStatus.RUNNING: "Running",
    StepStatus.WAITING: "Waiting",
    StepStatus.SUCCEEDED: "Success",
    StepStatus.FAILED: "Failed",
    StepStatus.CANCELLED: "Cancelled",
    StepStatus.STOPPED: "Stopped",
    StepStatus.SKIPPED: "Skipped",
}


def step_badge(status: StepStatus, reason: str | None) -> str:
    """Return the badge of a step; a skip by a failure elsewhere reads `Skipped (Blocked)`."""
    return "Skipped (Blocked)" if reason == "blocked" else STEP_BADGES[status]
