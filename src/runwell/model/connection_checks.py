"""What a stored connection may be: where it leads, and which headers go along."""

import re
from collections.abc import Mapping
from typing import Final

from runwell.model.errors import InvalidInput, Problem
from runwell.model.origins import OriginRules, origin_of, permits
from runwell.model.vault import ADDRESSES, FAMILIES, NO_LIMITS, NOT_FOR_MODELS, CallLimits

_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]")
_ADDRESS: Final = re.compile(r"[!-~]+")
_NOT_OURS: Final = frozenset({"connection", "content-length", "host", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"})
_CREDENTIALS: Final = frozenset(
    {"authorization", "proxy-authorization", "cookie", "x-api-key", "api-key", "x-auth-token", "x-goog-api-key"}
)


def require_sound(problems: list[Problem]) -> None:
    """Raise `InvalidInput` with the problems, if there are any."""
    if problems:
        raise InvalidInput(f"the connection is not usable: {problems[0].message}", hint=problems[0].hint, problems=tuple(problems))


def name_problems(name: str, type: str) -> list[Problem]:
    """Return what is wrong with the name: that of a provider is for connections to this provider, which then serve its models."""
    if name == "demo":
        return [_problem("/name", "'demo' is the name of the demo model", "choose another name")]
    if name in FAMILIES and FAMILIES.get(type) != FAMILIES[name]:
        return [_problem("/name", f"{name!r} is for connections of this provider, not of type {type!r}", "choose another name or type")]
    return []


def credential_problems(type: str, api_key: str | None, secret_headers: Mapping[str, str]) -> list[Problem]:
    if type in NOT_FOR_MODELS and api_key is not None:
        cure = 'write it as a header: secret_headers: {"Authorization": "Bearer ..."}'
        return [_problem("/api_key", f"a connection of type {type} has no api_key", cure)]
    if type not in NOT_FOR_MODELS and secret_headers:
        return [_problem("/secret_headers", f"a connection of type {type} has an api_key, and no secret headers", "give the api_key")]
    return []


def limit_problems(type: str, limits: CallLimits) -> list[Problem]:
    if type in NOT_FOR_MODELS and limits != NO_LIMITS:
        return [_problem("/limits", f"a connection of type {type} has no limits: they are for model calls", "leave them out")]
    return []


def header_problems(headers: Mapping[str, str], secret_headers: Mapping[str, str]) -> list[Problem]:
    found = []
    for field, pairs in (("headers", headers), ("secret_headers", secret_headers)):
        for name, value in pairs.items():
            shown = name[:100].encode(errors="replace").decode()
            place = f"/{field}/{shown.replace('~', '~0').replace('/', '~1')}"
            found += [_problem(place, message, cure) for message, cure in _wrong_header(name, value, secret=field == "secret_headers")]
    twice = {name.lower() for name in headers} & {name.lower() for name in secret_headers}
    found += [_problem("/headers", f"the header {name!r} is there twice", "keep one") for name in sorted(twice)]
    return found


def _wrong_header(name: str, value: str, *, secret: bool) -> list[tuple[str, str]]:
    if not _TOKEN.fullmatch(name):
        return [(f"{name[:100]!r} is not a header name", "use letters, digits and hyphens")]
    if name.lower() in _NOT_OURS:
        return [(f"the header {name!r} is written by the server itself", "leave it out")]
    if not secret and name.lower() in _CREDENTIALS:
        return [(f"the header {name!r} holds a credential, and headers can be read", "give it as one of secret_headers, or as api_key")]
    if _CONTROL.search(value):
        return [(f"the header {name!r} holds a line break or control character", "take it out")]
    return []


def origins_for(type: str, base_url: str | None, allowed: list[str] | None, rules: OriginRules) -> tuple[str, ...]:
    """Return the origins of the connection; left out, that of its address. Raises `InvalidInput`."""
    address = base_url or ADDRESSES.get(type)
    if base_url is not None and (origin_of(base_url) is None or not _ADDRESS.fullmatch(base_url) or set(base_url) & set("?#")):
        require_sound([_problem("/base_url", "this is no address", "write it as https://host/path, without user name, ? and #")])
    if type == "mcp" and base_url is None:
        cure = "give the address at which the server speaks streamable HTTP, as in https://mcp.example.com/mcp"
        require_sound([_problem("/base_url", "a connection of type mcp needs a base_url", cure)])
    if allowed is None and address is None:
        require_sound([_problem("/allowed_origins", "it leads nowhere", "give a base_url, allowed_origins or both")])
    if allowed is None:
        return _own(str(address), rules)
    origins = rules.read(allowed)
    if address is not None and not permits(origins, address):
        own = origin_of(address)
        place = "/base_url" if base_url is not None else "/allowed_origins"
        require_sound([_problem(place, f"the address is at {own}, which is none of the allowed origins", f"add {own} to them")])
    return origins


def _own(address: str, rules: OriginRules) -> tuple[str, ...]:
    try:
        return rules.read([origin_of(address) or address])
    except InvalidInput as exc:
        wrong = exc.problems[0]
    require_sound([_problem("/base_url", wrong.message, wrong.hint or "")])
    return ()


def _problem(pointer: str, message: str, hint: str) -> Problem:
    return Problem(code="bad_value", message=message, pointer=pointer, hint=hint)
