"""The same commands, on this machine's data directory and on a server: the same output."""

import json
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.command_line import CommandLine
from tests.acceptance.documents import APPROVAL, FAILING, MESSAGE, PARENT, SUM, TIMES_TWO
from tests.acceptance.served import served


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(tmp_path_factory.mktemp("server")) as address:
        yield address


@pytest.fixture
def there(tmp_path: Path, address: str) -> CommandLine:
    """The command line, on the server."""
    return at(tmp_path / "there", address)


@pytest.fixture(params=["here", "there"])
def anywhere(request: pytest.FixtureRequest, tmp_path: Path) -> CommandLine:
    """The command line, on a data directory of its own, or on the server."""
    return at(tmp_path, request.getfixturevalue("address") if request.param == "there" else None)


def at(folder: Path, server: str | None) -> CommandLine:
    folder.mkdir(exist_ok=True)
    cli = CommandLine(folder)
    if server is not None:
        cli.env["RUNWELL_SERVER"] = server
    for name, text in (("sum", SUM), ("failing", FAILING), ("ask", APPROVAL), ("listen", MESSAGE), ("parent", PARENT)):
        cli.write(f"{name}.yaml", text)
    cli.write("parts/child.yaml", TIMES_TWO)
    return cli


_OWN = re.compile(
    r"((run|wf|task|evt)_[0-9a-f]{32}(_\d+)?|\d{4}-\d\d-\d\dT[\d:.]+Z|\b[\d.]+ m?s\b|\w{3} \d+, \d{4}, [\d:]+ [AP]M|[0-9a-f]{64})"
)
_VARIES = re.compile(r'"(duration_ms|trigger|actor|by|ts)": ("\w*"|\d+)')


def same(text: str) -> str:
    """Return the output without what differs from run to run and from place to place."""
    text = re.sub(r" +", " ", _VARIES.sub(r'"\1": _', _OWN.sub("_", text)))
    return re.sub(r"--(server|data-dir) \S+ ", "", text)


SCRIPTS: dict[str, list[tuple[str, ...]]] = {
    "sum": [("run", "sum.yaml", "-i", '{"a": 1, "b": 2}')],
    "bad input": [("run", "sum.yaml", "-i", '{"a": 1}')],
    "failing": [("run", "failing.yaml")],
    "waits": [("run", "ask.yaml", "-i", '{"amount": 3}')],
    "child": [("run", "parent.yaml")],
    "publish": [("publish", "sum.yaml"), ("publish", "sum.yaml")],
    "no file": [("run", "nothing.yaml"), ("publish", "nothing.yaml"), ("validate", "nothing.yaml")],
    "validate": [("validate", "sum.yaml", "parent.yaml"), ("validate", "parts/child.yaml")],
    "no run": [("runs", "show", "run_" + "0" * 32), ("runs", "events", "zz"), ("tasks", "complete", "0" * 32, "--approve")],
}


@pytest.mark.parametrize("output", ["table", "json"])
@pytest.mark.parametrize("script", SCRIPTS)
def test_the_output_is_the_same(script: str, output: str, tmp_path: Path, there: CommandLine) -> None:
    here = at(tmp_path / "here", None)
    for words in SCRIPTS[script]:
        local, remote = here.run(*words, "-o", output), there.run(*words, "-o", output)
        assert same(remote.stdout) == same(local.stdout), remote.stderr
        assert (remote.returncode, "Traceback" in remote.stderr) == (local.returncode, False)
        if script != "no run":  # which says where it looked
            assert same(remote.stderr) == same(local.stderr)


def test_a_run_is_looked_at(anywhere: CommandLine) -> None:
    run = anywhere.json("run", "sum.yaml", "-i", '{"a": 1, "b": 2}')
    assert run["output"] == 3
    again = anywhere.json("runs", "show", run["id"][:20] if "RUNWELL_SERVER" not in anywhere.env else run["id"])
    assert again == run
    assert anywhere.json("runs", "show", run["id"].removeprefix("run_"))["id"] == run["id"]
    listed = anywhere.json("runs", "list", "--workflow", "sum", "--status", "succeeded", "--limit", "1")
    assert [row["id"] for row in listed] == [run["id"]]
    events = [json.loads(line) for line in anywhere.run("runs", "events", run["id"]).stdout.splitlines()]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    after = anywhere.run("runs", "events", run["id"], "--after", "2").stdout.splitlines()
    assert [json.loads(line)["seq"] for line in after] == [event["seq"] for event in events[2:]]
    assert anywhere.json("runs", "watch", run["id"]) == run


def test_a_task_is_decided(anywhere: CommandLine) -> None:
    waiting = anywhere.json("run", "ask.yaml", "-i", '{"amount": 3}', code=3)
    (task,) = [task for task in anywhere.json("tasks", "list") if task["run_id"] == waiting["id"]]
    ended = anywhere.json("tasks", "complete", task["id"], "--approve", "--result", '{"amount": 2}', "--comment", "less")
    assert (ended["id"], ended["output"]["paid"], ended["output"]["decision"]["amount"]) == (waiting["id"], "succeeded", 2)
    assert task["id"] not in {task["id"] for task in anywhere.json("tasks", "list")}
    again = ("tasks", "complete", task["id"], "--approve", "--result", '{"amount": 2}', "--comment", "less")
    assert anywhere.json(*again) == ended
    for other in (("--approve",), ("--reject",), (*again[3:-1], "more")):
        refused = anywhere.run("tasks", "complete", task["id"], *other)
        assert (refused.returncode, f"{task['id']} was approved with edits by " in refused.stderr) == (2, True)
    assert "no task" in anywhere.run("tasks", "complete", task["id"][:-1], "--approve").stderr


def test_a_run_is_steered(anywhere: CommandLine) -> None:
    waiting = anywhere.json("run", "listen.yaml", code=3)["id"]
    assert anywhere.json("runs", "pause", waiting)["status"] == "paused"
    assert anywhere.json("runs", "resume", waiting, code=3)["status"] == "waiting"
    assert anywhere.json("runs", "send", waiting, "news", '{"rain": true}')["output"] == {"rain": True}
    other = anywhere.json("run", "listen.yaml", code=3)["id"]
    assert anywhere.json("runs", "stop", other)["status"] == "stopped"
    assert anywhere.json("runs", "stop", other)["status"] == "stopped"


def test_approvals_are_asked_for_at_the_prompt(anywhere: CommandLine) -> None:
    terminal = anywhere.terminal("run", "ask.yaml", "-i", '{"amount": 3}')
    terminal.expect("[l]ater: ")
    terminal.type("a\n")
    terminal.expect("(Enter: none): ")
    terminal.type("\n")
    code, rest = terminal.end()
    assert code == 0, rest
    assert "Run succeeded" in rest


def test_a_run_is_watched_while_it_goes_on(anywhere: CommandLine) -> None:
    runner = anywhere.terminal("run", "listen.yaml")
    runner.expect("(Enter: not now): ")
    run_id = anywhere.json("runs", "list", "--status", "waiting", "--limit", "1")[0]["id"]
    watcher = anywhere.terminal("runs", "watch", run_id)
    watcher.expect("Waiting")
    runner.type('{"rain": true}\n')
    for terminal in (runner, watcher):
        code, rest = terminal.end()
        assert (code, '"rain": true' in rest) == (0, True)


def test_leaving_a_watch_leaves_the_run(there: CommandLine) -> None:
    waiting = there.json("run", "listen.yaml", code=3)["id"]
    terminal = there.terminal("runs", "watch", waiting)
    terminal.expect("Waiting")
    terminal.press_ctrl_c()
    code, _ = terminal.end()
    assert code == 3
    assert there.json("runs", "show", waiting)["status"] == "waiting"


def test_a_run_goes_on_without_its_command(there: CommandLine) -> None:
    runner = there.terminal("run", "listen.yaml")
    runner.expect("(Enter: not now): ")
    runner.process.send_signal(signal.SIGTERM)
    code, _ = runner.end()
    assert code == 3
    run_id = there.json("runs", "list", "--status", "waiting", "--limit", "1")[0]["id"]
    assert there.json("runs", "send", run_id, "news", "1")["output"] == 1


def test_where_the_server_is(there: CommandLine, address: str) -> None:
    del there.env["RUNWELL_SERVER"]
    there.write("key", "rw_something\n")
    ways: list[tuple[str, ...]] = [("--server", address, "runs", "list"), ("runs", "list", f"--server={address}", "--key-file", "key")]
    for words in ways:
        assert isinstance(there.json(*words), list)
    assert not there.data_dir.exists()
    there.env["RUNWELL_SERVER"] = "http://127.0.0.1:9"
    assert there.json("--data-dir", "own", "runs", "list") == []


@pytest.mark.parametrize(
    "words",
    [
        ("--server", "http://127.0.0.1:9", "runs", "list"),
        ("--server", "nowhere", "runs", "list"),
        ("--server", "http://127.0.0.1:9", "--key-file", "no-such-file", "runs", "list"),
        ("--server", "http://127.0.0.1:9", "--data-dir", "x", "runs", "list"),
        ("--server", "http://127.0.0.1:9", "run", "sum.yaml"),
    ],
)
def test_a_server_that_is_not_there(there: CommandLine, words: tuple[str, ...]) -> None:
    done = there.run(*words)
    assert (done.returncode, done.stdout, "Traceback" in done.stderr) == (2, "", False)
    assert done.stderr.startswith("error: ")
    assert "hint: " in done.stderr


def test_what_only_the_server_knows_is_told_with_its_line(there: CommandLine) -> None:
    there.write("calls.yaml", "name: calls\nsteps:\n  - id: call\n    type: workflow\n    workflow: no-such\n")
    found: Any = json.loads(there.run("validate", "calls.yaml", "-o", "json").stdout)
    assert [(problem["code"], problem["line"]) for problem in found["problems"]] == [("unknown_workflow", 5)]
    done = there.run("publish", "calls.yaml")
    assert (done.returncode, "calls.yaml:5" in done.stderr) == (2, True)
