"""The limits that the admins of projects set."""

from collections.abc import Container
from typing import Protocol

import msgspec

from runwell.model.limits import Limits
from runwell.model.scope import Scope


class LimitsRecord(msgspec.Struct, frozen=True):
    """`revision` grows with every change of the project."""

    limits: Limits
    revision: int


class LimitSettings(Protocol):
    async def get(self, scope: Scope) -> LimitsRecord:
        """Raises `NotFound` when there is no such project."""
        ...

    async def put(self, scope: Scope, limits: Limits, revisions: Container[int]) -> LimitsRecord:
        """Set the limits, which hold at once. Raises `NotFound`, and `Outdated` at a revision other than these."""
        ...
