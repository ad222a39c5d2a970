"""Traces of other programs become runs: whole, in pieces, late, twice."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.api_bench import Api, say, with_api
from tests.acceptance.trace_api import JSON, PROTOBUF, send, settle, steps_of
from tests.spans import BEGAN_MS, agent_trace, new_trace_id, request, span

from runwell.model.scope import DEFAULT_SCOPE
from runwell.runtime.traces import run_id_of


@pytest.mark.parametrize("kind", [JSON, PROTOBUF])
def test_a_trace_becomes_a_run(tmp_path: Path, kind: str) -> None:
    async def main(api: Api) -> None:
        trace_id = new_trace_id()
        answer = await send(api, request(agent_trace(trace_id), **{"deployment.environment.name": "Staging EU"}), kind)
        assert answer.headers["content-type"] == kind
        assert answer.content == (b"{}" if kind == JSON else b"")
        await settle(api)
        run_id = run_id_of(DEFAULT_SCOPE, trace_id)
        run = await api.get(f"/v1/runs/{run_id}")
        assert run["status"] == "succeeded"
        assert run["workflow"] == {**run["workflow"], "slug": "support-bot", "name": "support-bot", "version": 1}
        assert (run["trigger"], run["environment"]) == ("otlp", "staging-eu")
        assert (run["input"], run["output"]) == ("Where is order 17?", "It comes tomorrow.")
        assert run["duration_ms"] == 5_000
        assert run["metadata"] == {**run["metadata"], "trace_id": trace_id, "session_id": "s-1", "service": "support-bot"}
        assert run["span"]["attributes"]["my.own"] == "kept"
        assert steps_of(run) == [
            ("chat-gpt-4o-mini", "llm", "succeeded"),
            ("execute_tool-find_order", "tool", "succeeded"),
            ("execute_tool-find_order.SELECT-orders", "span", "succeeded"),
            ("chat-gpt-4o-mini-2", "llm", "succeeded"),
        ]
        assert run["steps"][2]["span"]["attributes"] == {"db.system": "postgresql", "db.rows": 3}
        assert (run["steps"][1]["input"], run["steps"][1]["result"]) == ({"order": 17}, {"state": "sent"})
        assert run["usage"] == {**run["usage"], "input_tokens": 3_000, "output_tokens": 300, "generations": 2}
        assert run["cost_usd"] == "0.00063"  # 3,000 at 0.15 and 300 at 0.60 dollars a million

        calls = (await api.get(f"/v1/runs/{run_id}/generations"))["data"]
        assert [call["model"] for call in calls] == ["gpt-4o-mini", "gpt-4o-mini"]
        assert calls[0]["messages"] == [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Where is order 17?"}]
        assert calls[0]["tool_calls"] == [{"id": "c1", "name": "find_order", "args": {"order": 17}}]
        assert calls[0]["params"] == {"temperature": 0.5}
        assert (calls[1]["response"], calls[1]["response_model"]) == ("It comes tomorrow.", "gpt-4o-mini-2024-07-18")
        assert calls[0]["latency_ms"] == 1_000
        assert calls[0]["price_snapshot"].startswith("genai-prices-")

        events = (await api.get(f"/v1/runs/{run_id}/events"))["data"]
        assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
        assert (events[0]["ts"], events[-1]["ts"], events[-1]["type"]) == (BEGAN_MS, BEGAN_MS + 5_000, "run_succeeded")
        tools = [event for event in events if event["type"] in ("tool_called", "tool_returned")]
        assert [(event["data"]["tool"], event["ts"] - BEGAN_MS) for event in tools] == [("find_order", 1_200), ("find_order", 1_500)]
        graph = await api.get(f"/v1/runs/{run_id}/graph")
        assert len(graph["nodes"]) == 4
        assert [(edge["source"], edge["target"]) for edge in graph["edges"]] == [
            ("execute_tool-find_order", "execute_tool-find_order.SELECT-orders")
        ]
        for path in ("steps", "context", "summary"):
            await api.get(f"/v1/runs/{run_id}/{path}")

    with_api(tmp_path, main)


def test_its_run_is_found_counted_and_exported(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        trace_id = new_trace_id()
        await send(api, request(agent_trace(trace_id)))
        await settle(api)
        run_id = run_id_of(DEFAULT_SCOPE, trace_id)
        for query in (
            "trigger:otlp",
            "kind:trace",
            "workflow:support-bot",
            "metadata.session_id:s-1",
            "model:gpt-4o-mini",
            "cost:>0",
            '"order 17"',
        ):
            found = (await api.get("/v1/runs", q=query))["data"]
            assert [run["id"] for run in found] == [run_id], query
        cost = await api.get("/v1/analytics/cost", window="24h")
        assert "0.00063" in json.dumps(cost)
        count = await api.get("/v1/analytics/runs-count", window="24h")
        assert count["total"]["runs"] == 1
        exported = [json.loads(line) for line in (await api.send("GET", "/v1/runs/export")).content.splitlines()]
        assert [(one["run_id"], len(one["generations"]), one["tool_calls"]) for one in exported] == [(run_id, 2, 1)]
        workflows = (await api.get("/v1/workflows", kind="trace"))["data"]
        assert [one["slug"] for one in workflows] == ["support-bot"]
        refused = await api.post("/v1/workflows/support-bot/command", {"command": "start", "params": {}}, status=422)
        assert "traces" in refused["detail"]

    with_api(tmp_path, main)


def test_our_own_export_comes_back_as_the_same_tree(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        document = {
            "name": "each",
            "steps": [
                {"id": "ask", "type": "llm", "model": "demo:reader", "prompt": "Say {{ input.what }}"},
                {"id": "each", "type": "for_each", "items": [1, 2], "steps": [{"id": "say", "type": "transform", "value": "{{ item }}"}]},
                {"id": "never", "type": "transform", "value": 1, "when": "input.what == 'else'"},
            ],
            "output": "{{ steps.ask.result }}",
        }
        fails = {"name": "fails", "steps": [{"id": "divide", "type": "transform", "value": "{{ 1 / input.what.size() - 1 / 0 }}"}]}
        for wanted in (document, fails):
            made = await api.finished(wanted, {"what": "hello"}, tags=("a", "b"), metadata={"customer": "17"})
            exported = (await api.send("GET", "/v1/runs/export", params={"format": "otlp", "q": f"id:{made}"})).content
            assert exported
            await send(api, exported.splitlines()[0], JSON, who="next door")
            await settle(api)
            before = await api.get(f"/v1/runs/{made}")
            (found,) = (await api.get("/v1/runs", q=f"workflow:{wanted['name']}", who="next door"))["data"]
            after = await api.get(f"/v1/runs/{found['id']}", who="next door")
            assert sorted(_tree(after)) == sorted(_tree(before))
            for name in ("status", "input", "output", "tags", "usage", "cost_usd", "environment", "failed_step", "duration_ms"):
                assert after[name] == before[name], name
            assert after["metadata"]["customer"] == "17"
            assert (after["error"] or {}).get("code") == (before["error"] or {}).get("code")
            calls = [
                (await api.get(f"/v1/runs/{run}/generations", who=who))["data"] for run, who in ((made, "ann"), (found["id"], "next door"))
            ]
            told = [
                [(call["step_id"], call["response_model"] or call["model"], call["messages"], call["response"]) for call in some]
                for some in calls
            ]
            assert told[0] == told[1]

    with_api(tmp_path, main)


def _tree(run: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Return the steps without the type of those that never began, which no export has."""
    return [(step["path"], step["type"] if step["attempts"] else "", step["status"]) for step in run["steps"]]


def test_a_slug_that_is_taken_is_left_alone(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        await api.finished(say("support-bot"))
        await send(api, request(agent_trace(new_trace_id())))
        await settle(api)
        assert (await api.get("/v1/workflows/support-bot"))["kind"] == "workflow"
        assert (await api.get("/v1/workflows/support-bot-traces"))["latest_version"] == 1
        for name, slug in (("unknown_service:python", "traces"), ("A/B\n", "a-b"), ("x" * 500, "x" * 100)):
            await send(api, request(agent_trace(new_trace_id()), service=name))
            await settle(api)
            assert (await api.get(f"/v1/workflows/{slug}"))["kind"] == "trace"
        named = request(agent_trace(new_trace_id()), **{"runwell.workflow": "Billing agent"})
        await send(api, named)
        await settle(api)
        assert (await api.get("/v1/workflows/billing-agent"))["name"] == "Billing agent"

    with_api(tmp_path, main)


def test_spans_that_come_twice_or_late_are_there_once_and_the_end_stays(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        trace_id = new_trace_id()
        spans = agent_trace(trace_id)
        run_id = run_id_of(DEFAULT_SCOPE, trace_id)
        for part in (spans[3:], spans[:1], spans[3:], spans[:1]):
            await send(api, request(part))
        await settle(api)
        before = await api.get(f"/v1/runs/{run_id}")
        assert [path for path, _, _ in steps_of(before)] == ["SELECT-orders", "chat-gpt-4o-mini"]
        assert before["usage"]["generations"] == 1
        (row,) = (await api.get("/v1/runs", q="trigger:otlp"))["data"]

        broken = span(trace_id, 9, "flush", parent=1, at=(6_000, 7_000), error="disk full")
        for part in (spans, [broken], spans, [broken]):
            await send(api, request(part))
            await settle(api)
        after = await api.get(f"/v1/runs/{run_id}")
        for name in ("status", "error", "output", "started_at", "ended_at", "duration_ms", "failed_step"):
            assert after[name] == before[name], name
        assert len(after["steps"]) == 5
        assert after["steps"][-1]["error"]["message"] == "disk full"
        assert after["usage"]["generations"] == 2
        assert after["cost_usd"] == "0.00063"
        events = await api.pages(f"/v1/runs/{run_id}/events")
        ids = [event["data"]["span_id"] for event in events if event["type"] == "span_recorded"]
        assert sorted(ids) == sorted({one["spanId"] for one in [*spans, broken]})
        assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
        assert len([event for event in events if event["type"].startswith("run_")]) == 3
        (later,) = (await api.get("/v1/runs", q="cost:>=0.00063"))["data"]
        assert (later["id"], row["id"]) == (run_id, run_id)
        await api.post(f"/v1/runs/{run_id}/comments", {"content": "seen"}, status=201)

    with_api(tmp_path, main)


def test_failures_and_traces_without_a_root(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        failing, rootless, several = new_trace_id(), new_trace_id(), new_trace_id()
        raised = {"name": "exception", "timeUnixNano": "1", "attributes": [{"key": "exception.type", "value": {"stringValue": "KeyError"}}]}
        await send(api, request([span(failing, 1, "job", error="no order"), span(failing, 2, "read", parent=1, error="", events=[raised])]))
        await send(api, request([span(rootless, 2, "GET /ask", parent=1), span(rootless, 3, "below", parent=2)]))
        await send(api, request([span(several, 2, "one", parent=77), span(several, 3, "two", parent=78, error="bad")]))
        await settle(api)
        run = await api.get(f"/v1/runs/{run_id_of(DEFAULT_SCOPE, failing)}")
        assert (run["status"], run["failed_step"]) == ("failed", "read")
        assert run["error"] == {"code": "SPAN_FAILED", "message": "no order"}
        assert run["steps"][0]["error"] == {"code": "SPAN_FAILED", "message": "KeyError", "details": {"type": "KeyError"}}
        run = await api.get(f"/v1/runs/{run_id_of(DEFAULT_SCOPE, rootless)}")
        assert (run["status"], [step["path"] for step in run["steps"]]) == ("succeeded", ["below"])
        assert run["span"]["name"] == "GET /ask"
        run = await api.get(f"/v1/runs/{run_id_of(DEFAULT_SCOPE, several)}")
        assert (run["status"], [step["path"] for step in run["steps"]]) == ("failed", ["one", "two"])
        await send(api, request([span(several, 77, "the root, at last")]))
        await settle(api)
        run = await api.get(f"/v1/runs/{run_id_of(DEFAULT_SCOPE, several)}")
        assert (run["status"], [step["path"] for step in run["steps"]]) == ("failed", ["one", "two", "the-root-at-last"])

    with_api(tmp_path, main)


def test_a_trace_is_one_projects(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        trace_id = new_trace_id()
        for who in ("ann", "next door", "elsewhere"):
            await send(api, request(agent_trace(trace_id)), who=who)
        await settle(api)
        ids = [(await api.get("/v1/runs", who=who))["data"] for who in ("ann", "next door", "elsewhere")]
        assert len({run["id"] for runs in ids for run in runs}) == 3
        assert [len(runs) for runs in ids] == [1, 1, 1]
        await send(api, request(agent_trace(trace_id)), status=403, who="viewer")
        await send(api, request(agent_trace(trace_id)), status=401, who="nobody")

    with_api(tmp_path, main)


def test_a_call_that_is_told_twice_is_paid_once(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        trace_id = new_trace_id()
        chat = {
            "gen_ai.operation.name": "chat",
            "gen_ai.system": "openai",
            "gen_ai.request.model": "gpt-4o",
            "gen_ai.usage.prompt_tokens": 1_000,
        }
        outer, inner = span(trace_id, 2, "ChatOpenAI", parent=1, told=chat), span(trace_id, 3, "chat gpt-4o", parent=2, told=chat)
        await send(api, request([inner, span(trace_id, 1, "root"), outer]))
        await settle(api)
        run = await api.get(f"/v1/runs/{run_id_of(DEFAULT_SCOPE, trace_id)}")
        assert run["usage"]["generations"] == 1
        assert run["cost_usd"] == "0.0025"

    with_api(tmp_path, main)


def test_a_trace_that_is_one_model_call_has_it(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        trace_id = new_trace_id()
        (call,) = [one for one in agent_trace(trace_id) if one["spanId"] == f"{2:016x}"]
        del call["parentSpanId"]
        await send(api, request([call]))
        await settle(api)
        run = await api.get(f"/v1/runs/{run_id_of(DEFAULT_SCOPE, trace_id)}")
        assert steps_of(run) == [("chat-gpt-4o-mini", "llm", "succeeded")]
        assert run["usage"]["generations"] == 1
        assert run["input"]["messages"][1]["content"] == "Where is order 17?"

    with_api(tmp_path, main)


def test_what_must_not_be_kept_is_taken_out(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        rules = {"patterns": [{"name": "order", "pattern": "order [0-9]+"}], "kinds": [], "paths": ["metadata.my.own"]}
        response = await api.send("PUT", "/v1/settings/redaction", json=rules, headers={"if-match": "*"})
        assert response.status_code == 200, response.text
        trace_id = new_trace_id()
        await send(
            api,
            request([*agent_trace(trace_id), span(trace_id, 8, "x", parent=1, told={"note": "order 99"}, events=[{"name": "order 98"}])]),
        )
        await settle(api)
        run_id = run_id_of(DEFAULT_SCOPE, trace_id)
        told = json.dumps([await api.get(f"/v1/runs/{run_id}"), await api.get(f"/v1/runs/{run_id}/events", limit=200)])
        assert "[redacted:order]" in told
        for secret in ("order 17", "order 99", "order 98"):
            assert secret not in told

    with_api(tmp_path, main)


def test_the_recorder_waits_for_what_belongs_together(tmp_path: Path) -> None:
    """By itself, on the real clock, it takes a trace whose root has come and that is quiet; not one that may go on."""

    async def main(api: Api) -> None:
        assert api.app.traces is not None
        whole, open_ended = new_trace_id(), new_trace_id()
        await send(api, request(agent_trace(whole)))
        await send(api, request(agent_trace(open_ended)[1:]))
        assert await api.app.traces.settle() == 0
        api.app.traces.start()
        await asyncio.wait_for(_found(api, whole), 20)
        await api.get(f"/v1/runs/{run_id_of(DEFAULT_SCOPE, open_ended)}", status=404)

    with_api(tmp_path, main)


async def _found(api: Api, trace_id: str) -> None:
    while (await api.send("GET", f"/v1/runs/{run_id_of(DEFAULT_SCOPE, trace_id)}")).status_code != 200:  # noqa: ASYNC110
        await asyncio.sleep(0.1)
