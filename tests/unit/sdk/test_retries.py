"""What is sent again, how often, how soon, and under which idempotency key."""

import asyncio

import httpx2
import pytest
from tests.unit.sdk.answering import ACCEPTED, OVERVIEW, RUN, Server, problem, reply

from runwell.model.errors import NotFound, Outdated, Refused, RunwellError
from runwell.sdk.errors import ServerFailed, ServerUnreachable, TooManyRequests

NO_CONNECTION = httpx2.ConnectError("refused")
CUT = httpx2.ReadError("cut")
IN_FLIGHT = problem(409, "CONFLICT", retry_after="1")


def test_a_post_has_a_key_which_it_keeps_over_retries(pauses: list[float]) -> None:
    server = Server(CUT, problem(503, "JOURNAL_UNAVAILABLE"), IN_FLIGHT, reply(202, ACCEPTED))
    client = server.client()
    assert client.runs.start("greet").run_id == RUN
    assert len(server.asked) == 4
    assert len(set(server.keys)) == 1
    assert server.keys[0]
    assert len({bytes(request.content) for request in server.asked}) == 1
    client.runs.start("greet")
    assert server.keys[4] not in (None, server.keys[0])


def test_a_key_can_be_given(pauses: list[float]) -> None:
    server = Server(reply(202, ACCEPTED))
    server.client().runs.start("greet", idempotency_key="order-4711")
    assert server.keys == ["order-4711"]


def test_awaited_it_is_the_same(pauses: list[float]) -> None:
    server = Server(CUT, IN_FLIGHT, reply(202, ACCEPTED))

    async def work() -> str:
        async with server.async_client() as client:
            return (await client.runs.start("greet")).run_id

    assert asyncio.run(work()) == RUN
    assert len(set(server.keys)) == 1
    assert len(pauses) == 2


def test_pauses_grow_and_the_server_s_wish_counts(pauses: list[float]) -> None:
    server = Server(NO_CONNECTION, NO_CONNECTION, problem(429, "TOO_MANY_REQUESTS", retry_after="7"), reply(200, OVERVIEW))
    server.client().runs.summary(RUN)
    first, second, third = pauses
    assert 0.125 <= first <= 0.25 <= second <= 0.5
    assert third == 7.0


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (CUT, ServerUnreachable),
        (httpx2.ReadTimeout("slow"), ServerUnreachable),
        (problem(500, "INTERNAL_ERROR"), ServerFailed),
        (problem(429, "TOO_MANY_REQUESTS"), TooManyRequests),
    ],
)
def test_it_gives_up_in_the_end(pauses: list[float], answer: httpx2.Response | Exception, error: type[RunwellError]) -> None:
    server = Server(answer)
    with pytest.raises(error):
        server.client(retries=3).runs.get(RUN)
    assert len(server.asked) == 4


@pytest.mark.parametrize(
    "answer", [CUT, httpx2.WriteError("cut"), httpx2.ReadTimeout("slow"), problem(500, "INTERNAL_ERROR"), problem(502, "X")]
)
def test_what_may_have_been_done_is_not_sent_again_unless_it_is_safe(pauses: list[float], answer: httpx2.Response | Exception) -> None:
    server = Server(answer)
    with pytest.raises((ServerUnreachable, ServerFailed)):
        server.client().workflows.rename("greet", name="Hello")
    with pytest.raises((ServerUnreachable, ServerFailed)):
        server.client().workflows.replace_draft("greet", {}, etag='"1"')
    assert [request.method for request in server.asked] == ["PATCH", "PUT"]


def test_what_was_never_sent_is_sent_again(pauses: list[float]) -> None:
    server = Server(NO_CONNECTION, problem(429, "TOO_MANY_REQUESTS"), problem(412, "PRECONDITION_FAILED"))
    with pytest.raises(Outdated):
        server.client().workflows.replace_draft("greet", {}, etag='"1"')
    assert len(server.asked) == 3


@pytest.mark.parametrize(
    ("status", "code"), [(400, "X"), (401, "UNAUTHENTICATED"), (404, "NOT_FOUND"), (409, "CONFLICT"), (422, "INVALID_INPUT")]
)
def test_a_refusal_is_not_asked_again(pauses: list[float], status: int, code: str) -> None:
    server = Server(problem(status, code))
    with pytest.raises(RunwellError):
        server.client().workflows.archive("greet")
    assert len(server.asked) == 1
    assert pauses == []


def test_a_deletion_whose_answer_was_lost_is_done(pauses: list[float]) -> None:
    server = Server(CUT, problem(404, "NOT_FOUND"))
    server.client().workflows.delete("greet")
    assert len(server.asked) == 2
    with pytest.raises(NotFound):
        Server(problem(404, "NOT_FOUND")).client().workflows.delete("greet")
    with pytest.raises(NotFound):
        Server(NO_CONNECTION, problem(404, "NOT_FOUND")).client().workflows.delete("greet")


def test_a_run_is_steered_through_its_workflow(pauses: list[float]) -> None:
    server = Server(reply(200, OVERVIEW), CUT, reply(202, ACCEPTED))
    assert server.client().runs.stop(RUN, mode="graceful").status == "running"
    summary, cut, sent = server.asked
    assert summary.url.path == f"/v1/runs/{RUN}/summary"
    assert cut.url.path == sent.url.path == f"/v1/workflows/{OVERVIEW['workflow']['id']}/command"
    assert cut.headers["idempotency-key"] == sent.headers["idempotency-key"]
    assert server.keys[0] is None


def test_a_conflict_without_a_wish_is_final(pauses: list[float]) -> None:
    with pytest.raises(Refused):
        Server(problem(409, "CONFLICT")).client().workflows.create({"name": "greet"})
