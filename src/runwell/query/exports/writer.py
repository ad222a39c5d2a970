"""What turns runs into a file, and the streams and parts that are made with it.

Memory is bounded by what a writer holds back: nothing but for Parquet, which writes groups of rows, and for fine-tuning,
which remembers eight bytes of each conversation.
"""

from collections.abc import AsyncIterator
from typing import Final, Protocol

import msgspec

from runwell.model.run_record import RunRecord
from runwell.ports.run_store import Place

CHUNK_BYTES: Final = 65_536

PART_BYTES: Final = 8 * 1024 * 1024
"""A part ends behind the run with which it reaches this size."""


class Writer(Protocol):
    """Makes one file. `begin` first, `end` last; what it returns follows one another in the file."""

    media_type: str
    extension: str

    def begin(self) -> bytes: ...

    def add(self, record: RunRecord) -> bytes:
        """Return what the run adds to the file; it may be held back until later."""
        ...

    def end(self) -> bytes: ...


class Part(msgspec.Struct, frozen=True):
    """`last`: the place of the last run in it; None when there are no more runs."""

    content: bytes
    last: Place | None


def place_of(record: RunRecord) -> Place:
    return Place(record.created_at, record.run_id)


async def whole(records: AsyncIterator[RunRecord], writer: Writer) -> AsyncIterator[bytes]:
    """Yield the file of all these runs, piece by piece."""
    held = bytearray(writer.begin())
    async for record in records:
        held += writer.add(record)
        if len(held) >= CHUNK_BYTES:
            yield bytes(held)
            held.clear()
    yield bytes(held) + writer.end()


async def part(records: AsyncIterator[RunRecord], writer: Writer, limit: int) -> Part:
    """Return the file of the first of these runs: `limit` of them, or fewer when they are large."""
    held, count, last = bytearray(writer.begin()), 0, None
    async for record in records:
        if count == limit or len(held) >= PART_BYTES:
            return Part(bytes(held) + writer.end(), last)
        held += writer.add(record)
        count, last = count + 1, place_of(record)
    return Part(bytes(held) + writer.end(), None)
