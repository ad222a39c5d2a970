"""Searches for runs that people keep, to come back to."""

from typing import Literal

import msgspec

Visibility = Literal["private", "shared"]
"""private: its owner alone sees it. shared: everybody who may see the project's runs."""


class ViewSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What a view shows. `query` is in the search language; `columns` and `sort` are the screen's, in order.

    `default`: its owner's lists begin with it.
    """

    name: str
    query: str = ""
    columns: tuple[str, ...] = ()
    sort: tuple[str, ...] = ()
    visibility: Visibility = "private"
    default: bool = False


class SavedView(ViewSettings, frozen=True, kw_only=True):
    """A kept search. `owner` is the user or key that keeps it; `revision` grows with every change."""

    id: str
    owner: str
    revision: int
    created_at: str
    updated_at: str
