"""One attempt of an http step against a loopback server, for tests."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from tests.local_server import LocalServer, Received, Respond, answer
from tests.step_context import FakeContext

from runwell.adapters.http import GuardedHttp
from runwell.adapters.secrets import EnvironmentSecrets
from runwell.model.errors import StepError
from runwell.ports.http import HttpRequest, HttpResponse
from runwell.steps.http import HttpStep, send_http

TOKEN = "topsecret-ключ+/ 1"
AWKWARD = "topsecret/..?#&=%41+ \n'\"é"
SECRETS = EnvironmentSecrets(
    {
        "RUNWELL_SECRET_TOKEN": TOKEN,
        "RUNWELL_SECRET_PLAIN": "plain-topsecret",
        "RUNWELL_SECRET_PIN": "82736455",
        "RUNWELL_SECRET_AWKWARD": AWKWARD,
    }
)


def step(request: Mapping[str, Any], **fields: Any) -> HttpStep:
    return HttpStep.model_validate({"id": "call", "type": "http", "request": request, **fields})


def secret(name: str, before: str = "", after: str = "") -> dict[str, Any]:
    return {"$secret_text": [before, {"secret": name}, after]}


def exchange(request: Mapping[str, Any], respond: Respond = lambda received: answer(), **fields: Any) -> tuple[Any, list[Received]]:
    """Make one attempt; return its result or its error, and what the server got. `{url}` in the request is the server's.

    Pointers to secrets are found by shape: what a test means as data must not have it.
    """
    context = {name: fields.pop(name) for name in ("secret_pointers", "limits") if name in fields}

    async def main() -> tuple[Any, list[Received]]:
        async with LocalServer(respond) as server:
            given = json.loads(json.dumps(request).replace("{url}", server.url("")))
            context.setdefault("secret_pointers", frozenset(pointers({"request": given})))
            http = GuardedHttp(["127.0.0.1/32"])
            declared = {**given, "url": "https://declared.example", **({"headers": {}} if "headers" in given else {})}
            spec = step(declared if isinstance(given.get("body"), str | None) else {**declared, "body": "{{ x }}"}, **fields)
            ctx = FakeContext(spec, {"request": given}, http=http, secrets=SECRETS, **context)
            try:
                return await send_http(ctx), server.requests
            except StepError as error:
                return error, server.requests
            finally:
                await http.aclose()

    return asyncio.run(main())


def pointers(value: Any, pointer: str = "") -> list[str]:
    if isinstance(value, dict) and "$secret_text" in value:
        return [pointer]
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, item in items for found in pointers(item, f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}")]


def failed(outcome: Any) -> StepError:
    assert isinstance(outcome, StepError)
    return outcome


class RecordingHttp:
    def __init__(self) -> None:
        self.request: HttpRequest | None = None

    async def send(self, request: HttpRequest) -> HttpResponse:
        self.request = request
        return HttpResponse(status=200, headers={}, body=b"", url=request.url)

    async def aclose(self) -> None:
        pass
