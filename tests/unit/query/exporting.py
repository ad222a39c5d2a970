"""Runs to export."""

from typing import Any

import msgspec

from runwell.model.ids import new_id
from runwell.model.run_record import GenerationRecord, RunRecord, StepRecord
from runwell.model.statuses import RunStatus
from runwell.model.usage import Usage

START = 1_792_000_000_000

CALL = GenerationRecord(
    seq=4,
    at=START + 900,
    step_path="classify",
    provider="openai",
    model="gpt-5-mini",
    latency_ms=700.5,
    usage=Usage(input_tokens=120, output_tokens=30, generations=1, cost_nanos=1_234_567),
    messages=[{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Classify: my card was charged twice"}],
    response='{"kind": "refund"}',
)


def record(**changes: Any) -> RunRecord:
    made = RunRecord(
        run_id=new_id("run"),
        rev=9,
        org_id="org_1",
        project_id="prj_1",
        workflow_id="wf_1",
        workflow_slug="triage",
        workflow_name="Triage",
        version=3,
        version_hash="h" * 64,
        status=RunStatus.SUCCEEDED,
        created_at=START,
        started_at=START + 10,
        ended_at=START + 1_000,
        duration_ms=990,
        input={"ticket": {"lang": "de", "text": "Hallo"}, "items": [{"name": "a"}, {"name": "b"}]},
        output={"kind": "refund", "score": 0.5},
        tags=("beta",),
        metadata={"env": "prod"},
        usage=CALL.usage,
        steps=(
            StepRecord(path="classify", id="classify", type="llm", status="succeeded", attempts=1, started_at=START + 20, duration_ms=900),
            StepRecord(path="each[3].send", id="send", type="http", status="failed", error_code="HTTP_FAILED", started_at=START + 30),
            StepRecord(path="refund", id="refund", type="http", status="skipped", reason="condition_false"),
        ),
        generations=(CALL,),
        review="positive",
        score=0.75,
    )
    return msgspec.structs.replace(made, **changes)
