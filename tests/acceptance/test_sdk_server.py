"""Workflows written in Python against a real server that has registered their functions, and its agents."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.acceptance.sdk_orders import order
from tests.acceptance.served import serving

import runwell
from runwell import agent, step, tool, workflow
from runwell.model.errors import InvalidDocument, InvalidInput, NotFound
from runwell.sdk.errors import RunNotEnded

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("server"), RUNWELL_TOOL_MODULES=str(HERE / "sdk_orders.py")) as (address, _):
        yield address


@pytest.fixture
def client(address: str) -> Iterator[runwell.Client]:
    with runwell.Client(address) as client:
        yield client


@agent(model="demo:x")
def helper(question: str) -> str:
    """Help."""
    raise NotImplementedError


@workflow
def desk(question: str) -> object:
    answer = helper(question=question)
    return {"answer": answer, "order": order(what="ink")}


@tool
def nobody_has_it(number: int) -> int:
    return number


def test_it_runs_there_as_it_runs_here(client: runwell.Client) -> None:
    here = order.run({"what": "a pen"})
    there = client.run(order, {"what": "a pen"}, tags=["x"])
    assert type(there) is type(here)
    assert (there.status, there.output) == (here.status, here.output) == ("succeeded", {"paid": "paid for a pen"})
    assert [(one.id, one.status, one.result) for one in there.steps] == [(one.id, one.status, one.result) for one in here.steps]
    assert (there.tags, there.workflow.slug, there.trigger) == (("x",), "order", "api")


def test_it_is_published_only_when_it_is_new(client: runwell.Client) -> None:
    @workflow(name="changing")
    def first(input: int) -> object:
        return step.transform(input + 1)

    @workflow(name="changing")
    def second(input: int) -> object:
        return step.transform(input + 2)

    assert [client.run(first, 1).output for _ in range(2)] == [2, 2]
    assert client.publish(first).number == 1
    assert client.run(second, 1).workflow.version == 2
    assert client.run(first, 1).workflow.version == 1
    assert client.workflows.get("changing").active_version == 1
    assert len(list(client.workflows.versions("changing"))) == 2


def test_what_it_runs_is_published_before_it(client: runwell.Client) -> None:
    run = client.run(desk, {"question": "Where is my ink?"}, timeout_s=30)
    assert run.output["order"] == {"paid": "paid for ink"}
    assert client.workflows.get("order").active_version is not None


def test_a_function_that_the_server_has_not_is_refused(client: runwell.Client) -> None:
    @workflow
    def strange(number: int) -> object:
        return nobody_has_it(number=number)

    with pytest.raises(InvalidDocument, match=r"strange\(\) .*no function is registered as 'nobody_has_it'") as caught:
        client.run(strange, {"number": 1})
    assert caught.value.problems[0].pointer == "/tools/0/name"
    assert caught.value.request_id
    assert client.workflows.get("strange").active_version is None


def test_input_and_time_are_checked_there(client: runwell.Client) -> None:
    @workflow
    def naps(input: float) -> object:
        return step.delay(input)

    with pytest.raises(InvalidInput):
        client.run(naps, "long")
    with pytest.raises(RunNotEnded):
        client.run(naps, 60, timeout_s=0.2)
    first = client.run(naps, 0.01, idempotency_key="nap-1")
    assert client.run(naps, 0.01, idempotency_key="nap-1").id == first.id


def test_agents_of_the_server(client: runwell.Client) -> None:
    document = helper.document()
    made = client.agents.create(document)
    with pytest.raises(NotFound, match="there is no agent"):
        client.agents.get("order")
    assert client.agents.publish(made.id, note="first").number == 1
    assert [one.slug for one in client.agents.list()] == ["helper"]
    assert client.agents.get("helper").id == client.agents.get(made.id).id == made.id
    assert client.agents.version("helper", "active").document == document
    run = client.agents.run("helper", {"question": "Where is my parcel?"}, timeout_s=30)
    assert (run.status, run.workflow.id) == ("succeeded", made.id)
    reply = client.agents.reply(run.id, "And when will it be here?", tags=["again"])
    assert (reply.source_run_id, reply.tags, reply.trigger) == (run.id, ("again",), "reply")
    started = client.agents.start(made.id, {"question": "x"}, idempotency_key="q-1")
    assert client.agents.start(made.id, {"question": "x"}, idempotency_key="q-1").run_id == started.run_id
    with pytest.raises(InvalidInput) as caught:
        client.agents.run("helper", {"qestion": "x"})
    assert caught.value.problems[0].pointer.startswith("/input")
    changed = client.agents.replace_draft("helper", {**document, "description": "Helps."}, etag=client.agents.get("helper").draft_etag)
    assert changed.unpublished_changes
    assert [client.agents.publish("helper").number, len(list(client.agents.versions("helper")))] == [2, 2]
    client.runs.wait(started.run_id, timeout_s=30)
    client.agents.delete(made.id)
    with pytest.raises(NotFound):
        client.agents.get("helper")


def test_asyncio(address: str) -> None:
    async def main() -> None:
        async with runwell.AsyncClient(address) as client:
            runs = await asyncio.gather(*(client.run(order, {"what": what}) for what in ("a", "b")))
            assert [run.output["paid"] for run in runs] == ["paid for a", "paid for b"]
            await client.publish(helper)
            run = await client.agents.run("helper", {"question": "Hello?"}, timeout_s=30)
            assert [one.slug async for one in client.agents.list(text="help")] == ["helper"]
            assert (await client.agents.reply(run.id, "And?")).status == "succeeded"

    asyncio.run(main())


def test_a_server_does_not_start_with_tools_that_it_cannot_load(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("1 / 0\n")
    with pytest.raises(AssertionError, match="ZeroDivisionError"), serving(tmp_path, RUNWELL_TOOL_MODULES=str(tmp_path / "broken.py")):
        pass
