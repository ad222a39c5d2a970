"""A conversation that goes round is ended, with the limit that it reached."""

from typing import Any

import pytest
from tests.unit.conversation.talking import Talk, conversation, talking

LOOP: dict[str, Any] = {"id": "a", "type": "say", "messages": ["A"], "wait_for_user_message": False}
ROUND = [LOOP, {**LOOP, "id": "b"}]
WAITS = {"id": "a", "type": "say", "messages": ["A"], "self_loop": True}
CASES = {
    "max_nodes_per_turn": (conversation(ROUND, [{"from": "a", "to": "b"}, {"from": "b", "to": "a"}]), 25, 0),
    "max_self_loops": (conversation([WAITS], limits={"max_self_loops": 2}), 2, 3),
    "max_visits": (conversation([WAITS], limits={"max_visits": 3}), 3, 3),
    "max_turns": (conversation([WAITS], limits={"max_turns": 3}), 3, 2),
}


@pytest.mark.parametrize("limit", CASES)
def test_a_limit_ends_it(limit: str) -> None:
    document, most, messages = CASES[limit]

    async def test(talk: Talk) -> None:
        for _ in range(messages):
            assert (await talk.rest()).status == "waiting"
            await talk.say("go on")
        run = await talk.rest()
        assert run.error is not None
        assert (run.status, run.error.code) == ("failed", "LOOPING_RISK")
        assert run.error.details is not None
        assert (run.error.details["limit"], run.error.details["most"], run.error.details["turn"]) == (limit, most, messages + 1)
        assert (await talk.turns())[-1].ended == "looping_risk"

    talking(document, test)
