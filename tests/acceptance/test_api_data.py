"""The command data: what a person says to a run's conversation."""

from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.api_bench import Api, say, with_api

ECHO: dict[str, Any] = {"id": "echo", "type": "say", "messages": ["You said {{ conversation.message }}"]}
LOOP = {**ECHO, "self_loop": True}


def talking(*steps: str, node: dict[str, Any] = LOOP) -> dict[str, Any]:
    return {"name": "talking", "steps": [{"id": step, "type": "conversation", "nodes": [node]} for step in steps]}


async def tell(api: Api, run_id: str, params: Any, *, status: int = 202, who: str = "ann") -> Any:
    workflow = (await api.get(f"/v1/runs/{run_id}"))["workflow"]["id"]
    body = {"command": "data", "run_id": run_id, "params": params}
    return await api.post(f"/v1/workflows/{workflow}/command", body, status=status, who=who)


async def said(api: Api, run_id: str, turns: int, path: str | None = None) -> list[str]:
    """Return what was said, once there were so many turns."""
    query: dict[str, Any] = {"type": "turn_ended", **({} if path is None else {"step_id": path})}
    found: list[Any] = []
    while len(found) < turns:
        found = (await api.get(f"/v1/runs/{run_id}/events", **query))["data"]
    return [told["text"] for turn in found for told in turn["data"].get("output", [])]


def test_the_only_conversation_is_meant_and_of_several_the_one_that_is_named(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        one, two = await api.start(talking("talk")), await api.start(talking("left", "right"))
        await tell(api, one, {"message": "hi", "message_id": "1"})
        await tell(api, one, {"message": "hi", "message_id": "1"})
        await tell(api, one, {"message": "ho"})
        assert await said(api, one, 3) == ["You said ", "You said hi", "You said ho"]
        await api.until(two, lambda run: run["status"] == "waiting")
        problem = await tell(api, two, {"message": "hi"}, status=422)
        assert "several conversations: left, right" in problem["detail"]
        assert "params.step" in problem["hint"]
        await tell(api, two, {"message": "hi", "step": "right"})
        assert await said(api, two, 2, "right") == ["You said ", "You said hi"]

    with_api(tmp_path, main)


def test_a_run_without_a_conversation_is_told_nothing(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        wait = await api.start({"name": "waiting", "steps": [{"id": "w", "type": "wait", "message": "go"}]})
        assert "no conversation" in (await tell(api, wait, {"message": "hi"}, status=409))["detail"]
        ended = await api.finished(say())
        assert "has ended" in (await tell(api, ended, {"message": "hi"}, status=409))["detail"]
        over = await api.finished(talking("talk", node=ECHO))
        assert (await api.get(f"/v1/runs/{over}"))["output"]["ended"] == {"node": "echo", "reason": "node"}
        talk = await api.start(talking("talk"))
        assert "no conversation 'tlk'" in (await tell(api, talk, {"message": "hi", "step": "tlk"}, status=409))["detail"]

    with_api(tmp_path, main)


def test_whoever_may_not_run_it_may_not_talk_and_a_foreign_run_does_not_exist(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        run_id = await api.start(talking("talk"))
        await tell(api, run_id, {"message": "hi"}, status=403, who="viewer")
        await tell(api, run_id, {"message": "hi"}, status=404, who="next door")

    with_api(tmp_path, main)


def test_variables_alone_take_effect_and_nothing_is_refused_with_what_to_give(tmp_path: Path) -> None:
    node = {**LOOP, "messages": ["{{ conversation.message }} by {{ vars.channel }}"]}
    document = talking("talk", node=node)
    document["steps"][0] |= {
        "variables": {"channel": "phone"},
        "edges": [{"from": "echo", "to": "echo", "when": 'conversation.message.contains("hi")'}],
    }

    async def main(api: Api) -> None:
        run_id = await api.start(document)
        await tell(api, run_id, {"variables": {"channel": "web"}})
        await tell(api, run_id, {"message": "hi"})
        assert await said(api, run_id, 3) == [" by phone", "hi by web"]
        [problem] = (await tell(api, run_id, {}, status=422))["errors"]
        assert "give message (what the person says), variables, or both" in problem["message"]
        await tell(api, run_id, {"message": ""})
        assert await said(api, run_id, 4) == [" by phone", "hi by web", " by web"]

    with_api(tmp_path, main)


@pytest.mark.parametrize(
    ("params", "pointer"),
    [
        ({"message": 3}, "/params/message"),
        ({"message": "x" * 100_001}, "/params/message"),
        ({"variables": []}, "/params/variables"),
        ({"step": ""}, "/params/step"),
        ({"name": "talk"}, "/params"),
        ({}, "/params"),
        ({"message": None, "variables": {}, "step": "talk"}, "/params"),
    ],
)
def test_what_is_no_data_is_refused(tmp_path: Path, params: Any, pointer: str) -> None:
    async def main(api: Api) -> None:
        run_id = await api.start(talking("talk"))
        problem = await tell(api, run_id, params, status=422)
        assert problem["errors"][0]["pointer"].startswith(pointer)

    with_api(tmp_path, main)


def test_what_is_redacted_reaches_no_turn(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        rules = {"patterns": [{"name": "card", "pattern": "[0-9]{16}"}]}
        changed = await api.send("PUT", "/v1/settings/redaction", json=rules, headers={"If-Match": "*"})
        assert changed.status_code == 200, changed.text
        run_id = await api.start(talking("talk"))
        await tell(api, run_id, {"message": "it is 1234567812345678", "variables": {"card": "1234567812345678"}})
        assert "You said it is " in (await said(api, run_id, 2))[1]
        assert "1234567812345678" not in str((await api.get(f"/v1/runs/{run_id}/events", limit=200))["data"])

    with_api(tmp_path, main)
