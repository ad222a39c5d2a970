"""Ids in paths and bodies: shown form or bare UUID."""

from typing import Annotated

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
