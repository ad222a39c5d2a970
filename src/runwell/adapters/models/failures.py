"""How a model call fails: the one shape of `LLM_REQUEST_FAILED`."""

from typing import Final, Literal

from runwell.model.errors import StepError

Reason = Literal[
    "rate_limit",
    "auth",
    "context_length",
    "content_filter",
    "overloaded",
    "timeout",
    "connection",
    "bad_request",
    "invalid_response",
    "unknown_model",
    "missing_key",
]

RETRYABLE: Final[frozenset[Reason]] = frozenset({"rate_limit", "overloaded", "timeout", "connection", "invalid_response"})
"""What another attempt can mend. A spent quota is a `rate_limit` that is not retryable: waiting does not pay a bill."""


def failed(
    reason: Reason, message: str, *, status: int | None = None, retryable: bool | None = None, retry_after_s: float | None = None
) -> StepError:
    """Return the error of a failed model call; `retryable` follows the reason unless said."""
    details: dict[str, object] = {"reason": reason} if status is None else {"reason": reason, "status": status}
    again = reason in RETRYABLE if retryable is None else retryable
    return StepError("LLM_REQUEST_FAILED", message, retryable=again, retry_after_s=retry_after_s, details=details)
