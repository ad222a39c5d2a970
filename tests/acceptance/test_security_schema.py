"""The OpenAPI document at its word: schemathesis sends what fits it and what does not, and looks at what comes back.

The application lives in a loop of its own, in another thread; what schemathesis sends is handed over to it.
"""

import asyncio
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, cast

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import FailureGroup
from schemathesis.generation.modes import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)
from tests.acceptance.api_operations import CONSTANTS, PLACES
from tests.acceptance.tenants import Tenants, tenants

SEED: Final = 20_260_217
EXAMPLES: Final = 8
"""Of each operation and kind."""

LEFT_OUT: Final = {
    "stream_run": "its answer does not end",
    "stream_run_of_workflow": "its answer does not end",
    "stream_workflow": "its answer does not end",
    "sign_out": "all that follows would be anonymous",
}

KEPT_WHOLE: Final = {"update_project": "it would archive the project in which all happens", "update_user": "it would disable the owner"}
"""Operations that are sent ids of chance alone, beside those that delete."""

_CONFIG: Final = SchemathesisConfig.from_dict({"generation": {"with-security-parameters": False}})  # the owner's credentials alone

CHECKS: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
    unsupported_method,
]


class Elsewhere:
    """The tenants' application in its own loop; ASGI for callers in other loops."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._ready: Future[Tenants] = Future()
        self._loop = asyncio.new_event_loop()
        self._end = asyncio.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        async with tenants(self._path) as world:
            self._ready.set_result(world)
            await self._end.wait()

    @contextmanager
    def opened(self) -> Iterator[Tenants]:
        self._thread.start()
        try:
            yield self._ready.result(60)
        finally:
            self._loop.call_soon_threadsafe(self._end.set)
            self._thread.join(60)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            raise RuntimeError(f"no {scope['type']} here")
        incoming = [await receive()]
        while incoming[-1].get("more_body"):
            incoming.append(await receive())
        answering = asyncio.run_coroutine_threadsafe(self._answer(scope, incoming), self._loop)
        for message in await asyncio.wrap_future(answering):
            await send(message)

    async def _answer(self, scope: Any, incoming: list[Any]) -> list[Any]:
        world, said, done = self._ready.result(), [], asyncio.Event()

        async def receive() -> Any:
            if incoming:
                return incoming.pop(0)
            await done.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            said.append(message)
            if message["type"] == "http.response.body" and not message.get("more_body"):
                done.set()

        async with asyncio.timeout(30):
            await world.server.app(scope, receive, send)
        return said


def test_answers_are_as_documented(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    app = Elsewhere(tmp_path)
    with app.opened() as world:
        began, counted, found, sent = time.perf_counter(), Counter[int](), list[str](), set[str]()
        schema = schemathesis.openapi.from_asgi("/openapi.json", app, config=_CONFIG)
        asked = set()
        for result in schema.get_all_operations():
            operation = cast(Any, result).ok()
            name = operation.definition.raw["operationId"]
            asked.add(name)
            if name in LEFT_OUT:
                continue
            for mode, ids in _kinds(operation, name, world.ids):
                before = counted.total()
                _send(operation, mode, ids, world, counted, found)
                sent |= {name} if counted.total() > before else set()
        took = time.perf_counter() - began
        with capsys.disabled():
            told = f"{len(sent)} operations, {counted.total()} requests in {took:.1f} s; answers {dict(sorted(counted.items()))}"
            sys.stdout.write(f"\n{told}\n")
        assert not found, f"{len(found)} wrong:\n" + "\n\n".join(found)
        assert asked - sent == LEFT_OUT.keys()
        assert asked >= KEPT_WHOLE.keys()
        assert {200, 201, 404, 422} <= counted.keys()


def _kinds(operation: Any, name: str, ids: dict[str, str]) -> Iterator[tuple[GenerationMode, dict[str, str]]]:
    """Yield what to send: what fits, with real ids where there are any, what fits with ids of chance, and what does not fit."""
    names = [one["name"] for one in operation.definition.raw.get("parameters", ()) if one["in"] == "path"]
    if operation.method.upper() != "DELETE" and name not in KEPT_WHOLE:
        yield GenerationMode.POSITIVE, {one: CONSTANTS.get(one) or ids[PLACES.get(one, one)] for one in names}
        yield GenerationMode.NEGATIVE, {one: CONSTANTS.get(one) or ids[PLACES.get(one, one)] for one in names}
    if names:
        yield GenerationMode.POSITIVE, {}
        yield GenerationMode.NEGATIVE, {}


def _send(operation: Any, mode: GenerationMode, ids: dict[str, str], world: Tenants, counted: Counter[int], found: list[str]) -> None:
    @seed(SEED)
    @settings(max_examples=EXAMPLES, database=None, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode, **({"path_parameters": ids} if ids else {})))
    def look(case: Any) -> None:
        response = case.call(headers=world.owner.headers)
        counted[response.status_code] += 1
        is_text = case.media_type == "application/yaml"  # any text is a document, and what is wrong with it may be the answer
        case.validate_response(response, checks=CHECKS, excluded_checks=[negative_data_rejection] if is_text else None)

    try:
        look()
    except Unsatisfiable:
        return  # it takes nothing that could be wrong
    except (FailureGroup, Exception) as exc:
        why = "\n".join(map(str, exc.exceptions)) if isinstance(exc, FailureGroup) else repr(exc)
        found.append(f"{operation.label} ({mode}, {'real ids' if ids else 'ids of chance'}): {why}"[:1_500])
