"""What is wrong with a request, in words: the value, the place and the cure."""

from typing import Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from runwell.api.validation_words import words_for


class Order(BaseModel):
    model_config = ConfigDict(extra="forbid")

    count: int = Field(ge=1, default=1)
    kind: Literal["new", "old"] = "new"
    password: str = Field(min_length=12, default="x" * 12)
    name: str


@pytest.mark.parametrize(
    ("body", "message", "hint"),
    [
        ({}, "'name' is required and missing", "give it"),
        ({"name": "n", "colour": 1}, "there is no field 'colour' here", "take it out, or look its name up in /openapi.json"),
        ({"name": "n", "count": 0}, "'count' is 0: input should be greater than or equal to 1", None),
        ({"name": "n", "kind": "x" * 50}, "'kind' is text of 50 characters: input should be 'new' or 'old'", None),
        ({"name": ["n"]}, "'name' is a list: input should be a valid string", None),
        ({"name": True}, "'name' is true: input should be a valid string", None),
        ({"name": 10**60}, "'name' is a number of over 40 digits: input should be a valid string", None),
        ({"name": "n", "password": "hunter2"}, "'password' is text of 7 characters: string should have at least 12 characters", None),
        ([], "the body is no JSON object", "send one, with Content-Type: application/json"),
    ],
)
def test_value_place_and_cure(body: Any, message: str, hint: str | None) -> None:
    with pytest.raises(ValidationError) as caught:
        Order.model_validate(body)
    (error,) = caught.value.errors()
    if isinstance(body, list):
        error = {**error, "type": "dict_type"}  # as FastAPI's own check of a body says it
    assert words_for(error, "body", list(error["loc"])) == (message, hint)
