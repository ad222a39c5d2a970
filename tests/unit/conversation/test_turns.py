"""What a conversation does with what a person says."""

from typing import Any

import pytest
from tests.unit.conversation.talking import Talk, conversation, is_judge, picks, talking

from runwell.model.errors import StepError
from runwell.ports.models import ModelRequest, ToolCall
from runwell.testing.scripted_model import Answer

ASK = {"id": "ask", "type": "say", "messages": ["Hello {{ vars.name }}, refund or repair?"]}
REFUND = {"id": "refund", "type": "worker", "prompt": "Handle the refund of {{ vars.name }}.", "self_loop": True}
REPAIR = {"id": "repair", "type": "say", "messages": ["Bring it in."], "wait_for_user_message": False}
BYE = {"id": "bye", "type": "say", "messages": ["Goodbye."], "global": {"when": 'conversation.message == "bye"'}}
EDGES = [
    {"from": "ask", "to": "refund", "when": 'conversation.message.contains("refund")'},
    {"from": "ask", "to": "repair", "freeform": "the thing is broken"},
    {"from": "ask", "to": "ask2"},
    {"from": "ask2", "to": "ask"},
]
ASK2 = {"id": "ask2", "type": "say", "messages": ["Sorry?"], "wait_for_user_message": False}
DESK = conversation([ASK, REFUND, REPAIR, BYE, ASK2], EDGES, variables={"name": "{{ input.name }}"})


def test_edges_lead_by_expression_by_judgement_and_else_directly() -> None:
    asked: list[str] = []

    def answer(request: ModelRequest) -> Answer:
        asked.append("judge" if is_judge(request) else request.messages[0].text)
        return picks("none_of_these") if is_judge(request) else "How much was it?"

    async def test(talk: Talk) -> None:
        assert [told["text"] for told in (await talk.turns())[0].output] == ["Hello Ann, refund or repair?"]
        assert await talk.say("what?") == ["Sorry?", "Hello Ann, refund or repair?"]
        assert await talk.say("a refund") == ["How much was it?"]
        assert await talk.say("5 Euro") == ["How much was it?"]
        assert await talk.say("bye") == ["Goodbye."]
        run = await talk.rest()
        assert run.status == "succeeded"
        assert run.output["value"] == "Goodbye."
        assert run.output["ended"] == {"node": "bye", "reason": "node"}
        assert [turn["input"] for turn in run.output["turns"]] == [None, "what?", "a refund", "5 Euro", "bye"]
        assert await talk.path() == ["ask", "ask2", "ask", "refund", "refund", "bye"]
        assert asked == ["judge", "Handle the refund of Ann.", "Handle the refund of Ann."]
        assert [(message.role, message.text) for message in talk.models.requests[2].messages[1:]] == [
            ("assistant", "Hello Ann, refund or repair?"),
            ("user", "what?"),
            ("assistant", "Sorry?\n\nHello Ann, refund or repair?"),
            ("user", "a refund"),
            ("assistant", "How much was it?"),
            ("user", "5 Euro"),
        ]

    talking(DESK, test, answer, {"name": "Ann"})


def test_what_a_judge_reads_becomes_variables_and_no_more_than_it_was_asked_for() -> None:
    schema = {"type": "object", "properties": {"amount": {"type": "number"}}, "required": ["amount"]}
    edges = [{"from": "ask", "to": "pay", "freeform": "names an amount", "args_schema": schema, "messages": ["One moment."]}]
    nodes: list[dict[str, Any]] = [
        {**ASK, "self_loop": True},
        {"id": "pay", "type": "say", "messages": ["Paying {{ vars.amount }} to {{ vars.name }}"]},
    ]

    async def test(talk: Talk) -> None:
        assert await talk.say("hm") == ["Hello Ann, refund or repair?"]
        assert await talk.say("7") == ["One moment.", "Paying 7 to Ann"]
        assert (await talk.turns())[-1].variables == {"amount": 7}

    answers: list[Answer] = [picks("none_of_these"), picks("ask-pay", amount=7, name="Eve")]
    talking(conversation(nodes, edges, variables={"name": "Ann"}), test, answers)


def test_a_global_node_returns_to_where_it_was() -> None:
    hours = {"id": "hours", "type": "say", "messages": ["Nine to five."], "global": {"freeform": "asks for opening hours", "returns": True}}
    nodes: list[dict[str, Any]] = [
        ASK,
        {"id": "name", "type": "say", "messages": ["Your name?"]},
        {"id": "end", "type": "say", "messages": ["Done."]},
        hours,
    ]
    edges = [{"from": "ask", "to": "name"}, {"from": "name", "to": "end"}]
    answers: list[Answer] = [picks("none_of_these"), picks("hours"), picks("none_of_these")]

    async def test(talk: Talk) -> None:
        assert await talk.say("refund") == ["Your name?"]
        assert await talk.say("when are you open?") == ["Nine to five."]
        assert (await talk.turns())[-1].node == "name"
        assert await talk.say("Ann") == ["Done."]

    talking(conversation(nodes, edges, variables={"name": "x"}), test, answers)


def test_a_worker_calls_its_tools_and_their_results_become_variables() -> None:
    tool = {"type": "python", "name": "slots", "description": "d", "input_schema": {"type": "object"}, "code": '["10:00", "11:00"]'}
    use = {"tool": "python:slots", "variable": "slots", "messages": ["Let me look."]}
    nodes: list[dict[str, Any]] = [
        {"id": "book", "type": "worker", "prompt": "Book.", "tools": [use], "backchannel": "Say hm.", "variable": "offer"}
    ]
    calls = [ToolCall(id="c1", name="python:slots", args={}), ToolCall(id="c2", name="python:other", args={})]
    answers: list[Answer] = [calls, "Hm.", "10 or 11?"]

    async def test(talk: Talk) -> None:
        run = await talk.rest()
        assert run.status == "succeeded", run.error
        assert run.output["variables"] == {"slots": ["10:00", "11:00"], "offer": "10 or 11?"}
        assert [told["text"] for told in (await talk.turns())[0].output] == ["Hm.", "Let me look.", "10 or 11?"]
        results = [message for message in talk.models.requests[-1].messages if message.role == "tool"]
        assert [message.text for message in results] == ['["10:00","11:00"]', '{"error":"there is no tool \'python:other\'"}']

    document = {**conversation(nodes), "tools": [tool]}
    talking(document, test, answers)


def test_an_object_is_mended_and_leads_on_without_a_word() -> None:
    schema = {"type": "object", "properties": {"kind": {"enum": ["a", "b"]}}, "required": ["kind"]}
    nodes: list[dict[str, Any]] = [
        {"id": "sort", "type": "worker", "prompt": "Sort.", "output_schema": schema, "variable": "sorted"},
        {"id": "a", "type": "say", "messages": ["A!"]},
        {"id": "b", "type": "worker", "prompt": "Sort.", "output_schema": schema, "reply": "It is {{ conversation.output.kind }}."},
    ]
    edges = [{"from": "sort", "to": "a", "when": 'vars.sorted.kind == "a"'}, {"from": "sort", "to": "b"}]

    async def test(talk: Talk) -> None:
        run = await talk.rest()
        assert run.status == "succeeded", run.error
        assert run.output["value"] == "It is b."
        assert len(talk.models.requests) == 3

    talking(conversation(nodes, edges, message="Hi"), test, [{"kind": "c"}, {"kind": "b"}, {"kind": "b"}])


def test_a_node_that_fails_apologises_and_is_carried_out_again() -> None:
    nodes = [{"id": "work", "type": "worker", "prompt": "Work.", "default_error_message": "Could you repeat?"}]
    answers: list[Answer] = [StepError("LLM_REQUEST_FAILED", "down", details={"reason": "overloaded"}), "Done."]

    async def test(talk: Talk) -> None:
        turn = (await talk.turns())[0]
        assert (turn.again, turn.output) == (True, [{"node": "work", "text": "Could you repeat?"}])
        assert turn.error is not None
        assert turn.error.code == "LLM_REQUEST_FAILED"
        assert await talk.say("once more") == ["Done."]
        assert (await talk.rest()).status == "succeeded"

    talking(conversation(nodes), test, answers)


def test_without_an_apology_the_step_fails() -> None:
    async def test(talk: Talk) -> None:
        run = await talk.rest()
        assert run.error is not None
        assert (run.status, run.error.code) == ("failed", "LLM_REQUEST_FAILED")

    talking(conversation([{"id": "w", "type": "worker", "prompt": "W."}]), test, [StepError("LLM_REQUEST_FAILED", "down")])


def test_a_message_brings_variables_and_one_that_comes_early_waits() -> None:
    nodes = [{"id": "echo", "type": "say", "messages": ["{{ conversation.message }} {{ vars.n }}"], "self_loop": True}]

    async def test(talk: Talk) -> None:
        assert await talk.say({"message": "hello", "variables": {"n": 1}}) == ["hello 1"]
        assert await talk.say({"other": 1}) == ['{"other":1} 1']
        assert (await talk.turns())[1].variables == {"n": 1}

    talking(conversation(nodes, variables={"n": 0}), test)


def test_variables_alone_are_set_and_no_condition_is_asked() -> None:
    nodes: list[dict[str, Any]] = [ASK, {"id": "end", "type": "say", "messages": ["{{ vars.channel }}, then."]}]
    edges = [{"from": "ask", "to": "end", "when": 'conversation.message.contains("refund")'}, {"from": "ask", "to": "ask"}]

    async def test(talk: Talk) -> None:
        for channel in ("phone", "web"):
            assert await talk.say({"message": None, "variables": {"channel": channel}}) == []
        turn = (await talk.turns())[-1]
        assert (turn.turn, turn.path, turn.variables, turn.error) == (3, [], {"channel": "web"}, None)
        assert (await talk.rest()).status == "waiting"
        assert await talk.say("refund") == ["web, then."]
        assert (await talk.rest()).output["variables"] == {"name": "Ann", "channel": "web"}

    talking(conversation(nodes, edges, variables={"name": "Ann"}), test)


def test_variables_alone_leave_a_node_that_failed_to_the_next_message() -> None:
    nodes = [{"id": "work", "type": "worker", "prompt": "Work.", "default_error_message": "Could you repeat?"}]
    answers: list[Answer] = [StepError("LLM_REQUEST_FAILED", "down"), "Done."]

    async def test(talk: Talk) -> None:
        assert await talk.say({"variables": {"n": 1}}) == []
        assert await talk.say("once more") == ["Done."]

    talking(conversation(nodes), test, answers)


@pytest.mark.parametrize("when", ["vars.missing.contains('x')", "conversation.message"])
@pytest.mark.parametrize("is_global", [False, True])
def test_a_condition_that_cannot_be_told_apologises_and_the_conversation_waits(when: str, is_global: bool) -> None:
    when = f'conversation.message == "fine" ? true : {when}' if when.startswith("vars") else when
    end: dict[str, Any] = {"id": "end", "type": "say", "messages": ["Done."]}
    edges = [{"from": "ask", "to": "end", "when": 'conversation.message == "fine"'}]
    if is_global:
        end["global"] = {"when": when}
    else:
        edges.append({"id": "other", "from": "ask", "to": "end", "when": when})
    nodes = [{"id": "ask", "type": "say", "messages": ["Hello?"], "self_loop": True}, end]

    async def test(talk: Talk) -> None:
        assert await talk.say("hm") == ["Could you repeat?"]
        turn = (await talk.turns())[-1]
        assert turn.error is not None
        assert (turn.error.code, turn.error.step_id, turn.node) == ("EXPRESSION_FAILED", "talk", "ask")
        assert (await talk.rest()).status == "waiting"
        if not is_global or when != "conversation.message":
            assert await talk.say("fine") == ["Done."]

    talking(conversation(nodes, edges, default_error_message="Could you repeat?"), test)


def test_what_nobody_answers_ends() -> None:
    async def test(talk: Talk) -> None:
        run = await talk.app.run_to_end(talk.run_id)
        assert run.output["ended"] == {"node": "echo", "reason": "expired"}

    talking(conversation([{"id": "echo", "type": "say", "messages": ["?"], "self_loop": True}], expires_in_s=60), test)
