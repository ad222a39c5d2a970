"""What the files of many runs are like."""

import asyncio
import base64
import csv
import io
import json
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import msgspec
import pyarrow.parquet as pq
import pytest
from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tests.unit.query.exporting import CALL, START, record

from runwell.model.errors import InvalidInput
from runwell.model.run_record import RunRecord
from runwell.model.statuses import RunStatus
from runwell.query.exports.fine_tuning import FineTuning, conversation
from runwell.query.exports.formats import Shape, named, writer_for
from runwell.query.exports.json_lines import read_record
from runwell.query.exports.writer import PART_BYTES, Writer, part, place_of, whole


async def given(records: list[RunRecord]) -> AsyncIterator[RunRecord]:
    for one in records:
        yield one


def file_of(writer: Writer, records: list[RunRecord]) -> bytes:
    async def main() -> bytes:
        return b"".join([piece async for piece in whole(given(records), writer)])

    return asyncio.run(main())


def rows_of(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


def test_json_lines_hold_whole_records() -> None:
    runs = [record(), record(input={"text": "line\nbreak \0 \u2028"}), record(generations=(), output=None)]
    content = file_of(writer_for(Shape()), runs)
    assert [read_record(line) for line in content.splitlines()] == runs
    with pytest.raises(InvalidInput):
        read_record(b'{"run_id": 1}')


def test_csv_has_a_row_a_run() -> None:
    (row,) = rows_of(
        file_of(writer_for(Shape(format="csv", columns=("input.ticket.lang", "input.items[].name", "output.none"))), [record()])
    )
    assert row["workflow"] == "triage"
    assert row["created_at"] == "2026-10-14T17:46:40.000Z"
    assert (row["cost_usd"], row["duration_ms"], row["score"]) == ("0.001234567", "990", "0.75")
    assert json.loads(row["output"]) == {"kind": "refund", "score": 0.5}
    assert (row["input.ticket.lang"], row["input.items[].name"], row["output.none"]) == ("de", '["a","b"]', "")
    assert row["failure_code"] == ""


@pytest.mark.parametrize("evil", ["=1+1", "+1", "-2", "@SUM(A1)", "\t=1", "\r=1", "  =1", "\n=1", "＝1"])
def test_no_cell_of_csv_is_a_formula(evil: str) -> None:
    shape = Shape(format="csv", columns=("input.evil", f"metadata.{evil.strip()}"))
    evil_run = record(input={"evil": evil}, error_message=evil, workflow_name=evil, metadata={evil.strip(): evil}, review=evil)
    content = file_of(writer_for(shape), [evil_run])
    (row,) = rows_of(content)
    for cell in (*row.values(), *row):
        assert not cell.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝"))
    assert row["input.evil"] == f"'{evil}"
    assert row["duration_ms"] == "990"


def test_parquet_has_types_and_groups() -> None:
    runs = [record(created_at=START + number) for number in range(12_000)]
    content = file_of(writer_for(Shape(format="parquet", columns=("input.ticket.lang",))), runs)
    file = pq.ParquetFile(io.BytesIO(content))
    assert file.num_row_groups == 3
    rows = file.read().to_pylist()
    assert [row["run_id"] for row in rows] == [run.run_id for run in runs]
    assert rows[1]["created_at"].timestamp() * 1000 == START + 1
    assert rows[0]["cost_usd"] == Decimal("0.001234567")
    assert rows[0]["input.ticket.lang"] == "de"
    assert rows[0]["failed_step"] is None
    assert pq.ParquetFile(io.BytesIO(file_of(writer_for(Shape(format="parquet")), []))).num_row_groups == 0


def test_fine_tuning_rows_are_conversations_each_once() -> None:
    failed = msgspec.structs.replace(CALL, ok=False, response=None)
    unasked = msgspec.structs.replace(CALL, messages=[{"role": "system", "content": "x"}])
    structured = msgspec.structs.replace(CALL, response={"kind": "bug"})
    runs = [record(), record(), record(generations=(failed, unasked, structured, CALL))]
    lines = [json.loads(line) for line in file_of(writer_for(Shape(format="openai-finetune")), runs).splitlines()]
    assert lines == [
        {"messages": [*(CALL.messages or []), {"role": "assistant", "content": '{"kind": "refund"}'}]},
        {"messages": [*(CALL.messages or []), {"role": "assistant", "content": '{"kind":"bug"}'}]},
    ]


def asking(question: str, answer: str = "yes") -> RunRecord:
    messages = [{"role": "user", "content": question}]
    return record(generations=(msgspec.structs.replace(CALL, messages=messages, response=answer),))


def test_a_split_is_stable_and_parts_no_question_in_two() -> None:
    runs = [asking(f"question {number}", answer) for number in range(500) for answer in ("a", "b")]
    train = file_of(FineTuning(0.9, "train"), runs).splitlines()
    validation = file_of(FineTuning(0.9, "validation"), runs).splitlines()
    assert sorted([*train, *validation]) == sorted(file_of(FineTuning(), runs).splitlines())
    assert 30 < len(validation) < 180
    questions = [{json.loads(line)["messages"][0]["content"] for line in side} for side in (train, validation)]
    assert not questions[0] & questions[1]
    assert file_of(FineTuning(0.9, "train"), runs[::-1]).splitlines() == train[::-1]
    for bad in (0, 1, 1.5, -1, float("nan")):
        with pytest.raises(InvalidInput):
            FineTuning(bad)
    with pytest.raises(InvalidInput):
        FineTuning(None, "train")


def test_only_what_can_be_learned_from_is_a_conversation() -> None:
    assert (
        conversation(msgspec.structs.replace(CALL, messages=[{"role": "tool", "content": "x"}, {"role": "user", "content": "y"}])) is None
    )
    assert conversation(msgspec.structs.replace(CALL, messages=None)) is None
    assert conversation(msgspec.structs.replace(CALL, response="")) is None


def decoded(line: bytes) -> ExportTraceServiceRequest:
    """Read OTLP's JSON form, whose ids are hex where protobuf's own has base64."""
    data = json.loads(line)

    def walk(value: Any) -> None:
        for key, inner in list(value.items()) if isinstance(value, dict) else []:
            if key in ("traceId", "spanId", "parentSpanId"):
                value[key] = base64.b64encode(bytes.fromhex(inner)).decode()
        for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            walk(inner)

    walk(data)
    request = ExportTraceServiceRequest()
    json_format.ParseDict(data, request)
    return request


def values_of(span: Any) -> dict[str, Any]:
    return {attribute.key: getattr(attribute.value, attribute.value.WhichOneof("value")) for attribute in span.attributes}


def test_otlp_is_a_trace_a_decoder_takes() -> None:
    child = record(parent_run_id="run_" + "a" * 32, root_run_id="run_" + "b" * 32, status=RunStatus.FAILED, error_message="boom")
    run = record()
    lines = file_of(writer_for(Shape(format="otlp")), [run, child]).splitlines()
    first, second = (decoded(line).resource_spans[0] for line in lines)
    spans = first.scope_spans[0].spans
    root, classify, send, refund, call = spans
    assert {bytes(span.trace_id) for span in spans} == {bytes.fromhex(run.run_id.removeprefix("run_"))}
    assert len({bytes(span.span_id) for span in spans}) == 5
    assert all(len(span.span_id) == 8 and len(span.trace_id) == 16 for span in spans)
    assert (root.parent_span_id, classify.parent_span_id, refund.parent_span_id) == (b"", root.span_id, root.span_id)
    assert send.parent_span_id not in (b"", root.span_id)  # the loop `each`
    assert call.parent_span_id == classify.span_id
    assert (root.start_time_unix_nano, root.end_time_unix_nano) == ((START + 10) * 10**6, (START + 1_000) * 10**6)
    assert call.end_time_unix_nano - call.start_time_unix_nano == 700_500_000
    about = values_of(call)
    assert about["gen_ai.operation.name"] == "chat"
    assert about["gen_ai.provider.name"] == "openai"
    assert (about["gen_ai.request.model"], about["gen_ai.usage.input_tokens"]) == ("gpt-5-mini", 120)
    assert json.loads(about["gen_ai.output.messages"])[0]["parts"][0]["content"] == '{"kind": "refund"}'
    assert (root.status.code, send.status.code, refund.status.code) == (1, 2, 0)
    whole_child = second.scope_spans[0].spans[0]
    assert bytes(whole_child.trace_id).hex() == "b" * 32
    assert whole_child.parent_span_id != b""
    assert (whole_child.status.code, whole_child.status.message) == (2, "boom")
    assert values_of(first.resource)["service.name"] == "triage"


def test_parts_end_at_their_limit_and_say_where() -> None:
    runs = [record(created_at=START - number) for number in range(5)]

    async def main() -> None:
        writer = writer_for(Shape())
        first = await part(given(runs), writer, 2)
        assert [read_record(line).run_id for line in first.content.splitlines()] == [run.run_id for run in runs[:2]]
        assert first.last == place_of(runs[1])
        last = await part(given(runs), writer, 5)
        assert (len(last.content.splitlines()), last.last) == (5, None)
        large = [record(input="x" * PART_BYTES), *runs]
        assert (await part(given(large), writer, 5)).last == place_of(large[0])

    asyncio.run(main())


def test_what_a_format_has_not_is_refused() -> None:
    for shape in (
        Shape(format="otlp", columns=("input.a",)),
        Shape(format="csv", split=0.9),
        Shape(format="csv", columns=("nonsense",)),
        Shape(format="csv", columns=("input",)),
        Shape(format="csv", columns=tuple(f"input.{n}" for n in range(300))),
    ):
        with pytest.raises(InvalidInput):
            writer_for(shape)
    assert named(["input.a, input.b", "output.c"]) == ("input.a", "input.b", "output.c")
