"""Where saved views are kept.

What lies outside of `scope`, and what is private of others, does not exist: `NotFound`, in the words for an unknown id.
"""

from collections.abc import Container
from typing import Protocol

import msgspec

from runwell.model.saved_views import SavedView, ViewSettings
from runwell.model.scope import Scope


class Reader(msgspec.Struct, frozen=True, kw_only=True):
    """Who looks at views or changes them. `shares`: may keep shared ones. `moderates`: may change and delete others' shared ones."""

    scope: Scope
    actor: str
    shares: bool = False
    moderates: bool = False


class SavedViews(Protocol):
    async def page(self, reader: Reader, limit: int, *, after: str | None = None, before: str | None = None) -> list[SavedView]:
        """Return what the reader sees, oldest first: those after the id `after`, or those that lead up to `before`."""
        ...

    async def get(self, reader: Reader, view_id: str) -> SavedView: ...

    async def create(self, reader: Reader, settings: ViewSettings) -> SavedView:
        """Keep a view of the reader's. Raises `Refused` when they have one of this name, or too many."""
        ...

    async def change(self, reader: Reader, view_id: str, revisions: Container[int], settings: ViewSettings) -> SavedView:
        """Replace a view whole. Raises `Outdated` at another revision, `Refused` for one that is not theirs to change."""
        ...

    async def delete(self, reader: Reader, view_id: str) -> None:
        """Raises `Refused` for a view that is not theirs to delete."""
        ...
