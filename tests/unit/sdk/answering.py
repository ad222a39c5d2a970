"""A server made of Python: answers that a test writes by hand, and what was asked."""

from collections.abc import Callable
from typing import Any

import httpx2
import msgspec

import runwell
from runwell.sdk.client import AsyncClient, Client

Answer = httpx2.Response | Exception
Script = Callable[[httpx2.Request], Answer]

RUN = "run_" + "1" * 32
WORKFLOW = "wf_" + "2" * 32
ACCEPTED = {"run_id": RUN, "status": "running"}
OVERVIEW: dict[str, Any] = {
    "id": RUN,
    "workflow": {"id": WORKFLOW, "slug": "greet", "name": "Greet", "version": 1},
    "status": "running",
    "label": "Running",
    "waiting_for": None,
    "waits": [],
    "steps": {},
    "progress": {"resolved": 0, "total": 1},
    "failed_step": None,
    "error": None,
    "causes": [],
    "durations": {"queued_ms": 0, "working_ms": 0, "waiting_ms": 0},
    "created_at": "2026-11-21T00:00:00.000Z",
}


def reply(status: int, body: Any = None, **headers: str) -> httpx2.Response:
    """Return an answer; underscores in header names become hyphens."""
    return httpx2.Response(
        status, headers={name.replace("_", "-"): value for name, value in headers.items()}, content=msgspec.json.encode(body)
    )


def problem(status: int, code: str, **headers: str) -> httpx2.Response:
    body = {
        "type": "/problems/x",
        "title": "X",
        "status": status,
        "code": code,
        "detail": "it is so",
        "request_id": "req_1",
        "hint": "do it",
    }
    return reply(status, body, content_type="application/problem+json", **headers)


class Server:
    """Gives the answers one after another, the last one again and again; an exception is raised as httpx2 would."""

    def __init__(self, *answers: Answer | Script) -> None:
        self._answers = list(answers)
        self.asked: list[httpx2.Request] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request)
        answer = self._answers[0] if len(self._answers) == 1 else self._answers.pop(0)
        given = answer(request) if not isinstance(answer, httpx2.Response | Exception) else answer
        if isinstance(given, Exception):
            raise given
        return httpx2.Response(given.status_code, headers=given.headers, content=given.content)

    @property
    def keys(self) -> list[str | None]:
        return [request.headers.get("idempotency-key") for request in self.asked]

    def client(self, *, retries: int = 3) -> Client:
        return runwell.Client("http://server.test", "rw_key", retries=retries, transport=httpx2.MockTransport(self))

    def async_client(self, *, retries: int = 3) -> AsyncClient:
        return runwell.AsyncClient("http://server.test", "rw_key", retries=retries, transport=httpx2.MockTransport(self))
