"""Idempotency keys: what was answered to a request, so that the same request again gets the same answer."""

from typing import Protocol

import msgspec

from runwell.model.scope import Scope


class StoredAnswer(msgspec.Struct, frozen=True, kw_only=True):
    status: int
    headers: dict[str, str]
    body: bytes


class KeyUse(msgspec.Struct, frozen=True, kw_only=True):
    """One use of a key. `run_id` is the id for the run that the request may start; without `answer` the use has not ended.

    `fresh`: it was made just now.
    """

    request_hash: str
    run_id: str
    answer: StoredAnswer | None
    fresh: bool


class IdempotencyKeys(Protocol):
    """Keys belong to one actor in one project, for a day."""

    async def reserve(self, scope: Scope, actor: str, key: str, request_hash: str, run_id: str) -> KeyUse:
        """Return the key's use, made with these values when there was none."""
        ...

    async def complete(self, scope: Scope, actor: str, key: str, answer: StoredAnswer) -> None:
        """Keep what was answered."""
        ...

    async def release(self, scope: Scope, actor: str, key: str) -> None:
        """Forget a use that came to nothing, so that the request can be made again."""
        ...
