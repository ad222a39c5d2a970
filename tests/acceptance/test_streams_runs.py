"""The live stream of one run, over real sockets."""

import asyncio
import json
import random
from pathlib import Path
from typing import Any, Final, cast

import httpx2
import pytest
from tests.acceptance.stream_server import (
    BRISK,
    Said,
    events,
    heard,
    ids,
    journaled,
    published,
    relay,
    resumed_socket,
    runs_to_end,
    stream_server,
    until,
)
from tests.acceptance.workbench import run_async

from runwell.model.commands import PauseRun, ResumeRun
from runwell.model.events import Event, event_json
from runwell.ports.journal import Journal, Kept


class TestRunStream:
    def test_a_run_from_its_beginning_to_its_end(self, tmp_path: Path) -> None:
        async def main() -> None:
            async with stream_server(tmp_path) as server:
                gate = server.bench.hold("s1")
                run_id = await server.app.start(relay(3))
                said: list[tuple[str | None, Said]] = []

                async def read() -> None:
                    async for message in server.sse(f"/v1/runs/{run_id}/stream"):
                        said.append(message)

                reading = asyncio.create_task(read())
                await until(lambda: gate.waiting and len(said) > 1)
                gate.open()
                async with asyncio.timeout(10):
                    await reading
                kept = await server.app.journal.read(run_id)
                assert [message for _, message in said if message["type"] not in ("heartbeat", "end")] == [
                    {**json.loads(event_json(event)), "cursor": str(event.seq)} for event in kept
                ]
                assert [key for key, _ in said if key] == [str(event.seq) for event in kept]
                assert said[0] == (None, {"type": "heartbeat", "cursor": "0"})
                assert said[-1] == (None, {"type": "end", "reason": "run_ended", "cursor": str(kept[-1].seq)})

        run_async(main())

    def test_a_reconnect_at_every_point_gives_exactly_the_rest(self, tmp_path: Path) -> None:
        async def main() -> None:
            async with stream_server(tmp_path) as server:
                version = await published(server, 8)
                run_id = (await runs_to_end(server, version, 1))[0]
                kept = [event.id for event in await server.app.journal.read(run_id)]
                for seq in range(len(kept) + 1):
                    by_query = [said async for _, said in server.sse(f"/v1/workflows/relay/runs/{run_id}/stream?after={seq}")]
                    by_header = [said async for _, said in server.sse(f"/v1/runs/{run_id}/stream?after=1", {"Last-Event-ID": str(seq)})]
                    assert ids(by_query) == ids(by_header) == kept[seq:]
                    assert by_query[-1]["reason"] == "run_ended"
                assert by_header == []  # 204: a browser does not connect again

        run_async(main())

    def test_a_live_reader_that_reconnects_all_the_time_misses_nothing(self, tmp_path: Path) -> None:
        async def main() -> None:
            async with stream_server(tmp_path) as server:
                version = await published(server, 40)
                chance = random.Random(7)
                run_id = await server.app.start(version)
                got: list[Said] = []
                ended = False
                while not ended:
                    left = chance.randint(1, 9)
                    async for key, said in server.sse(f"/v1/runs/{run_id}/stream?after={len(got)}"):
                        ended = said["type"] == "end"
                        if key is not None:
                            got.append(said)
                            left -= 1
                        if left == 0:
                            break
                assert ids(got) == [event.id for event in await server.app.journal.read(run_id)]

        run_async(main())

    def test_steering_is_seen_at_once_and_comments_do_not_hold_the_end(self, tmp_path: Path) -> None:
        async def main() -> None:
            async with stream_server(tmp_path) as server:
                gate = server.bench.hold("s0")
                run_id = await server.app.start(relay(2))
                said: list[Said] = []

                async def read() -> None:
                    async for _, message in server.sse(f"/v1/runs/{run_id}/stream"):
                        said.append(message)

                reading = asyncio.create_task(read())
                await until(lambda: gate.waiting)
                await server.app.runtime.command(run_id, PauseRun(actor="ann"))
                await until(lambda: said and said[-1]["type"] == "run_paused")
                assert said[-1]["actor"] == "ann"
                await server.app.runtime.command(run_id, ResumeRun())
                gate.open()
                async with asyncio.timeout(10):
                    await reading
                assert said[-1]["reason"] == "run_ended"

        run_async(main())

    @pytest.mark.parametrize("place", ["x", "-1", "1.5", "9" * 16, "٣"])
    def test_a_place_that_is_none_is_told(self, tmp_path: Path, place: str) -> None:
        async def main() -> None:
            async with stream_server(tmp_path) as server, httpx2.AsyncClient() as client:
                run_id = await server.app.start(relay(1))
                answer = await client.get(server.url(f"/v1/runs/{run_id}/stream"), params={"after": place})
                assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/query/after")
                answer = await client.get(server.url("/v1/workflows/relay/stream"), params={"after": f"{place}."})
                assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/query/after")

        run_async(main())

    def test_a_place_behind_the_journal_is_a_gap(self, tmp_path: Path) -> None:
        async def main() -> None:
            async with stream_server(tmp_path, limits=BRISK) as server:
                version = await published(server, 1)
                run_id = (await runs_to_end(server, version, 1))[0]
                last = len(await server.app.journal.read(run_id))
                said = [message async for _, message in server.sse(f"/v1/runs/{run_id}/stream?after={last + 5}")]
                assert said[0] == {
                    "type": "gap",
                    "from": last + 1,
                    "to": last + 5,
                    "reason": "ahead_of_journal",
                    "run_id": run_id,
                }
                edge = await server.app.journal.position()
                async with server.socket(f"/v1/workflows/relay/stream?after={edge + 9}.1") as connection:
                    assert json.loads(await connection.recv()) == {
                        "type": "gap",
                        "from": edge + 1,
                        "to": edge + 9,
                        "reason": "ahead_of_journal",
                        "run_id": None,
                    }
                    await runs_to_end(server, version, 1)
                    got = []
                    async for message in heard(connection):
                        got += events([message])
                        if message["type"] == "run_succeeded":
                            break
                    assert ids(got) == await journaled(server, version, edge)

        run_async(main())


class Forgetful:
    """A journal that has lost some events of every run."""

    LOST: Final = frozenset({3, 4, 7})

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def __getattr__(self, name: str) -> Any:
        return getattr(self._journal, name)

    async def read(self, run_id: str, after: int = 0, limit: int | None = None) -> list[Event]:
        return [event for event in await self._journal.read(run_id, after) if event.seq not in self.LOST][:limit]

    async def tail(self, after: int, *, workflow_id: str | None = None, limit: int = 1_000) -> list[Kept]:
        return [kept for kept in await self._journal.tail(after, workflow_id=workflow_id, limit=limit) if kept.event.seq not in self.LOST]


def test_what_the_journal_has_lost_is_told(tmp_path: Path) -> None:
    async def main() -> None:
        async with stream_server(tmp_path, read_through=lambda journal: cast(Journal, Forgetful(journal))) as server:
            version = await published(server, 4)
            run_id = (await runs_to_end(server, version, 1))[0]
            said = [message async for _, message in server.sse(f"/v1/runs/{run_id}/stream")]
            over_socket: list[Said] = []
            await resumed_socket(server, "relay", "0", 10_000, 10, over_socket)
            for one in (said, over_socket):
                gaps = [(message["from"], message["to"], message["reason"], message["run_id"]) for message in one if "from" in message]
                assert gaps == [(3, 4, "not_in_journal", run_id), (7, 7, "not_in_journal", run_id)]
                assert [message["seq"] for message in events(one)] == [1, 2, 5, 6, 8, 9, 10, 11]
            assert [message["type"] for message in said][3] == "gap"

    run_async(main())
