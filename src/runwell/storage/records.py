"""From one append's events and row to what a journal stores."""

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from runwell.model.errors import InvalidInput
from runwell.model.events import Event, encode_event
from runwell.model.run import SET_APART, RunRow
from runwell.model.statuses import RunStatus

_row_encoder = msgspec.json.Encoder()
_row_decoder = msgspec.json.Decoder(RunRow)


class Encoded(NamedTuple):
    """The events' records in order, and the row's, as JSON text."""

    events: list[str]
    row: str


def encode_append(expected: int, events: Sequence[Event], row: RunRow) -> Encoded:
    """Return what to store.

    Raises `ValueError` when the events do not follow `expected` without gaps, are of another run than
    the row or do not end where it does, and `InvalidInput` when a value has no JSON form.
    """
    _check(expected, events, row)
    try:
        return Encoded([encode_event(event).decode() for event in events], _row_encoder.encode(row).decode())
    except (msgspec.MsgspecError, TypeError, ValueError, OverflowError, RecursionError) as exc:
        raise InvalidInput(
            f"an event of {row.run_id!r} cannot be written as JSON: {exc}",
            hint="text must be Unicode without lone surrogates, and all values JSON",
        ) from exc


def cache_key(org_id: str, version_hash: str, input_hash: str) -> bytes:
    """Return what stands for the three in the index of runs whose result can be had again: 16 bytes, of one length whatever they hold."""
    names = b"\0".join(name.encode("utf-8", "surrogatepass") for name in (org_id, version_hash, input_hash))
    return hashlib.sha256(names).digest()[:16]


def cache_key_of(row: RunRow) -> bytes | None:
    """Return the key under which the run's result can be had again; None for one that did not succeed, or was a trial."""
    if row.status is not RunStatus.SUCCEEDED or row.environment in SET_APART or not row.input_hash:
        return None
    return cache_key(row.org_id, row.version_hash, row.input_hash)


def decode_row(text: str) -> RunRow:
    """Return the row of a record. Raises `InvalidInput` when it is damaged."""
    try:
        return _row_decoder.decode(text)
    except msgspec.MsgspecError as exc:
        raise InvalidInput(f"damaged run record: {exc}") from exc


def check_names(*names: str) -> None:
    """Raise `InvalidInput` for text that not every database can keep: without a UTF-8 form, or with a NUL."""
    for name in names:
        if "\x00" in name:
            raise InvalidInput(f"{name!r} cannot be stored: it has a NUL", hint="leave the NUL out")
        try:
            name.encode()
        except UnicodeEncodeError as exc:
            raise InvalidInput(f"{name!r} cannot be stored: {exc.reason}", hint="text must be Unicode without lone surrogates") from exc


def _check(expected: int, events: Sequence[Event], row: RunRow) -> None:
    if not events:
        raise ValueError("an append has at least one event")
    for seq, event in enumerate(events, expected + 1):
        if event.seq != seq or event.run_id != row.run_id:
            raise ValueError(f"event {event.seq} of {event.run_id!r} stands where event {seq} of {row.run_id!r} belongs")
    if row.seq != events[-1].seq:
        raise ValueError(f"the row of {row.run_id!r} is at event {row.seq}, its last event is {events[-1].seq}")
