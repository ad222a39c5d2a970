"""Free JSON in request bodies: what Python reads beyond JSON, and what could not be kept, is refused."""

import json
from typing import Annotated, Any

import msgspec
from pydantic import AfterValidator


def _kept_as_it_is(value: Any) -> Any:
    try:
        json.dumps(value, allow_nan=False)
        msgspec.json.encode(value)
    except UnicodeEncodeError as exc:
        raise ValueError("text must be Unicode without lone surrogates") from exc
    except RecursionError as exc:
        raise ValueError("it nests too deeply") from exc
    except (TypeError, ValueError, OverflowError) as exc:
        raise ValueError("it is no JSON: numbers must be finite") from exc
    return value


JsonObject = Annotated[dict[str, Any], AfterValidator(_kept_as_it_is)]
Text = Annotated[str, AfterValidator(_kept_as_it_is)]
