"""Feedback tokens: with one, who has no account may say what they think of one run, for a while."""

from typing import Protocol

import msgspec

from runwell.model.scope import Scope


class Leave(msgspec.Struct, frozen=True, array_like=True):
    """What a token allows: to review this run, until `expires_at` (ms since 1970). `subject` says who got it, as its maker calls them."""

    org_id: str
    project_id: str
    run_id: str
    expires_at: int
    subject: str = ""

    @property
    def scope(self) -> Scope:
        return Scope(self.org_id, self.project_id)


class FeedbackTokens(Protocol):
    def issue(self, leave: Leave) -> str:
        """Return the token, signed under the server's key."""
        ...

    def read(self, token: str) -> Leave | None:
        """Return what the token allows, whether or not it has expired; None for what this server did not sign."""
        ...
