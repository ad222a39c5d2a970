"""Record histories: `python -m tests.histories.record`. What is recorded already stays as it is.

A history is a file of JSON lines, the document first and then every event, and beside it the run
as it was seen at its end. Each release adds its own; every later engine must read them all.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec
from tests.unit.engine.driver import Driver, workflow

from runwell.model.commands import (
    ArchiveRun,
    ChildEnded,
    PauseRun,
    RecordEvaluation,
    RecordProgress,
    ResumeRun,
    ReviewRun,
    SendMessage,
    StopRun,
    SuspendAttempt,
    Tick,
    UnarchiveRun,
)
from runwell.model.errors import ErrorInfo
from runwell.model.events import GenerationCompleted, Log, RunEvaluated, ToolReturned, encode_event
from runwell.model.usage import Usage
from runwell.model.waits import ChildWait, MessageWait, TaskWait, TimeWait, Wait

FOLDER: Final = Path(__file__).parent / "v1"


def diamond() -> Driver:
    run = Driver(
        workflow(
            {"id": "top", "value": "{{ input.n }}"},
            {"id": "left", "depends_on": ["top"], "value": "{{ steps.top.result + 1 }}"},
            {"id": "right", "depends_on": ["top"], "when": "steps.top.result > 1"},
            {"id": "never", "depends_on": ["top"], "when": "steps.top.result > 5"},
            {"id": "bottom", "depends_on": ["left", "right", "never"], "value": "{{ steps.left.result }} {{ steps.right.result }}"},
            output={"text": "{{ steps.bottom.result }}", "n": "{{ steps.top.result }}"},
        ),
        {"n": 2},
    )
    run.complete("top", 2)
    run.now += 40
    run.complete("right", "r")
    run.complete("left", 3)
    run.complete("bottom", "3 r")
    return run


def parallel_failure() -> Driver:
    run = Driver(workflow({"id": "a"}, {"id": "b"}, {"id": "c", "depends_on": ["a", "b"]}, {"id": "d", "depends_on": ["c"]}))
    run.now += 1_000
    run.fail("a")
    return run


def nested_loops() -> Driver:
    inner = {"id": "inner", "type": "for_each", "items": "{{ item.rows }}", "max_parallel": 2, "on_item_error": "collect"}
    inner |= {"steps": [{"id": "work", "type": "transform", "value": "{{ item }}"}]}
    outer = {"id": "outer", "type": "for_each", "items": "{{ input }}", "steps": [inner], "output": "{{ steps.inner.result }}"}
    run = Driver(workflow(outer), [{"rows": [1, 2, 3]}, {"rows": []}, {"rows": [4]}])
    run.complete("outer[0].inner[1].work", "second")
    run.fail("outer[0].inner[0].work")
    run.complete("outer[2].inner[0].work", "fourth")
    run.complete("outer[0].inner[2].work", "third")
    return run


def refined_until_good() -> Driver:
    body = [
        {"id": "draft", "type": "transform", "value": "{{ loop.iteration }}"},
        {"id": "judge", "type": "transform", "depends_on": ["draft"]},
    ]
    condition = "default(loop.previous.judge.result.score, 0) < 8"
    loop = {
        "id": "refine",
        "type": "while",
        "max_iterations": 5,
        "condition": condition,
        "steps": body,
        "output": "{{ steps.draft.result }}",
    }
    run = Driver(workflow(loop))
    for i, score in enumerate((3, 6, 9)):
        run.now += 500
        run.complete(f"refine[{i}].draft", f"draft {i}")
        run.complete(f"refine[{i}].judge", {"score": score})
    return run


def approval_edited() -> Driver:
    ask = {"id": "ask", "type": "approval", "title": "Refund {{ input.who }}?", "payload": {"amount": 10}, "expires_in_s": 3600}
    hurry = {"id": "hurry", "type": "approval", "title": "Quickly?", "expires_in_s": 60}
    pay = {"id": "pay", "depends_on": ["ask"], "when": "steps.ask.result.approved", "value": "{{ steps.ask.result.amount }}"}
    run = Driver(workflow(ask, hurry, pay), {"who": "Ann"})
    run.to_alarm()
    run.now += 5_000
    run.decide("ask", result={"amount": 7})
    run.complete("pay", 7)
    return run


def retries() -> Driver:
    retry = {"max_attempts": 4, "initial_delay_s": 1, "backoff": 2, "jitter": 0}
    run = Driver(workflow({"id": "call", "retry": retry, "timeout_s": 30}, {"id": "rest", "depends_on": ["call"], "fallback": "none"}))
    for number, wish in ((1, None), (2, 20.0)):
        usage = Usage(input_tokens=100 * number, output_tokens=5, generations=1, cost_nanos=1_500)
        call = GenerationCompleted(provider="demo", model="demo:echo", usage=usage, latency_ms=12.5)
        run.do(RecordProgress(step_id="call", attempt=number, data=call))
        run.do(RecordProgress(step_id="call", attempt=number, data=Log(message=f"try {number}", stream="stdout")))
        run.fail("call", retryable=True, retry_after_s=wish)
        run.to_alarm()
    run.complete("call", {"ok": True})
    run.fail("rest")
    return run


def child_runs() -> Driver:
    good = {"id": "good", "type": "workflow", "workflow": "child", "input": {"x": 1}}
    bad = {"id": "bad", "type": "workflow", "workflow": "child", "on_error": "continue"}
    run = Driver(workflow(good, bad, output=["{{ steps.good.result }}", "{{ steps.bad.error.code }}"]))
    run.do(ChildEnded(step_id="good", child_run_id=run.step("good").child_run_id or "", output={"y": 2}))
    error = ErrorInfo(code="CHILD_RUN_FAILED", message="the child run ended failed", step_id="bad", details={"status": "failed"})
    run.do(ChildEnded(step_id="bad", child_run_id=run.step("bad").child_run_id or "", error=error))
    return run


def graceful_stop() -> Driver:
    run = Driver(workflow({"id": "work"}, {"id": "nap", "type": "delay", "for_s": 60}, {"id": "after", "depends_on": ["work"]}))
    run.now += 100
    run.do(StopRun(actor="ann", mode="graceful", drain_timeout_s=10.0))
    run.now += 100
    run.complete("work", "done")
    return run


def recovered() -> Driver:
    run = Driver(workflow({"id": "a"}, {"id": "b", "type": "delay", "for_s": 5}, {"id": "c", "depends_on": ["a", "b"], "join": "all"}))
    run.now += 2_000
    run.crash()
    run.complete("a", "second try")
    run.to_alarm()
    run.crash()
    run.complete("c")
    return run


def paused_and_timed_out() -> Driver:
    steps = {"id": "m", "type": "wait", "message": "go"}, {"id": "w", "depends_on": ["m"]}, {"id": "x", "depends_on": ["w"]}
    run = Driver(workflow(*steps, limits={"timeout_s": 10}))
    run.now += 60_000
    run.do(SendMessage(actor="ann", name="go", body={"n": 1}, message_id="m1"))
    run.now += 4_000
    run.do(PauseRun(actor="ann"))
    run.now += 600_000
    run.do(ResumeRun(actor="bob"))
    run.to_alarm()
    return run


def reviewed_and_archived() -> Driver:
    run = Driver(workflow({"id": "a"}))
    run.do(ReviewRun(actor="ann", review="positive", score=0.75, comment="so far"))
    run.complete("a", 1)
    run.now += 1_000
    run.do(ArchiveRun(actor="ann"))
    run.do(UnarchiveRun(actor="bob"))
    run.now += 1_000
    run.do(ReviewRun(actor="bob", review="negative", score=0.25))
    run.do(ArchiveRun(actor="bob"))
    return run


def _evaluation(number: int, **said: Any) -> RecordEvaluation:
    made: dict[str, Any] = {"evaluator_id": "evl_1", "evaluator": "judge", "workflow_id": "wf_2", "version": 3, **said}
    return RecordEvaluation(evaluation=RunEvaluated(evaluation_run_id=f"run_e{number}", **made))


def evaluated() -> Driver:
    run = Driver(workflow({"id": "a"}))
    run.complete("a", 1)
    run.now += 1_000
    run.do(_evaluation(1, turn=1, score=0.5, review="negative", comment="Hm"))
    run.do(_evaluation(2, turn=2, score=1.0, review="positive", comment="Hm"))
    run.do(_evaluation(3, error=ErrorInfo(code="LLM_REQUEST_FAILED", message="no")))
    run.do(ReviewRun(review="positive", comment="fine", by_end_user=True, actor="end-user"))
    return run


def suspended() -> Driver:
    """A handler that asks, listens, runs another workflow and sleeps in the middle of its attempt, with a crash in between."""
    run = Driver(workflow({"id": "a", "timeout_s": 60}))

    def wait(what: Wait) -> None:
        run.now += 1_000
        run.do(SuspendAttempt(step_id="a", attempt=run.step("a").attempt, wait=what))
        run.now += 100_000

    run.do(RecordProgress(step_id="a", attempt=1, data=ToolReturned(tool="http:x", result=1, call_id="c0")))
    wait(TaskWait(key="ask:c1", title="Call it?", payload={"n": 1}, result_schema={"type": "object"}))
    run.decide("a", result={"args": {"n": 2}})
    wait(MessageWait(key="m", name="go"))
    run.do(SendMessage(actor="ann", name="go", body={"n": 1}, message_id="m1"))
    run.crash()
    wait(ChildWait(key="run:c2", workflow="other", input={"n": 2}))
    run.do(ChildEnded(step_id="a", child_run_id=run.step("a").child_run_id or "", output=7))
    wait(TaskWait(key="ask:c3", title="And this?", expires_in_s=5))
    run.do(Tick())
    wait(TimeWait(key="t", for_s=1))
    run.do(Tick())
    run.complete("a", "done")
    return run


SCENARIOS: Final[tuple[Callable[[], Driver], ...]] = (
    diamond,
    parallel_failure,
    nested_loops,
    refined_until_good,
    approval_edited,
    retries,
    child_runs,
    graceful_stop,
    recovered,
    paused_and_timed_out,
    reviewed_and_archived,
    evaluated,
    suspended,
)


def seen(run: Driver) -> Any:
    """Return the run as it is seen, as plain data."""
    return json.loads(msgspec.json.encode(run.view))


def write(name: str, run: Driver, folder: Path) -> None:
    lines = [msgspec.json.encode(run.plan.document), *(encode_event(event) for event in run.events)]
    (folder / f"{name}.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    (folder / f"{name}.json").write_text(json.dumps(seen(run), indent=1) + "\n", encoding="utf-8")


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for scenario in SCENARIOS:
        if not (FOLDER / f"{scenario.__name__}.jsonl").exists():
            write(scenario.__name__, scenario(), FOLDER)


if __name__ == "__main__":
    main()
