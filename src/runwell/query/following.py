"""Following a run or a workflow: what the journal has, then what the feed tells, without a hole and without a repetition.

A stream listens to the feed first and then reads the journal up to its end, so that nothing falls between the
two; what both tell is sent once. While it sends, the feed fills its mailbox. A mailbox that is full is emptied,
and the stream goes back to the journal: so neither the engine nor memory depends on how fast anybody reads.
A reader to whom nothing more can be sent is cut, and may go on later from its cursor.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Final

import msgspec
import structlog

from runwell.model.errors import RunwellError
from runwell.model.events import Event
from runwell.model.text_delta import Delta
from runwell.ports.feed import Feed
from runwell.ports.journal import Journal, Kept
from runwell.query.mailbox import Mailbox
from runwell.query.messages import Bodies, End, EndReason, Gap, Heartbeat, Message, Pong, control, event_message, opened_event
from runwell.query.places import Place

Send = Callable[[Sequence[Message]], Awaitable[None]]
Check = Callable[[], Awaitable[EndReason | None]]
"""Whether the reader may still read: None, or why the stream is to end."""

_LAST_WORDS_S: Final = 0.3
_SAID: Final = frozenset({"generation_completed", "step_completed", "step_failed", "step_cancelled", "step_stopped", "step_retrying"})
"""After these an attempt's model text is old."""
_FILL: Final = 1_000
"""Of a hole at most so many events are fetched at a time."""

_log = structlog.get_logger("runwell.streams")


class StreamLimits(msgspec.Struct, frozen=True, kw_only=True):
    """`heartbeat_s`: after so much silence. `send_s`: how long one message may take to be taken; `stall_s`: the same once the mailbox
    is full. `check_s`: how often it is looked whether the reader may still read.
    """

    heartbeat_s: float = 15.0
    send_s: float = 20.0
    stall_s: float = 5.0
    check_s: float = 60.0
    buffer_items: int = 1_000
    buffer_bytes: int = 4_194_304
    batch_bytes: int = 65_536
    page: int = 32
    max_page: int = 512


class _Ended(Exception):
    def __init__(self, reason: EndReason) -> None:
        self.reason = reason


class Follower:
    """One stream. `run` it once; `stop` ends it from outside."""

    def __init__(self, place: Place, journal: Journal, feed: Feed, bodies: Bodies, limits: StreamLimits, check: Check) -> None:
        self._place, self._journal, self._feed, self._limits, self._check = place, journal, feed, limits, check
        self._mailbox = Mailbox(bodies, limits.buffer_items, limits.buffer_bytes, self._hurry)
        self._loop = asyncio.get_running_loop()
        self._reason: EndReason | None = None
        self._sending: tuple[float, asyncio.Timeout] | None = None
        self._is_interrupted = False
        self._pong_due = False
        self._page = limits.page
        self._batch: list[Message] = []
        self._batch_size = 0
        self._check_at = self._loop.time() + limits.check_s
        self._beat_at = 0.0

    def stop(self, reason: EndReason) -> None:
        """End the stream soon, even in the middle of a send. The first reason counts."""
        self._reason = self._reason or reason
        self._mailbox.woken.set()
        self._hurry(_LAST_WORDS_S)

    def pong(self) -> None:
        """Answer a ping; several at once get one answer."""
        self._pong_due = True
        self._mailbox.woken.set()

    def _hurry(self, patience_s: float | None = None) -> None:
        """Give a send that is under way less time: since it began, when the mailbox is full; from now, when the stream is to end."""
        if self._sending is None:
            return
        began, timeout = self._sending
        end = began + self._limits.stall_s if patience_s is None else self._loop.time() + patience_s
        deadline = timeout.when()
        if deadline is not None and end < deadline and not timeout.expired():
            timeout.reschedule(end)

    async def run(self, send: Send) -> EndReason:
        """Send everything, until the end of what is followed or of the stream; return why it ended.

        `send` is interrupted when it takes too long. An `OSError` of it means that nobody is there any more.
        """
        self._send = send
        unlisten = self._feed.listen(self._mailbox.hear, self._place.about)
        try:
            await self._follow()
        except _Ended as ended:
            self._reason = ended.reason
        except RunwellError as exc:
            _log.warning("a stream could not go on", about=self._place.about, error=str(exc))
            self._reason = "journal_unavailable"
        except Exception as exc:
            _log.error("a stream failed", about=self._place.about, exc_info=exc)
            self._reason = "internal_error"
        finally:
            unlisten()
        reason = self._reason or "run_ended"
        await self._say_end(reason)
        return reason

    async def _say_end(self, reason: EndReason) -> None:
        """Send what is left and the last message, unless a send was interrupted: what came of that is not known."""
        if reason == "slow_reader":
            _log.info("a slow reader was cut", about=self._place.about, cursor=self._place.cursor)
        if reason == "disconnected" or self._is_interrupted:
            return
        with suppress(TimeoutError, OSError):
            async with asyncio.timeout(_LAST_WORDS_S):
                await self._send([*self._batch, control(End(reason=reason, cursor=self._place.cursor))])

    async def _follow(self) -> None:
        gap = await self._place.begin()
        await self._put(*([] if gap is None else [control(gap)]), self._heartbeat())
        await self._flush()
        await self._catch_up()
        while not self._place.has_ended:
            await self._wait()
            await self._live()

    # Sending

    async def _put(self, *messages: Message) -> None:
        """Send with what comes next, or now if that is much."""
        self._batch += messages
        self._batch_size += sum(len(message.body) for message in messages)
        if self._batch_size >= self._limits.batch_bytes:
            await self._flush()

    async def _flush(self) -> None:
        """Send what was put. Raises `_Ended`."""
        batch, self._batch, self._batch_size = self._batch, [], 0
        if batch:
            await self._send_in_time(batch)
            self._beat_at = self._loop.time() + self._limits.heartbeat_s
        await self._see_whether_to_go_on()

    async def _send_in_time(self, batch: Sequence[Message]) -> None:
        began = self._loop.time()
        try:
            async with asyncio.timeout(self._limits.stall_s if self._mailbox.has_spilled else self._limits.send_s) as timeout:
                self._sending = (began, timeout)
                await self._send(batch)
        except TimeoutError as exc:
            self._is_interrupted = True
            raise _Ended(self._reason or "slow_reader") from exc
        except OSError as exc:
            raise _Ended("disconnected") from exc
        finally:
            self._sending = None

    async def _see_whether_to_go_on(self) -> None:
        if self._reason is None and self._loop.time() >= self._check_at:
            self._check_at = self._loop.time() + self._limits.check_s
            self._reason = await self._check()
        if self._reason is not None:
            raise _Ended(self._reason)

    def _heartbeat(self) -> Message:
        return control(Heartbeat(cursor=self._place.cursor))

    async def _put_event(self, kept: Kept, opened: bytes) -> None:
        """Send an event that comes next, behind what should have come before it."""
        hole = self._place.missing(kept)
        if hole is not None:
            await self._fill(kept.event.run_id, *hole)
        self._place.passed(kept)
        await self._put(event_message(opened, self._place.cursor))

    # The journal

    async def _catch_up(self) -> None:
        """Send what the journal has, up to where the mailbox goes on; what both have is passed over in `_live`."""
        self._mailbox.reset()
        while page := await self._place.page(self._page):
            await self._put_page(page)

    async def _put_page(self, page: list[Kept]) -> None:
        size = 0
        for kept in page:
            opened = opened_event(kept.event)
            size += len(opened)
            await self._put_event(kept, opened)
        await self._flush()
        self._mailbox.drop_text({(kept.event.run_id, kept.event.step_id, kept.event.attempt) for kept in page if kept.event.type in _SAID})
        room = self._limits.buffer_bytes // 4
        self._page = max(1, self._page // 4) if size > room else min(self._page * 2, self._limits.max_page)

    async def _put_gap(self, run_id: str, first: int, last: int) -> None:
        await self._put(control(Gap(run_id=run_id, first=first, last=last, reason="not_in_journal")))

    async def _fill(self, run_id: str, first: int, last: int) -> None:
        """Send the events of a hole; tell of those that the journal has not.

        Their place in the order of commits is not known: whoever goes on from one of them may get it again.
        """
        while first <= last:
            found = await self._journal.read(run_id, first - 1, min(last - first + 1, _FILL))
            for event in (event for event in found if event.seq <= last):
                await self._put_filling(event, first)
                first = event.seq + 1
            if not found or found[-1].seq > last:
                break
        if first <= last:
            await self._put_gap(run_id, first, last)

    async def _put_filling(self, event: Event, expected: int) -> None:
        if event.seq > expected:
            await self._put_gap(event.run_id, expected, event.seq - 1)
        self._place.passed(Kept(0, event))
        await self._put(event_message(opened_event(event), self._place.cursor))

    # The feed

    async def _wait(self) -> None:
        """Wait until there is something, and say now and then that there is nothing."""
        woken = self._mailbox.woken
        try:
            async with asyncio.timeout_at(min(self._beat_at, self._check_at)):
                await woken.wait()
        except TimeoutError:
            if self._loop.time() >= self._beat_at:
                await self._put(self._heartbeat())
        woken.clear()
        if self._pong_due:
            self._pong_due = False
            await self._put(control(Pong()))
        await self._flush()

    async def _live(self) -> None:
        for item, body in self._mailbox.take():
            if isinstance(item, Delta):
                await self._put(Message(body))
            else:
                await self._put_heard(item, body)
        await self._flush()
        if self._mailbox.has_spilled:
            await self._catch_up()

    async def _put_heard(self, kept: Kept, opened: bytes) -> None:
        """Send an event, unless it was sent already; what the feed did not tell before it comes from the journal."""
        while self._place.missing(kept) is not None and not self._place.is_sent(kept) and (page := await self._place.page(self._page)):
            await self._put_page(page)
        if not self._place.is_sent(kept):
            await self._put_event(kept, opened)


class Streams:
    """The open streams of a server; `close` ends them all, for a server that stops waits for its responses."""

    def __init__(self, feed: Feed, journal: Journal, limits: StreamLimits | None = None) -> None:
        self._feed, self._journal = feed, journal
        self._limits = limits or StreamLimits()
        self._bodies = Bodies()
        self._open: dict[Follower, asyncio.Future[None]] = {}
        self._is_closing = False

    def __len__(self) -> int:
        return len(self._open)

    async def follow(self, place: Place, send: Send, check: Check, started: Callable[[Follower], None]) -> EndReason:
        """Send what comes after the place until there is an end, and return why it ended."""
        follower = Follower(place, self._journal, self._feed, self._bodies, self._limits, check)
        ended = self._open[follower] = asyncio.get_running_loop().create_future()
        try:
            if self._is_closing:
                follower.stop("server_stopping")
            started(follower)
            return await follower.run(send)
        finally:
            del self._open[follower]
            ended.set_result(None)

    async def close(self, patience_s: float = 1.0) -> None:
        """End all streams as `server_stopping`, and each that is opened after. Returns once they have ended, or when patience does."""
        self._is_closing = True
        for follower in self._open:
            follower.stop("server_stopping")
        if self._open:
            await asyncio.wait(list(self._open.values()), timeout=patience_s)
