"""How calls to MCP servers fail."""

from typing import Any, Final

from runwell.model.errors import StepError

RETRYABLE: Final = frozenset({"connection", "timeout", "unavailable", "rate_limit", "overloaded"})
"""Reasons after which another attempt may do."""

SHOWN: Final = 2_000
"""Characters of what a server says that messages show."""


def failed(reason: str, message: str, *, retry_after_s: float | None = None, **details: Any) -> StepError:
    """Return the failure of a call. What a server said of it is cut."""
    shown = message if len(message) <= SHOWN else message[: SHOWN - 3] + "..."
    return StepError(
        "MCP_TOOL_FAILED", shown, retryable=reason in RETRYABLE, retry_after_s=retry_after_s, details={"reason": reason, **details}
    )
