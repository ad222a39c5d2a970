"""Whose data a call is about. It comes from the caller's credentials, never from what the caller sends."""

from typing import Final

import msgspec

from runwell.model.ids import DEFAULT_ORG, DEFAULT_PROJECT


class Scope(msgspec.Struct, frozen=True):
    """One project of one organization. What lies outside of it does not exist for the caller."""

    org_id: str
    project_id: str


DEFAULT_SCOPE: Final = Scope(DEFAULT_ORG, DEFAULT_PROJECT)
"""The command line's, and that of a server without sign-in."""
