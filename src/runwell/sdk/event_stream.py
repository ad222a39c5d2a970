"""A run's live events: read from server-sent events, taken up again after a cut, each event once.

The stream goes on after the last `seq` that was handed out. It is cut when the connection breaks or is silent for
too long, and when the server says `end` with any reason but that the run has ended.
"""

import random
import time
from typing import Final, NamedTuple

import msgspec

from runwell.model.run_parts import EventView
from runwell.model.text_delta import Delta
from runwell.sdk.connection import Connection
from runwell.sdk.errors import RunNotEnded, ServerFailed, ServerUnreachable, StreamCut, error_of
from runwell.sdk.flow import Emit, Flow, Open, Read, Rest, wish_of, worth_repeating
from runwell.sdk.request import Reply, Request, request

SILENCE_S: Final = 45.0
"""The server sends a heartbeat every 15 s; a connection that is silent for so long is dead."""

_FINAL: Final = frozenset({"forbidden", "gone", "bad_message", "ticket_expired"})
"""Ends after which trying again is of no use."""


class Following(NamedTuple):
    """What is followed. `until` is a moment of `time.monotonic`; None is for as long as it takes."""

    run_id: str
    after: int = 0
    deltas: bool = False
    until: float | None = None


class _Message(msgspec.Struct):
    """What all messages have, and what `end` and `gap` have."""

    type: str
    reason: str = ""


_message = msgspec.json.Decoder(_Message)
_event = msgspec.json.Decoder(EventView)
_delta = msgspec.json.Decoder(Delta)


def follow(connection: Connection, following: Following) -> Flow[None]:
    """Hand out the run's events as they come, until it has ended. Raises `StreamCut` when the stream cannot be taken up again."""
    place = _Place(following)
    failures = 0
    while True:
        cut: Exception = StreamCut(f"the stream of {following.run_id} broke off after event {place.seq}", hint="go on with after=")
        wish = 0.0
        try:
            reply: Reply = yield Open(place.request())
            if reply.status == 204:
                return
            if reply.status == 200:
                yield from _read(place)
                if place.has_ended:
                    return
                cut = place.cut or cut
            else:
                cut, wish = error_of(reply.status, reply.headers, reply.body), wish_of(reply)
                if not worth_repeating(place.request(), reply):
                    raise cut
        except ServerUnreachable as exc:
            cut = exc
        place.check_time()
        failures = 1 if place.take_progress() else failures + 1
        if failures > connection.retries:
            raise cut
        yield Rest(place.within_time(max(connection.pause_s(failures, random.random()), wish)))


def _read(place: "_Place") -> Flow[None]:
    """Read one connection to its end."""
    lines = Lines()
    while piece := (yield Read()):
        for data in lines.feed(piece):
            for item in place.take(data):
                yield Emit(item)
        if place.has_ended or place.cut is not None:
            return


class _Place:
    """How far the stream is, over all of its connections."""

    def __init__(self, following: Following) -> None:
        self._following = following
        self.seq = following.after
        self.has_ended = False
        self.cut: StreamCut | None = None
        self._beats = 0
        self._progress = False

    def request(self) -> Request:
        """Return the request that goes on from here. Raises `RunNotEnded` when there is no more time."""
        self.check_time()
        self._beats, self.cut = 0, None
        asked = request("GET", "runs", self._following.run_id, "stream", query={"after": self.seq or None})
        resumed = {"Last-Event-ID": str(self.seq)} if self.seq > self._following.after else {}
        return msgspec.structs.replace(
            asked,
            query=() if resumed else asked.query,
            headers={"Accept": "text/event-stream, application/problem+json", **resumed},
            read_timeout_s=self.within_time(SILENCE_S) or 0.001,
        )

    def take(self, data: bytes) -> list[EventView | Delta]:
        """Return what a message brings that is to be handed out."""
        try:
            message = _message.decode(data)
            match message.type:
                case "heartbeat":
                    self._beat()
                case "delta":
                    return [_delta.decode(data)] if self._following.deltas else []
                case "gap":
                    raise StreamCut(f"events of {self._following.run_id} are missing ({message.reason}): {data.decode()}", hint=_GAP)
                case "end":
                    self._end(message.reason)
                case "pong":
                    pass
                case _:
                    return self._event(_event.decode(data))
        except (msgspec.MsgspecError, UnicodeDecodeError) as exc:
            raise ServerFailed(f"the stream says something that makes no sense here: {exc}", hint="upgrade this client") from exc
        return []

    def _event(self, event: EventView) -> list[EventView | Delta]:
        if event.seq <= self.seq:
            return []
        self.seq, self._progress = event.seq, True
        return [event]

    def _beat(self) -> None:
        """Take note that the connection lives: the first heartbeat only says that it was opened."""
        self._beats += 1
        self._progress = self._progress or self._beats > 1
        self.check_time()
        if self._following.until is not None and self._beats > 1 and self.within_time(SILENCE_S) < SILENCE_S:
            self.cut = StreamCut("there is too little time left to wait for the next heartbeat")

    def _end(self, reason: str) -> None:
        self.has_ended = reason == "run_ended"
        if not self.has_ended:
            self.cut = StreamCut(f"the server ended the stream of {self._following.run_id}: {reason}", hint="go on with after=")
            if reason in _FINAL:
                raise self.cut

    def take_progress(self) -> bool:
        """Return whether anything came since this was asked last."""
        progress, self._progress = self._progress, False
        return progress

    def check_time(self) -> None:
        if self._following.until is not None and time.monotonic() >= self._following.until:
            raise RunNotEnded(f"{self._following.run_id} has not ended in time", hint="wait again, or look what it waits for")

    def within_time(self, seconds: float) -> float:
        """Return the seconds, or what is left when that is less."""
        return seconds if self._following.until is None else max(0.0, min(seconds, self._following.until - time.monotonic()))


_GAP: Final = "read the run's events from the start"


class Lines:
    """From bytes to the `data` of each server-sent event that is whole."""

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[bytes] = []

    def feed(self, piece: bytes) -> list[bytes]:
        *lines, self._rest = (self._rest + piece).split(b"\n")
        found = []
        for line in lines:
            line = line.removesuffix(b"\r")
            name, _, value = line.partition(b":")
            if name == b"data":
                self._data.append(value.removeprefix(b" "))
            elif not line and self._data:
                found.append(b"\n".join(self._data))
                self._data = []
        return found
