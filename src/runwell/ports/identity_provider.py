"""Somebody else who knows who people are: an OpenID Connect provider."""

from typing import Protocol

from runwell.ports.identity import Outsider


class IdentityProvider(Protocol):
    """Raises `ProviderUnavailable` when the provider cannot be asked."""

    async def address(self, *, redirect_uri: str, state: str, nonce: str, verifier: str) -> str:
        """Return where to send the browser; `verifier` is PKCE's, and only its challenge goes out."""
        ...

    async def identify(self, *, code: str, redirect_uri: str, nonce: str, verifier: str) -> Outsider:
        """Return for whom the code was given. Raises `NotIdentified` when anything about the answer is not right."""
        ...

    async def aclose(self) -> None: ...
