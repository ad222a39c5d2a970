"""What a stream of events says, as JSON: events as everybody sees them, with a cursor, and a few words of its own."""

import re
from typing import Final, Literal, NamedTuple

import msgspec

from runwell.model.errors import InvalidInput, Problem
from runwell.model.events import Event, event_json
from runwell.model.text_delta import Delta
from runwell.ports.journal import Kept

EndReason = Literal[
    "run_ended",
    "slow_reader",
    "server_stopping",
    "forbidden",
    "ticket_expired",
    "gone",
    "bad_message",
    "journal_unavailable",
    "internal_error",
    "disconnected",
]
"""Why a stream ends; a reader never hears of `disconnected`."""

GapReason = Literal["not_in_journal", "ahead_of_journal"]

_CURSOR: Final = re.compile(r"([0-9]{1,18})\.([0-9]{1,18})")


class DeltaMessage(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="delta"):
    """A piece of text that a model just wrote: told live only, kept nowhere."""

    run_id: str
    step_id: str
    attempt: int
    text: str


class Heartbeat(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="heartbeat"):
    """The stream is alive, and here: whoever goes on after `cursor` misses nothing."""

    cursor: str


class Pong(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="pong"):
    """The answer to a ping."""


class Gap(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="gap"):
    """Events that this stream cannot give: `seq` from `first` to `last` of a run, both included.

    `ahead_of_journal`: the reader's cursor lies behind the journal's end, which happens when an older copy of the data is served.
    Without a `run_id` the numbers are positions of a workflow's cursor.
    """

    first: int = msgspec.field(name="from")
    last: int = msgspec.field(name="to")
    reason: GapReason
    run_id: str | None = None


class End(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="end"):
    """The last message. A stream that was cut short goes on after `cursor`."""

    reason: EndReason
    cursor: str


class Message(NamedTuple):
    """One message. `id` is the cursor of an event; nothing else has one."""

    body: bytes
    id: str | None = None


class Cursor(NamedTuple):
    """A place in the events of a workflow: those up to `seq` of the append at `position` lie before it."""

    position: int
    seq: int

    def __str__(self) -> str:
        return f"{self.position}.{self.seq}"


BEGINNING: Final = Cursor(0, 0)

_encoder: Final = msgspec.json.Encoder()


def parse_cursor(text: str, pointer: str = "/query/after") -> Cursor:
    """Return the cursor that a stream of a workflow gave; `0` is the beginning. Raises `InvalidInput`."""
    if text == "0":
        return BEGINNING
    found = _CURSOR.fullmatch(text)
    if found is None:
        raise bad_place(f"{text[:40]!r} is no cursor", "take the `cursor` of a message of this stream, or 0 for the beginning", pointer)
    return Cursor(int(found[1]), int(found[2]))


def parse_seq(text: str, pointer: str = "/query/after") -> int:
    """Return the `seq` after which a run's stream goes on. Raises `InvalidInput`."""
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise bad_place(f"{text[:40]!r} is no event's seq", "take the `seq` of an event of this run, or 0 for the beginning", pointer)
    return int(text)


def bad_place(message: str, hint: str, pointer: str) -> InvalidInput:
    return InvalidInput(message, hint=hint, problems=(Problem(code="bad_cursor", message=message, pointer=pointer, hint=hint),))


def opened_event(event: Event) -> bytes:
    """Return the event's JSON but for its closing brace: `event_message` adds what differs between streams."""
    return event_json(event)[:-1]


def event_message(opened: bytes, cursor: str) -> Message:
    return Message(b'%b,"cursor":"%b"}' % (opened, cursor.encode()), cursor)


def control(message: DeltaMessage | Heartbeat | Pong | Gap | End) -> Message:
    return Message(_encoder.encode(message))


class Bodies:
    """The JSON of what the feed just told, made once for all streams that hear it."""

    def __init__(self) -> None:
        self._position = -1
        self._events: dict[int, bytes] = {}
        self._delta: tuple[Delta | None, bytes] = (None, b"")

    def of(self, item: Kept | Delta) -> bytes:
        return self._event(item) if isinstance(item, Kept) else self._text(item)

    def _event(self, kept: Kept) -> bytes:
        if kept.position != self._position:
            self._position, self._events = kept.position, {}
        body = self._events.get(kept.event.seq)
        if body is None:
            body = self._events[kept.event.seq] = opened_event(kept.event)
        return body

    def _text(self, delta: Delta) -> bytes:
        if self._delta[0] is not delta:
            text = delta.text.encode("utf-8", "replace").decode()  # half a surrogate pair is no JSON
            message = DeltaMessage(run_id=delta.run_id, step_id=delta.step_id, attempt=delta.attempt, text=text)
            self._delta = (delta, _encoder.encode(message))
        return self._delta[1]
