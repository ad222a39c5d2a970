"""`runwell run` on a terminal: the live tree, questions and Ctrl-C."""

import signal

from tests.acceptance.command_line import CommandLine
from tests.acceptance.documents import APPROVAL, DELAY, GATED, MESSAGE, PARENT
from tests.acceptance.gate import Gate

ASK = ("run", "ask.yaml", "--input", '{"amount": 3}')
QUESTION = "[a]pprove, [r]eject, [e]dit, [l]ater: "


def test_an_approval_is_asked_for(cli: CommandLine) -> None:
    cli.write("ask.yaml", APPROVAL)
    terminal = cli.terminal(*ASK)
    before = terminal.expect(QUESTION)
    assert "for a decision: Pay 3?" in before
    assert '"amount": 3' in before
    terminal.type("maybe\n")
    terminal.expect("'maybe' is none of these. Type a, r, e or l, then Enter.")
    terminal.expect(QUESTION)
    terminal.type("\n")
    terminal.expect("Nothing was chosen. Type a")
    terminal.expect(QUESTION)
    terminal.type("a\n")
    terminal.expect("Comment (Enter: none): ")
    terminal.type("go on\n")
    code, rest = terminal.end()
    assert code == 0
    assert "Run succeeded - Started: " in rest
    assert '"comment": "go on"' in rest
    assert '"paid": "succeeded"' in rest


def test_a_rejection(cli: CommandLine) -> None:
    cli.write("ask.yaml", APPROVAL)
    terminal = cli.terminal(*ASK, "--no-watch", "-o", "json")
    terminal.expect(QUESTION)
    terminal.type("r\n")
    terminal.expect("none): ")
    terminal.type("\n")
    code, rest = terminal.end()
    assert code == 0
    assert '"paid": "skipped"' in rest
    assert '"comment": null' in rest


def test_an_edit_is_asked_for_until_it_is_an_object(cli: CommandLine) -> None:
    cli.write("ask.yaml", APPROVAL)
    terminal = cli.terminal(*ASK)
    terminal.expect(QUESTION)
    terminal.type("e\n")
    terminal.expect('What to approve instead, as {"amount":3} or @file')
    for wrong, said in (("{", "error: the edit is not JSON"), ("[1]", "error: the edit is no JSON object")):
        terminal.expect("(Enter: back): ")
        terminal.type(f"{wrong}\n")
        terminal.expect(said)
    terminal.expect("(Enter: back): ")
    terminal.type('{"amount": 2}\n')
    terminal.expect("none): ")
    terminal.type("\n")
    code, rest = terminal.end()
    assert code == 0
    assert '"amount": 2' in rest


def test_an_edit_that_is_refused_is_asked_for_again(cli: CommandLine) -> None:
    cli.write("ask.yaml", APPROVAL)
    terminal = cli.terminal(*ASK)
    terminal.expect(QUESTION)
    terminal.type("e\n")
    terminal.expect("back): ")
    terminal.type('{"approved": false}\n')
    terminal.expect("none): ")
    terminal.type("\n")
    terminal.expect("an edit cannot set 'approved'")
    terminal.expect(QUESTION)
    terminal.type("a\n")
    terminal.expect("none): ")
    terminal.type("\n")
    assert terminal.end()[0] == 0


def test_what_is_said_during_a_question_begins_a_line(cli: CommandLine) -> None:
    cli.write("ask.yaml", APPROVAL)
    terminal = cli.terminal(*ASK)
    terminal.expect(QUESTION)
    terminal.type("e\n")
    terminal.expect("(Enter: back): ")
    terminal.process.send_signal(signal.SIGTERM)
    assert terminal.expect("Leaving the run as it is.").endswith("\n")
    code, rest = terminal.end()
    assert (code, rest.startswith("\nRun waiting")) == (3, True)


def test_later_leaves_the_run_waiting(cli: CommandLine) -> None:
    cli.write("ask.yaml", APPROVAL)
    terminal = cli.terminal(*ASK)
    terminal.expect(QUESTION)
    terminal.type("l\n")
    terminal.expect("Left for later: the run goes on waiting.")
    code, rest = terminal.end()
    assert code == 3
    assert "Run waiting - Started: " in rest
    assert "runwell tasks complete task_" in rest


def test_the_end_of_input_is_later(cli: CommandLine) -> None:
    cli.write("ask.yaml", APPROVAL)
    terminal = cli.terminal(*ASK)
    terminal.expect(QUESTION)
    terminal.type("\x04")
    terminal.expect("Left for later: the run goes on waiting.")
    assert terminal.end()[0] == 3


def test_a_message_is_asked_for(cli: CommandLine) -> None:
    cli.write("listen.yaml", MESSAGE)
    terminal = cli.terminal("run", "listen.yaml")
    assert "for the message 'news'" in terminal.expect("JSON to send, or @file (Enter: not now): ")
    terminal.type('{"up": 1}\n')
    code, rest = terminal.end()
    assert code == 0
    assert '"up": 1' in rest


def test_a_child_run_asks_through_its_parent(cli: CommandLine) -> None:
    cli.write("parent.yaml", PARENT)
    cli.write("parts/child.yaml", APPROVAL)
    terminal = cli.terminal("run", "parent.yaml")
    assert "for a decision: Pay 5?" in terminal.expect(QUESTION)
    terminal.type("a\n")
    terminal.expect("none): ")
    terminal.type("\n")
    code, rest = terminal.end()
    assert (code, '"paid": "succeeded"' in rest) == (0, True)


def test_the_tree_is_live(cli: CommandLine) -> None:
    cli.write("nap.yaml", DELAY)
    terminal = cli.terminal("run", "nap.yaml", "--input", '{"seconds": 1}')
    terminal.expect("✓ before")
    terminal.expect("◔ nap")
    terminal.expect("until ")
    terminal.expect("○ after")
    terminal.expect("Run succeeded")
    terminal.expect("✓ nap")
    assert terminal.end()[0] == 0


def gated(cli: CommandLine, gate: Gate) -> None:
    cli.env["RUNWELL_HTTP_ALLOW"] = "127.0.0.0/8"
    cli.write("gated.yaml", GATED % gate.url)


def test_ctrl_c_once_lets_end_what_runs(cli: CommandLine) -> None:
    with Gate().open() as gate:
        gated(cli, gate)
        terminal = cli.terminal("run", "gated.yaml")
        assert gate.asked.wait(20)
        terminal.press_ctrl_c()
        terminal.expect("Stopping: what runs may still end. Press Ctrl-C again to stop at once.")
        terminal.expect("Run stopping")
        gate.release()
        code, rest = terminal.end()
    assert code == 1
    assert "Run canceled" in rest
    (run,) = cli.json("runs", "list")
    steps = cli.json("runs", "show", run["id"])["steps"]
    assert [step["status"] for step in steps] == ["succeeded", "skipped"]


def test_ctrl_c_twice_stops_at_once(cli: CommandLine) -> None:
    with Gate().open() as gate:
        gated(cli, gate)
        terminal = cli.terminal("run", "gated.yaml")
        assert gate.asked.wait(20)
        terminal.press_ctrl_c()
        terminal.expect("Stopping:")
        terminal.press_ctrl_c()
        terminal.expect("Stopping at once.")
        code, rest = terminal.end()
    assert (code, "Run canceled" in rest) == (1, True)
    (run,) = cli.json("runs", "list")
    steps = cli.json("runs", "show", run["id"])["steps"]
    assert [step["status"] for step in steps] == ["stopped", "skipped"]


def test_ctrl_c_takes_a_question_back(cli: CommandLine) -> None:
    cli.write("ask.yaml", APPROVAL)
    terminal = cli.terminal(*ASK)
    terminal.expect(QUESTION)
    terminal.press_ctrl_c()
    code, rest = terminal.end()
    assert (code, "Run canceled" in rest) == (1, True)


def test_a_question_ends_when_its_time_is_over(cli: CommandLine) -> None:
    cli.write("ask.yaml", APPROVAL.replace("payload:", "expires_in_s: 2, payload:"))
    terminal = cli.terminal(*ASK)
    terminal.expect(QUESTION)
    code, rest = terminal.end()
    assert (code, '"expired": true' in rest) == (0, True)


def test_lists_are_tables(cli: CommandLine) -> None:
    cli.write("ask.yaml", APPROVAL)
    run = cli.json(*ASK, code=3)
    runs, tasks = cli.terminal("runs", "list"), None
    code, shown = runs.end()
    assert (code, run["id"] in shown, "Waiting (approval)" in shown) == (0, True, True)
    tasks = cli.terminal("tasks", "list")
    code, shown = tasks.end()
    assert (code, "Pay 3?" in shown) == (0, True)
    events = cli.terminal("runs", "events", run["id"])
    code, shown = events.end()
    assert (code, "task_created" in shown) == (0, True)
