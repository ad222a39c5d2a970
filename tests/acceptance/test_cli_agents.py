"""`runwell agents`: published, listed, shown and run, here and on a server."""

import json
from pathlib import Path

import httpx2
import pytest
from tests.acceptance.command_line import CommandLine
from tests.acceptance.served import served

AGENT = """
name: Greeter
tools:
  - {type: python, name: upper, input_schema: {type: object}, code: "'X'"}
steps:
  - {id: agent, type: agent, model: "demo:a", instructions: Greet people., tools: ["python:upper"]}
"""


@pytest.mark.parametrize("remote", [False, True], ids=["here", "server"])
def test_an_agent_is_published_listed_shown_and_run(tmp_path: Path, remote: bool) -> None:
    line = CommandLine(tmp_path)
    line.write("greeter.yaml", AGENT)
    line.write("other.yaml", "name: other\nsteps: [{id: v, type: transform, value: 1}]\n")
    if not remote:
        _check(line)
        return
    with served(tmp_path) as address:
        line.env["RUNWELL_SERVER"] = address
        _check(line)


def test_a_run_is_streamed_over_a_socket(tmp_path: Path) -> None:
    with served(tmp_path) as address, httpx2.Client(base_url=address, timeout=20) as client:
        steps = [{"id": "agent", "type": "agent", "model": "demo:a"}]
        client.post("/v1/agents", json={"document": {"name": "Greeter", "steps": steps}}).raise_for_status()
        client.post("/v1/agents/greeter/versions", json={}).raise_for_status()
        with client.stream("POST", "/v1/agents/greeter/runs", json={"input": "Hello", "stream": True}) as answer:
            assert "content-length" not in answer.headers
            told = [json.loads(line[6:])["type"] for line in answer.iter_lines() if line.startswith("data: ")]
        assert told[-1] == "end"
        assert {"run_created", "generation_completed", "run_succeeded"} <= set(told)


def _check(line: CommandLine) -> None:
    assert line.json("agents", "list", "-o", "json") == []
    for file in ("greeter.yaml", "other.yaml"):
        line.run("publish", file)
    [agent] = line.json("agents", "list", "-o", "json")
    assert (agent["slug"], agent["kind"], agent["active_version"]) == ("greeter", "agent", 1)
    assert "Greeter" in line.run("agents", "list", "-o", "table").stdout
    shown = line.run("agents", "show", "greeter", "-o", "table").stdout
    assert "Greet people." in shown
    assert "python:upper" in shown
    run = line.json("agents", "run", "greeter", "Good morning", "-o", "json")
    assert (run["status"], run["input"]) == ("succeeded", "Good morning")
    assert run["workflow"]["slug"] == "greeter"
    for args, words in [
        (("agents", "show", "other"), "is no agent"),
        (("agents", "run", "other", "x"), "is no agent"),
        (("agents", "run", "nobody", "x"), "nobody"),
        (("agents", "run", "greeter"), "either a MESSAGE or --input"),
    ]:
        refused = line.run(*args)
        assert refused.returncode == 2
        assert words in refused.stderr
