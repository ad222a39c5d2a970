"""Records of runs for the run store's tests."""

from typing import Any

from runwell.model.ids import new_id
from runwell.model.run_record import GenerationRecord, RunRecord, StepRecord
from runwell.model.scope import Scope
from runwell.model.statuses import RunStatus
from runwell.model.usage import Usage

OURS = Scope("org_" + "1" * 32, "prj_" + "1" * 32)
BESIDE = Scope("org_" + "1" * 32, "prj_" + "2" * 32)
THEIRS = Scope("org_" + "2" * 32, "prj_" + "3" * 32)
FLOW = "wf_" + "a" * 32
START = 1_790_000_000_000

HOSTILE = "O'Brien \\ \t\n\r\0 {x:String} %s %(a)s \" ` -- ; ünï 日本 🙂 İ"


def record(at: int = 0, scope: Scope = OURS, **fields: Any) -> RunRecord:
    """Return a run that was created `at` ms after the start of all."""
    given: dict[str, Any] = {
        "run_id": new_id("run"),
        "rev": 7,
        "org_id": scope.org_id,
        "project_id": scope.project_id,
        "workflow_id": FLOW,
        "workflow_slug": "triage",
        "workflow_name": "Triage",
        "version": 3,
        "version_hash": "ab" * 32,
        "status": RunStatus.SUCCEEDED,
        "created_at": START + at,
        "started_at": START + at + 5,
        "ended_at": START + at + 25,
        "duration_ms": 20,
    }
    return RunRecord(**given | fields)


def full(**fields: Any) -> RunRecord:
    """Return a run with a value in every field."""
    given: dict[str, Any] = {
        "waiting_for": "approval",
        "failure_code": "HTTP_FAILED",
        "failed_step": "refund",
        "error_message": HOSTILE,
        "trigger": "schedule",
        "environment": "testing",
        "root_run_id": new_id("run"),
        "parent_run_id": new_id("run"),
        "source_run_id": new_id("run"),
        "served_from": new_id("run"),
        "queue_ms": 1,
        "waited_ms": 2,
        "input": {"ticket": {"text": HOSTILE, "lang": "de", "at": "2026-01-02"}, "none": None, "items": [{"n": 1.5}, {"n": -2}], "": {}},
        "output": [True, 2**53, "x" * 1000, {"a b": HOSTILE}],
        "tags": ("beta", HOSTILE),
        "metadata": {"env": "prod", HOSTILE: HOSTILE},
        "usage": Usage(input_tokens=1, cached_tokens=2, output_tokens=3, reasoning_tokens=4, generations=1, cost_nanos=2**40),
        "cache_hits": 2,
        "saved_nanos": 7,
        "saved_ms": 8,
        "tool_calls": 3,
        "steps": (
            StepRecord(path="classify", id="classify", type="llm", status="succeeded", attempts=2, started_at=START, duration_ms=9),
            StepRecord(path="each[0].refund", id="refund", type="http", status="failed", reason="blocked", error_code="HTTP_FAILED"),
        ),
        "generations": (
            GenerationRecord(
                seq=4,
                at=START,
                step_path="classify",
                provider="openai",
                model="gpt-5-mini",
                latency_ms=1.25,
                first_token_ms=0.5,
                usage=Usage(input_tokens=1),
                messages=[{"role": "user", "content": HOSTILE}],
                response={"kind": "refund"},
            ),
            GenerationRecord(seq=5, at=START, step_path="classify", provider="openai", model="gpt-5", ok=False, error_message="away"),
        ),
        "comments": 2,
        "review": "positive",
        "score": 0.25,
        "archived_at": START,
    }
    return record(**given | fields)
