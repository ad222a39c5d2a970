"""Requests to `/v1/traces` that are broken, hostile or strange: refused in words, the good spans kept, and never a 5xx."""

import gzip
import zlib
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from tests.acceptance.api_bench import Api, with_api
from tests.acceptance.trace_api import JSON, PROTOBUF, send, settle
from tests.spans import agent_trace, as_protobuf, new_trace_id, request, span

from runwell.model.scope import DEFAULT_SCOPE
from runwell.runtime.traces import run_id_of


def test_bad_spans_are_rejected_and_the_good_ones_kept(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        trace_id = new_trace_id()
        good, bad = span(trace_id, 1, "good"), {**span(trace_id, 2, "bad"), "traceId": "00" * 16}
        answer = await send(api, request([bad, good]))
        partial = answer.json()["partialSuccess"]
        assert partial["rejectedSpans"] == "1"
        assert "bad" in partial["errorMessage"]
        answer = await send(api, request([bad, good]), PROTOBUF)
        told = ExportTraceServiceResponse.FromString(answer.content).partial_success
        assert told.rejected_spans == 1
        assert "all zeros" in told.error_message

        sent = as_protobuf(request([span(trace_id, 3, "third"), span(trace_id, 4, "fourth")]))
        answer = await send(api, sent[:-1], PROTOBUF, status=400)
        assert b"1 spans before that are kept" in answer.content
        assert answer.content[:2] == b"\x08\x03"  # a google.rpc.Status, INVALID_ARGUMENT
        answer = await send(api, sent.replace(b"third", b"th\xff\xffd"), PROTOBUF)
        assert "UTF-8" in ExportTraceServiceResponse.FromString(answer.content).partial_success.error_message
        answer = await send(api, request([bad]), status=400)
        assert answer.headers["content-type"] == "application/problem+json"
        assert "all zeros" in answer.json()["detail"]
        await settle(api)
        run = await api.get(f"/v1/runs/{run_id_of(DEFAULT_SCOPE, trace_id)}")
        assert len(run["steps"]) + 1 == 3  # 1, 3 and 4

    with_api(tmp_path, main)


@pytest.mark.parametrize("bad", [5, None, [], "x", True])
def test_what_is_no_span_in_a_list_is_rejected_by_its_place(tmp_path: Path, bad: Any) -> None:
    async def main(api: Api) -> None:
        trace_id = new_trace_id()
        sent = request([span(trace_id, 1, "good"), span(trace_id, 2, "second")])
        [resource_spans] = sent["resourceSpans"]
        resource_spans["scopeSpans"][0]["spans"].insert(1, bad)
        resource_spans["scopeSpans"].append(bad)
        sent["resourceSpans"].insert(0, bad)
        partial = (await send(api, sent)).json()["partialSuccess"]
        assert partial["rejectedSpans"] == "3"
        for place in ("resourceSpans[0]", "resourceSpans[1].scopeSpans[0].spans[1]", "resourceSpans[1].scopeSpans[1]"):
            assert f"{place} is no object" in partial["errorMessage"]
        await settle(api)
        run = await api.get(f"/v1/runs/{run_id_of(DEFAULT_SCOPE, trace_id)}")
        assert len(run["steps"]) + 1 == 2

    with_api(tmp_path, main)


HOSTILE: list[tuple[bytes, str, int]] = [
    (b"", PROTOBUF, 200),
    (b"{}", JSON, 200),
    (b"", JSON, 400),
    (b"{", JSON, 400),
    (b"[]", JSON, 400),
    (b"null", JSON, 400),
    (b"\xff\xfe", JSON, 400),
    (b'{"resourceSpans": 3}', JSON, 400),
    (b'{"resourceSpans": [{"resource": []}]}', JSON, 200),
    (b'{"resourceSpans": [{"resource": {"attributes": 3}}]}', JSON, 400),
    (b'{"resourceSpans": [{"scopeSpans": [{"scope": "x", "spans": []}]}]}', JSON, 400),
    (b'{"resourceSpans": [{"scopeSpans": [{"spans": [null]}]}]}', JSON, 400),
    (b"[" * 100_000, JSON, 400),
    (b"\xff" * 100, PROTOBUF, 400),
    (b"\x0a\x05ab", PROTOBUF, 400),
    (b"\x0f\x00", PROTOBUF, 400),
    (b"{}", "text/plain", 415),
    (b"{}", "", 415),
    (b"{}", "application/jsonx", 415),
]


@pytest.mark.parametrize(("body", "kind", "status"), HOSTILE)
def test_what_cannot_be_read_is_refused_in_words(tmp_path: Path, body: bytes, kind: str, status: int) -> None:
    async def main(api: Api) -> None:
        answer = await send(api, body, kind, status=status)
        assert status == 200 or answer.content

    with_api(tmp_path, main)


def test_compressed_bodies_and_their_bounds(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        sent = as_protobuf(request(agent_trace(new_trace_id())))
        await send(api, gzip.compress(sent), PROTOBUF, encoding="gzip")
        await send(api, zlib.compress(sent), PROTOBUF, encoding="deflate")
        await send(api, gzip.compress(sent)[:-9], PROTOBUF, status=400, encoding="gzip")
        await send(api, b"no gzip", PROTOBUF, status=400, encoding="gzip")
        await send(api, sent, PROTOBUF, status=415, encoding="br")
        bomb = gzip.compress(b"\x12\x00" * 50_000_000)
        answer = await send(api, bomb, PROTOBUF, status=413, encoding="gzip")
        assert "100000" in answer.json()["detail"]
        await send(api, b"x" * 100_001, PROTOBUF, status=413)

    with_api(tmp_path, main, max_body_bytes=100_000)


def nested(levels: int) -> Any:
    value: Any = "deep"
    for _ in range(levels):
        value = [value]
    return value


def test_strange_values_make_runs_all_the_same(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        strange: dict[str, dict[str, Any]] = {
            "zero times": {"startTimeUnixNano": "0", "endTimeUnixNano": "0"},
            "no times": {"startTimeUnixNano": None, "endTimeUnixNano": None},
            "far future": {"startTimeUnixNano": str(2**64 - 1), "endTimeUnixNano": str(2**64 - 1)},
            "ended before started": {"endTimeUnixNano": "1700000000000000000"},
            "its own parent": {"parentSpanId": f"{1:016x}"},
            "no name": {"name": ""},
            "name": {"name": "\x00/\u202e" + "n" * 5_000},
            "unknown kind": {"kind": 77, "status": {"code": 9}},
            "values": {
                "attributes": [
                    {"key": "", "value": {"stringValue": "\x00"}},
                    {"key": "nothing"},
                    {"key": "nan", "value": {"doubleValue": "NaN"}},
                    {"key": "inf", "value": {"doubleValue": "-Infinity"}},
                    {"key": "least", "value": {"intValue": str(-(2**63))}},
                    {"key": "bytes", "value": {"bytesValue": "AAEC/w=="}},
                    {"key": "huge", "value": {"stringValue": "x" * 1_000_000}},
                    {"key": "twice", "value": {"intValue": "1"}},
                    {"key": "twice", "value": {"intValue": "2"}},
                ]
            },
        }
        told: list[dict[str, Any]] = [
            {"deep": nested(40), "json": "[" * 900 + "]" * 900},
            {"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": -5, "gen_ai.usage.output_tokens": "many"},
            {
                "gen_ai.operation.name": "chat",
                "gen_ai.usage.input_tokens": 2**62,
                "gen_ai.request.model": "gpt-4o",
                "gen_ai.system": "openai",
            },
            {
                "gen_ai.operation.name": "chat",
                "gen_ai.input.messages": '["\\ud800"]',
                "gen_ai.output.messages": "{",
                "runwell.cost_usd": 1e300,
            },
            {"gen_ai.operation.name": "chat", "gen_ai.input.messages": '[{"role": 3, "parts": [1, null, {"type": "tool_call"}]}]'},
            {
                "gen_ai.operation.name": "chat",
                "llm.input_messages.0": "x",
                "llm.input_messages.0.message.role": "user",
                "gen_ai.prompt.x": 1,
            },
            {
                "langfuse.observation.type": "generation",
                "langfuse.observation.usage_details": "[]",
                "langfuse.observation.cost_details": '{"total": "x"}',
            },
            {
                "langfuse.observation.type": "generation",
                "langfuse.observation.completion_start_time": "yesterday",
                "llm.invocation_parameters": "3",
            },
            {".".join(["llm.input_messages"] + ["0"] * 3_000): "x", "openinference.span.kind": "LLM"},
            {"session.id": "s" * 100_000, "langfuse.trace.tags": [1, None, "t" * 999], "metadata": '{"a": {"b": [18446744073709551616]}}'},
        ]
        ids = [new_trace_id() for _ in [*strange, *told]]
        sent = [span(trace_id, 1, "root", **{}) | fields for trace_id, fields in zip(ids, strange.values(), strict=False)]
        sent += [span(trace_id, 1, "root", told=fields) for trace_id, fields in zip(ids[len(sent) :], told, strict=True)]
        for one in sent:
            answer = await send(api, request([one]))
            assert answer.json() == {}, one["name"][:20]
        await settle(api)
        assert len((await api.get("/v1/runs", limit=200))["data"]) == len(sent)
        for trace_id in ids:
            run = await api.get(f"/v1/runs/{run_id_of(DEFAULT_SCOPE, trace_id)}")
            assert run["status"] == "succeeded"
            assert run["duration_ms"] >= 0
            assert run["created_at"] >= "2020"

    with_api(tmp_path, main, max_body_bytes=10_000_000)


def test_parents_in_a_circle_and_very_deep_traces(tmp_path: Path) -> None:
    async def main(api: Api) -> None:
        circle, deep = new_trace_id(), new_trace_id()
        await send(api, request([span(circle, 1, "a", parent=2), span(circle, 2, "b", parent=1), span(circle, 3, "c", parent=1)]))
        await send(api, request([span(deep, number, f"level {number}", parent=number - 1 or None) for number in range(1, 2_001)]))
        await settle(api)
        run = await api.get(f"/v1/runs/{run_id_of(DEFAULT_SCOPE, circle)}")
        assert len(run["steps"]) == 3
        run = await api.get(f"/v1/runs/{run_id_of(DEFAULT_SCOPE, deep)}")
        assert len(run["steps"]) == 1_999
        assert len({step["path"] for step in run["steps"]}) == 1_999

    with_api(tmp_path, main)
