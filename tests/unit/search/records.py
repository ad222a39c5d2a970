"""Runs to search, made by hand."""

from typing import Any

from runwell.model.ids import DEFAULT_ORG, DEFAULT_PROJECT
from runwell.model.run_record import RunRecord
from runwell.model.statuses import RunStatus


def record(**fields: Any) -> RunRecord:
    """Return a run that succeeded, but for these fields."""
    given: dict[str, Any] = {
        "run_id": "run_" + "1" * 32,
        "rev": 5,
        "org_id": DEFAULT_ORG,
        "project_id": DEFAULT_PROJECT,
        "workflow_id": "wf_" + "2" * 32,
        "workflow_slug": "support-triage",
        "workflow_name": "Support triage",
        "version": 3,
        "version_hash": "ab" * 32,
        "status": RunStatus.SUCCEEDED,
        "created_at": 1_000,
    }
    return RunRecord(**given | fields)
