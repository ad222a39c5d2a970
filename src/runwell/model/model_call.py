"""How a model call is paid and how it fails, in the words of events, answers and documents."""

from typing import Final, Literal

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
    "invalid_output",
    "unknown_model",
    "missing_key",
]

REASONS: Final[dict[Reason, str]] = {
    "rate_limit": "the provider, or the connection's own limit, takes no more calls now; a spent quota too, which is not retried",
    "auth": "the key was refused, or may not use the model",
    "context_length": "the messages are longer than the model reads",
    "content_filter": "the provider refused the messages or filtered the answer",
    "overloaded": "the provider failed: a status of 500 and above, or an error within a stream",
    "timeout": "no whole answer came in time",
    "connection": "the provider was not reached, or the connection broke before the answer ended",
    "bad_request": "the provider, or Runwell before it, refused the request as it is written",
    "invalid_response": "what came back is no answer of the provider's protocol",
    "invalid_output": "the answer broke the `output_schema`",
    "unknown_model": "nobody answers for the model's name",
    "missing_key": "there is no key for the provider",
}
"""Why a model call fails: `details.reason` of the error, `error_class` of the generation."""

RETRYABLE: Final[frozenset[Reason]] = frozenset({"rate_limit", "overloaded", "timeout", "connection", "invalid_response", "invalid_output"})
"""What another attempt can mend. A spent quota is a `rate_limit` that is not retryable: waiting does not pay a bill."""

KeySource = Literal["own", "fallback", "none"]
"""Whose key paid: the organization's own, the operator's that serves every organization, or nobody's as none was needed."""
