"""The HTTP interface without anything behind it: for its OpenAPI document."""

from typing import Any

import msgspec

from runwell.api.metrics import Metrics
from runwell.api.parts import Parts


class _Nothing:
    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"nothing is behind this interface, so it has no {name!r}")


def parts_without_server() -> Parts:
    """Return parts over which an application can be made, but none called."""
    fields: dict[str, Any] = {field.name: _Nothing() for field in msgspec.structs.fields(Parts) if field.required}
    return Parts(**{**fields, "metrics": Metrics()})
