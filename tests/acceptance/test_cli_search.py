"""`runwell runs list | search | archive | unarchive`: on this machine's run store, and on a server's."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.acceptance.command_line import CommandLine
from tests.acceptance.documents import APPROVAL, FAILING, SUM
from tests.acceptance.served import served


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(tmp_path_factory.mktemp("server")) as address:
        yield address


@pytest.fixture(params=["here", "there"])
def anywhere(request: pytest.FixtureRequest, tmp_path: Path) -> CommandLine:
    cli = CommandLine(tmp_path)
    if request.param == "there":
        cli.env["RUNWELL_SERVER"] = request.getfixturevalue("address")
    for name, text in (("sum", SUM), ("failing", FAILING), ("ask", APPROVAL)):
        cli.write(f"{name}.yaml", text)
    return cli


def ids(cli: CommandLine, *args: str) -> list[str]:
    return [row["id"] for row in cli.json("runs", *args)]


def test_runs_are_found_archived_and_brought_back(anywhere: CommandLine) -> None:
    tags = ("--tag", "found-here")
    one = anywhere.json("run", "sum.yaml", "-i", '{"a": 1, "b": 2}', *tags)["id"]
    two = anywhere.json("run", "sum.yaml", "-i", '{"a": 5, "b": 2}', *tags)["id"]
    bad = anywhere.json("run", "failing.yaml", *tags, code=1)["id"]
    here = "tag:found-here"
    assert ids(anywhere, "search", here) == [bad, two, one]
    assert ids(anywhere, "search", f"{here} input.a:>4") == [two]
    assert ids(anywhere, "list", *tags, "--workflow", "sum", "--from", "-1h") == [two, one]
    assert ids(anywhere, "list", "-q", here, "--status", "failed", "--to", "now") == [bad]
    assert ids(anywhere, "list", *tags, "--limit", "2") == [bad, two]
    assert ids(anywhere, "list", *tags, "--metadata", "a:b") == []
    for given, words in ((("a:1", "a:2"), "no run has metadata 'a' twice"), (("x",), "'x' names no metadata")):
        refused = anywhere.run("runs", "list", *(part for text in given for part in ("--metadata", text)))
        assert (refused.returncode, words in refused.stderr) == (2, True), refused.stderr
    counted = anywhere.json("runs", "list", *tags, "--limit", "1", "--count")
    assert ([row["id"] for row in counted["data"]], counted["count"]) == ([bad], 3)
    assert counted["facets"]["statuses"] == {"succeeded": 2, "failed": 1}
    assert anywhere.run("runs", "search", here, "--limit", "1", "--count", "-o", "table").stdout.splitlines()[-1].strip() == "1 of 3 runs"
    done = anywhere.run("runs", "archive", one, two)
    assert (done.returncode, done.stderr) == (0, f"Archived {one}.\nArchived {two}.\n")
    assert ids(anywhere, "search", here) == [bad]
    assert ids(anywhere, "list", *tags, "--archived", "only") == [two, one]
    assert one not in ids(anywhere, "list", "--workflow", "sum")
    assert anywhere.run("runs", "unarchive", one).returncode == 0
    assert ids(anywhere, "search", here) == [bad, one]


def test_a_wide_list_gives_an_idea_of_what_went_in_and_came_out(anywhere: CommandLine) -> None:
    anywhere.json("run", "sum.yaml", "-i", '{"a": 40, "b": 2}', "--tag", "wide")
    calm, wide = (anywhere.run("runs", "list", "--tag", "wide", "-o", "table", *more).stdout.splitlines() for more in ((), ("--wide",)))
    assert "Input" not in calm[0]
    for word in ("Workflow", "Cost", "Tokens", "Models", "Input", "Output", "Run"):
        assert word in wide[0]
    assert ('{"a": 40, "b": 2}' in wide[1], "42" in wide[1]) == (True, True)
    [row] = anywhere.json("runs", "search", "tag:wide")
    assert row["input_preview"] == '{"a": 40, "b": 2}'


def test_a_live_run_is_not_archived(anywhere: CommandLine) -> None:
    run_id = anywhere.json("run", "ask.yaml", "-i", '{"amount": 3}', code=3)["id"]
    refused = anywhere.run("runs", "archive", run_id)
    assert (refused.returncode, "only a run that has ended can be archived" in refused.stderr) == (2, True)


def test_the_place_of_a_fault_is_shown(anywhere: CommandLine) -> None:
    refused = anywhere.run("runs", "search", "refund stauts:failed")
    assert refused.returncode == 2
    lines = refused.stderr.splitlines()
    assert lines[1] == "  refund stauts:failed"
    assert lines[2].startswith("         ^^^^^^ there is no field 'stauts'")
    assert "status" in lines[2]
    assert anywhere.run("runs", "list", "--status", "done").returncode == 2


def test_a_plain_list_is_read_while_another_process_has_the_run_store(tmp_path: Path) -> None:
    cli = CommandLine(tmp_path)
    cli.write("ask.yaml", APPROVAL)
    terminal = cli.terminal("run", "--watch", "ask.yaml", "--input", '{"amount": 3}')
    terminal.expect("[l]ater: ")
    assert len(ids(cli, "list")) == 1
    refused = cli.run("runs", "search", "status:waiting")
    assert refused.returncode == 2
    assert "--server URL" in refused.stderr
    terminal.type("l\n")
    terminal.end()
    assert len(ids(cli, "search", "status:waiting")) == 1
