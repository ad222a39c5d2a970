"""Exports of many runs are made with little memory, and are what they say."""

import base64
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema_rs
import pyarrow.parquet as pq
import pytest
from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

RUNS = int(os.environ.get("RUNWELL_EXPORT_RUNS", "4000"))
"""What is promised holds for 100,000, whose making takes two minutes."""

GROWTH_MB = 200
CHAT = jsonschema_rs.validator_for(
    {
        "type": "object",
        "required": ["messages"],
        "additionalProperties": False,
        "properties": {
            "messages": {
                "type": "array",
                "minItems": 2,
                "contains": {"properties": {"role": {"const": "user"}}},
                "items": {
                    "type": "object",
                    "required": ["role", "content"],
                    "additionalProperties": False,
                    "properties": {
                        "role": {"enum": ["system", "developer", "user", "assistant"]},
                        "content": {"type": "string", "minLength": 1},
                    },
                },
            }
        },
    }
)


def drive(*args: str) -> str:
    command = [sys.executable, "-m", "tests.acceptance.export_driver", *args]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stderr[-2_000:]
    return done.stdout


def traces_in(line: str) -> int:
    """Decode OTLP's JSON form, whose ids are hex where protobuf's own has base64; return how many spans there are."""
    data = json.loads(line)
    spans: list[dict[str, Any]] = data["resourceSpans"][0]["scopeSpans"][0]["spans"]
    for span in spans:
        for key in {"traceId", "spanId", "parentSpanId"} & span.keys():
            span[key] = base64.b64encode(bytes.fromhex(span[key])).decode()
    request = ExportTraceServiceRequest()
    json_format.ParseDict(data, request)
    return len(request.resource_spans[0].scope_spans[0].spans)


@pytest.mark.slow
@pytest.mark.timeout(1_800)
def test_an_export_of_many_runs_takes_little_memory(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    drive("fill", str(tmp_path / "store"), str(RUNS))
    for name in ("jsonl", "csv", "parquet", "openai-finetune", "otlp"):
        file = tmp_path / name
        told = json.loads(drive("export", str(tmp_path / "store"), name, str(file)))
        with capsys.disabled():
            sys.stdout.write(f"\n{name}: {RUNS} runs grew the process by {told['grown_mb']:.0f} MB, in {told['seconds']:.0f} s\n")
        assert told["grown_mb"] < GROWTH_MB
        if name == "parquet":
            assert pq.ParquetFile(file).metadata.num_rows == RUNS
            continue
        with file.open() as lines:
            for number, line in enumerate(lines):
                if name == "openai-finetune":
                    CHAT.validate(json.loads(line))
                elif name == "otlp" and number % 100 == 0:
                    assert traces_in(line) > 0
        if name in ("jsonl", "otlp"):
            assert number + 1 == RUNS
        file.unlink()
