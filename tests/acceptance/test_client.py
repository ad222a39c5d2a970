"""The Python client against a real server."""

import asyncio
import time
from collections.abc import Iterator
from typing import Any, Final

import pytest
from tests.acceptance.served import CuttingProxy, served

import runwell
from runwell.model.errors import CommandRefused, InvalidDocument, InvalidInput, NotFound, Outdated, Refused
from runwell.model.statuses import RunStatus
from runwell.sdk.connection import Connection
from runwell.sdk.errors import RunNotEnded, ServerUnreachable

SUM: Final = {
    "name": "sum",
    "input_schema": {"type": "object", "required": ["a"]},
    "steps": [{"id": "add", "type": "transform", "value": "{{ input.a + 1 }}"}],
}
ASK: Final = {"name": "ask", "steps": [{"id": "ok", "type": "approval", "title": "Go on?"}]}
HEAR: Final = {"name": "hear", "steps": [{"id": "word", "type": "wait", "message": "word"}]}
MANY: Final = {
    "name": "many",
    "steps": [
        {
            "id": "each",
            "type": "for_each",
            "items": "{{ input }}",
            "max_parallel": 3,
            "steps": [
                {"id": "nap", "type": "delay", "for_s": 0.02},
                {"id": "say", "type": "transform", "value": "{{ item }}", "depends_on": ["nap"]},
            ],
        }
    ],
}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(tmp_path_factory.mktemp("server")) as address:
        yield address


@pytest.fixture
def client(address: str) -> Iterator[runwell.Client]:
    with runwell.Client(address) as client:
        yield client


def published(client: runwell.Client, document: dict[str, Any]) -> str:
    """Return the slug of the document's workflow, which is published."""
    slug = str(document["name"])
    try:
        client.workflows.create(document)
    except Refused:
        return slug
    client.workflows.publish(slug)
    return slug


def test_workflows(client: runwell.Client) -> None:
    made = client.workflows.create({"name": "Life of one", "steps": SUM["steps"]})
    assert client.workflows.get(made.id) == client.workflows.get("life-of-one")
    with pytest.raises(Refused) as taken:
        client.workflows.create({"name": "Life of one"})
    assert (taken.value.request_id or "").startswith("req_")
    changed = client.workflows.replace_draft(made.id, SUM | {"name": "Life of one"}, etag=made.draft_etag)
    with pytest.raises(Outdated):
        client.workflows.replace_draft(made.id, SUM, etag=made.draft_etag)
    assert changed.problems == ()
    first = client.workflows.publish(made.id, note="the first")
    second = client.workflows.publish(made.id, ASK, activate=False)
    assert client.workflows.publish(made.id, ASK).number == second.number == 2
    assert [version.number for version in client.workflows.versions(made.id)] == [2, 1]
    assert client.workflows.version(made.id, 2).document["name"] == "ask"
    assert client.workflows.activate(made.id, first.number).active_version == 1
    with pytest.raises(InvalidDocument) as bad:
        client.workflows.publish(made.id, {"name": "x", "steps": [{"id": "a", "type": "magic"}]})
    assert [problem.pointer for problem in bad.value.problems] == ["/steps/0/type"]
    assert not client.workflows.validate({"name": "x"}).valid
    assert client.workflows.validate(SUM, workflow=made.id).valid
    assert client.workflows.archive(made.id).archived_at is not None
    assert made.id in {workflow.id for workflow in client.workflows.list(archived=True)}
    assert client.workflows.unarchive(made.id).archived_at is None
    client.workflows.delete(made.id)
    with pytest.raises(NotFound):
        client.workflows.get(made.id)


def test_lists_come_in_pages(client: runwell.Client) -> None:
    slug = published(client, SUM)
    started = [client.runs.start(slug, {"a": number}).run_id for number in range(5)]
    listed = client.runs.list(workflow=slug, limit=2)
    assert [run.id for run in listed][:5] == started[::-1]
    assert [run.id for run in listed][:5] == started[::-1]
    page = listed.page()
    after = listed.page(page.next_cursor)
    assert [run.id for run in [*page.data, *after.data]] == started[:0:-1]
    assert listed.page(after.prev_cursor).data == page.data


def test_a_run_to_its_end(client: runwell.Client) -> None:
    slug = published(client, SUM)
    started = client.workflows.start(slug, {"a": 1}, tags=["x"], metadata={"ticket": "7"})
    run = client.runs.wait(started.run_id, timeout_s=20)
    assert (run.status, run.output, run.tags, run.metadata) == (RunStatus.SUCCEEDED, 2, ("x",), {"ticket": "7"})
    assert client.runs.get(run.id) == run
    assert client.runs.summary(run.id).status is RunStatus.SUCCEEDED
    assert client.runs.context(run.id).input == {"a": 1}
    assert [node.id for node in client.runs.graph(run.id).nodes] == ["add"]
    assert [step.path for step in client.runs.steps(run.id)] == ["add"]
    assert list(client.runs.generations(run.id)) == []
    said = client.runs.comment(run.id, "well done")
    assert [comment.content for comment in client.runs.comments(run.id)] == [said.content]
    kept = list(client.runs.events(run.id, limit=2))
    assert [event.seq for event in kept] == list(range(1, len(kept) + 1))
    assert list(client.runs.stream(run.id)) == kept
    assert list(client.runs.stream(run.id, after=2)) == kept[2:]
    assert client.runs.wait(run.id, timeout_s=5).status is RunStatus.SUCCEEDED
    with pytest.raises(InvalidInput) as bad:
        client.runs.start(slug, {})
    assert [problem.pointer for problem in bad.value.problems] == ["/params/input"]


def test_the_same_key_starts_one_run(client: runwell.Client) -> None:
    slug = published(client, SUM)
    first, second = (client.runs.start(slug, {"a": 1}, idempotency_key="order-1") for _ in range(2))
    assert first.run_id == second.run_id


def test_runs_are_steered(client: runwell.Client) -> None:
    run_id = client.runs.start(published(client, HEAR)).run_id
    before = time.monotonic()
    with pytest.raises(RunNotEnded):
        client.runs.wait(run_id, timeout_s=0.5)
    assert time.monotonic() - before < 10
    client.runs.pause(run_id)
    assert client.runs.get(run_id).status is RunStatus.PAUSED
    client.runs.resume(run_id)
    client.runs.send(run_id, "word", {"yes": None}, message_id="m1")
    assert client.runs.wait(run_id, timeout_s=20).output == {"yes": None}
    with pytest.raises(CommandRefused):
        client.runs.pause(run_id)
    other = client.runs.start("hear").run_id
    client.runs.stop(other, mode="graceful")
    assert client.runs.wait(other, timeout_s=20).status is RunStatus.STOPPED


def test_tasks_are_decided(client: runwell.Client) -> None:
    run_id = client.runs.start(published(client, ASK)).run_id
    for _ in client.runs.stream(run_id):
        if tasks := list(client.tasks.pending(run_id=run_id)):
            break
    decided = client.tasks.complete(tasks[0].id, approved=True, result={"amount": 3}, comment="fine")
    assert (decided.approved, decided.comment) == (True, "fine")
    assert client.runs.wait(run_id, timeout_s=20).output["amount"] == 3
    with pytest.raises(CommandRefused):
        client.tasks.complete(tasks[0].id, approved=False)
    assert tasks[0].id not in {task.id for task in client.tasks.pending()}


def test_figures(client: runwell.Client) -> None:
    slug = published(client, {**SUM, "name": "figured"})
    for number in range(3):
        client.runs.wait(client.runs.start(slug, {"a": number}).run_id, timeout_s=20)
    client.runs.wait(client.runs.start(slug, {"a": {}}).run_id, timeout_s=20)
    figures = client.analytics
    assert figures.runs_count(workflow=slug).total.runs == 4
    rate = figures.success_rate(workflow=slug, window="1h", group_by="version")
    assert (rate.total.success_rate, [row.group and row.group.version for row in rate.groups]) == (0.75, [1])
    assert len(list(client.runs.list(q=rate.total.search))) == 4
    assert figures.live_runs(workflow=slug).count == 0
    assert sum(one.executed for one in figures.steps_executed(workflow=slug).total.types) == 3
    assert [one.type for one in figures.steps_summary(workflow=slug).total.types] == ["transform"]
    assert figures.execution_duration(workflow=slug, environment="production").total.count == 4
    assert (figures.tokens_used(workflow=slug).total.tokens, figures.cost(workflow=slug).total.cost_usd) == (0, "0")
    assert not figures.credits_consumed(workflow=slug).metered
    chart = figures.runs_timeseries(workflow=slug, window="24h", granularity="hour", tz="Europe/Berlin")
    assert (chart.tz, sum(bucket.runs for bucket in chart.series[0].buckets)) == ("Europe/Berlin", 4)
    assert sum(bucket.steps for bucket in figures.usage_timeseries(workflow=slug).series[0].buckets) == 3
    long_ago = figures.runs_count(workflow=slug, since="2001-01-01T00:00:00Z", until="2002-01-01T00:00:00Z")
    assert (long_ago.start, long_ago.total.runs) == ("2001-01-01T00:00:00.000Z", 0)
    with pytest.raises(InvalidInput, match="no window"):
        figures.cost(window="never")


def test_views_and_reviews(client: runwell.Client) -> None:
    view = client.views.create("Slow ones", "duration:>2s", columns=["status", "cost"])
    assert [one.name for one in client.views.list()] == ["Slow ones"]
    assert client.views.get(view.id) == view
    with pytest.raises(Refused):
        client.views.create("Slow ones")
    changed = client.views.replace(view.id, "Slow ones", "duration:>5s", revision=view.revision, visibility="shared")
    assert (changed.query, changed.visibility, changed.columns) == ("duration:>5s", "shared", ())
    with pytest.raises(Outdated):
        client.views.replace(view.id, "Mine", revision=view.revision)
    assert client.views.replace(view.id, "Mine").name == "Mine"
    client.views.delete(view.id)
    with pytest.raises(NotFound):
        client.views.get(view.id)
    run = client.runs.wait(client.runs.start(published(client, SUM), {"a": 1}).run_id, timeout_s=20)
    assert client.runs.review(run.id, "positive", score=0.5, comment="fine").score == 0.5
    assert [one.id for one in client.runs.list(q=f"review:positive run:{run.id}")] == [run.id]
    assert client.runs.review(run.id, "").review == ""


def test_figures_and_views_awaited(address: str) -> None:
    async def work() -> None:
        async with runwell.AsyncClient(address) as client:
            counted, rate = await asyncio.gather(client.analytics.runs_count(), client.analytics.success_rate(window="30d"))
            assert counted.total.runs >= rate.total.ended
            view = await client.views.create("Awaited")
            assert [one.id async for one in client.views.list()] == [view.id]
            await client.views.delete(view.id)

    asyncio.run(work())


def test_awaited(address: str) -> None:
    async def work() -> list[int]:
        async with runwell.AsyncClient(address) as client:
            if not [one async for one in client.workflows.list(text="sum")]:
                await client.workflows.create(SUM)
                await client.workflows.publish("sum")
            started = await asyncio.gather(*(client.runs.start("sum", {"a": number}) for number in range(20)))
            ended = await asyncio.gather(*(client.runs.wait(run.run_id, timeout_s=20) for run in started))
            seqs = [event.seq async for event in client.runs.stream(ended[0].id)]
            assert seqs == [event.seq async for event in client.runs.events(ended[0].id)]
            assert (await client.runs.list(limit=3).page()).data[0].workflow.slug == "sum"
            return [run.output for run in ended]

    assert asyncio.run(work()) == list(range(1, 21))


@pytest.mark.parametrize("seed", range(4))
def test_a_stream_that_is_cut_gives_each_event_once(
    client: runwell.Client, address: str, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Connection, "pause_s", lambda *_: 0.001)
    slug = published(client, MANY)
    run_id = client.runs.start(slug, list(range(40))).run_id
    with CuttingProxy(address, cuts=25, seed=seed).running() as proxy, runwell.Client(proxy.url, retries=30) as far:
        streamed = list(far.runs.stream(run_id))
    assert proxy.cut == 25
    assert streamed == list(client.runs.events(run_id))
    assert streamed[-1].type == "run_succeeded"


def test_a_stream_that_is_always_cut_ends_with_an_error(client: runwell.Client, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Connection, "pause_s", lambda *_: 0.001)
    run_id = client.runs.start(published(client, SUM), {"a": 1}).run_id
    proxy = CuttingProxy(address, cuts=1_000, seed=1, most_bytes=80)
    with proxy.running(), runwell.Client(proxy.url, retries=3) as far, pytest.raises(ServerUnreachable):
        list(far.runs.stream(run_id))
    assert proxy.cut >= 4


def test_requests_that_are_cut_start_one_run(client: runwell.Client, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Connection, "pause_s", lambda *_: 0.001)
    slug = published(client, SUM)
    before = len(list(client.runs.list(workflow=slug)))
    proxy = CuttingProxy(address, cuts=6, seed=2, most_bytes=200)
    with proxy.running(), runwell.Client(proxy.url, retries=10) as far:
        far.runs.start(slug, {"a": 1})
    assert len(list(client.runs.list(workflow=slug))) == before + 1
    assert proxy.cut == 6
