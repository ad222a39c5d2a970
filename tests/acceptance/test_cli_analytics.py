"""`runwell analytics`, `runwell views` and `runwell runs review`: in this machine's data directory, and on a server."""

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


def table(cli: CommandLine, *args: str) -> list[list[str]]:
    done = cli.run(*args, "-o", "table")
    assert done.returncode == 0, done.stderr
    return [line.split() for line in done.stdout.splitlines()]


def test_figures(anywhere: CommandLine) -> None:
    for number in range(3):
        anywhere.json("run", "sum.yaml", "-i", f'{{"a": {number}, "b": 2}}')
    anywhere.json("run", "failing.yaml", code=1)
    counted = anywhere.json("analytics", "runs-count", "--window", "7d", "--group-by", "workflow")
    assert counted["total"]["runs"] == 4
    assert [row["runs"] for row in counted["groups"]] == [3, 1]
    head, total, first, second = table(anywhere, "analytics", "runs-count", "--group-by", "workflow")
    assert (head, total[0], total[1]) == (["Group", "Runs", "By", "status"], "all", "4")
    assert [first[0], second[0]] == [row["group"]["workflow_id"] for row in counted["groups"]]
    assert table(anywhere, "analytics", "success-rate", "--workflow", "sum")[1] == ["3", "3", "100.0%"]
    assert table(anywhere, "analytics", "success-rate", "--workflow", "failing")[1] == ["1", "0", "-"]
    assert table(anywhere, "analytics", "cost")[1] == ["4", "$0"]
    for figure, column in (
        ("live-runs", "Runs"),
        ("steps-executed", "Executed"),
        ("steps-summary", "p95"),
        ("execution-duration", "p99"),
        ("tokens-used", "Reasoning"),
        ("credits-consumed", "Credits"),
        ("usage-timeseries", "Steps"),
    ):
        assert column in table(anywhere, "analytics", figure)[0], figure
    buckets = table(anywhere, "analytics", "runs-timeseries", "--granularity", "day", "--tz", "Pacific/Kiritimati")
    assert sum(int(row[5]) for row in buckets[1:]) == 4  # two only when a day ends just now


def test_what_is_wrong_with_a_figure_is_said(anywhere: CommandLine) -> None:
    for args, said in (
        (("live-runs", "--window", "7d"), "live-runs has no --window"),
        (("cost", "--tz", "UTC"), "cost has no --tz"),
        (("cost", "--window", "7x"), "'7x' is no window"),
        (("cost", "--workflow", "none"), "none"),
        (("happiness",), "'happiness' is not one of"),
    ):
        refused = anywhere.run("analytics", *args)
        assert (refused.returncode, said in refused.stderr) == (2, True), refused.stderr


def test_a_run_is_reviewed(anywhere: CommandLine) -> None:
    run_id = anywhere.json("run", "sum.yaml", "-i", '{"a": 1, "b": 2}')["id"]
    said = anywhere.run("runs", "review", run_id, "positive", "--score", "0.9", "--comment", "well done")
    assert (said.returncode, said.stderr) == (0, f"Reviewed {run_id}: positive.\n")
    assert [row["score"] for row in anywhere.json("runs", "search", f"run:{run_id} review:positive score:>0.5")] == [0.9]
    assert "well done" in anywhere.run("runs", "events", run_id).stdout
    assert anywhere.run("runs", "review", run_id, "none").returncode == 0
    assert anywhere.json("runs", "search", f"run:{run_id} review:positive") == []
    assert anywhere.run("runs", "review", run_id, "great").returncode == 2
    assert anywhere.run("runs", "review", run_id, "positive", "--score", "nan").returncode == 2


def test_views_are_kept_changed_and_deleted(anywhere: CommandLine) -> None:
    first = anywhere.json("views", "save", "Failed ones", "status:failed")
    again = anywhere.json("views", "save", "Failed ones", "status:failed duration:>1s", "--shared", "--default")
    assert (again["id"], again["revision"], again["visibility"], again["default"]) == (first["id"], 2, "shared", True)
    anywhere.json("views", "save", "All")
    assert [view["name"] for view in anywhere.json("views", "list")] == ["Failed ones", "All"]
    assert table(anywhere, "views", "list")[1][:5] == ["Failed", "ones", "status:failed", "duration:>1s", "everybody,"]
    assert anywhere.run("views", "delete", "Failed ones").returncode == 0
    refused = anywhere.run("views", "delete", "Failed ones")
    assert (refused.returncode, "there is no view 'Failed ones'" in refused.stderr) == (2, True)
    [left] = anywhere.json("views", "list")
    assert anywhere.run("views", "delete", left["id"]).returncode == 0
    assert anywhere.run("views", "list", "-o", "table").stderr == "No views.\n"


def test_a_data_directory_that_a_server_owns_is_asked_there(tmp_path: Path) -> None:
    cli = CommandLine(tmp_path)
    cli.env["RUNWELL_DATA_DIR"] = str(tmp_path / "served")
    with served(tmp_path):
        for args in (("analytics", "runs-count"), ("views", "list")):
            refused = cli.run(*args)
            assert (refused.returncode, "--server URL" in refused.stderr) == (2, True), refused.stderr
