"""Traces sent to the HTTP interface in process, and recorded at once."""

from typing import Any

from tests.acceptance.api_bench import Api
from tests.spans import as_json, as_protobuf

PATH = "/v1/traces"
PROTOBUF = "application/x-protobuf"
JSON = "application/json"


async def send(
    api: Api, sent: dict[str, Any] | bytes, kind: str = JSON, *, status: int = 200, who: str = "ann", encoding: str | None = None
) -> Any:
    body = sent if isinstance(sent, bytes) else as_json(sent) if kind == JSON else as_protobuf(sent)
    response = await api.send(
        "POST", PATH, content=body, who=who, headers={"content-type": kind, **({} if encoding is None else {"content-encoding": encoding})}
    )
    assert response.status_code == status, (response.status_code, response.text)
    return response


async def settle(api: Api) -> None:
    assert api.app.traces is not None
    await api.app.traces.settle(everything=True)


def steps_of(run: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(step["path"], step["type"], step["status"]) for step in run["steps"]]
