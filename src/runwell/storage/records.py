"""From one append's events and row to what a journal stores."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from runwell.model.errors import InvalidInput
from runwell.model.events import Event, StepCompleted, encode_event
from runwell.model.run import RunRow
from runwell.model.statuses import RunStatus

_row_encoder = msgspec.json.Encoder()
_row_decoder = msgspec.json.Decoder(RunRow)


class Encoded(NamedTuple):
    """The events' records in order, and the row's, as JSON text. `results`: by key the `seq` of those with a step's result."""

    events: list[str]
    row: str
    results: list[tuple[bytes, int]] = []


def encode_append(expected: int, events: Sequence[Event], row: RunRow) -> Encoded:
    """Return what to store.

    Raises `ValueError` when the events do not follow `expected` without gaps, are of another run than
    the row or do not end where it does, and `InvalidInput` when a value has no JSON form.
    """
    _check(expected, events, row)
    try:
        records = [encode_event(event).decode() for event in events]
        return Encoded(records, _row_encoder.encode(row).decode(), _kept_results(events))
    except (msgspec.MsgspecError, TypeError, ValueError, OverflowError, RecursionError) as exc:
        raise InvalidInput(
            f"an event of {row.run_id!r} cannot be written as JSON: {exc}",
            hint="text must be Unicode without lone surrogates, and all values JSON",
        ) from exc


def cache_key_of(row: RunRow) -> bytes | None:
    """Return the key under which the run's result can be had again; None for one that did not succeed."""
    return bytes.fromhex(row.cache_key) if row.status is RunStatus.SUCCEEDED and row.cache_key else None


def _kept_results(events: Sequence[Event]) -> list[tuple[bytes, int]]:
    """Return the keys of the steps' results that can be had again, with the `seq` of the event that has the result."""
    completed = ((event.data, event.seq) for event in events if isinstance(event.data, StepCompleted))
    return [(bytes.fromhex(data.kept.key), seq) for data, seq in completed if data.kept is not None]


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
