"""How a stream ends, and after what it goes on."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx2
import msgspec
import pytest
from tests.unit.sdk.answering import RUN, Server, problem

import runwell
from runwell.model.errors import NotFound, RunwellError
from runwell.model.text_delta import Delta
from runwell.sdk.errors import Forbidden, ServerFailed, StreamCut
from runwell.sdk.event_stream import Lines


def message(seq: int) -> dict[str, Any]:
    event = {"seq": seq, "id": f"evt_{seq}", "run_id": RUN, "type": "log", "ts": 1, "step_id": None, "attempt": None, "actor": None}
    return {**event, "data": {"message": "grüße\n"}, "v": 1, "cursor": str(seq)}


def stream(*messages: dict[str, Any]) -> httpx2.Response:
    content = b"".join(
        (f"id: {told['seq']}\n".encode() if "seq" in told else b"") + b"data: " + msgspec.json.encode(told) + b"\n\n" for told in messages
    )
    return httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=content)


BEAT = {"type": "heartbeat", "cursor": "0"}
ENDED = {"type": "end", "reason": "run_ended", "cursor": "9"}
TEXT = {"type": "delta", "run_id": RUN, "step_id": "a", "attempt": 1, "text": "Hel"}


def test_it_goes_on_after_the_last_event(pauses: list[float]) -> None:
    stopping = {"type": "end", "reason": "server_stopping", "cursor": "3"}
    server = Server(stream(BEAT, message(1), message(2)), stream(BEAT, message(2), message(3), stopping), stream(message(4), ENDED))
    assert [event.seq for event in server.client().runs.stream(RUN)] == [1, 2, 3, 4]
    assert [request.headers.get("last-event-id") for request in server.asked] == [None, "2", "3"]


def test_it_begins_after_what_is_given(pauses: list[float]) -> None:
    server = Server(stream(message(8)), httpx2.Response(204))
    assert [event.seq for event in server.client().runs.stream(RUN, after=7)] == [8]
    assert [request.url.params.get("after") for request in server.asked] == ["7", None]
    assert server.asked[1].headers["last-event-id"] == "8"


def test_text_is_told_to_who_wants_it(pauses: list[float]) -> None:
    told = stream(BEAT, TEXT, message(1), ENDED)
    assert [event.seq for event in Server(told).client().runs.stream(RUN)] == [1]
    found = list(Server(told).client().runs.watch(RUN))
    assert found[0] == Delta(RUN, "a", 1, "Hel")


def test_trying_ends_when_nothing_comes(pauses: list[float]) -> None:
    server = Server(stream(BEAT, {"type": "end", "reason": "slow_reader", "cursor": "0"}))
    with pytest.raises(StreamCut, match="slow_reader"):
        list(server.client(retries=3).runs.stream(RUN))
    assert len(server.asked) == 4


def test_silence_is_no_failure(pauses: list[float]) -> None:
    quiet = stream(BEAT, BEAT)
    server = Server(*[quiet] * 20, stream(message(1), ENDED))
    assert len(list(server.client(retries=1).runs.stream(RUN))) == 1


@pytest.mark.parametrize("reason", ["forbidden", "gone"])
def test_some_ends_are_final(pauses: list[float], reason: str) -> None:
    server = Server(stream(message(1), {"type": "end", "reason": reason, "cursor": "1"}))
    with pytest.raises(StreamCut):
        list(server.client().runs.stream(RUN))
    assert len(server.asked) == 1


def test_a_gap_is_told(pauses: list[float]) -> None:
    server = Server(stream({"type": "gap", "from": 3, "to": 5, "reason": "not_in_journal", "run_id": RUN}))
    with pytest.raises(StreamCut, match="missing"):
        list(server.client().runs.stream(RUN))


@pytest.mark.parametrize(
    ("answer", "kind", "asked"),
    [
        (problem(404, "NOT_FOUND"), NotFound, 1),
        (problem(403, "FORBIDDEN"), Forbidden, 1),
        (problem(500, "INTERNAL_ERROR"), ServerFailed, 4),
        (stream({"type": "log", "seq": "x"}), ServerFailed, 1),
        (stream({"kind": "?"}), ServerFailed, 1),
    ],
)
def test_refusals(pauses: list[float], answer: httpx2.Response, kind: type[RunwellError], asked: int) -> None:
    server = Server(answer)
    with pytest.raises(kind):
        list(server.client(retries=3).runs.stream(RUN))
    assert len(server.asked) == asked


def test_a_stream_that_is_left_closes_its_connection() -> None:
    closed = []

    class Endless(httpx2.SyncByteStream, httpx2.AsyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            yield stream(message(1)).content

        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield stream(message(1)).content

        def close(self) -> None:
            closed.append("waiting")

        async def aclose(self) -> None:
            closed.append("awaited")

    transport = httpx2.MockTransport(lambda request: httpx2.Response(200, stream=Endless()))
    with runwell.Client("http://server.test", transport=transport) as client:
        for _ in client.runs.stream(RUN):
            break

    async def awaited() -> None:
        async with runwell.AsyncClient("http://server.test", transport=transport) as client:
            events = client.runs.stream(RUN)
            async for _ in events:
                break
            await events.aclose()  # type: ignore[attr-defined]

    asyncio.run(awaited())
    assert closed == ["waiting", "awaited"]


@pytest.mark.parametrize("size", [1, 2, 7, 1_000])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_lines_are_put_together(size: int, end: bytes) -> None:
    text = end.join([b": hello", b"id: 3", b"data: a", b"data:b", b"", b"data: c", b"", b"data: cut"])
    lines = Lines()
    assert [data for at in range(0, len(text), size) for data in lines.feed(text[at : at + size])] == [b"a\nb", b"c"]
