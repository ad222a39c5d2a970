"""How commands begin and end: help, version, bad commands, the doctor and the demo."""

import json
import subprocess
import sys
import time

import pytest
from tests.acceptance.command_line import RUNWELL, CommandLine
from tests.acceptance.documents import SUM

from runwell import __version__
from runwell.storage.lock import DirectoryLock


def test_help_is_quick(cli: CommandLine) -> None:
    took = []
    for _ in range(5):
        before = time.perf_counter()
        done = cli.run("--help")
        took.append(time.perf_counter() - before)
        assert done.returncode == 0
    assert {"run", "validate", "runs", "tasks", "doctor", "demo"} <= set(done.stdout.split())
    assert min(took) < 0.5


def test_help_imports_nothing_heavy() -> None:
    script = "import sys, runwell.cli.main; print(*{name.split('.')[0] for name in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert {"typer", "runwell"} <= set(loaded)
    assert not {"pydantic", "cel", "rich", "httpx2", "sqlite3", "pydantic_ai", "pydantic_monty"} & set(loaded)


def test_the_version(cli: CommandLine) -> None:
    assert cli.run("--version").stdout == f"runwell {__version__}\n"


def test_bad_commands(cli: CommandLine) -> None:
    for args in (("rum",), ("run", "--no-such-option"), ("runs", "list", "--status", "great"), ("runs", "list", "--limit", "x")):
        done = cli.run(*args)
        assert (done.returncode, done.stdout, "Traceback" in done.stderr) == (2, "", False)
    cli.env["RUNWELL_MAX_RUNNING"] = "many"
    done = cli.run("runs", "list")
    assert (done.returncode, done.stderr.splitlines()[0]) == (2, "error: RUNWELL_MAX_RUNNING is 'many'")


def test_the_doctor_finds_nothing_wrong(cli: CommandLine) -> None:
    told = cli.json("doctor")
    assert told["healthy"] is True
    found = {check["check"]: check for check in told["checks"]}
    assert {name: check["verdict"] for name, check in found.items() if name != "Disk"} == {
        "Python": "ok",
        "SQLite": "ok",
        "Data directory": "ok",
        "Lock": "ok",
        "Sandbox": "ok",
        "Demo model": "ok",
        "Provider keys": "warn",
        "http_allow": "ok",
    }
    assert "a durable commit takes" in found["Data directory"]["found"]
    assert not cli.data_dir.exists()


def test_the_doctor_tells_cures(cli: CommandLine) -> None:
    cli.env |= {"OPENAI_API_KEY": "sk-very-secret", "RUNWELL_HTTP_ALLOW": "10.0.0.0/8, nonsense"}
    lock = DirectoryLock(cli.data_dir)
    lock.acquire()
    try:
        done = cli.run("doctor", "-o", "table")
    finally:
        lock.release()
    assert done.returncode == 1
    assert "warn  Lock: the data directory" in done.stdout
    assert "FAIL  http_allow: no address block: nonsense" in done.stdout
    assert "ok    Provider keys: OPENAI_API_KEY" in done.stdout
    assert "sk-very-secret" not in done.stdout + done.stderr


@pytest.mark.parametrize("below", ["", "further/down"])
def test_a_file_is_no_data_directory(cli: CommandLine, below: str) -> None:
    file = cli.write("file", "mine")
    said = f"{file / below} cannot be one: {file} is a file"
    told = cli.json("doctor", "--data-dir", str(file / below), code=1)
    (failed,) = [check for check in told["checks"] if check["verdict"] == "fail"]
    assert (failed["check"], failed["found"]) == ("Data directory", said)
    assert failed["cure"].startswith("choose a directory with --data-dir")
    cli.write("sum.yaml", SUM)
    done = cli.run("run", "sum.yaml", "--input", '{"a": 1, "b": 2}', "--data-dir", str(file / below))
    assert (done.returncode, "cannot be one: " in done.stderr, "hint: choose a directory with" in done.stderr) == (2, True, True)


def test_what_is_kept_is_for_its_user_alone(cli: CommandLine) -> None:
    cli.write("big.yaml", "name: big\nsteps:\n  - {id: a, type: transform, value: '{{ input }}'}\n  - {id: n, type: delay, for_s: 20}\n")
    cli.write("big.json", json.dumps(["x" * 100_000]))
    process = cli.start("run", "big.yaml", "--input", "@big.json")
    try:
        cli.wait_for_event("step_waiting")
        found = list(cli.data_dir.rglob("*"))
        modes = {(path.is_dir(), path.stat().st_mode & 0o777) for path in found}
    finally:
        process.terminate()
        process.communicate()
    assert cli.data_dir.stat().st_mode & 0o777 == 0o700
    assert {"runwell.db", "runwell.db-wal", "runwell.db-shm", "runwell.lock", "blobs"} <= {path.name for path in found}
    assert modes == {(True, 0o700), (False, 0o600)}


def test_the_demo_approves_where_nobody_is(cli: CommandLine) -> None:
    done = cli.run("demo")
    assert done.returncode == 0
    assert "Refund ticket T-4711?" in done.stderr
    assert "Nobody is there to ask (stdin is no terminal), so the demo approves." in done.stderr
    assert "Run succeeded - Started: " in done.stdout
    assert '"refund": true' in done.stdout
    assert not cli.data_dir.exists()


def test_the_demo_asks_on_a_terminal(cli: CommandLine) -> None:
    terminal = cli.terminal("demo", "--data-dir", "shown")
    terminal.expect("Refund ticket T-4711?")
    terminal.expect("[l]ater: ")
    terminal.type("e\n")
    terminal.expect("(Enter: back): ")
    terminal.type('{"amount": 50}\n')
    terminal.expect("none): ")
    terminal.type("half of it\n")
    code, rest = terminal.end()
    assert (code, "Run succeeded" in rest) == (0, True)
    assert '"refunded": 50' in rest
    (run,) = cli.json("runs", "list", "--data-dir", "shown")
    assert f"runwell --data-dir shown runs show {run['id']}" in rest
    output = cli.json("runs", "show", run["id"], "--data-dir", "shown")["output"]
    assert (output["refund"], output["refunded"], output["comment"]) == (True, 50, "half of it")


def test_the_example_has_what_its_comment_promises(cli: CommandLine) -> None:
    example = RUNWELL.parents[2] / "examples" / "ticket-triage.yaml"
    comment = next(line for line in example.read_text().splitlines() if "--input" in line)
    given = comment.partition("--input '")[2].rstrip("'")
    assert cli.json("run", str(example), "--input", given, code=3)["waiting_for"] == "approval"
    other = json.loads(given) | {"ticket": {"id": "T-1", "text": "I found a bug: the page stays white."}}
    told = cli.json("run", str(example), "--input", json.dumps(other))
    assert (told["output"]["kind"], told["output"]["refund"], told["output"]["refunded"]) == ("bug", False, 0)
