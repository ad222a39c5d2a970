"""Following by itself: a feed and a journal that a test plays, readers that are cut at any point."""

import asyncio
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.contract.samples import event, new_run, row, run
from tests.unit.query.stage import Reader, Stage, at_rest, place

from runwell.engine.transitions import RUN_TRANSITIONS
from runwell.model.errors import JournalUnavailable
from runwell.model.events import Event, GenerationCompleted, Log
from runwell.model.statuses import TERMINAL
from runwell.model.text_delta import Delta
from runwell.query.messages import Cursor, EndReason, GapReason, parse_cursor
from runwell.query.places import ENDINGS, WorkflowPlace
from runwell.storage.memory_journal import MemoryJournal


@pytest.mark.parametrize("of_run", [True, False])
def test_a_hole_in_the_feed_is_filled_from_the_journal(of_run: bool) -> None:
    async def main() -> None:
        stage, one, two = Stage(), new_run(), new_run()
        reader = Reader(stage, place(stage, one if of_run else None))
        await stage.tell(one, 2)
        await reader.reads(2)
        await stage.keep(one, 3)  # the feed does not tell it
        if not of_run:
            await stage.tell(two)
        await stage.tell(one, last=of_run)
        await reader.reads(6)
        assert [message["seq"] for message in reader.said if message.get("run_id") == one and "id" in message] == [1, 2, 3, 4, 5, 6]
        assert "gap" not in reader.kinds
        await reader.leave()

    run(main())


@pytest.mark.parametrize("of_run", [True, False])
def test_a_reader_goes_on_within_what_filled_a_hole(of_run: bool) -> None:
    async def main() -> None:
        stage, one = Stage(), new_run()
        reader = Reader(stage, place(stage, one if of_run else None))
        await stage.tell(one, 2)
        await reader.reads(2)
        await stage.keep(one, 3)
        await stage.tell(one, 2)
        await reader.reads(7)
        for at, message in enumerate((message for message in reader.said if "id" in message), 1):
            again = Reader(stage, place(stage, one if of_run else None, message["cursor"]))
            await at_rest()
            assert reader.ids[:at] + again.ids == stage.whole
            await again.leave()
        await reader.leave()

    run(main())


@pytest.mark.parametrize("of_run", [True, False])
def test_a_hole_that_the_journal_has_too_is_told(of_run: bool) -> None:
    async def main() -> None:
        stage, one = Stage(), new_run()
        reader = Reader(stage, place(stage, one if of_run else None))
        await stage.tell(one, 2)
        await reader.reads(2)
        stage.rumour([event(one, 6, Log(message="6"))], 9)
        await reader.reads(3)
        gap = next(message for message in reader.said if message["type"] == "gap")
        assert gap == {"type": "gap", "from": 3, "to": 5, "reason": "not_in_journal", "run_id": one}
        assert reader.kinds[-2:] == ["gap", "log"]
        await reader.leave()

    run(main())


@pytest.mark.parametrize("of_run", [True, False])
def test_what_is_told_twice_is_sent_once(of_run: bool) -> None:
    async def main() -> None:
        stage, one = Stage(), new_run()
        events, position = await stage.keep(one, 3)
        reader = Reader(stage, place(stage, one if of_run else None))
        stage.rumour(events, position)
        await reader.reads(3)
        stage.rumour(events[1:], position)
        await stage.tell(one)
        await reader.reads(4)
        assert reader.ids == stage.whole
        await reader.leave()

    run(main())


def test_a_full_mailbox_is_emptied_and_read_again_from_the_journal() -> None:
    async def main() -> None:
        stage, one = Stage(buffer_items=5), new_run()
        reader = Reader(stage, place(stage, None))
        await stage.tell(one)
        await reader.reads(1)
        reader.open.clear()
        for _ in range(40):
            await stage.tell(one, 3)
        (follower,) = stage.streams._open
        assert len(follower._mailbox._heard) <= 5
        reader.open.set()
        await reader.reads(121)
        assert reader.ids == stage.whole
        await reader.leave()

    run(main())


@pytest.mark.parametrize("limits", [{"send_s": 0.05}, {"send_s": 60.0, "stall_s": 0.05, "buffer_items": 5}])
def test_a_reader_who_takes_nothing_is_cut_and_can_go_on(limits: dict[str, Any]) -> None:
    async def main() -> None:
        stage, one = Stage(**limits), new_run()
        reader = Reader(stage, place(stage, None))
        await stage.tell(one, 2)
        await reader.reads(2)
        cursor = reader.said[-1]["cursor"]
        reader.open.clear()
        for _ in range(10):
            await stage.tell(one)
        async with asyncio.timeout(5):
            assert await reader.task == "slow_reader"
        reader.open.set()
        again = Reader(stage, place(stage, None, cursor))
        await again.reads(10)
        assert reader.ids + again.ids == stage.whole
        await again.leave()

    run(main())


def test_a_cursor_within_an_append_goes_on_within_it() -> None:
    async def main() -> None:
        stage, one, two = Stage(), new_run(), new_run()
        await stage.keep(one, 4)
        await stage.keep(two, 3)
        for at, (position, seq) in enumerate([(1, 1), (1, 2), (1, 3), (1, 4), (2, 1), (2, 2), (2, 3)], 1):
            reader = Reader(stage, place(stage, None, f"{position}.{seq}"))
            await at_rest()
            assert reader.ids == stage.whole[at:]
            await reader.leave()

    run(main())


def test_a_large_event_makes_pages_small() -> None:
    async def main() -> None:
        stage, one = Stage(buffer_bytes=4_000, page=8), new_run()
        for _ in range(30):
            await stage.keep(one)
        big = [event(one, 30 + n, Log(message="x" * 1_000)) for n in range(1, 21)]
        await stage.journal.append(30, big, row(one, 50))
        reader = Reader(stage, place(stage, one))
        await reader.reads(50)
        (follower,) = stage.streams._open
        assert follower._page < 8
        await reader.leave()

    run(main())


def test_old_model_text_is_not_sent_after_what_it_led_to() -> None:
    async def main() -> None:
        stage, one = Stage(), new_run()
        await stage.journal.open()
        done = event(one, 1, GenerationCompleted(provider="x", model="y"), step="ask")
        reader = Reader(stage, place(stage, one))
        reader.open.clear()
        await at_rest()  # it listens, and has not read the journal
        stage.feed.delta("wf_1", Delta(one, "ask", 1, "old"))
        stage.feed.delta("wf_1", Delta(one, "ask", 2, "new \ud83d"))
        stage.rumour([done], await stage.journal.append(0, [done], row(one, 1)))
        reader.open.set()
        await at_rest()
        assert [message.get("text", message["type"]) for message in reader.said] == ["heartbeat", "generation_completed", "new ?"]
        await reader.leave()

    run(main())


@pytest.mark.parametrize(("check", "reason"), [("forbidden", "forbidden"), ("gone", "gone"), (None, "run_ended")])
def test_a_reader_is_looked_at_again_and_again(check: EndReason | None, reason: str) -> None:
    async def main() -> None:
        stage, one = Stage(check_s=0.01), new_run()
        await stage.keep(one)
        reader = Reader(stage, place(stage, one), check)
        await asyncio.sleep(0.03)
        if check is None:
            await stage.tell(one, last=True)
        async with asyncio.timeout(5):
            assert await reader.task == reason
        assert reader.said[-1] == {"type": "end", "reason": reason, "cursor": str(len(reader.ids))}

    run(main())


def test_a_journal_that_does_not_answer_ends_the_stream() -> None:
    class Silent(MemoryJournal):
        async def read(self, run_id: str, after: int = 0, limit: int | None = None) -> list[Event]:
            raise JournalUnavailable("the disk is gone")

    async def main() -> None:
        stage = Stage()
        stage.journal = Silent()
        reader = Reader(stage, place(stage, new_run()))
        assert await reader.task == "journal_unavailable"
        assert reader.said[-1]["reason"] == "journal_unavailable"
        assert stage.feed._listeners == {}

    run(main())


def test_nothing_falls_between_looking_where_now_is_and_hearing_what_comes() -> None:
    class Slow(MemoryJournal):
        async def position(self) -> int:
            position = await super().position()
            await at_rest()
            return position

    async def main() -> None:
        stage, one = Stage(), new_run()
        stage.journal = Slow()
        await stage.tell(one, 2)
        reader = Reader(stage, WorkflowPlace(stage.journal, "wf_1", None))
        await asyncio.sleep(0)
        await stage.tell(one, 3)
        await reader.reads(3)
        assert reader.ids == stage.whole[2:]
        await reader.leave()

    run(main())


def test_streams_of_a_closed_server_end_at_once() -> None:
    async def main() -> None:
        stage, one = Stage(), new_run()
        await stage.keep(one)
        reader = Reader(stage, place(stage, one))
        await at_rest()
        await stage.streams.close()
        late = Reader(stage, place(stage, one))
        assert [await reader.task, await late.task] == ["server_stopping"] * 2
        assert late.said[-1] == {"type": "end", "reason": "server_stopping", "cursor": "0"}

    run(main())


def test_what_ends_a_run_is_what_the_engine_says() -> None:
    assert {kind.partition(":")[0] for (_, kind), status in RUN_TRANSITIONS.items() if status in TERMINAL} == ENDINGS


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("tell"), st.integers(0, 3), st.integers(1, 4)),
        st.tuples(st.just("unheard"), st.integers(0, 3), st.integers(1, 3)),
        st.tuples(st.just("turns"), st.integers(0, 6), st.just(0)),
        st.tuples(st.just("cut"), st.integers(0, 3), st.just(0)),
        st.tuples(st.just("gate"), st.integers(0, 1), st.just(0)),
    ),
    max_size=60,
)


@settings(max_examples=300, deadline=None)
@given(STEPS, st.sampled_from([2, 7, 1_000]), st.sampled_from([1, 3, 50]), st.sampled_from([1, 300, 65_536]))
def test_whatever_happens_a_reader_that_goes_on_has_every_event_once_in_order(
    steps: list[tuple[str, int, int]], buffer: int, page: int, batch: int
) -> None:
    """Runs at once, appends of several events, a feed that forgets, readers that stop reading and are cut."""

    async def main() -> None:
        stage = Stage(buffer_items=buffer, page=page, batch_bytes=batch)
        runs = [new_run() for _ in range(4)]
        reader, cursor, got = Reader(stage, place(stage, None)), "0", list[str]()
        for step, number, count in steps:
            if step == "tell":
                await stage.tell(runs[number], count)
            elif step == "unheard" and any(message.get("run_id") == runs[number] for message in reader.said):
                await stage.keep(runs[number], count)
                await stage.tell(runs[number])
            elif step == "turns":
                for _ in range(number):
                    await asyncio.sleep(0)
            elif step == "gate":
                reader.open.set() if number else reader.open.clear()
            elif step == "cut":
                await reader.leave()
                got += reader.ids
                cursor = next((message["cursor"] for message in reversed(reader.said) if "cursor" in message), cursor)
                reader = Reader(stage, place(stage, None, cursor))
        reader.open.set()
        await reader.reads(len(stage.whole) - len(got))
        assert got + reader.ids == stage.whole
        await reader.leave()

    run(main())


def test_every_reason_stands_in_the_reference() -> None:
    page = (Path(__file__).parents[3] / "docs" / "reference" / "streams.md").read_text(encoding="utf-8")
    for reason in {*get_args(EndReason), *get_args(GapReason)} - {"disconnected"}:
        assert f"`{reason}`" in page


def test_cursors_are_read_as_they_are_written() -> None:
    assert parse_cursor(str(Cursor(12, 7))) == Cursor(12, 7)
    assert parse_cursor("0") == Cursor(0, 0)


def test_an_event_of_a_position_that_was_passed_is_still_sent() -> None:
    async def main() -> None:
        stage, one, two = Stage(), new_run(), new_run()
        reader = Reader(stage, place(stage, None))
        await stage.tell(one)
        await reader.reads(1)
        late = await stage.keep(one)
        await stage.tell(two)
        stage.rumour(*late)
        await reader.reads(3)
        assert sorted(reader.ids) == sorted(stage.whole)
        await reader.leave()

    run(main())
