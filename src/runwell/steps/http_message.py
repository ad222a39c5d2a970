"""From the fields of an `http` step to what goes over the wire, and from the answer to JSON data."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final, Literal
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

import msgspec

from runwell.model.errors import StepError
from runwell.ports.http import HttpResponse

Parse = Literal["json", "text", "bytes"]
Scalar = str | int | float | bool

JSON_TYPE: Final = "application/json"
FORM_TYPE: Final = "application/x-www-form-urlencoded"
TEXT_TYPE: Final = "text/plain; charset=utf-8"
BEFORE_PATH: Final = re.compile(r"([^/?#]*//)?[^/?#]*")
ENDS_HOST: Final = re.compile(r"[/?#@:\\\[\]\s\x00-\x1f]")
METHOD: Final = re.compile(r"[A-Za-z][A-Za-z-]{0,31}")
HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""A token of RFC 9110."""
SECONDS: Final = re.compile(r"\s*[0-9]{1,9}\s*")
TEXTUAL: Final = ("xml", "javascript", "ecmascript", "yaml", "csv", "x-www-form-urlencoded", "graphql", "x-ndjson")


def wire_text(value: Any, what: str) -> str:
    """Return a header's or query's value as text. Raises `StepError` for what is not a single value."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Scalar):
        return str(value)
    raise StepError("HTTP_FAILED", f"{what} is {_kind(value)}; it takes text, a number or a truth value")


def secret_in_url(before: str, value: str) -> str:
    """Return a secret as it is written behind `before`: from the path on percent-encoded, so that it cannot end its place.

    At a URL's beginning it is taken as it is, because it may be the URL itself (a webhook's address is a secret).
    Raises `StepError` for one that stands in the host and would end it.
    """
    if not BEFORE_PATH.fullmatch(before):
        return quote(value.encode("utf-8", "surrogatepass"), safe="")
    if before and ENDS_HOST.search(value):
        raise StepError(
            "HTTP_FAILED",
            "a secret that stands in the host of request.url holds a space or one of / ? # @ : \\ [ ], which would change where the"
            " request goes; let the secret be the host alone, or the whole URL",
        )
    return value


def full_url(url: Any, query: Mapping[str, Any]) -> str:
    """Return the URL with the query's pairs behind those that it has; a list repeats its key, null leaves it out."""
    if not isinstance(url, str):
        raise StepError("HTTP_FAILED", f"request.url is {_kind(url)}; it takes text")
    pairs = [pair for key, value in query.items() for pair in _pairs(key, value, "request.query")]
    if not pairs:
        return url
    try:
        parts = urlsplit(url)
    except ValueError as exc:
        raise StepError("HTTP_FAILED", "request.url is not a URL; check its host and port") from exc
    joined = "&".join(filter(None, (parts.query, urlencode(pairs))))
    return urlunsplit((parts.scheme, parts.netloc, parts.path, joined, ""))


def shown_url(url: Any, query: Mapping[str, Any]) -> str:
    """Return the URL with its query for people to read: nothing is encoded. Both have masks where secrets are."""
    pairs = "&".join(f"{key}={value}" for name, value in query.items() for key, value in _pairs(name, value, "request.query"))
    plain = str(url).partition("#")[0]
    return plain + ("&" if "?" in plain else "?") + pairs if pairs else plain


def header_fields(headers: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the headers as text; one that is null is left out."""
    return [(name, wire_text(value, f"the header {name!r}")) for name, value in headers.items() if value is not None]


def json_content(value: Any) -> tuple[bytes, str]:
    """Return the body and its content type."""
    return msgspec.json.encode(value), JSON_TYPE


def form_content(fields: Any) -> tuple[bytes, str]:
    if not isinstance(fields, Mapping):
        raise StepError("HTTP_FAILED", f"request.form is {_kind(fields)}; it takes an object")
    return urlencode([pair for key, value in fields.items() for pair in _pairs(key, value, "request.form")]).encode(), FORM_TYPE


def text_content(value: Any) -> tuple[bytes, str]:
    """Return text as it is; a template may yield an object, which goes as JSON."""
    return (value.encode("utf-8", "replace"), TEXT_TYPE) if isinstance(value, str) else json_content(value)


def parse_of(response: HttpResponse) -> Parse:
    """Return how the body is read when the step does not say: by its content type; without one, text if it is UTF-8."""
    media = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media == JSON_TYPE or media.endswith("+json"):
        return "json"
    if media.startswith("text/") or media.endswith(TEXTUAL):
        return "text"
    return "bytes" if media or not _is_utf8(response.body) else "text"


def parsed_json(response: HttpResponse) -> Any:
    """Return the body's value. Raises `StepError` when it is not JSON."""
    try:
        return msgspec.json.decode(text_of(response).removeprefix("\ufeff"))
    except msgspec.MsgspecError as exc:
        raise StepError("HTTP_FAILED", f"the answer is not JSON: {exc}; set parse: text to take it as it is") from exc


def text_of(response: HttpResponse) -> str:
    """Return the body as text of the charset that the answer names, else UTF-8; what does not decode becomes U+FFFD."""
    try:
        return response.body.decode(response.encoding or "utf-8", "replace")
    except LookupError:
        return response.body.decode("utf-8", "replace")


def retry_after_s(value: str | None, now: datetime) -> float | None:
    """Return the seconds that a `Retry-After` header asks for: a number, or an HTTP date seen from `now`."""
    if value is None:
        return None
    if SECONDS.fullmatch(value):
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def _pairs(key: str, value: Any, where: str) -> list[tuple[str, str]]:
    values = value if isinstance(value, list | tuple) else [value]
    return [(key, wire_text(item, f"{where}.{key}")) for item in values if item is not None]


def _kind(value: Any) -> str:
    return {dict: "an object", list: "a list", type(None): "null"}.get(type(value), f"a value of type {type(value).__name__}")
