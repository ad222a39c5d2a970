"""Secrets: known to documents by name only."""

from typing import Protocol


class Secrets(Protocol):
    async def reveal(self, org_id: str, name: str, url: str | None = None) -> str:
        """Return the secret's value, for use against `url` alone. Raises `StepError` `SECRET_MISSING`."""
        ...
