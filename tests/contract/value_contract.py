"""What every journal promises about values."""

import pytest
from tests.contract.backend import Backend, opened
from tests.contract.samples import CREATED, event, logs, new_run, row, run

from runwell.model.errors import InvalidInput
from runwell.model.events import (
    UPCASTERS,
    GenerationCompleted,
    Log,
    StepCompleted,
    StepStarted,
    TaskCreated,
)
from runwell.model.raw_body import RawBody
from runwell.ports.journal import EventFilter


class ValueContract:
    """Hostile, large and old values come back as they went in."""

    @pytest.fixture
    def backend(self) -> Backend:
        raise NotImplementedError

    # Values

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "\x00",
            "a\x00b",
            "\u202eevil\u2066",
            "\U0001f600\ufffe",
            "'\"\\;--",
            '{"$payload_ref": "sha256:00"}',
            '"refs":{',
            "é" * 524_288,
        ],
        ids=["empty", "nul", "nul within", "bidi", "astral", "quotes", "reference", "mark", "1 MiB"],
    )
    def test_hostile_text_comes_back_unharmed(self, backend: Backend, text: str) -> None:
        async def main() -> None:
            async with opened(backend.make()) as journal:
                run_id = new_run()
                sent = [event(run_id, 1, Log(message=text)), event(run_id, 2, StepCompleted(result={text: [text, 10**30]}), step=text)]
                slug = text[:1000]
                await journal.append(0, sent, row(run_id, 2, slug=slug))
                assert await journal.read(run_id) == sent
                assert await journal.rows() == [row(run_id, 2, slug=slug)]

        run(main())

    @pytest.mark.parametrize("value", ["\ud800", {"\udfff": 1}, object(), {1j: 2}], ids=["surrogate", "key", "object", "complex"])
    def test_what_has_no_json_form_is_refused_at_once(self, backend: Backend, value: object) -> None:
        async def main() -> None:
            async with opened(backend.make()) as journal:
                run_id = new_run()
                with pytest.raises(InvalidInput, match=run_id):
                    journal.append(0, [event(run_id, 1, CREATED), event(run_id, 2, StepCompleted(result=value))], row(run_id, 2))
                await journal.append(0, logs(run_id, 1, 1), row(run_id, 1))
                with pytest.raises(InvalidInput):
                    journal.append(1, logs(run_id, 2, 1), row(run_id, 2, slug="\ud800"))

        run(main())

    @pytest.mark.parametrize("size", [65_000, 65_536, 70_000, 3_000_000])
    def test_big_payloads(self, backend: Backend, size: int) -> None:
        async def main() -> None:
            async with opened(backend.make()) as journal:
                run_id = new_run()
                sent = [
                    event(run_id, 1, CREATED),
                    event(run_id, 2, StepStarted(step_type="http", input="i" * size, items=["x" * size, {"refs": {"input": 1}}]), step="a"),
                    event(run_id, 3, StepCompleted(result={"$payload_ref": "sha256:" + "0" * 64, "text": "é" * size}), step="a"),
                    event(run_id, 4, TaskCreated(task_id="task_1", task_type="approval", title="t", payload="p" * size), step="b"),
                ]
                await journal.append(0, sent, row(run_id, 4))
                assert await journal.read(run_id) == sent
                assert (await journal.pending_tasks())[0].payload == "p" * size

        run(main())

    def test_an_old_event_is_lifted_when_it_is_read(self, backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(UPCASTERS, ("log", 0), lambda data: {**data, "message": data["message"].upper()})

        async def main() -> None:
            async with opened(backend.make()) as journal:
                run_id = new_run()
                sent = [event(run_id, 1, Log(message="old"), v=0), event(run_id, 2, Log(message="b" * 100_000), v=0)]
                await journal.append(0, [*sent, event(run_id, 3, Log(message="new"))], row(run_id, 3))
                found = await journal.read(run_id)
                assert [one.of(Log).message for one in found] == ["OLD", "B" * 100_000, "new"]
                assert {one.v for one in found} == {1}

        run(main())

    def test_an_event_of_a_newer_version_is_refused(self, backend: Backend) -> None:
        async def main() -> None:
            async with opened(backend.make()) as journal:
                run_id = new_run()
                await journal.append(0, [event(run_id, 1, Log(message="?"), v=2)], row(run_id, 1))
                with pytest.raises(InvalidInput, match="newer"):
                    await journal.read(run_id)

        run(main())

    def test_raw_bodies_come_back_unless_they_need_not(self, backend: Backend) -> None:
        async def main() -> None:
            async with opened(backend.make()) as journal:
                run_id = new_run()
                body = RawBody(text="x" * 100_000, bytes=100_000)
                call = GenerationCompleted(provider="a", model="b", response="y" * 60_000, raw_request=body, raw_response=body)
                await journal.append(0, [event(run_id, 1, call)], row(run_id, 1))
                assert [found.data for found in await journal.read(run_id)] == [call]
                assert [found.data for found in await journal.events(run_id, limit=1)] == [call]
                [lean] = await journal.events(run_id, EventFilter(lean=True), limit=1)
                assert lean.of(GenerationCompleted).response == call.response

        run(main())
