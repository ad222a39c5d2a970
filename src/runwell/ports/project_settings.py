"""One part of what the admins of a project set."""

from collections.abc import Container
from typing import Generic, Protocol, TypeVar

import msgspec

from runwell.model.scope import Scope

T = TypeVar("T")


class SettingsRecord(msgspec.Struct, Generic[T], frozen=True):
    """`revision` grows with every change of any of the project's settings."""

    value: T
    revision: int


class ProjectSettings(Protocol[T]):
    async def get(self, scope: Scope) -> SettingsRecord[T]:
        """Raises `NotFound` when there is no such project."""
        ...

    async def put(self, scope: Scope, value: T, revisions: Container[int]) -> SettingsRecord[T]:
        """Set this part, which holds at once. Raises `NotFound`, and `Outdated` at a revision other than these."""
        ...
