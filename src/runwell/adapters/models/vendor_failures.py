"""The vendors' exceptions as `LLM_REQUEST_FAILED`. No text of an error ever holds the key."""

import json
from typing import Any, Final
from urllib.parse import quote, urlsplit

import anthropic
import httpx2
import openai
import pydantic
from google.genai import errors as google_errors
from pydantic_ai import exceptions as vendor

from runwell.adapters.guarded_transport import AddressRefused
from runwell.adapters.models.connections import Connection
from runwell.adapters.models.failures import failed
from runwell.model.model_call import Reason
from runwell.ports.models import ModelCallFailed

_REASONS: Final[tuple[tuple[type[Exception], Reason], ...]] = (
    (vendor.UserError, "bad_request"),
    (vendor.ContentFilterError, "content_filter"),
    (vendor.ModelQuotaExceededError, "rate_limit"),
    (vendor.ModelRateLimitError, "rate_limit"),
    (vendor.ModelContextWindowExceededError, "context_length"),
    (vendor.ModelAuthenticationError, "auth"),
    (vendor.ModelNotFoundError, "unknown_model"),
    (vendor.ModelRequestRejectedError, "bad_request"),
    (vendor.ModelTimeoutError, "timeout"),
    (vendor.ModelRequestTimeout, "timeout"),
    (vendor.ModelConnectionError, "connection"),
    (vendor.ModelUnavailableError, "overloaded"),
    (vendor.ModelServerError, "overloaded"),
    (vendor.AgentRunError, "invalid_response"),
    (httpx2.InvalidURL, "bad_request"),
    (httpx2.TimeoutException, "timeout"),
    (httpx2.HTTPError, "connection"),
    (httpx2.StreamError, "connection"),
    (openai.APITimeoutError, "timeout"),
    (openai.APIConnectionError, "connection"),
    (openai.OpenAIError, "invalid_response"),
    (anthropic.APITimeoutError, "timeout"),
    (anthropic.APIConnectionError, "connection"),
    (anthropic.AnthropicError, "invalid_response"),
    (google_errors.APIError, "invalid_response"),
    (TimeoutError, "timeout"),
    (OSError, "connection"),
    (json.JSONDecodeError, "invalid_response"),
    (UnicodeDecodeError, "invalid_response"),
    (pydantic.ValidationError, "invalid_response"),
)
"""The first that fits counts. The vendors' own exceptions come last: pydantic-ai translates them, save for its defects."""

_BY_STATUS: Final[dict[int, Reason]] = {408: "timeout", 409: "overloaded", 425: "overloaded"}

_FILTERED: Final = frozenset({"content_filter", "content_policy_violation"})
"""Codes with which a provider refuses what a message says."""

_CURES: Final[dict[Reason, str]] = {
    "auth": "; check the key of this connection, and that it may use the model",
    "unknown_model": "; check the model's name and the connection's address",
    "context_length": "; shorten the messages or take a model with a longer context",
}

_SHOWN: Final = 500
"""As many characters of what the provider said are kept."""


def translated(exc: Exception, connection: Connection, model: str, *, streamed: bool) -> ModelCallFailed | None:
    """Return the step's error; None for an exception that is a defect of ours."""
    reason = _reason(exc, streamed)
    if reason is None:
        return None
    status = exc.status_code if isinstance(exc, vendor.ModelHTTPError) else None
    told = f", status {status}" if status else ""
    said = " ".join(scrubbed(_said(exc), connection.api_key).split())[:_SHOWN]  # cut only then: half a key is no less secret
    message = f"{_place(connection)} failed for {model!r} ({reason.replace('_', ' ')}{told}): {said}{_CURES.get(reason, '')}"
    return failed(
        reason,
        scrubbed(message, connection.api_key),
        status=status,
        retryable=False if isinstance(exc, vendor.ModelQuotaExceededError) else None,
        retry_after_s=exc.retry_after if isinstance(exc, vendor.ModelAPIError) else None,
    )


def scrubbed(text: str, key: str | None) -> str:
    """Return `text` without the key, in plain or as part of an address."""
    for form in {key, quote(key, safe="")} if key else ():
        text = text.replace(form, "[key]")
    return text


def tells_key(exc: BaseException, key: str | None) -> bool:
    """Say whether a traceback of `exc`, with all that led to it, would show the key."""
    link: BaseException | None = exc
    while link is not None:
        if scrubbed(f"{link} {link!r}", key) != f"{link} {link!r}":
            return True
        link = link.__cause__ or link.__context__
    return False


def refuses_schema(exc: Exception) -> bool:
    """Say whether the provider does not know how to hold an answer to a schema."""
    return (
        isinstance(exc, vendor.ModelHTTPError)
        and exc.status_code in (400, 422)
        and any(word in str(exc.body) for word in ("response_format", "json_schema"))
    )


def _reason(exc: Exception, streamed: bool) -> Reason | None:
    if _refused(exc) is not None:
        return "bad_request"
    if isinstance(exc, vendor.ModelAPIError):
        if exc.provider_error_code in _FILTERED or exc.provider_error_type in _FILTERED:
            return "content_filter"
        if isinstance(exc, vendor.ModelHTTPError) and not isinstance(exc, _CATEGORIES):
            return _BY_STATUS.get(exc.status_code, "overloaded" if exc.status_code >= 500 else "bad_request")
        if streamed and not isinstance(exc, _CATEGORIES):
            return "overloaded" if exc.in_stream else "connection"  # half an event is what a cut leaves
    return next((reason for kind, reason in _REASONS if isinstance(exc, kind)), None)


_CATEGORIES: Final = tuple(kind for kind, _ in _REASONS if issubclass(kind, vendor.ModelAPIError))


def _place(connection: Connection) -> str:
    """Say who was asked. An address may hold credentials: only its host is told."""
    address = urlsplit(connection.base_url)
    return f"{connection.name or connection.provider} at {address.netloc.rpartition('@')[2]}"


def _refused(exc: BaseException | None) -> AddressRefused | None:
    """Return the refusal of the address to which all this led."""
    while exc is not None and not isinstance(exc, AddressRefused):
        exc = exc.__cause__ or exc.__context__
    return exc


def _said(exc: Exception) -> str:
    """Return what the provider told, or else the exception's own words."""
    if (refused := _refused(exc)) is not None:
        return f"{refused}; an operator can permit a network with RUNWELL_HTTP_ALLOW"
    body: Any = exc.body if isinstance(exc, vendor.ModelAPIError) else None
    for _ in range(2):
        if isinstance(body, dict) and isinstance(body.get("message"), str):
            return str(body["message"])
        body = body.get("error") if isinstance(body, dict) else body
    if isinstance(body, str) and body:
        return body
    return str(exc) or type(exc).__name__
