"""Delays, approvals and waits for messages: on time, once, and never early."""

import asyncio
from typing import Any

import pytest
from tests.acceptance.workbench import Workbench, document, kinds, run_async, sound, statuses, step, work

from runwell.model.commands import CompleteTask, SendMessage
from runwell.model.errors import CommandRefused, InvalidInput, NotFound
from runwell.model.times import rfc3339
from runwell.testing import memory_app


def approval(**fields: Any) -> dict[str, Any]:
    return {"id": "ok", "type": "approval", "title": "Pay {{ input.amount }}?", **fields}


def wait(**fields: Any) -> dict[str, Any]:
    return {"id": "got", "type": "wait", "message": "paid", **fields}


INVOICE = {"amount": 12}


@pytest.mark.parametrize("for_s", [90, "90", "{{ input.amount * 7 + 6 }}", 90.0])
def test_a_delay_ends_when_its_time_is_over_and_not_before(for_s: Any) -> None:
    async def main() -> None:
        async with memory_app() as app:
            run_id = await app.start(document({"id": "nap", "type": "delay", "for_s": for_s}), INVOICE)
            run = await app.view(run_id)
            assert (run.status, run.waiting_for) == ("waiting", "delay")
            await app.clock.advance(89_999)
            assert (await app.view(run_id)).status == "waiting"
            await app.clock.advance(1)
            run = await sound(app, run_id)
            assert (run.status, run.output) == ("succeeded", {"waited_ms": 90_000})

    run_async(main())


@pytest.mark.parametrize(("ahead_ms", "waited_ms"), [(60_000, 60_000), (0, 0), (-60_000, 0)])
def test_a_delay_until_a_moment_and_one_that_has_passed_already(ahead_ms: int, waited_ms: int) -> None:
    async def main() -> None:
        async with memory_app() as app:
            moment = rfc3339(app.clock.now() + ahead_ms)
            run = await app.run_to_end(await app.start(document({"id": "nap", "type": "delay", "until": "{{ input }}"}), moment))
            assert (run.status, run.output) == ("succeeded", {"waited_ms": waited_ms})

    run_async(main())


@pytest.mark.parametrize(("field", "given"), [("until", 3), ("until", "2026-01-01"), ("for_s", "soon"), ("for_s", -1)])
def test_a_delay_that_makes_no_sense_fails_its_step(field: str, given: Any) -> None:
    async def main() -> None:
        async with memory_app() as app:
            run = await app.run_to_end(await app.start(document({"id": "nap", "type": "delay", field: "{{ input }}"}), given))
            assert run.error is not None
            assert (run.status, run.error.code, run.failed_step) == ("failed", "EXPRESSION_FAILED", "nap")

    run_async(main())


def test_an_approval_asks_and_its_edit_reaches_the_next_step() -> None:
    async def main() -> None:
        bench = Workbench()
        pay = work("pay", "ok", when="steps.ok.result.approved", value="{{ steps.ok.result.amount }} for {{ steps.ok.result.by }}")
        async with memory_app([bench.type]) as app:
            run_id = await app.start(document(approval(description="Now", payload="{{ input }}", assignees=["ann"]), pay), INVOICE)
            run = await app.view(run_id)
            assert (run.status, run.waiting_for) == ("waiting", "approval")
            [task] = await app.journal.pending_tasks()
            assert (task.title, task.description, task.payload, task.assignees) == ("Pay 12?", "Now", INVOICE, ("ann",))
            assert (task.run_id, task.step_id, task.workflow, task.type) == (run_id, "ok", "semantics", "approval")
            await app.runtime.command(
                run_id, CompleteTask(task_id=task.id, approved=True, result={"amount": 10}, comment="less", actor="ann")
            )
            run = await app.run_to_end(run_id)
            assert step(run, "ok").result == {"approved": True, "by": "ann", "comment": "less", "amount": 10}
            assert run.output == "10 for ann"
            assert await app.journal.pending_tasks() == []
            await sound(app, run_id)

    run_async(main())


def test_a_rejection_succeeds_as_a_step_and_the_condition_behind_it_skips() -> None:
    async def main() -> None:
        bench = Workbench()
        async with memory_app([bench.type]) as app:
            run_id = await app.start(document(approval(), work("pay", "ok", when="steps.ok.result.approved")), INVOICE)
            [task] = await app.journal.pending_tasks()
            await app.runtime.command(run_id, CompleteTask(task_id=task.id, approved=False, actor="bob"))
            run = await app.run_to_end(run_id)
            assert statuses(run) == {"ok": "succeeded", "pay": "skipped (condition_false)"}
            assert step(run, "ok").result == {"approved": False, "by": "bob", "comment": None}

    run_async(main())


def test_an_approval_that_expires_is_a_rejection() -> None:
    async def main() -> None:
        async with memory_app() as app:
            run_id = await app.start(document(approval(expires_in_s=60)), INVOICE)
            [task] = await app.journal.pending_tasks()
            assert task.expires_at == rfc3339(app.clock.now() + 60_000)
            await app.clock.advance(59_999)
            assert (await app.view(run_id)).status == "waiting"
            await app.clock.advance(1)
            run = await sound(app, run_id)
            assert (run.status, run.output) == ("succeeded", {"approved": False, "by": None, "comment": None, "expired": True})
            with pytest.raises(CommandRefused):
                await app.runtime.command(run_id, CompleteTask(task_id=task.id, approved=True))

    run_async(main())


@pytest.mark.parametrize("handled", [False, True])
def test_an_approval_that_expires_may_fail_instead(handled: bool) -> None:
    async def main() -> None:
        extra = {"fallback": {"approved": False}} if handled else {}
        async with memory_app() as app:
            run_id = await app.start(document(approval(expires_in_s=60, on_expire="fail", **extra)), INVOICE)
            run = await app.run_to_end(run_id)
            error = step(run, "ok").error
            assert error is not None
            assert (error.code, statuses(run)["ok"]) == ("TASK_EXPIRED", "failed")
            assert run.status == ("succeeded" if handled else "failed")
            assert run.output == ({"approved": False} if handled else None)
            await sound(app, run_id)

    run_async(main())


def test_a_task_is_decided_once() -> None:
    async def main() -> None:
        async with memory_app() as app:
            run_id = await app.start(document(approval(), approval(id="next", depends_on=["ok"])), INVOICE)
            [task] = await app.journal.pending_tasks()
            yes, no = CompleteTask(task_id=task.id, approved=True, actor="a"), CompleteTask(task_id=task.id, approved=False, actor="b")
            answers = await asyncio.gather(*(app.runtime.command(run_id, one) for one in [yes, no, yes, yes, no]), return_exceptions=True)
            assert [type(answer) for answer in answers if isinstance(answer, BaseException)] == [CommandRefused, CommandRefused]
            run = await sound(app, run_id)
            assert step(run, "ok").result["approved"] is True
            assert kinds(await app.journal.read(run_id)).count("task_completed") == 1

    run_async(main())


def test_a_decision_that_makes_no_sense_is_refused_and_changes_nothing() -> None:
    async def main() -> None:
        async with memory_app() as app:
            run_id = await app.start(document(approval()), INVOICE)
            [task] = await app.journal.pending_tasks()
            with pytest.raises(NotFound):
                await app.runtime.command(run_id, CompleteTask(task_id="task_" + "0" * 32, approved=True))
            with pytest.raises(InvalidInput, match="approved"):
                await app.runtime.command(run_id, CompleteTask(task_id=task.id, approved=False, result={"approved": True}))
            with pytest.raises(NotFound):
                await app.runtime.command("run_" + "0" * 32, CompleteTask(task_id=task.id, approved=True))
            assert (await sound(app, run_id)).status == "waiting"

    run_async(main())


def test_a_message_that_comes_in_time() -> None:
    async def main() -> None:
        async with memory_app() as app:
            run_id = await app.start(document(wait(expires_in_s=10)))
            await app.runtime.command(run_id, SendMessage(name="other", body=0))
            await app.clock.advance(9_999)
            assert (await app.view(run_id)).waiting_for == "message"
            await app.runtime.command(run_id, SendMessage(name="paid", body={"amount": 3}))
            run = await app.run_to_end(run_id)
            assert (run.status, run.output) == ("succeeded", {"amount": 3})
            await app.clock.advance(60_000)
            await sound(app, run_id)

    run_async(main())


def test_a_message_that_comes_before_anybody_waits_is_kept() -> None:
    async def main() -> None:
        nap = {"id": "nap", "type": "delay", "for_s": 5}
        async with memory_app() as app:
            run_id = await app.start(document(nap, wait(depends_on=["nap"]), wait(id="again", depends_on=["got"])))
            for body in (1, 2, 3):
                await app.runtime.command(run_id, SendMessage(name="paid", body=body))
            run = await app.run_to_end(run_id)
            assert (step(run, "got").result, step(run, "again").result) == (1, 2)
            await sound(app, run_id)

    run_async(main())


def test_a_message_is_taken_by_one_step_only() -> None:
    async def main() -> None:
        async with memory_app() as app:
            run_id = await app.start(document(wait(), wait(id="too")))
            await app.runtime.command(run_id, SendMessage(name="paid", body=1))
            run = await app.view(run_id)
            assert sorted(statuses(run).values()) == ["succeeded", "waiting"]
            await app.runtime.command(run_id, SendMessage(name="paid", body=2))
            run = await app.run_to_end(run_id)
            assert {step(run, "got").result, step(run, "too").result} == {1, 2}
            await sound(app, run_id)

    run_async(main())


def test_a_message_id_counts_once() -> None:
    async def main() -> None:
        async with memory_app() as app:
            run_id = await app.start(document(wait(), wait(id="again", depends_on=["got"])))
            for _ in range(3):
                await app.runtime.command(run_id, SendMessage(name="paid", body=1, message_id="m1"))
            run = await app.view(run_id)
            assert statuses(run) == {"got": "succeeded", "again": "waiting"}
            await app.runtime.command(run_id, SendMessage(name="paid", body=2, message_id="m2"))
            run = await app.run_to_end(run_id)
            assert (step(run, "got").result, step(run, "again").result) == (1, 2)
            await app.runtime.command(run_id, SendMessage(name="paid", body=1, message_id="m1"))
            with pytest.raises(CommandRefused):
                await app.runtime.command(run_id, SendMessage(name="paid", body=3, message_id="m3"))
            assert kinds(await app.journal.read(run_id)).count("message_received") == 2
            await sound(app, run_id)

    run_async(main())


def test_a_message_that_never_comes_fails_the_step() -> None:
    async def main() -> None:
        async with memory_app() as app:
            run = await app.run_to_end(await app.start(document(wait(expires_in_s="{{ input.amount }}")), INVOICE))
            assert run.error is not None
            assert (run.status, run.error.code) == ("failed", "MESSAGE_EXPIRED")

    run_async(main())


def test_a_waiting_step_keeps_to_its_timeout() -> None:
    async def main() -> None:
        async with memory_app() as app:
            run_id = await app.start(document(approval(expires_in_s=100, timeout_s=30)), INVOICE)
            await app.clock.advance(29_999)
            assert (await app.view(run_id)).status == "waiting"
            await app.clock.advance(1)
            run = await sound(app, run_id)
            assert run.error is not None
            assert (run.status, run.error.code) == ("failed", "STEP_TIMED_OUT")
            assert await app.journal.pending_tasks() == []

    run_async(main())


def test_what_a_run_waits_for_is_told_while_several_steps_wait() -> None:
    async def main() -> None:
        async with memory_app() as app:
            nap = {"id": "nap", "type": "delay", "for_s": 5}
            run_id = await app.start(document(nap, wait(), approval()), INVOICE)
            assert (await app.view(run_id)).waiting_for == "approval"
            [task] = await app.journal.pending_tasks()
            await app.runtime.command(run_id, CompleteTask(task_id=task.id, approved=True))
            assert (await app.view(run_id)).waiting_for == "message"
            await app.runtime.command(run_id, SendMessage(name="paid"))
            assert (await app.view(run_id)).waiting_for == "delay"
            await app.run_to_end(run_id)
            await sound(app, run_id)

    run_async(main())
