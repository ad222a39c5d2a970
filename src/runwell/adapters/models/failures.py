"""How a model call fails: the one shape of `LLM_REQUEST_FAILED`."""

from runwell.model.model_call import RETRYABLE, Reason
from runwell.ports.models import ModelCallFailed


def failed(
    reason: Reason, message: str, *, status: int | None = None, retryable: bool | None = None, retry_after_s: float | None = None
) -> ModelCallFailed:
    """Return the error of a failed model call; `retryable` follows the reason unless said."""
    details: dict[str, object] = {"reason": reason} if status is None else {"reason": reason, "status": status}
    if retry_after_s is not None:
        details["retry_after_s"] = retry_after_s
    again = reason in RETRYABLE if retryable is None else retryable
    return ModelCallFailed("LLM_REQUEST_FAILED", message, retryable=again, retry_after_s=retry_after_s, details=details)
