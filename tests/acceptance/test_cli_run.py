"""`runwell run` without a terminal: results, refusals and exit codes."""

import signal

import msgspec
import pytest
from tests.acceptance.command_line import CommandLine
from tests.acceptance.documents import APPROVAL, DELAY, FAILING, MESSAGE, PARENT, SUM, TIMES_TWO

from runwell.model.run import RunView


def test_a_run_succeeds(cli: CommandLine) -> None:
    cli.write("sum.yaml", SUM)
    args = ("--input", '{"a": 1, "b": 2}', "--tag", "x", "--tag", "y", "--metadata", "k=v=w", "--environment", "test")
    told = cli.json("run", "sum.yaml", *args)
    view = msgspec.convert(told, RunView)
    assert (view.status, view.output, view.tags, view.metadata) == ("succeeded", 3, ("x", "y"), {"k": "v=w"})
    assert (view.environment, view.trigger, view.workflow.slug, view.workflow.version) == ("test", "cli", "sum", 1)
    assert told.keys() == {field.name for field in msgspec.structs.fields(RunView)}


def test_the_table_tells_the_outcome(cli: CommandLine) -> None:
    cli.write("sum.yaml", SUM)
    done = cli.run("run", "sum.yaml", "-o", "table", "--input", '{"a": 1, "b": 2}')
    lines = [line.rstrip() for line in done.stdout.splitlines()]
    assert lines[0].startswith("Run succeeded - Started: ")
    assert ", Took: " in lines[0]
    assert any(line.split()[:4] == ["✓", "add", "transform", "Success"] for line in lines)
    assert lines[-2:] == ["Output", "3"]


def test_input_from_a_file_and_from_stdin(cli: CommandLine) -> None:
    cli.write("sum.yaml", SUM)
    cli.write("input.json", '{"a": 2, "b": 2}')
    assert cli.json("run", "sum.yaml", "--input", "@input.json")["output"] == 4
    assert '"output": 9' in cli.run("run", "sum.yaml", "--input", "@-", stdin='{"a": 4, "b": 5}').stdout


def test_a_failed_run(cli: CommandLine) -> None:
    cli.write("failing.yaml", FAILING)
    told = cli.json("run", "failing.yaml", "--input", '{"list": []}', code=1)
    assert (told["status"], told["failed_step"]) == ("failed", "broken")
    assert [step["status"] for step in told["steps"]] == ["succeeded", "failed", "skipped"]
    table = cli.run("run", "failing.yaml", "-o", "table", "--input", '{"list": []}').stdout
    assert "Run failed - Started: " in table
    assert "Failed step: broken" in table
    assert "Error: EXPRESSION_FAILED" in table
    assert "Skipped (Blocked)" in table
    assert "Next: see each step's input and error: runwell runs show run_" in table


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("broken.yaml",), "broken.yaml:3: /steps/0/type: unknown step type 'transfrom' (did you mean 'transform'?)"),
        (("sum.yaml", "--input", '{"a": "x"}'), '  /a: "x" is not of type "integer"'),
        (("sum.yaml", "--input", "{a: 1}"), "error: the input is not JSON"),
        (("sum.yaml", "--input", "@nothing.json"), "cannot be read from 'nothing.json': No such file"),
        (("sum.yaml", "--metadata", "k"), "'k' is no key=value"),
        ((), "either a FILE or --resume RUN_ID"),
        (("sum.yaml", "--resume", "run_1"), "either a FILE or --resume RUN_ID"),
        (("--resume", "run_12ab"), "there is no run 'run_12ab'"),
        (("--resume", "run_1", "-i", "{}", "--tag", "a"), "--input and --tag are of the run's start"),
        (("--resume", "run_1", "--metadata", "a=b"), "--metadata is of the run's start"),
        (("--resume", "run_1", "--environment", "production"), "--environment is of the run's start"),
        (("--resume", "hello"), "'hello' is no run id"),
        (("calls.yaml",), "calls.yaml:3: /steps/0/workflow: there is no workflow 'ghost'"),
    ],
)
def test_what_is_refused_starts_nothing(cli: CommandLine, args: tuple[str, ...], said: str) -> None:
    cli.write("sum.yaml", SUM)
    cli.write("broken.yaml", "name: broken\nsteps:\n  - {id: a, type: transfrom, value: 1}\n")
    cli.write("calls.yaml", "name: calls\nsteps:\n  - {id: a, type: workflow, workflow: ghost}\n")
    done = cli.run("run", *args)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert cli.json("runs", "list") == []


def test_every_problem_of_the_input_is_named(cli: CommandLine) -> None:
    cli.write("sum.yaml", SUM)
    done = cli.run("run", "sum.yaml", "--input", '{"a": "x", "b": null}')
    assert done.stderr.startswith("error: the input breaks the input_schema of 'sum': nothing was started\n  /a: ")
    assert "\n  /b: " in done.stderr


def test_a_child_document_is_published_and_pinned(cli: CommandLine) -> None:
    cli.write("parent.yaml", PARENT)
    cli.write("parts/child.yaml", TIMES_TWO)
    assert cli.json("run", "parent.yaml")["output"] == 10
    cli.write("parts/child.yaml", TIMES_TWO.replace("* 2", "* 3"))
    told = cli.json("run", "parent.yaml")
    assert (told["output"], told["workflow"]["version"]) == (15, 2)
    workflows = [run["workflow"] for run in cli.json("runs", "list")]
    assert [f"{workflow['slug']} v{workflow['version']}" for workflow in workflows] == ["child v2", "parent v2", "child v1", "parent v1"]
    cli.write("by-slug.yaml", PARENT.replace("./parts/child.yaml", "child").replace("name: parent", "name: by slug"))
    assert cli.json("run", "by-slug.yaml")["output"] == 15


def test_an_approval_ends_the_command_and_is_given_later(cli: CommandLine) -> None:
    cli.write("ask.yaml", APPROVAL)
    done = cli.run("run", "ask.yaml", "--input", '{"amount": 3}')
    assert done.returncode == 3, done.stderr
    run_id = msgspec.json.decode(done.stdout)["id"]
    (task,) = cli.json("tasks", "list")
    assert (task["title"], task["payload"], task["run_id"]) == ("Pay 3?", {"amount": 3}, run_id)
    assert f"runwell tasks complete {task['id']} --approve" in done.stderr
    assert f"runwell run --resume {run_id}" in done.stderr

    assert cli.run("run", "--resume", run_id).returncode == 3
    told = cli.json("tasks", "complete", task["id"], "--approve", "--comment", "fine", "--result", '{"amount": 2}')
    assert (told["id"], told["output"]["paid"]) == (run_id, "succeeded")
    assert told["output"]["decision"] | {"by": None} == {"approved": True, "by": None, "comment": "fine", "amount": 2}
    assert cli.json("tasks", "list") == []
    again = cli.run("tasks", "complete", task["id"], "--approve")
    assert (again.returncode, "was approved with edits by" in again.stderr) == (2, True), again.stderr
    assert cli.json("run", "--resume", run_id)["id"] == run_id


def test_a_child_that_asks_is_carried_on_with_its_parent(cli: CommandLine) -> None:
    cli.write("parent.yaml", PARENT)
    cli.write("parts/child.yaml", APPROVAL)
    parent = cli.json("run", "parent.yaml", code=3)
    (task,) = cli.json("tasks", "list")
    told = cli.json("tasks", "complete", task["id"][:20], "--reject")
    assert (told["id"], told["status"], told["output"]["paid"]) == (parent["id"], "succeeded", "skipped")


@pytest.mark.parametrize("args", [(), ("--approve", "--reject"), ("--approve", "--result", "3")])
def test_a_decision_is_one_or_the_other(cli: CommandLine, args: tuple[str, ...]) -> None:
    done = cli.run("tasks", "complete", "task_12", *args)
    assert (done.returncode, done.stdout) == (2, "")


def test_a_message_is_sent_later(cli: CommandLine) -> None:
    cli.write("listen.yaml", MESSAGE)
    done = cli.run("run", "listen.yaml")
    run_id = msgspec.json.decode(done.stdout)["id"]
    assert (done.returncode, f"runwell runs send {run_id} news JSON" in done.stderr) == (3, True)
    assert cli.run("runs", "send", run_id, "other", "1").returncode == 3
    assert cli.json("runs", "send", run_id, "news", '{"up": 1}')["output"] == {"up": 1}


def test_a_killed_run_goes_on_after_its_delay(cli: CommandLine) -> None:
    cli.write("nap.yaml", DELAY)
    first = cli.start("run", "nap.yaml", "--input", '{"seconds": 1.5}')
    run_id = cli.wait_for_event("step_waiting")
    first.send_signal(signal.SIGKILL)
    first.communicate()
    assert cli.json("runs", "show", run_id)["status"] == "waiting"
    told = cli.json("run", "--resume", run_id[:24])
    assert (told["id"], told["status"], told["output"]) == (run_id, "succeeded", "awake")
    assert [step["attempts"][0]["number"] for step in told["steps"]] == [1, 1, 1]
    seqs = [msgspec.json.decode(line)["seq"] for line in cli.run("runs", "events", run_id).stdout.splitlines()]
    assert seqs == list(range(1, len(seqs) + 1))


def test_a_killed_parent_goes_on_with_its_child(cli: CommandLine) -> None:
    cli.write("parent.yaml", PARENT.replace("amount: 5", "seconds: 0.5"))
    cli.write("parts/child.yaml", DELAY)
    first = cli.start("run", "parent.yaml")
    cli.wait_for_event("run_waiting", runs=2)
    first.kill()
    first.communicate()
    (parent,) = [run for run in cli.json("runs", "list") if run["parent_run_id"] is None]
    assert cli.json("run", "--resume", parent["id"])["output"] == "awake"
    assert {run["status"] for run in cli.json("runs", "list")} == {"succeeded"}


def test_resuming_one_run_leaves_others_alone(cli: CommandLine) -> None:
    cli.write("nap.yaml", DELAY)
    cli.write("listen.yaml", MESSAGE)
    other = cli.start("run", "nap.yaml", "--input", '{"seconds": 0.4}')
    other_id = cli.wait_for_event("step_waiting")
    other.kill()
    other.communicate()
    run_id = cli.json("run", "listen.yaml", code=3)["id"]
    cli.json("run", "--resume", run_id, code=3)
    assert cli.json("runs", "show", other_id)["status"] == "waiting"


def test_sigterm_leaves_the_run(cli: CommandLine) -> None:
    cli.write("nap.yaml", DELAY)
    first = cli.start("run", "nap.yaml", "--input", '{"seconds": 2}')
    run_id = cli.wait_for_event("step_waiting")
    first.terminate()
    told, said = first.communicate(timeout=10)
    assert (first.returncode, msgspec.json.decode(told)["status"]) == (3, "waiting")
    assert f"runwell run --resume {run_id}" in said
    assert cli.json("run", "--resume", run_id)["status"] == "succeeded"


def test_a_second_process_is_refused(cli: CommandLine) -> None:
    cli.write("nap.yaml", DELAY)
    first = cli.start("run", "nap.yaml", "--input", '{"seconds": 20}')
    cli.wait_for_event("step_waiting")
    for args in (("run", "nap.yaml"), ("runs", "pause", "run_1"), ("runs", "stop", "run_1"), ("tasks", "complete", "task_1", "--approve")):
        done = cli.run(*args)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith(f"error: the data directory '{cli.data_dir}' is in use by another Runwell (pid {first.pid} ")
        cure = "choose another directory" if args[0] == "run" else "Ctrl-C there to stop its run, or, if it is `runwell serve`"
        assert cure in done.stderr
    first.send_signal(signal.SIGINT)
    told, said = first.communicate(timeout=10)
    assert (first.returncode, msgspec.json.decode(told)["status"]) == (1, "stopped")
    assert "Stopping: what runs may still end." in said


def test_the_data_directory_may_stand_anywhere(cli: CommandLine) -> None:
    cli.write("ask.yaml", APPROVAL)
    done = cli.run("run", "ask.yaml", "--input", '{"amount": 3}', "--data-dir", "else where")
    assert done.returncode == 3
    assert "runwell --data-dir 'else where' tasks complete " in done.stderr
    assert len(cli.json("--data-dir=else where", "tasks", "list")) == 1
    assert not cli.data_dir.exists()
