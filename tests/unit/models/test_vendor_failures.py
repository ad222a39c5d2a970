"""Every exception that a call to a vendor may raise becomes an error of the step, without the key in it."""

import json
import traceback
from types import ModuleType

import anthropic
import httpx2
import openai
import openai._exceptions
import pytest
from google.genai import errors as google_errors
from pydantic_ai import exceptions as vendor

from runwell.adapters.models.connections import Connection
from runwell.adapters.models.vendor_failures import _REASONS, scrubbed, tells_key, translated
from runwell.model.errors import StepError
from runwell.model.model_call import Reason

KEY = "sk-very/secret"
TEAM = Connection(name="team", provider="openai", vendor="openai", base_url="https://user:pass@gateway.example/v1", api_key=KEY)


def error(exc: Exception, *, streamed: bool = False) -> StepError:
    found = translated(exc, TEAM, "m", streamed=streamed)
    assert found is not None
    assert found.code == "LLM_REQUEST_FAILED"
    return found


def reason(exc: Exception, *, streamed: bool = False) -> object:
    return (error(exc, streamed=streamed).details or {})["reason"]


def http(status: int, body: object = None, kind: type[vendor.ModelAPIError] | None = None, **fields: object) -> vendor.ModelHTTPError:
    return vendor.ModelHTTPError.for_category(kind, status_code=status, model_name="m", body=body, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("module", "root"),
    [
        (vendor, vendor.AgentRunError),
        (vendor, vendor.UserError),
        (openai._exceptions, openai.OpenAIError),
        (anthropic, anthropic.AnthropicError),
        (google_errors, google_errors.APIError),
        (httpx2, httpx2.HTTPError),
    ],
)
def test_no_exception_of_a_library_is_left(module: ModuleType, root: type[Exception]) -> None:
    kinds = [kind for kind in list(vars(module).values()) if isinstance(kind, type) and issubclass(kind, root)]
    assert kinds
    assert [kind for kind in kinds if not any(issubclass(kind, known) for known, _ in _REASONS)] == []


@pytest.mark.parametrize(
    ("exc", "expected", "retryable"),
    [
        (http(429, kind=vendor.ModelRateLimitError), "rate_limit", True),
        (http(429, kind=vendor.ModelQuotaExceededError), "rate_limit", False),
        (http(402, kind=vendor.ModelQuotaExceededError), "rate_limit", False),
        (http(401, kind=vendor.ModelAuthenticationError), "auth", False),
        (http(403, kind=vendor.ModelAuthenticationError), "auth", False),
        (http(404, kind=vendor.ModelNotFoundError), "unknown_model", False),
        (http(400, kind=vendor.ModelRequestRejectedError), "bad_request", False),
        (http(400, kind=vendor.ModelContextWindowExceededError), "context_length", False),
        (http(400, kind=vendor.ModelRequestRejectedError, provider_error_code="content_filter"), "content_filter", False),
        (http(500, kind=vendor.ModelServerError), "overloaded", True),
        (http(502, kind=vendor.ModelServerError), "overloaded", True),
        (http(503, kind=vendor.ModelUnavailableError), "overloaded", True),
        (http(529, kind=vendor.ModelOverloadedError), "overloaded", True),
        (http(599), "overloaded", True),
        (http(408), "timeout", True),
        (http(409), "overloaded", True),
        (http(413), "bad_request", False),
        (vendor.ModelTimeoutError("m", "slow"), "timeout", True),
        (vendor.ModelConnectionError("m", "gone"), "connection", True),
        (vendor.ContentFilterError("no"), "content_filter", False),
        (vendor.UnexpectedModelBehavior("what?"), "invalid_response", True),
        (vendor.UserError("no such setting"), "bad_request", False),
        (vendor.ModelAPIError("m", "no JSON"), "invalid_response", True),
        (httpx2.ReadTimeout("slow"), "timeout", True),
        (httpx2.RemoteProtocolError("gone"), "connection", True),
        (ConnectionResetError(), "connection", True),
        (json.JSONDecodeError("no JSON", "x", 0), "invalid_response", True),
    ],
)
def test_the_reason_and_whether_to_try_again(exc: Exception, expected: Reason, retryable: bool) -> None:
    found = error(exc)
    assert found.details is not None
    assert found.details["reason"] == expected
    assert found.retryable is retryable
    if isinstance(exc, vendor.ModelHTTPError):
        assert found.details["status"] == exc.status_code


def test_what_breaks_in_a_stream_is_its_connection() -> None:
    assert reason(vendor.ModelAPIError("m", "half an event"), streamed=True) == "connection"
    assert reason(vendor.ModelAPIError("m", "told", in_stream=True), streamed=True) == "overloaded"
    assert reason(vendor.ModelRateLimitError("m", "told", in_stream=True), streamed=True) == "rate_limit"


def test_a_defect_of_ours_stays_one() -> None:
    assert translated(TypeError("oops"), TEAM, "m", streamed=False) is None


@pytest.mark.parametrize(("header", "seconds"), [("12", 12.0), ("Thu, 01 Jan 2026 00:00:00 GMT", 0.0), ("soon", None)])
def test_retry_after(header: str, seconds: float | None) -> None:
    assert error(http(429, kind=vendor.ModelRateLimitError, headers={"Retry-After": header})).retry_after_s == seconds


def test_the_message_says_who_what_and_why() -> None:
    told = error(http(401, {"error": {"message": "Incorrect key"}}, vendor.ModelAuthenticationError)).message
    assert told.startswith("team at gateway.example failed for 'm' (auth, status 401): Incorrect key; check the key")
    assert "pass" not in told


def test_a_long_message_is_cut_after_the_key_is_taken_out() -> None:
    body = {"message": "x" * 495 + KEY + "y" * 1000}
    told = error(http(400, body, vendor.ModelRequestRejectedError)).message
    assert "sk-" not in told
    assert len(told) < 700


def test_the_key_is_found_wherever_it_stands() -> None:
    assert scrubbed(f"{KEY} and sk-very%2Fsecret", KEY) == "[key] and [key]"
    assert scrubbed("nothing", None) == "nothing"
    led_to = KeyError("x")
    led_to.__cause__ = ValueError(KEY)
    assert KEY in "".join(traceback.format_exception(led_to))
    assert tells_key(led_to, KEY)
    assert not tells_key(led_to, "another key")
