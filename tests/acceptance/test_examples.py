"""Every document of examples/ runs, with its sample input and the demo model, and does what its first lines say."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.workbench import run_async, sound, statuses, step
from tests.local_server import LocalServer, Received, answer

from runwell.adapters.documents import read_document
from runwell.cli.document_files import DocumentFiles
from runwell.cli.publication import publish
from runwell.model.commands import CompleteTask
from runwell.model.errors import StepError
from runwell.model.run import RunView
from runwell.ports.models import ModelRequest
from runwell.testing import MemoryApp, ScriptedModels, memory_app

EXAMPLES = Path(__file__).parents[2] / "examples"
NAMES = sorted(path.stem for path in EXAMPLES.glob("*.yaml"))

FEED = {
    "version": "https://jsonfeed.org/version/1.1",
    "title": "Example Weblog",
    "items": [
        {"id": "3", "title": "Newest", "content_text": "Something new happened.", "date_published": "2026-10-02T08:00:00Z"},
        {"id": "2", "content_html": "<p>No title here.</p>", "date_published": "2026-10-01T08:00:00Z"},
        {"id": "1", "title": "Old", "content_text": "Long ago.", "date_published": "2016-01-01T08:00:00Z"},
        {"id": "0", "title": "Undated", "content_text": "Who knows when."},
    ],
}
NUMBERS = {"full_name": "python/cpython", "stargazers_count": 60_000, "open_issues_count": 7_000}

Decide = Callable[[str], CompleteTask]


def approve(task_id: str) -> CompleteTask:
    return CompleteTask(task_id=task_id, approved=True, actor="ann")


def sample(name: str) -> Any:
    return json.loads((EXAMPLES / f"{name}.input.json").read_text())


def web(received: Received) -> bytes:
    """What the examples find on the web."""
    bodies = {"/feed.json": FEED, "/numbers": NUMBERS, "/news": {"name": "v1.2"}, "/hook": {}}
    body = bodies.get(received.target)
    return answer(404) if body is None else answer(200, json.dumps(body).encode(), Content_Type="application/feed+json")


async def run_example(app: MemoryApp, name: str, input: Any, decide: Decide | None = approve) -> RunView:
    """Publish the file with those beside it, run it, decide what it asks, and return it as it ended."""
    source = DocumentFiles(app.publisher.compile).require(str(EXAMPLES / f"{name}.yaml"))
    run_id = await app.start(await publish(source, app.publisher, app.definitions), input)
    while decide and (await app.rest(run_id)).waiting_for == "approval":
        for task in await app.journal.pending_tasks(run_id=run_id):
            await app.runtime.command(run_id, decide(task.id))
    await app.run_to_end(run_id)
    return await sound(app, run_id)


def example(name: str, input: Any = None, decide: Decide | None = approve, **parts: Any) -> RunView:
    async def main() -> RunView:
        async with LocalServer(web) as server, memory_app(http_allow=("127.0.0.0/8",), **parts) as app:
            given = sample(name) if input is None else input
            local = {key: server.url(path) for key, path in URLS.items() if key in given}
            return await run_example(app, name, {**given, **local}, decide)

    return run_async(main())


URLS = {"feed_url": "/feed.json", "numbers_url": "/numbers", "news_url": "/news", "post_to": "/hook"}


@pytest.mark.parametrize("name", NAMES)
def test_an_example_runs_with_its_sample_input_and_the_demo_model(name: str) -> None:
    run = example(name)
    assert run.status == "succeeded", run.error
    assert run.output is not None
    assert run.workflow.name == name


@pytest.mark.parametrize("name", NAMES)
def test_an_example_says_first_what_it_shows_and_how_to_run_it(name: str) -> None:
    text = (EXAMPLES / f"{name}.yaml").read_text()
    comment = [line for line in text.partition("\nname:")[0].splitlines() if line.strip()]
    assert all(line.startswith("#") for line in comment)
    assert any(f"runwell run examples/{name}.yaml --input" in line for line in comment)
    assert max(len(line) for line in text.splitlines()) <= 160
    assert all("demo:" in value for value in models_of(read_document(text).data))


def models_of(part: Any) -> list[str]:
    if isinstance(part, list):
        return [found for item in part for found in models_of(item)]
    if not isinstance(part, dict):
        return []
    return [*([part["model"]] if "model" in part else []), *models_of(part.get("steps", []))]


def test_there_are_examples_and_each_has_its_sample() -> None:
    assert len(NAMES) >= 6
    assert {path.name.removesuffix(".input.json") for path in EXAMPLES.glob("*.json")} == set(NAMES)


def test_feed_digest_takes_new_posts_only_and_does_without_a_post_that_fails() -> None:
    def reply(request: ModelRequest) -> Any:
        text = request.messages[-1].content
        if "No title here" in text:
            raise StepError("LLM_REQUEST_FAILED", "refused", details={"reason": "content_filter"})
        return "SUMMARY" if "one sentence" in text else f"DIGEST of {text.count('SUMMARY')}"

    run = example("feed-digest", models=ScriptedModels(reply))
    assert run.output == {"feed": "Example Weblog", "posts": 2, "digest": "DIGEST of 1"}
    assert statuses(run)["posts[1].sum_up"] == "failed"


def test_feed_digest_of_nothing_new() -> None:
    run = example("feed-digest", {"feed_url": "", "since": "2030-01-01T00:00:00Z"})
    assert run.output == {"feed": "Example Weblog", "posts": 0, "digest": "Nothing new."}


def test_fan_out_summary_keeps_the_documents_in_order_and_joins_them() -> None:
    run = example("fan-out-summary")
    found = step(run, "read").result
    assert [one["document"] for one in found] == ["warehouse.md", "carrier.md", "shop.md"]
    assert run.output["documents"] == 3
    assert set(run.output["relevant"]) <= {"warehouse.md", "carrier.md", "shop.md"}


def scores(*given: int) -> ScriptedModels:
    left = list(given)

    def reply(request: ModelRequest) -> Any:
        return {"score": left.pop(0), "advice": "shorter"} if request.output_schema else request.messages[-1].content

    return ScriptedModels(reply)


def test_refine_until_good_ends_when_the_judge_is_content() -> None:
    run = example("refine-until-good", models=scores(3, 6, 8))
    assert {key: run.output[key] for key in ("score", "rounds", "good_enough")} == {"score": 8, "rounds": 3, "good_enough": True}
    assert run.output["ended_by"] == "condition_false"
    assert "Make it better: shorter" in run.output["text"]


def test_refine_until_good_gives_up_after_four_rounds() -> None:
    run = example("refine-until-good", models=scores(1, 2, 3, 4))
    assert {key: run.output[key] for key in ("score", "rounds", "good_enough")} == {"score": 4, "rounds": 4, "good_enough": False}


def test_release_notes_run_a_child_for_each_language() -> None:
    async def main() -> None:
        async with memory_app() as app:
            run = await run_example(app, "release-notes", sample("release-notes"))
            assert [one["language"] for one in run.output["translations"]] == ["German", "Portuguese", "Japanese"]
            children = [row for row in await app.journal.rows() if row.parent_run_id == run.id]
            assert [(row.workflow_slug, str(row.status)) for row in children] == [("translate", "succeeded")] * 3

    run_async(main())


@pytest.mark.parametrize("fluent", [True, False])
def test_translate_improves_what_is_not_fluent(fluent: bool) -> None:
    def reply(request: ModelRequest) -> Any:
        return {"fluent": fluent, "remarks": "stiff"} if request.output_schema else request.messages[-1].text.split()[0]

    run = example("translate", models=ScriptedModels(reply))
    assert run.output == {"text": "Translate" if fluent else "Improve", "fluent": fluent}


def test_scheduled_report_waits_fetches_and_posts_once() -> None:
    async def main() -> None:
        async with LocalServer(web) as server, memory_app(http_allow=("127.0.0.0/8",)) as app:
            urls = {"numbers_url": server.url("/numbers"), "news_url": server.url("/gone"), "post_to": server.url("/hook")}
            began = app.clock.now()
            run = await run_example(app, "scheduled-report", {"wait_s": 3_600, **urls})
            assert app.clock.now() - began == 3_600_000
            lines = ["Stars: 60000", "Open issues: 7000", "Latest release: unknown"]
            assert (run.output["report"]["lines"], run.output["posted"]) == (lines, True)
            [post] = [received for received in server.requests if received.method == "POST"]
            assert json.loads(post.body) == run.output["report"]
            assert "idempotency-key" in post.headers

    run_async(main())


def test_clean_contacts_says_what_it_dropped() -> None:
    run = example("clean-contacts")
    assert run.output == {
        "contacts": [
            {"name": "Ada Lovelace", "email": "ada@example.org"},
            {"name": "Grace Hopper", "email": "grace@navy.example"},
            {"name": "linus", "email": "linus@kernel.example"},
        ],
        "rejected": [{"name": "Nobody", "email": "not an address"}],
        "domains": ["example.org", "kernel.example", "navy.example"],
        "note": "3 kept, 1 doubles, 1 rejected",
    }


INVOICE = {"supplier": "Paper & Co", "amount": 830}


@pytest.mark.parametrize(
    ("decide", "ask_above", "output"),
    [
        (approve, 100, {"decision": "paid", "supplier": "Paper & Co", "amount": 830, "asked": True}),
        (None, 1_000, {"decision": "paid", "supplier": "Paper & Co", "amount": 830, "asked": False}),
        (None, 100, {"decision": "rejected", "supplier": "Paper & Co", "why": "nobody approved it in time"}),
        (
            lambda task_id: CompleteTask(task_id=task_id, approved=True, result={"amount": 800}),
            100,
            {"decision": "paid", "supplier": "Paper & Co", "amount": 800, "asked": True},
        ),
        (
            lambda task_id: CompleteTask(task_id=task_id, approved=False, comment="never ordered"),
            100,
            {"decision": "rejected", "supplier": "Paper & Co", "why": "never ordered"},
        ),
    ],
)
def test_invoice_approval(decide: Decide | None, ask_above: int, output: dict[str, Any]) -> None:
    models = ScriptedModels(lambda request: INVOICE)
    run = example("invoice-approval", {"invoice": "830 euros", "ask_above": ask_above}, decide, models=models)
    assert run.output == output


def test_an_invoice_that_the_model_cannot_read_goes_to_a_person() -> None:
    def refuse(request: ModelRequest) -> Any:
        raise StepError("LLM_REQUEST_FAILED", "no key", details={"reason": "missing_key"})

    run = example("invoice-approval", models=ScriptedModels(refuse))
    assert run.status == "succeeded"
    assert run.output == {"decision": "paid", "supplier": "unknown", "amount": 100_000, "asked": True}
