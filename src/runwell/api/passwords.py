"""Passwords: argon2id, on a thread, with the same work whether there is a password or not."""

import asyncio
from typing import Annotated

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from pydantic import Field

Password = Annotated[str, Field(min_length=12, max_length=256, description="12 to 256 characters.", examples=["correct horse battery"])]


class Passwords:
    """Hashes and checks. Each takes 64 MiB for a moment, so only so many are done at once."""

    def __init__(self, hasher: PasswordHasher | None = None, at_once: int = 2) -> None:
        self._hasher = hasher or PasswordHasher()
        self._turns = asyncio.Semaphore(at_once)
        self._decoy: str | None = None

    async def hash(self, password: str) -> str:
        async with self._turns:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def match(self, known: str | None, password: str) -> bool:
        """Whether the password is the one of the hash; never, after the same work, when there is none."""
        if self._decoy is None:
            self._decoy = await self.hash("of nobody")
        async with self._turns:
            right = await asyncio.to_thread(self._verify, known or self._decoy, password)
        return right and known is not None

    def is_weak(self, known: str) -> bool:
        """Whether the hash was made with less work than is usual now."""
        return self._hasher.check_needs_rehash(known)

    def _verify(self, known: str, password: str) -> bool:
        try:
            return self._hasher.verify(known, password)
        except (VerificationError, InvalidHashError):
            return False
