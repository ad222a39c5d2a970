"""Workflows written in Python, run by the process that wrote them: in memory, over a data directory, in tests."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from tests.acceptance.command_line import CommandLine

import runwell
from runwell import agent, step, tool, workflow
from runwell.model.errors import DataDirectoryBusy, InvalidDocument, InvalidInput, StepError
from runwell.model.run import TaskView
from runwell.sdk.errors import RunNotEnded
from runwell.testing import ScriptedModels, call

PROGRAM = Path(__file__).with_name("sdk_orders.py")
PATIENCE_S = 30.0


@tool
def find(number: int) -> dict[str, Any]:
    """Find a parcel."""
    if number < 0:
        raise LookupError("no such parcel")
    return {"number": number, "place": "Lyon"}


class Answer(BaseModel):
    text: str
    angry: bool


@agent(model="openai:gpt-5-mini", tools=[find])
def support(question: str) -> Answer:
    """Help people who look for a parcel."""
    raise NotImplementedError


@workflow
def mail(text: str, number: int = 1) -> object:
    parcel = find(number=number)
    with step.when(parcel["number"] > 1):
        asked = step.approval(f"Answer {text}?", payload={"place": parcel["place"]})
    return {"place": parcel["place"], "asked": step.status(asked)}


@workflow
def outer(numbers: list[int]) -> object:
    return step.for_each(numbers, lambda number: mail(text="x", number=number))


def test_a_run_in_memory_is_a_whole_run() -> None:
    run = mail.run({"text": "Where?"})
    assert (run.status, run.output) == ("succeeded", {"place": "Lyon", "asked": "skipped"})
    assert (run.trigger, run.workflow.slug, [one.id for one in run.steps]) == ("python", "mail", ["find", "approval"])


def test_a_run_that_fails_is_returned_and_says_why() -> None:
    run = mail.run({"text": "Where?", "number": -1})
    assert run.error is not None
    assert (run.status, run.failed_step, run.error.code) == ("failed", "find", "PYTHON_FAILED")
    assert "LookupError: no such parcel" in run.error.message


def test_input_that_breaks_the_types_starts_nothing() -> None:
    for wrong in ({"number": 1}, {"text": "x", "numer": 1}, "text", None, {"text": object()}, {"text": float("nan")}):
        with pytest.raises(InvalidInput, match=r"input|JSON"):
            mail.run(wrong)


def test_somebody_decides_or_the_run_waits() -> None:
    asked: list[TaskView] = []

    def decide(task: TaskView) -> bool:
        asked.append(task)
        return True

    assert mail.run({"text": "A", "number": 2}, decide=decide).output["asked"] == "succeeded"
    assert [(task.title, task.payload) for task in asked] == [("Answer A?", {"place": "Lyon"})]
    assert mail.run({"text": "A", "number": 2}, decide=lambda task: False).steps[1].result["approved"] is False
    assert mail.run({"text": "A", "number": 2}, decide=lambda task: {"note": "x"}).steps[1].result["note"] == "x"
    with pytest.raises(RunNotEnded, match="waits for somebody"):
        mail.run({"text": "A", "number": 2})
    with pytest.raises(ZeroDivisionError):
        mail.run({"text": "A", "number": 2}, decide=lambda task: bool(1 / 0))


def test_child_runs_are_published_and_decided_too() -> None:
    run = outer.run({"numbers": [1, 2]}, decide=lambda task: {"note": "fine"})
    assert [one["asked"] for one in run.output] == ["skipped", "succeeded"]
    with pytest.raises(RunNotEnded, match="waits for somebody"):
        outer.run({"numbers": [1, 2]})


def test_waiting_has_an_end() -> None:
    @workflow
    def slow(input: float) -> object:
        return step.delay(input)

    with pytest.raises(RunNotEnded, match=r"within 0\.2 s"):
        slow.run(60, timeout_s=0.2)


def test_in_an_event_loop_it_is_awaited() -> None:
    async def main() -> None:
        with pytest.raises(InvalidInput, match="would block"):
            mail.run({"text": "A"})
        runs = await asyncio.gather(*(mail.arun({"text": "A"}) for _ in range(3)))
        assert {run.status for run in runs} == {"succeeded"}
        async with runwell.local() as here:
            numbers = await asyncio.gather(*(here.run(mail, {"text": "A", "number": n}, decide=lambda task: True) for n in range(4)))
        assert [run.steps[0].result["number"] for run in numbers] == [0, 1, 2, 3]

    asyncio.run(main())


def test_models_in_the_input_are_data() -> None:
    @workflow
    def said(input: Answer) -> object:
        return step.transform(f"{input.text}!")

    assert said.run(Answer(text="Hi", angry=False)).output == "Hi!"


def test_a_data_directory_keeps_runs_as_the_command_line_does(tmp_path: Path) -> None:
    cli = CommandLine(tmp_path)
    first = mail.run({"text": "A"}, data_dir=cli.data_dir, tags=["x"], metadata={"a": "b"}, environment="staging")
    kept = cli.json("runs", "show", first.id, "-o", "json")
    assert (kept["output"], kept["tags"], kept["metadata"], kept["environment"]) == (first.output, ["x"], {"a": "b"}, "staging")
    once = mail.run({"text": "A"}, data_dir=cli.data_dir, key="mail-1")
    assert mail.run({"text": "A"}, data_dir=cli.data_dir, key="mail-1").id == once.id
    with pytest.raises(InvalidInput, match="another input"):
        mail.run({"text": "B"}, data_dir=cli.data_dir, key="mail-1")
    with pytest.raises(InvalidInput, match="in memory none is kept"):
        mail.run({"text": "A"}, key="mail-1")
    assert len(cli.json("runs", "list", "-o", "json")) == 2


def test_the_command_line_runs_documents_with_registered_functions(tmp_path: Path) -> None:
    cli = CommandLine(tmp_path)
    cli.write("tools.py", "from runwell import tool\n\n@tool\ndef find(number: int) -> str:\n    return f'parcel {number}'\n")
    step = {"id": "find", "type": "tool", "tool": "python:find", "args": {"number": "{{ input.number }}"}}
    cli.write("find.json", json.dumps({"name": "find", "tools": [{"type": "python", "name": "find"}], "steps": [step]}))
    refused = cli.run("validate", "find.json")
    assert refused.returncode != 0
    assert "no function is registered as 'find'" in refused.stdout + refused.stderr
    cli.env["RUNWELL_TOOL_MODULES"] = "./tools.py"
    assert cli.run("validate", "find.json").returncode == 0
    assert cli.json("run", "find.json", "--input", '{"number": 7}', "-o", "json")["output"] == "parcel 7"
    cli.env["RUNWELL_TOOL_MODULES"] = "./tools.py,nothing_of_this_name"
    broken = cli.run("run", "find.json")
    assert broken.returncode != 0
    assert "RUNWELL_TOOL_MODULES: 'nothing_of_this_name' cannot be loaded" in broken.stderr
    assert "Traceback" not in broken.stderr


def test_a_run_that_waited_is_gone_on_with(tmp_path: Path) -> None:
    given = {"text": "A", "number": 2}
    with pytest.raises(RunNotEnded, match="waits for somebody"):
        mail.run(given, data_dir=tmp_path, key="k")
    run = mail.run(given, data_dir=tmp_path, key="k", decide=lambda task: True)
    assert run.output["asked"] == "succeeded"
    assert len(next(one for one in run.steps if one.id == "find").attempts) == 1


def test_a_data_directory_has_one_owner(tmp_path: Path) -> None:
    async def main() -> None:
        async with runwell.local(tmp_path):
            with pytest.raises(DataDirectoryBusy, match=r"Client\(\)\.run"):
                await mail.arun({"text": "A"}, data_dir=tmp_path)

    asyncio.run(main())


@pytest.mark.crash
def test_after_a_kill_the_same_call_goes_on(tmp_path: Path) -> None:
    """The second tool hangs when the process is killed; the first has returned, and is not called again."""
    log, hang = tmp_path / "calls.log", tmp_path / "calls.hang"
    hang.touch()
    command = [sys.executable, str(PROGRAM), str(tmp_path / "data"), "order-7"]
    env = {"PATH": os.defpath, "HOME": str(tmp_path), "LANG": "C.UTF-8", "ORDERS_LOG": str(log)}
    process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + PATIENCE_S
        while not log.exists() or "pay" not in log.read_text():
            assert process.poll() is None, process.communicate()[0].decode()
            assert time.monotonic() < deadline
            time.sleep(0.02)
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    hang.unlink()
    done = [subprocess.run(command, env=env, capture_output=True, text=True, timeout=PATIENCE_S, check=False) for _ in range(2)]
    assert [one.returncode for one in done] == [0, 0], done[0].stderr
    assert done[0].stdout.split()[1:] == ["succeeded", "paid", "for", "a", "pen"]
    assert done[1].stdout == done[0].stdout
    calls = [line.split() for line in log.read_text().splitlines()]
    assert [call[0] for call in calls] == ["reserve", "pay", "pay"]
    assert calls[1] == calls[2], "a call whose end nobody saw is made again with the same key"


def test_a_script_answers_in_place_of_the_model() -> None:
    with ScriptedModels([call("python:find", number=7), {"text": "In Lyon.", "angry": False}]) as models:
        run = support.run({"question": "Where is parcel 7?"})
    assert run.output == {"text": "In Lyon.", "angry": False}
    assert [request.model for request in models.requests] == ["openai:gpt-5-mini"] * 2
    assert [offer.name for offer in models.requests[0].tools] == ["python:find"]
    assert "Lyon" in models.requests[1].messages[-1].text


class Item(BaseModel):
    name: str
    count: int = 1


@pytest.mark.parametrize("args", [{"items": [{"name": "pen"}]}, {"items": [{"name": 3}]}])
def test_a_person_edits_the_arguments_of_a_function(args: dict[str, Any]) -> None:
    """Its schema refers to that of a model, by a pointer into itself."""
    ordered: list[Item] = []

    @tool(requires_approval=True)
    def order(items: list[Item]) -> str:
        ordered.extend(items)
        return f"{len(items)} ordered"

    @agent(model="openai:x", tools=[order])
    def clerk(input: str) -> str:
        """Order what is wanted."""
        raise NotImplementedError

    edits = {"args": {"items": [{"name": "pen", "count": 2}]}}
    with ScriptedModels([call("python:order", **args), "Done."]) as models:
        run = clerk.run("A pen", decide=lambda task: edits)
    assert run.output == "Done."
    told = models.requests[-1].messages[-1].text
    if args["items"][0]["name"] == "pen":
        assert (ordered, told) == ([Item(name="pen", count=2)], "1 ordered")
    else:
        assert (ordered, "break its input_schema" in told) == ([], True)
    with pytest.raises(InvalidInput, match="required"), ScriptedModels([call("python:order", items=[{"name": "pen"}])]):
        clerk.run("A pen", decide=lambda task: {"args": {"items": [{"nam": "pen"}]}})


def test_a_call_without_an_answer_fails_the_test() -> None:
    with (
        pytest.raises(AssertionError, match="no answer left for 'openai:gpt-5-mini', which was asked"),
        ScriptedModels([call("python:find", number=7)]),
    ):
        support.run({"question": "Where?"})


def test_an_answer_without_a_call_fails_the_test() -> None:
    script: list[Any] = [{"text": "a", "angry": True}, "b"]
    with pytest.raises(AssertionError, match="nobody asked for the script's last 1 answers"), ScriptedModels(script):
        support.run({"question": "Where?"})


def test_a_failure_of_the_test_itself_is_what_is_told() -> None:
    with pytest.raises(ValueError, match="mine"), ScriptedModels(["never asked"]):
        raise ValueError("mine")


def test_a_test_has_no_network_and_no_time() -> None:
    @workflow
    def calls(input: str) -> object:
        step.delay(3_600)
        step.http("GET", "https://example.com/", id="get", on_error="continue")
        step.tool("mcp:desk/find", {"a": 1}, on_error="continue")
        return step.llm(input, model="openai:x", retry={"max_attempts": 3, "initial_delay_s": 600})

    busy = StepError("LLM_REQUEST_FAILED", "busy", retryable=True)
    started = time.monotonic()
    with ScriptedModels([busy, busy, "Hello"]):
        run = calls.run("Hi")
    assert time.monotonic() - started < 10
    assert run.output == "Hello"
    errors = {one.id: one.error.message for one in run.steps if one.error is not None}
    assert set(errors) == {"get", "find"}
    assert all("a test has no network" in message for message in errors.values())


def test_what_only_a_person_could_move_on_fails_the_test() -> None:
    with pytest.raises(AssertionError, match="waiting for approval"), ScriptedModels([]):
        mail.run({"text": "A", "number": 2})
    with ScriptedModels([]):
        assert mail.run({"text": "A", "number": 2}, decide=lambda task: True, data_dir="nowhere", key="k").status == "succeeded"
    assert not Path("nowhere").exists()


def test_a_script_serves_async_tests_and_functions_of_the_request() -> None:
    async def main() -> None:
        with ScriptedModels(lambda request: {"text": request.messages[-1].text.upper(), "angry": False}):
            runs = await asyncio.gather(*(support.arun({"question": word}) for word in ("a", "b")))
        assert [run.output["text"] for run in runs] == ["A", "B"]

    asyncio.run(main())


def test_a_workflow_that_is_not_there_is_named() -> None:
    @workflow
    def calls(input: str) -> object:
        return step.workflow("nobody-has-it", input)

    with pytest.raises(InvalidDocument, match=r"calls\(\) .*there is no workflow 'nobody-has-it'"):
        calls.run("x")
