"""What a project does not want to be kept is in no file, no log, no answer and no stream, whichever way it comes."""

import json
import logging
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from tests.acceptance.api_bench import Api, open_api
from tests.acceptance.test_vault_canary import kept, logged
from tests.contract.samples import run
from tests.local_server import LocalServer, Received, answer

from runwell.model.text_delta import Delta
from runwell.testing import ScriptedServer
from runwell.testing.loopback import ServerRequest
from runwell.testing.scripted_replies import chunks
from runwell.testing.scripted_server import Wire

__all__ = ["logged"]

PATH = "/v1/settings/redaction"
LOOPBACK = ("127.0.0.0/8",)
CARD, IBAN, SSN = "4111 1111 1111 1111", "DE89370400440532013000", "078-05-1120"


def canary(what: str) -> str:
    return f"{what}.{secrets.token_hex(8)}@canary.example"


WAYS = ("input", "metadata", "tag", "message", "edit", "comment", "decision", "result", "log", "error", "http", "model", "note")
CANARIES = {what: canary(what) for what in WAYS}
PASSWORDS = {what: secrets.token_hex(12) for what in ("input", "http", "edit", "message", "refused")}
RULES = {
    "paths": ["input.card.number", "*.password"],
    "kinds": ["email", "iban", "us_ssn"],
    "patterns": [{"name": "cvc", "pattern": r"cvc \d{3}"}],
}


def http_server(received: Received) -> bytes:
    body = {"email": CANARIES["http"], "password": PASSWORDS["http"], "raw": json.dumps({"password": PASSWORDS["http"]})}
    return answer(200, json.dumps(body).encode(), content_type="application/json")


def model_server(request: ServerRequest) -> Wire:
    told = CANARIES["model"]
    return chunks(["write to ", told[:9], told[9:]])(request)


def document(url: str) -> dict[str, Any]:
    name, at = CANARIES["result"].split("@")
    log_name, log_at = CANARIES["log"].split("@")
    bad_name, bad_at = CANARIES["error"].split("@")
    on = {"on_error": "continue"}
    return {
        "name": "leaky",
        "steps": [
            {"id": "seen", "type": "transform", "value": "card {{ input.card.number }}"},
            {"id": "make", "type": "python", "code": f"'{name}' + chr(64) + '{at}'"},
            {"id": "say", "type": "python", "code": f"print('{log_name}' + chr(64) + '{log_at}')\n1"},
            {"id": "fail", "type": "python", "code": f"raise ValueError('{bad_name}' + chr(64) + '{bad_at}')", **on},
            {"id": "call", "type": "http", "request": {"url": url}, **on},
            {"id": "think", "type": "llm", "model": "team:m", "prompt": "{{ input.note }}", **on},
            {"id": "pass_on", "type": "workflow", "workflow": "inner", "input": {"note": "{{ input.note }}"}, "depends_on": ["make"]},
            {"id": "wait", "type": "wait", "message": "go", "depends_on": ["make", "say", "fail", "call", "think"]},
            {"id": "ask", "type": "approval", "title": "Pay {{ steps.call.result.body.email }}?", "depends_on": ["wait"]},
        ],
        "output": {"all": "{{ steps.ask.result }}", "made": "{{ steps.make.result }}", "got": "{{ steps.wait.result }}"},
    }


async def used(data: Path) -> tuple[bytes, dict[str, Any]]:
    """Let every value in; return all that was told, and the run."""
    told: list[bytes] = []
    async with LocalServer(http_server) as server, ScriptedServer(model_server) as models, open_api(data, http_allow=LOOPBACK) as api:
        heard: list[Any] = []
        api.app.runtime.feed.listen(heard.append)
        made = await api.send("PUT", PATH, json=RULES, headers={"If-Match": "*"})
        assert made.status_code == 200, made.text
        team = {"name": "team", "type": "openai", "base_url": models.base_url, "api_key": "sk-x"}
        assert (await api.send("POST", "/v1/connections", json=team)).status_code == 201
        await api.finished({"name": "inner", "steps": [{"id": "a", "type": "transform", "value": "{{ input.note }}"}]}, {"note": "x"})
        given = {"card": {"number": CARD}, "password": PASSWORDS["input"], "note": f"{CANARIES['input']} {IBAN} {SSN} cvc 123"}
        run_id = await api.start(document(server.url("/")), given, metadata={"who": CANARIES["metadata"]}, tags=(CANARIES["tag"],))
        await api.until(run_id, lambda run: run["waiting_for"] == "message")
        strict = {
            "name": "strict",
            "input_schema": {"properties": {"password": {"type": "integer"}}},
            "steps": [{"id": "a", "type": "transform", "value": 1}],
        }
        await api.start(strict)
        start = {"command": "start", "params": {"input": {"password": PASSWORDS["refused"]}}}
        for _ in range(2):
            refused = await api.send("POST", "/v1/workflows/strict/command", json=start, headers={"Idempotency-Key": "three"})
            assert refused.status_code == 422, refused.text
        body = {"email": CANARIES["message"], "password": PASSWORDS["message"]}
        command = {"command": "send_message", "run_id": run_id, "params": {"name": "go", "body": body, "message_id": "m1"}}
        for _ in range(2):
            sent = await api.send("POST", "/v1/workflows/leaky/command", json=command, headers={"Idempotency-Key": "one"})
            assert sent.status_code < 300, sent.text
            told.append(sent.content)
        waiting = await api.until(run_id, lambda run: run["waiting_for"] == "approval")
        comment = await api.send(
            "POST", f"/v1/runs/{run_id}/comments", json={"content": CANARIES["comment"]}, headers={"Idempotency-Key": "two"}
        )
        assert comment.status_code == 201
        told.append(comment.content)
        (task,) = (await api.get("/v1/tasks/pending"))["data"]
        told.append(msgspec.json.encode([waiting, task]))
        decision = {"approved": True, "comment": CANARIES["decision"], "result": {"to": CANARIES["edit"], "password": PASSWORDS["edit"]}}
        path = f"/v1/tasks/{task['id']}/complete"
        for _ in range(2):  # said again, it is the same decision
            completed = await api.send("POST", path, json=decision)
            assert completed.status_code == 200, completed.text
            told.append(completed.content)
        run_view = await api.ended(run_id)
        for part in ("", "/events", "/context", "/summary", "/steps", "/generations", "/graph", "/export", "/stream", "/comments"):
            told.append((await api.send("GET", f"/v1/runs/{run_id}{part}")).content)
        told += [msgspec.json.encode(item) for item in heard]
        assert not [item for item in heard if isinstance(item, Delta)]
        return b"\n".join(told), run_view


def test_no_value_is_kept_logged_answered_or_streamed(tmp_path: Path, logged: Callable[[], bytes]) -> None:
    logging.getLogger("asyncio").setLevel(logging.INFO)
    told, view = run(used(tmp_path / "data"))
    places = {"files": kept(tmp_path / "data"), "log": logged(), "answers and streams": told}
    values = [*CANARIES.values(), *PASSWORDS.values(), CARD, IBAN, SSN, "cvc 123"]
    found = [(value, name) for value in values for name, content in places.items() if value.encode() in content]
    assert found == []
    assert view["input"]["card"]["number"] == "[redacted:number]"
    assert view["input"]["note"] == "[redacted:email] [redacted:iban] [redacted:us_ssn] [redacted:cvc]"
    results = {step["id"]: step["result"] for step in view["steps"]}
    assert results["seen"] == "card [redacted:number]"  # gone for the run, too
    assert results["make"] == "[redacted:email]"
    assert results["think"] == "write to [redacted:email]"
    assert results["call"]["body"]["password"] == "[redacted:password]"
    assert view["output"]["got"] == {"email": "[redacted:email]", "password": "[redacted:password]"}
    assert view["output"]["all"]["to"] == "[redacted:email]"


def test_without_rules_all_is_as_it_was(tmp_path: Path) -> None:
    async def main() -> None:
        async with open_api(tmp_path / "data") as api:
            run_id = await api.finished(
                {"name": "a", "steps": [{"id": "a", "type": "transform", "value": "{{ input.to }}"}]}, {"to": "a@b.io"}
            )
            assert (await api.get(f"/v1/runs/{run_id}"))["steps"][0]["result"] == "a@b.io"
            rules = {"kinds": ["email"]}
            for body in (rules, {}):
                assert (await api.send("PUT", PATH, json=body, headers={"If-Match": "*"})).status_code == 200
            run_id = await api.finished(
                {"name": "a", "steps": [{"id": "a", "type": "transform", "value": "{{ input.to }}"}]}, {"to": "a@b.io"}
            )
            assert (await api.get(f"/v1/runs/{run_id}"))["steps"][0]["result"] == "a@b.io"

    run(main())


def test_rules_hold_after_a_restart_and_a_run_goes_on_as_before(tmp_path: Path) -> None:
    steps = [
        {"id": "hold", "type": "wait", "message": "go"},
        {"id": "a", "type": "transform", "value": "{{ input.to + steps.hold.result }}", "depends_on": ["hold"]},
    ]

    async def first() -> str:
        async with open_api(tmp_path / "data") as api:
            assert (await api.send("PUT", PATH, json={"kinds": ["email"]}, headers={"If-Match": "*"})).status_code == 200
            run_id = await api.start({"name": "a", "steps": steps}, {"to": "a@b.io"})
            await api.until(run_id, lambda run: run["status"] == "waiting")
            return run_id

    async def second(run_id: str) -> None:
        async with open_api(tmp_path / "data") as api:
            command = {"command": "send_message", "run_id": run_id, "params": {"name": "go", "body": " or c@d.io"}}
            await api.post("/v1/workflows/a/command", command, status=202)
            view = await api.ended(run_id)
            assert view["steps"][1]["result"] == "[redacted:email] or [redacted:email]"

    run(second(run(first())))
    assert b"@d.io" not in kept(tmp_path / "data")


async def put(api: Api, body: Any, status: int, who: str = "ann") -> Any:
    response = await api.send("PUT", PATH, who=who, json=body, headers={"If-Match": "*"})
    assert response.status_code == status, response.text
    return response.json()


def test_rules_are_set_tried_and_told(tmp_path: Path) -> None:
    async def main() -> None:
        async with open_api(tmp_path / "data") as api:
            assert await api.get(PATH) == {"paths": [], "kinds": [], "patterns": []}
            told = await put(api, RULES, 200)
            assert told == RULES
            assert await api.get(PATH) == RULES
            sample = {"input": {"card": {"number": 1}}, "output": "a@b.io", "metadata": {"password": "x"}, "text": "cvc 123"}
            assert await api.post(f"{PATH}/try", sample) == {
                "input": {"card": {"number": "[redacted:number]"}},
                "output": "[redacted:email]",
                "metadata": {"password": "[redacted:password]"},
                "text": "[redacted:cvc]",
            }
            tried = await api.post(f"{PATH}/try", {"rules": {"kinds": ["us_ssn"]}, "text": f"{SSN} a@b.io"})
            assert tried["text"] == "[redacted:us_ssn] a@b.io"
            worse: tuple[Any, ...] = (
                {"paths": ["nowhere.x"]},
                {"paths": ["input"]},
                {"kinds": ["shoe_size"]},
                {"patterns": [{"name": "x", "pattern": "("}]},
                {"patterns": [{"name": "x", "pattern": "a*"}]},
                {"patterns": [{"name": "x]", "pattern": "a"}]},
                {"patterns": [{"name": "x", "pattern": "(?<=a)b"}]},
                [],
            )
            for bad in worse:
                await put(api, bad, 422)
            await put(api, {}, 403, "contributor")
            await api.get(PATH, status=403, who="viewer")
            assert (await api.get(PATH)) == RULES

    run(main())
