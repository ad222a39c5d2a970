"""Ids in paths and bodies: shown form or bare UUID."""

from typing import Annotated

from fastapi import Path
from pydantic import AfterValidator, Field

from runwell.model.errors import InvalidInput
from runwell.model.ids import Prefix, parse_id


def _parsed(prefix: Prefix, text: str) -> str:
    try:
        return parse_id(prefix, text)
    except InvalidInput as exc:
        raise ValueError(str(exc)) from exc


RunId = Annotated[str, Field(max_length=64), AfterValidator(lambda text: _parsed("run", text))]
TaskId = Annotated[str, Field(max_length=64), AfterValidator(lambda text: _parsed("task", text))]
ProjectId = Annotated[str, Field(max_length=64), AfterValidator(lambda text: _parsed("prj", text))]
UserId = Annotated[str, Field(max_length=64), AfterValidator(lambda text: _parsed("usr", text))]
SecretId = Annotated[str, Field(max_length=64), AfterValidator(lambda text: _parsed("sec", text))]
ConnectionId = Annotated[str, Field(max_length=64), AfterValidator(lambda text: _parsed("con", text))]
ViewId = Annotated[str, Field(max_length=64), AfterValidator(lambda text: _parsed("view", text))]

ExperimentId = Annotated[str, Field(max_length=64), AfterValidator(lambda text: _parsed("exp", text))]

RunKey = Annotated[str, Path(max_length=64, description="The run's id, its bare UUID, or the first 24 hex digits of it.")]
"""Looked up with `query.finding.find_run`."""

WorkflowKey = Annotated[str, Path(max_length=200, description="The workflow's id, its bare UUID, or its slug.")]
"""Looked up with `query.finding.find_workflow`."""
