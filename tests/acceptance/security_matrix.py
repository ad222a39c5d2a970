"""Every operation by every caller: what must not be. `violations` yields what is wrong, and nothing on a sound server."""

import asyncio
import json
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode

import httpx2
from tests.acceptance.api_operations import Ids, Operation, Request, missing, operations, spellings
from tests.acceptance.tenants import Caller, Tenants
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

LISTENING_S: Final = 0.25
"""How long a stream that was opened is listened to."""

SOCKET: Final = Operation(
    "open_workflow_socket", "WEBSOCKET", "/v1/workflows/{workflow_id}/stream", "workflow:read", (), False, (101,), True
)
"""The OpenAPI document knows no WebSockets."""

_PER_ANSWER: Final = ("x-request-id", "x-runwell-run-id", "date", "ratelimit-limit", "ratelimit-remaining", "ratelimit-reset")
_REQUEST_ID: Final = re.compile(r"req_[0-9a-f]{32}")

ANSWERS_OF_THEIR_OWN: Final = {
    "start_oidc": (404, "no identity provider is set up here; tests/unit/access/test_oidc.py signs in through one"),
    "finish_oidc": (404, "as above"),
    "set_up": (409, "there is a user already"),
    "sign_in": (401, "the matrix sends a wrong password"),
    "give_feedback": (401, "the matrix sends a token of chance; tests/acceptance/test_feedback.py sends good ones"),
    "choose_password": (401, "the matrix sends a token of chance"),
    "reply_to_run": (409, "the run is no agent's; tests/acceptance/test_api_agents.py replies to one that is"),
    "reply_to_run_of_workflow": (409, "as above"),
}
"""Operations that the owner is refused here, each with its reason."""


@dataclass(frozen=True)
class Told:
    """An answer, without what differs from one to the next: `sent` values stand as their names."""

    status: int
    headers: Mapping[str, str]
    text: str

    def __str__(self) -> str:
        return f"{self.status} {dict(self.headers)} {self.text[:300]}"


@dataclass
class Matrix:
    """`exchanges`: how often each operation was asked by each kind of caller."""

    world: Tenants
    exchanges: Counter[tuple[str, str]] = field(default_factory=Counter)

    def operations(self) -> list[Operation]:
        return [SOCKET, *operations(self.world.server.app.openapi())]

    async def violations(
        self, asked: Iterable[Operation] | None = None, kinds: Iterable[str] = ("denied", "limited", "foreign")
    ) -> AsyncIterator[str]:
        checks = {"denied": self._denied, "limited": self._limited, "foreign": self._foreign, "owner": self._owner}
        for operation in self.operations() if asked is None else asked:
            for gap in operation.gaps():
                yield gap
            for kind in kinds:
                async for found in checks[kind](operation):
                    yield f"{operation.name}: {found}"

    async def _denied(self, operation: Operation) -> AsyncIterator[str]:
        """Who has no credential that counts is told so, in the same words, before anything else."""
        if operation.permission == "public":
            return
        for shape in operation.shapes():
            answers = {caller.name: await self.send(operation, shape, self.world.ids, caller, "denied") for caller in self.world.denied}
            first = answers["nobody"]
            for name, told in answers.items():
                if told.status != 401 or told != first:
                    yield f"{name!r} is answered with {told}"
                for word in self._words(told, self.world.canaries.secret | self.world.canaries.shared):
                    yield f"{name!r} is told {word!r}"

    async def _limited(self, operation: Operation) -> AsyncIterator[str]:
        """Who lacks the permission is refused; who may only read can read everything, and do nothing."""
        if operation.permission == "public":
            return
        for shape in operation.shapes():
            ids = {**self.world.ids, **self.world.viewer.own}
            viewer = await self.send(operation, shape, ids, self.world.viewer, "viewer")
            may = "workflow:read" in operation.needs
            if may and viewer.status not in operation.expects:
                yield f"the viewer is answered with {viewer}"
            if not may and operation.needs and viewer.status != 403:
                yield f"the viewer is answered with {viewer}"
            if operation.needs:
                told = await self.send(operation, shape, self.world.ids, self.world.without[operation.needs], "wrong scope")
                if told.status != 403:
                    yield f"{self.world.without[operation.needs].name!r} is answered with {told}"

    async def _foreign(self, operation: Operation) -> AsyncIterator[str]:
        """What is another's is answered as what is not there, and nothing of it is told."""
        for caller in self.world.foreign:
            for shape in operation.shapes():
                async for found in self._foreign_shape(operation, shape, caller):
                    yield f"{caller.name!r}: {found}"

    async def _foreign_shape(self, operation: Operation, shape: Request, caller: Caller) -> AsyncIterator[str]:
        told = None
        for real, none in self._pairs(shape, caller):
            told = await self.send(operation, shape, real, caller, "foreign")
            expected = await self.send(operation, shape, none, caller, "foreign")
            if told != expected:
                yield f"{shape.filled(real).path} {shape.body} is answered with {told}, but what is not there with {expected}"
            for word in self._words(told, self.world.spoken_to(caller)):
                yield f"is told {word!r} by {shape.filled(real).path}"
        if told is None:
            told = await self.send(operation, shape, {}, caller, "foreign")
            for word in self._words(told, self.world.spoken_to(caller)):
                yield f"is told {word!r}"

    def _pairs(self, shape: Request, caller: Caller) -> Iterable[tuple[Ids, Ids]]:
        """Yield ids of the owner, and ids of nothing in the same places: everywhere, then in one place among the caller's own."""
        names = shape.names()
        if not names:
            return
        nothing = missing(self.world.ids)
        yield from zip(spellings(self.world.ids), spellings(nothing), strict=True)
        for name in sorted(names) if len(names) > 1 else ():
            others = {**self.world.ids, **caller.own}
            yield {**others, name: self.world.ids[name]}, {**others, name: nothing[name]}

    async def _owner(self, operation: Operation) -> AsyncIterator[str]:
        """The owner is let in."""
        fixed = ANSWERS_OF_THEIR_OWN.get(operation.name)
        for shape in operation.shapes():
            told = await self.send(operation, shape, self.world.ids, self.world.owner, "owner")
            allowed = operation.expects if fixed is None else (fixed[0],)
            if told.status not in allowed:
                yield f"the owner's {shape.body} is answered with {told}"

    @staticmethod
    def _words(told: Told, words: Iterable[str]) -> list[str]:
        everything = f"{told.headers} {told.text}"
        return [word for word in words if word in everything]

    async def send(self, operation: Operation, shape: Request, ids: Ids, caller: Caller, kind: str) -> Told:
        """Send the request and return what came, the ids that were sent taken out."""
        self.exchanges[operation.name, kind] += 1
        request = shape.filled(ids)
        if operation is SOCKET:
            status, headers, text = await self._over_websocket(request, caller)
        elif operation.streams:
            status, headers, text = await self._streamed(request, caller)
        else:
            status, headers, text = await self._sent(request, caller)
        kept = {name: value for name, value in headers.items() if name not in _PER_ANSWER}
        return Told(status, kept, _without(text, {name: ids[name] for name in shape.names() if name in ids}))

    async def _sent(self, request: Request, caller: Caller) -> tuple[int, dict[str, str], str]:
        content, headers = _written(request, caller)
        self.world.client.cookies.clear()
        answer = await self.world.client.request(
            request.method, request.path, params=dict(request.query), content=content, headers=headers, timeout=20
        )
        return answer.status_code, dict(answer.headers), answer.text

    async def _streamed(self, request: Request, caller: Caller) -> tuple[int, dict[str, str], str]:
        address, content, headers = f"http://{self.world.socket_address}{request.path}", *_written(request, caller)
        async with (
            httpx2.AsyncClient(timeout=20) as client,
            client.stream(request.method, address, content=content, headers=headers) as answer,
        ):
            heard = bytearray()
            with suppress(TimeoutError):
                async with asyncio.timeout(LISTENING_S if answer.status_code == 200 else 20):
                    async for part in answer.aiter_bytes():
                        heard += part
            return answer.status_code, dict(answer.headers), heard.decode()

    async def _over_websocket(self, request: Request, caller: Caller) -> tuple[int, dict[str, str], str]:
        address = f"ws://{self.world.socket_address}{request.path}?{urlencode({'after': '0'})}"
        heard: list[str] = []
        page = {"Origin": f"http://{self.world.socket_address}"} if "Cookie" in caller.headers else {}
        try:
            async with connect(address, additional_headers={**caller.headers, **page}, proxy=None, close_timeout=1) as socket:
                with suppress(TimeoutError, ConnectionClosed):
                    async with asyncio.timeout(LISTENING_S):
                        async for message in socket:
                            heard.append(str(message))
                return 101, {}, "".join(heard)
        except InvalidStatus as exc:
            headers = {name.lower(): value for name, value in exc.response.headers.raw_items()}
            return exc.response.status_code, headers, (exc.response.body or b"").decode()


def _written(request: Request, caller: Caller) -> tuple[str | None, dict[str, str]]:
    content = None if request.body is None else json.dumps(request.body)
    return content, {**request.headers, **caller.headers, **({} if content is None else {"Content-Type": "application/json"})}


def _without(text: str, sent: Mapping[str, str]) -> str:
    text = _REQUEST_ID.sub("<request>", text)
    for name, value in sorted(sent.items(), key=lambda item: -len(item[1])):
        for form in _forms(value):
            text = text.replace(form, f"<{name}>")
    return text


def _forms(value: str) -> list[str]:
    """Return how an answer may repeat an id: as it came, or in its shown form, or as its hex digits."""
    bare = value.partition("_")[2] or value
    return [value, bare]


def summary(exchanges: Mapping[tuple[str, str], int]) -> dict[str, Any]:
    kinds = sorted({kind for _, kind in exchanges})
    return {
        kind: (len({name for name, its in exchanges if its == kind}), sum(n for (_, its), n in exchanges.items() if its == kind))
        for kind in kinds
    }
