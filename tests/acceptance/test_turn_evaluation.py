"""Turns of conversations that are evaluated by themselves, as they end: by a real server, which is killed between two of them."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.acceptance.served import serving

from runwell import Client
from runwell.model.run import RunView

PATIENCE_S = 30.0
NODES = [
    {"id": "greet", "type": "say", "messages": ["Hello"]},
    {"id": "echo", "type": "say", "messages": ["You said {{ conversation.message }}"], "self_loop": True},
]
DOCUMENT: dict[str, Any] = {
    "name": "talk",
    "steps": [{"id": "talk", "type": "conversation", "nodes": NODES, "edges": [{"from": "greet", "to": "echo"}]}],
}
CODE = '{"score": len(output), "review": "positive", "comment": f"{turn}: {input}"}'


def until(client: Client, run_id: str, holds: Callable[[RunView], Any]) -> RunView:
    deadline = time.monotonic() + PATIENCE_S
    while not holds(run := client.runs.get(run_id)):
        assert time.monotonic() < deadline, [event.type for event in client.runs.events(run_id)]
        time.sleep(0.05)
    return run


def judged(run: RunView) -> dict[int | None, tuple[float | None, str | None]]:
    return {said.turn: (said.score, said.comment) for said in run.evaluations}


def test_each_turn_is_judged_once_while_the_run_goes_on(tmp_path: Path) -> None:
    with serving(tmp_path) as (address, process), Client(address) as client:
        client.workflows.put("talk", DOCUMENT)
        client.evaluators.create("length", code=CODE)
        before = client.runs.start("talk").run_id
        until(client, before, lambda run: run.status == "waiting")
        assert client.evaluators.attach("length", "talk", on="turn").on == "turn"
        run_id = client.runs.start("talk").run_id
        until(client, run_id, lambda run: run.status == "waiting")
        client.runs.data(run_id, "one")
        run = until(client, run_id, lambda run: len(run.evaluations) == 2)
        assert run.status == "waiting"
        assert judged(run) == {1: (5.0, "1: None"), 2: (12.0, "2: one")}
        client.runs.data(run_id, "two")
        until(client, run_id, lambda run: len(list(client.runs.events(run_id, types=["turn_ended"]))) == 3)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    with serving(tmp_path) as (address, _), Client(address) as client:
        run = until(client, run_id, lambda run: len(run.evaluations) >= 3)
        assert judged(run)[3] == (12.0, "3: two")
        assert client.runs.get(before).evaluations == []
        client.runs.stop(run_id)
        client.runs.wait(run_id, timeout_s=PATIENCE_S)
        assert len(client.runs.get(run_id).evaluations) == 3
        [one] = client.evaluators.attached("talk")
        assert (one.evaluator, one.on) == ("length", "turn")
