"""`runwell runs` and `runwell tasks`: reading and steering what a data directory holds."""

import json
import shlex
import signal

import pytest
from tests.acceptance.command_line import CommandLine
from tests.acceptance.documents import APPROVAL, DELAY, FAILING, GATED, PARENT, SUM
from tests.acceptance.gate import Gate


def test_runs_are_listed_newest_first(cli: CommandLine) -> None:
    cli.write("sum.yaml", SUM)
    cli.write("failing.yaml", FAILING)
    first = cli.json("run", "sum.yaml", "--input", '{"a": 1, "b": 2}')
    second = cli.json("run", "failing.yaml", code=1)
    runs = cli.json("runs", "list")
    assert [(run["id"], run["status"], run["failed_step"]) for run in runs] == [
        (second["id"], "failed", "broken"),
        (first["id"], "succeeded", None),
    ]
    assert {key: runs[1][key] for key in ("workflow", "started_at", "ended_at", "duration_ms")} == {
        key: first[key] for key in ("workflow", "started_at", "ended_at", "duration_ms")
    }
    assert [run["id"] for run in cli.json("runs", "list", "--status", "failed")] == [second["id"]]
    assert [run["id"] for run in cli.json("runs", "list", "--workflow", "sum")] == [first["id"]]
    assert [run["id"] for run in cli.json("runs", "list", "--limit", "1")] == [second["id"]]
    table = cli.run("runs", "list", "-o", "table").stdout
    assert table.splitlines()[0].split() == ["Workflow", "Status", "Started", "at", "Duration", "Failed", "step", "Run"]


def test_a_run_is_shown_by_the_beginning_of_its_id(cli: CommandLine) -> None:
    cli.write("sum.yaml", SUM)
    run = cli.json("run", "sum.yaml", "--input", '{"a": 1, "b": 2}')
    other = cli.json("run", "sum.yaml", "--input", '{"a": 1, "b": 3}')
    assert cli.json("runs", "show", run["id"]) == run
    assert cli.json("runs", "show", run["id"].removeprefix("run_")[:24]) == run
    both = cli.run("runs", "show", run["id"][:6])
    assert other["id"][:6] == run["id"][:6]
    assert (both.returncode, "more than one run begins with" in both.stderr) == (2, True)
    unknown = cli.run("runs", "show", "run_ffff")
    assert (unknown.returncode, unknown.stderr.splitlines()[0]) == (2, "error: there is no run 'run_ffff'")


TELLING = """
name: telling
steps:
  - {id: first, type: transform, value: {text: "{{ input.text }}"}}
  - {id: talk, type: python, code: "for i in range(30):\\n    print('line', i)\\n7"}
  - {id: broken, type: transform, depends_on: [first, talk], value: "{{ input.list[7] }}"}
"""


def test_a_run_is_shown_with_all_that_explains_it(cli: CommandLine) -> None:
    cli.write("telling.yaml", TELLING)
    run = cli.json("run", "telling.yaml", "--input", json.dumps({"text": "long " * 100, "list": []}), code=1)
    shown = cli.run("runs", "show", run["id"], "-o", "table").stdout
    parts = [line.strip() for line in shown.splitlines()]
    titles = [parts.index(title) for title in ("Input", "Steps", "Results", "Log")]
    assert titles == sorted(titles)
    assert '"list": []' in parts
    (first,) = [line for line in parts if line.startswith("first: ")]
    assert first.startswith('first: {"text":"long long ')
    assert first.endswith("…")
    assert len(first) <= 160
    assert "talk: 7" in parts
    assert any(line.startswith("broken: EXPRESSION_FAILED: ") for line in parts)
    assert f"... 10 earlier: runwell runs events {run['id']}" in parts
    assert [line.split(maxsplit=1)[1] for line in parts if "line 2" in line][-1] == "talk line 29"
    assert "Failed step: broken" in parts


def test_events_are_json_lines(cli: CommandLine) -> None:
    cli.write("sum.yaml", SUM)
    run = cli.json("run", "sum.yaml", "--input", '{"a": 1, "b": 2}')
    events = [json.loads(line) for line in cli.run("runs", "events", run["id"]).stdout.splitlines()]
    assert [event["type"] for event in events] == ["run_created", "run_started", "step_started", "step_completed", "run_succeeded"]
    assert [event["seq"] for event in events] == [1, 2, 3, 4, 5]
    assert events[1]["id"] == f"evt_{run['id'].removeprefix('run_')}_2"
    late = cli.run("runs", "events", run["id"], "--after", "4").stdout.splitlines()
    assert [json.loads(line)["seq"] for line in late] == [5]


def test_a_waiting_run_is_stopped(cli: CommandLine) -> None:
    cli.write("ask.yaml", APPROVAL)
    run = cli.json("run", "ask.yaml", "--input", '{"amount": 1}', code=3)
    told = cli.json("runs", "stop", run["id"])
    assert (told["status"], [step["status"] for step in told["steps"]]) == ("stopped", ["stopped", "skipped"])
    assert cli.json("tasks", "list") == []
    assert cli.json("runs", "stop", run["id"]) == told
    cli.write("sum.yaml", SUM)
    over = cli.run("runs", "stop", cli.json("run", "sum.yaml", "--input", '{"a": 1, "b": 2}')["id"])
    assert (over.returncode, "has ended already (succeeded)" in over.stderr) == (2, True)


@pytest.mark.parametrize("mode", [(), ("--graceful",)])
def test_stopping_a_run_stops_its_child(cli: CommandLine, mode: tuple[str, ...]) -> None:
    cli.write("parent.yaml", PARENT)
    cli.write("parts/child.yaml", APPROVAL)
    run = cli.json("run", "parent.yaml", code=3)
    assert cli.json("runs", "stop", run["id"], *mode)["status"] in ("stopped", "failed")
    assert {row["status"] for row in cli.json("runs", "list")} <= {"stopped", "failed"}


@pytest.mark.parametrize("mode", [(), ("--graceful",)])
def test_a_run_whose_process_died_is_stopped(cli: CommandLine, mode: tuple[str, ...]) -> None:
    with Gate().open() as gate:
        cli.env["RUNWELL_HTTP_ALLOW"] = "127.0.0.0/8"
        cli.write("gated.yaml", GATED % gate.url)
        first = cli.start("run", "gated.yaml")
        assert gate.asked.wait(20)
        run_id = cli.wait_for_event("step_started")
        first.send_signal(signal.SIGKILL)
        first.communicate()
        told = cli.json("runs", "stop", run_id, *mode)
    assert (told["status"], [step["status"] for step in told["steps"]]) == ("stopped", ["stopped", "skipped"])


def test_a_run_is_paused_and_resumed(cli: CommandLine) -> None:
    cli.write("ask.yaml", APPROVAL)
    run_id = cli.json("run", "ask.yaml", "--input", '{"amount": 1}', code=3)["id"]
    assert cli.json("runs", "pause", run_id)["status"] == "paused"
    (task,) = cli.json("tasks", "list")
    decided = cli.run("tasks", "complete", task["id"], "--approve")
    assert (decided.returncode, json.loads(decided.stdout)["status"]) == (3, "paused")
    assert f"runwell runs resume {run_id}" in decided.stderr
    told = cli.json("runs", "resume", run_id)
    assert (told["status"], told["output"]["paid"]) == ("succeeded", "succeeded")
    over = cli.run("runs", "pause", run_id)
    assert (over.returncode, "cannot be paused" in over.stderr) == (2, True)


def test_reading_takes_nothing_up(cli: CommandLine) -> None:
    cli.write("nap.yaml", DELAY)
    first = cli.start("run", "nap.yaml", "--input", '{"seconds": 0.1}')
    run_id = cli.wait_for_event("step_waiting")
    first.kill()
    first.communicate()
    before = cli.run("runs", "events", run_id).stdout
    cli.json("runs", "list")
    cli.json("tasks", "list")
    cli.json("runs", "show", run_id)
    assert cli.run("runs", "events", run_id).stdout == before


def test_runs_are_read_while_another_process_carries_one(cli: CommandLine) -> None:
    assert (cli.json("runs", "list"), cli.json("tasks", "list")) == ([], [])
    assert not cli.data_dir.exists()
    cli.write("ask.yaml", APPROVAL)
    terminal = cli.terminal("run", "--watch", "ask.yaml", "--input", '{"amount": 3}')
    terminal.expect("[l]ater: ")
    (row,) = cli.json("runs", "list")
    shown = cli.json("runs", "show", row["id"])
    assert (row["status"], shown["status"], shown["steps"][0]["waiting_for"]) == ("waiting", "waiting", "approval")
    assert [task["title"] for task in cli.json("tasks", "list")] == ["Pay 3?"]
    events = cli.run("runs", "events", row["id"]).stdout.splitlines()
    assert [json.loads(line)["seq"] for line in events] == list(range(1, len(events) + 1))
    assert "Pay 3?" in cli.run("runs", "show", row["id"], "-o", "table").stdout
    terminal.type("a\n")
    terminal.expect("none): ")
    terminal.type("\n")
    code, rest = terminal.end()
    assert (code, "Run succeeded" in rest) == (0, True)
    assert cli.json("runs", "show", row["id"])["status"] == "succeeded"


PRINTING = [("runs", "list"), ("runs", "list", "-o", "table"), ("run", "sum.yaml", "-i", '{"a": 1, "b": 2}'), ("--help",)]


@pytest.mark.parametrize("args", PRINTING)
@pytest.mark.parametrize(
    ("outlet", "code", "said"),
    [
        ("| head -0; exit ${PIPESTATUS[0]}", 141, ""),
        (">/dev/full", 74, "error: the output could not be written: No space left on device\n"),
        (">/dev/full 2>/dev/full", 74, ""),
        (">&-", 0, ""),
    ],
)
def test_output_that_nobody_takes(cli: CommandLine, args: tuple[str, ...], outlet: str, code: int, said: str) -> None:
    cli.write("sum.yaml", SUM)
    cli.json("run", "sum.yaml", "--input", '{"a": 1, "b": 2}')
    done = cli.shell(f"{shlex.join(('runwell', *args))} {outlet}")
    assert (done.returncode, done.stderr) == (code, said)
    assert {run["status"] for run in cli.json("runs", "list")} == {"succeeded"}
