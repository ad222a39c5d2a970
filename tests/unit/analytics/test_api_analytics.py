"""Analytics over HTTP: each endpoint against a count by hand, each search opened, tenants, and what is refused."""

import asyncio
import random
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import httpx2
import msgspec
import pytest
from tests.unit.analytics.desk import Overlay, desk
from tests.unit.analytics.samples import END, SCOPES, WORKFLOWS, revised, some_runs

from runwell.model.run_record import RunRecord
from runwell.model.scope import Scope
from runwell.model.statuses import TERMINAL, RunStatus
from runwell.model.times import from_rfc3339, rfc3339
from runwell.ports.projection import Lag
from runwell.search.matches import matches
from runwell.search.parser import parse

TABLES = (
    "runs-count",
    "success-rate",
    "steps-executed",
    "credits-consumed",
    "tokens-used",
    "cost",
    "execution-duration",
    "steps-summary",
)
SERIES = ("runs-timeseries", "usage-timeseries")
SCOPE = SCOPES[0]
RUNS = some_runs(31, 900)
BEGIN, UNTIL = from_rfc3339("2026-03-20T10:30:00Z"), from_rfc3339("2026-04-05T09:00:00Z")
SPAN: dict[str, Any] = {"from": rfc3339(BEGIN), "to": rfc3339(UNTIL)}


def began(record: RunRecord) -> int:
    return record.created_at if record.started_at is None else record.started_at


def listed(runs: Iterable[RunRecord], environment: str | None = None) -> list[RunRecord]:
    """Return the runs that a list of the project shows."""
    return [
        run
        for run in runs
        if run.scope == SCOPE
        and run.archived_at is None
        and (run.environment == environment if environment else run.environment != "testing")
    ]


def within(runs: Iterable[RunRecord], begin: int = BEGIN, end: int = UNTIL) -> list[RunRecord]:
    return [run for run in listed(runs) if begin <= began(run) < end]


def opened(search: str, runs: Iterable[RunRecord] = RUNS) -> list[RunRecord]:
    """Return the runs that the search yields in a list, trial runs and archived ones hidden unless it names them."""
    query = parse(search, END)
    environment = "testing" if "environment:testing" in search else None
    return [run for run in listed(runs, environment) if matches(query, run)]


async def get(client: httpx2.AsyncClient, name: str, **query: Any) -> Any:
    answer = await client.get(f"/v1/analytics/{name}", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def ask(path: Path, name: str, runs: list[RunRecord] | None = None, overlay: Overlay | None = None, now: int = END, **query: Any) -> Any:
    async def main() -> Any:
        async with desk(path, RUNS if runs is None else runs, SCOPE, overlay=overlay, now=now) as client:
            return await get(client, name, **query)

    return asyncio.run(main())


def test_runs_count(tmp_path: Path) -> None:
    found = ask(tmp_path, "runs-count", **SPAN, group_by="workflow")
    mine = within(RUNS)
    assert (found["start"], found["end"]) == (SPAN["from"], SPAN["to"])
    assert found["total"]["runs"] == len(mine) > 100
    assert {row["status"]: row["count"] for row in found["total"]["statuses"]} == Counter(run.status for run in mine)
    counts = Counter(run.workflow_id for run in mine)
    assert [(row["group"]["workflow_id"], row["runs"]) for row in found["groups"]] == sorted(
        counts.items(), key=lambda one: (-one[1], one[0])
    )
    assert found["groups_left_out"] == 0


def test_success_rate(tmp_path: Path) -> None:
    found = ask(tmp_path, "success-rate", **SPAN)
    ended = [run for run in within(RUNS) if run.status in TERMINAL]
    succeeded = sum(run.status is RunStatus.SUCCEEDED for run in ended)
    assert found["total"]["ended"] == len(ended)
    assert found["total"]["success_rate"] == pytest.approx(succeeded / len(ended))


def test_a_success_rate_of_two_runs_is_null_and_says_of_how_many(tmp_path: Path) -> None:
    runs = [run for run in listed(RUNS) if run.status in TERMINAL][:3]
    two = ask(tmp_path, "success-rate", runs=runs[:2], window="9w")
    assert (two["total"]["success_rate"], two["total"]["ended"], two["fewest"]) == (None, 2, 3)
    live = [run for run in listed(RUNS) if run.status is RunStatus.RUNNING][:5]
    assert ask(tmp_path, "success-rate", runs=runs[:2] + live, window="9w")["total"]["success_rate"] is None
    assert ask(tmp_path, "success-rate", runs=runs, window="9w")["total"]["success_rate"] is not None
    assert ask(tmp_path, "success-rate", runs=[], window="9w")["total"]["ended"] == 0


def test_steps_executed_and_their_summary(tmp_path: Path) -> None:
    executed = ask(tmp_path, "steps-executed", **SPAN)["total"]
    every = [step for run in within(RUNS) for step in run.steps]
    steps = [step for step in every if step.type and step.status != "skipped"]
    assert executed["not_begun"] == Counter(step.status for step in every if not step.type)
    assert executed["executed"] == len(steps)
    assert {row["type"]: row["executed"] for row in executed["types"]} == Counter(step.type for step in steps)
    for row in executed["types"]:
        assert row["statuses"] == Counter(step.status for step in every if step.type == row["type"])
    for row in ask(tmp_path, "steps-summary", **SPAN)["total"]["types"]:
        took = sorted(step.duration_ms for step in steps if step.type == row["type"] and step.duration_ms is not None)
        assert row["failed"] == sum(step.type == row["type"] and step.status == "failed" for step in steps)
        assert row["timed"] == len(took)
        assert [row["p50_ms"], row["p95_ms"], row["p99_ms"]] == [took[int(level * len(took))] for level in (0.5, 0.95, 0.99)]


def test_durations(tmp_path: Path) -> None:
    found = ask(tmp_path, "execution-duration", **SPAN)["total"]
    took = sorted(run.duration_ms for run in within(RUNS) if run.duration_ms is not None)
    assert found["count"] == len(took)
    assert found["mean_ms"] == round(sum(took) / len(took))
    levels = {"p50_ms": 0.5, "p90_ms": 0.9, "p95_ms": 0.95, "p99_ms": 0.99}
    assert {name: found[name] for name in levels} == {name: took[int(level * len(took))] for name, level in levels.items()}
    none = ask(tmp_path, "execution-duration", runs=[])["total"]
    assert (none["count"], none["mean_ms"], none["p99_ms"]) == (0, None, None)


def test_tokens_cost_and_credits(tmp_path: Path) -> None:
    mine = within(RUNS)
    tokens = ask(tmp_path, "tokens-used", **SPAN)["total"]
    assert tokens["input_tokens"] == sum(run.usage.input_tokens for run in mine)
    assert tokens["tokens"] == sum(run.usage.input_tokens + run.usage.output_tokens for run in mine)
    cost = ask(tmp_path, "cost", **SPAN, group_by="model")
    assert round(float(cost["total"]["cost_usd"]) * 10**9) == sum(run.usage.cost_nanos for run in mine)
    for row in cost["groups"]:
        calls = [(run.run_id, made) for run in mine for made in run.generations if made.model == row["group"]["model"]]
        assert round(float(row["cost_usd"]) * 10**9) == sum(made.usage.cost_nanos for _, made in calls)
        assert row["runs"] == len({run_id for run_id, _ in calls})
    credits = ask(tmp_path, "credits-consumed", **SPAN)
    assert (credits["metered"], credits["total"]["credits"], credits["total"]["runs"]) == (False, "0", len(mine))


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"])
@pytest.mark.parametrize("granularity", ["hour", "day", "week", "month"])
def test_series_have_local_buckets_without_holes(tmp_path: Path, zone: str, granularity: str) -> None:
    found = ask(tmp_path, "runs-timeseries", **SPAN, tz=zone, granularity=granularity)
    assert (found["tz"], found["granularity"]) == (zone, granularity)
    buckets = found["series"][0]["buckets"]
    assert buckets[0]["start"] == SPAN["from"]
    assert buckets[-1]["end"] == SPAN["to"]
    assert all(one["end"] == other["start"] for one, other in pairwise(buckets))
    by_hand = Counter(name_of(began(run), granularity, zone) for run in within(RUNS))
    counted: Counter[str] = Counter()
    for bucket in buckets:
        counted[name_of(from_rfc3339(bucket["start"]), granularity, zone)] += bucket["runs"]
        assert sum(bucket["statuses"].values()) == bucket["runs"]
    assert +counted == by_hand
    if granularity == "hour":
        assert any(bucket["runs"] == 0 for bucket in buckets)


def name_of(ms: int, granularity: str, zone: str) -> str:
    """Return the local bucket; an hour that comes twice counts as one."""
    local = datetime.fromtimestamp(ms / 1000, ZoneInfo(zone))
    if granularity == "week":
        return f"{local.date() - timedelta(days=local.weekday())}"
    return local.strftime({"hour": "%Y-%m-%d %H", "day": "%Y-%m-%d"}.get(granularity, "%Y-%m"))


def test_usage_over_time(tmp_path: Path) -> None:
    found = ask(tmp_path, "usage-timeseries", **SPAN, tz="Europe/Berlin", granularity="day", group_by="trigger")
    assert {line["group"]["trigger"] for line in found["series"]} == {"api", "cli", "schedule"}
    for line in found["series"]:
        for bucket in line["buckets"]:
            mine = [
                run
                for run in within(RUNS, from_rfc3339(bucket["start"]), from_rfc3339(bucket["end"]))
                if run.trigger == line["group"]["trigger"]
            ]
            assert bucket["runs"] == len(mine)
            assert bucket["tokens"] == sum(run.usage.input_tokens + run.usage.output_tokens for run in mine)
            assert bucket["steps"] == sum(bool(step.type) and step.status != "skipped" for run in mine for step in run.steps)
            assert round(float(bucket["cost_usd"]) * 10**9) == sum(run.usage.cost_nanos for run in mine)


@pytest.mark.parametrize("name", TABLES + SERIES)
@pytest.mark.parametrize("group_by", [None, "workflow", "model", "version", "trigger"])
def test_every_number_opens_as_the_search_for_its_runs(tmp_path: Path, name: str, group_by: str | None) -> None:
    chance = random.Random(f"{name}{group_by}")
    newer = [revised(run, status=RunStatus.FAILED) for run in RUNS[:40]] + some_runs(8, 30)
    runs = [*RUNS[40:], *newer]
    query = {**SPAN, **({} if group_by is None else {"group_by": group_by})}
    if chance.random() < 0.5:
        query["environment"] = chance.choice(("testing", "production"))
    found = ask(tmp_path, name, overlay=Overlay(newer), **query)
    rows = list(_rows(found))
    assert len(rows) >= (1 if group_by is None else 3)
    for count, search in rows:
        assert len(opened(search, runs)) == count, search


def _rows(answer: Any) -> Iterator[tuple[int, str]]:
    """Yield each count of runs in an answer with its search."""
    if isinstance(answer, list):
        for one in answer:
            yield from _rows(one)
    if isinstance(answer, dict):
        count = next((answer[name] for name in ("runs", "ended", "count") if name in answer), None)
        if count is not None:
            yield count, answer["search"]
        for one in answer.values():
            yield from _rows(one)


def test_what_the_store_has_not_yet_counts_at_once_and_once(tmp_path: Path) -> None:
    fresh = msgspec.structs.replace(listed(some_runs(3, 60))[0], started_at=END, status=RunStatus.RUNNING)
    overlay = Overlay([fresh])
    before = ask(tmp_path, "runs-count", window="90d")["total"]["runs"]
    assert ask(tmp_path, "runs-count", overlay=overlay, window="90d")["total"]["runs"] == before + 1
    assert overlay.caught_up == 1
    assert ask(tmp_path, "runs-count", runs=[*RUNS, fresh], overlay=Overlay([revised(fresh)]), window="90d")["total"]["runs"] == before + 1


def test_an_answer_that_may_be_behind_says_so(tmp_path: Path) -> None:
    assert "behind_ms" not in ask(tmp_path, "cost", window="90d")
    late = Overlay(lag=Lag(positions=5, seconds=2.5, complete=False))
    assert ask(tmp_path, "cost", overlay=late, window="90d")["behind_ms"] == 2_500


def test_trial_runs_and_archived_ones_count_only_where_lists_show_them(tmp_path: Path) -> None:
    trial = ask(tmp_path, "runs-count", **SPAN, environment="testing")["total"]
    by_hand = [run for run in listed(RUNS, "testing") if BEGIN <= began(run) < UNTIL]
    assert trial["runs"] == len(by_hand) > 0
    assert any(run.archived_at is not None for run in RUNS)


@pytest.mark.parametrize("name", TABLES + SERIES)
def test_other_tenants_count_for_nothing(tmp_path: Path, name: str) -> None:
    stranger = Scope(SCOPES[1].org_id, SCOPES[0].project_id)

    async def main() -> None:
        async with desk(tmp_path, RUNS, stranger, overlay=Overlay(some_runs(4, 20))) as client:
            found = await get(client, name, **SPAN, group_by="workflow")
            assert found.get("groups", []) == found.get("series", []) == []
            assert all(count == 0 for count, _ in _rows(found))
            gone = await client.get(f"/v1/analytics/{name}", params={"workflow": WORKFLOWS[0]})
            assert gone.status_code == 404

    asyncio.run(main())


@pytest.mark.parametrize(
    "query",
    [
        {"window": "soon"},
        {"window": "-7d"},
        {"window": "7d", "from": "2026-01-01T00:00:00Z"},
        {"window": "7d\x00"},
        {"from": "2026-02-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"},
        {"to": "2026-01-01T00:00:00Z"},
        {"from": "2026-01-01"},
        {"from": "١٩٩٩-01-01T00:00:00Z"},
        {"group_by": "colour"},
        {"tz": "Mars/Olympus", "series": "1"},
        {"tz": "../../etc/passwd", "series": "1"},
        {"granularity": "fortnight", "series": "1"},
        {"granularity": "minute", "window": "30d", "series": "1"},
        {"windows": "7d"},
    ],
)
def test_nonsense_is_refused_with_a_hint(tmp_path: Path, query: dict[str, str]) -> None:
    names = SERIES if "series" in query else TABLES + SERIES
    asked = {name: value for name, value in query.items() if name != "series"}

    async def main() -> None:
        async with desk(tmp_path, RUNS, SCOPE) as client:
            for name in names:
                answer = await client.get(f"/v1/analytics/{name}?{urlencode(asked)}")
                problem = answer.json()
                assert answer.status_code == 422, (name, answer.text)
                assert problem.get("hint") or problem["errors"], problem

    asyncio.run(main())


def test_who_may_not_read_runs_reads_no_figures(tmp_path: Path) -> None:
    async def main() -> None:
        async with desk(tmp_path, RUNS, SCOPE, permissions=frozenset()) as client:
            for name in (*TABLES, *SERIES, "live-runs"):
                assert (await client.get(f"/v1/analytics/{name}")).status_code == 403

    asyncio.run(main())
