"""The request that starts a run."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from runwell.model.caching import CacheUse
from runwell.model.errors import InvalidInput
from runwell.sdk.request import Request, request


def start_request(
    workflow: str,
    given: Any,
    version: int | None,
    tags: Sequence[str],
    metadata: Mapping[str, str] | None,
    environment: str,
    use_cache: CacheUse,
    idempotency_key: str | None,
) -> Request:
    """Return the request. Raises `InvalidInput` for a key that cannot be sent."""
    about = {"tags": list(tags), "metadata": dict(metadata or {}), "environment": environment, "use_cache": use_cache}
    params = {"input": given, **about}
    asked = request("POST", "workflows", workflow, "command", body={"command": "start", "version": version, "params": params})
    return with_key(asked, idempotency_key)


def with_key(asked: Request, idempotency_key: str | None) -> Request:
    """Return the request with this idempotency key, if there is one. Raises `InvalidInput` for one that cannot be sent."""
    if idempotency_key is None:
        return asked
    if not idempotency_key.isascii() or not idempotency_key.isprintable() or " " in idempotency_key or not idempotency_key:
        raise InvalidInput(f"the idempotency key {idempotency_key!r:.80} is not usable", hint="give visible ASCII characters")
    return msgspec.structs.replace(asked, headers={**asked.headers, "Idempotency-Key": idempotency_key})
