"""Every error that Runwell raises on purpose.

RunwellError
├── InvalidInput            a value that a person or program gave is not usable
│   ├── InvalidDocument     a workflow document with one or more problems
│   └── InvalidQuery        a search for runs that cannot be read
├── NotFound                nothing has this id here
├── Refused                 what is there does not allow it
│   └── Held                    it is held: nobody may delete it
├── Outdated                somebody changed it since the caller last looked
├── NotIdentified           the identity provider does not vouch for whoever wants to sign in
├── ProviderUnavailable     the identity provider does not answer as it should
├── QueueFull               as many runs wait for their turn as may
├── SealBroken              a stored secret does not open
├── CommandRefused          the run is not in a state in which the command makes sense
├── PositionConflict        somebody appended to the run's journal first
├── JournalUnavailable      the journal could not make a batch durable
├── RunStoreUnavailable     the run store cannot be read or written just now
├── SearchTooLarge          a search would take more time or memory than it may
├── DataDirectoryBusy       another process owns the data directory
└── StepError               one attempt of a step failed
    ├── StepTimedOut
    └── LimitExceeded       a limit that ends the whole run, not only the step
"""

from typing import Any, Literal

import msgspec

FailureCode = Literal[
    "HTTP_FAILED",
    "HTTP_BLOCKED",
    "PYTHON_FAILED",
    "LLM_REQUEST_FAILED",
    "LLM_INVALID_OUTPUT",
    "MCP_TOOL_FAILED",
    "TOOL_FAILED",
    "AGENT_LIMIT_EXCEEDED",
    "EXPRESSION_FAILED",
    "TOO_MANY_ITEMS",
    "OUTPUT_TOO_LARGE",
    "STEP_TIMED_OUT",
    "STEP_INTERRUPTED",
    "STEP_CRASHED",
    "CHILD_RUN_FAILED",
    "SECRET_MISSING",
    "SECRET_REFUSED",
    "SECRET_UNREADABLE",
    "CONNECTION_MISSING",
    "TASK_REJECTED",
    "TASK_EXPIRED",
    "MESSAGE_EXPIRED",
    "MEMORY_LIMIT_EXCEEDED",
    "LOG_SIZE_EXCEEDED",
    "INSUFFICIENT_CREDITS",
    "RUN_TIMED_OUT",
    "RUN_STOPPED",
    "DRAIN_TIMEOUT",
    "INTERNAL_ERROR",
]

LimitName = Literal["timeout_s", "memory_mb", "log_bytes", "credits"]


class ErrorInfo(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why something failed, as kept in the journal and shown to people."""

    code: str
    message: str
    step_id: str | None = None
    details: dict[str, Any] | None = None


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing wrong with a document or an input.

    `pointer` is a JSON pointer into it; `line` counts from 1 and is known for YAML and JSON files.
    `position` and `length` are the place in the text of a search, in characters from 0.
    """

    code: str
    message: str
    pointer: str = ""
    step_id: str | None = None
    line: int | None = None
    hint: str | None = None
    position: int | None = None
    length: int | None = None

    def __str__(self) -> str:
        place = f"line {self.line}, {self.pointer or '/'}" if self.line else self.pointer or "/"
        cure = f" ({self.hint})" if self.hint else ""
        return f"{place}: {self.message}{cure}"


class RunwellError(Exception):
    """Something went wrong in Runwell."""

    code = "INTERNAL_ERROR"
    request_id: str | None = None
    """Of the request that a server refused so; None for what was raised here."""

    def __init__(self, message: str | None = None, *, hint: str | None = None) -> None:
        self.message = message or (type(self).__doc__ or "").partition("\n")[0]
        self.hint = hint
        super().__init__(f"{self.message} ({hint})" if hint else self.message)


class InvalidInput(RunwellError):
    """The input is not usable."""

    code = "INVALID_INPUT"

    def __init__(self, message: str | None = None, *, hint: str | None = None, problems: tuple[Problem, ...] = ()) -> None:
        super().__init__(message, hint=hint)
        self.problems = problems


class InvalidDocument(InvalidInput):
    """The workflow document has problems; `problems` lists them all."""

    code = "INVALID_DOCUMENT"


class InvalidQuery(InvalidInput):
    """The search cannot be read; `problems` says where."""

    code = "INVALID_QUERY"


class NotFound(RunwellError):
    """Nothing has this id here."""

    code = "NOT_FOUND"


class Refused(RunwellError):
    """What is there does not allow this."""

    code = "CONFLICT"


class Held(Refused):
    """It is held, so it is not deleted."""

    code = "HELD"


class Outdated(RunwellError):
    """Somebody changed it meanwhile."""

    code = "PRECONDITION_FAILED"


class NotIdentified(RunwellError):
    """The identity provider does not vouch for this sign-in."""

    code = "UNAUTHENTICATED"


class ProviderUnavailable(RunwellError):
    """The identity provider does not answer as it should."""

    code = "IDENTITY_PROVIDER_UNAVAILABLE"


class QueueFull(RunwellError):
    """As many runs are queued as may be."""

    code = "QUEUE_FULL"


class SealBroken(RunwellError):
    """A stored secret does not open."""

    code = "SEAL_BROKEN"


class CommandRefused(RunwellError):
    """The run's state does not allow the command."""

    code = "COMMAND_REFUSED"


class PositionConflict(RunwellError):
    """The run's journal is at another position than the caller expected."""

    code = "POSITION_CONFLICT"

    def __init__(self, run_id: str, expected: int, actual: int) -> None:
        super().__init__(f"{run_id} is at event {actual}, not {expected}", hint="read the run again and decide anew")
        self.run_id, self.expected, self.actual = run_id, expected, actual


class JournalUnavailable(RunwellError):
    """The journal could not make the events durable; nothing of the batch was kept."""

    code = "JOURNAL_UNAVAILABLE"


class RunStoreUnavailable(RunwellError):
    """The run store cannot be used just now; runs go on, and it catches up with the journal afterwards."""

    code = "RUN_STORE_UNAVAILABLE"


class SearchTooLarge(RunwellError):
    """The search takes more time or memory than it may."""

    code = "SEARCH_TOO_LARGE"


class DataDirectoryBusy(RunwellError):
    """Another process owns this data directory."""

    code = "DATA_DIRECTORY_BUSY"


class StepError(RunwellError):
    """One attempt of a step failed.

    `retryable` says whether another attempt can help; `retry_after_s` is the other side's wish.
    """

    def __init__(
        self,
        code: FailureCode,
        message: str,
        *,
        retryable: bool = False,
        retry_after_s: float | None = None,
        details: dict[str, object] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.retryable = retryable
        self.retry_after_s = retry_after_s
        self.details = details

    def info(self, step_id: str) -> ErrorInfo:
        return ErrorInfo(code=self.code, message=self.message, step_id=step_id, details=self.details)


class StepTimedOut(StepError):
    """The attempt took longer than the step's `timeout_s`."""

    def __init__(self, seconds: float) -> None:
        super().__init__("STEP_TIMED_OUT", f"the attempt took longer than its timeout_s of {seconds:g}", retryable=True)


class LimitExceeded(StepError):
    """The attempt passed a limit that ends the whole run."""

    def __init__(self, code: FailureCode, message: str, which: LimitName) -> None:
        super().__init__(code, message)
        self.which: LimitName = which
