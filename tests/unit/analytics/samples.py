"""Random runs over months: skewed, with days on which clocks change, of several tenants, environments and revisions."""

import random
from typing import Final

import msgspec

from runwell.model.ids import new_id
from runwell.model.run_record import GenerationRecord, RunRecord, StepRecord
from runwell.model.scope import Scope
from runwell.model.statuses import TERMINAL, RunStatus
from runwell.model.times import from_rfc3339
from runwell.model.usage import NO_USAGE, Usage

START: Final = from_rfc3339("2026-02-20T00:00:00Z")
END: Final = from_rfc3339("2026-04-10T00:00:00Z")
"""Clocks change on 8 March in New York, on 29 March in Berlin, on 5 April on Lord Howe Island."""

SCOPES: Final = tuple(Scope(new_id("org"), new_id("prj")) for _ in range(3))
WORKFLOWS: Final = tuple(new_id("wf") for _ in range(6))
_TYPES: Final = ("llm", "http", "transform", "python", "approval")
_MODELS: Final = ("gpt-5-mini", "gpt-5", "claude 'sonnet'", 'odd "model" \\ name')


def some_runs(seed: int, count: int) -> list[RunRecord]:
    chance = random.Random(seed)
    return [some_run(chance) for _ in range(count)]


def some_run(chance: random.Random) -> RunRecord:
    created = START + int((END - START) * chance.random() ** 0.5)
    if chance.random() < 0.3:
        created -= created % 3_600_000  # exactly where buckets meet
    status = chance.choices(list(RunStatus), weights=[2, 3, 3, 1, 1, 60, 15, 5, 3, 1, 1, 1, 1])[0]
    started = None if status is RunStatus.QUEUED or chance.random() < 0.02 else created + int(chance.expovariate(1 / 2_000))
    ended = None if status not in TERMINAL else (started or created) + int(chance.lognormvariate(8, 2))
    generations = tuple(_generation(chance, number, created) for number in range(chance.choice((0, 0, 1, 1, 2, 5))))
    used = sum((made.usage for made in generations), NO_USAGE)
    environment = chance.choices(("production", "testing", "staging"), weights=(8, 1, 1))[0]
    workflow = min(int(chance.expovariate(0.8)), len(WORKFLOWS) - 1)
    return RunRecord(
        run_id=new_id("run"),
        rev=chance.randrange(2, 50),
        org_id=(scope := SCOPES[min(int(chance.expovariate(1.5)), len(SCOPES) - 1)]).org_id,
        project_id=scope.project_id,
        workflow_id=WORKFLOWS[workflow],
        workflow_slug=f"flow-{workflow}",
        workflow_name=f"Flow {workflow}",
        version=chance.randrange(1, 4),
        version_hash="0" * 64,
        status=status,
        trigger=chance.choice(("api", "cli", "schedule")),
        environment=environment,
        created_at=created,
        started_at=started,
        ended_at=ended,
        duration_ms=None if ended is None or started is None else ended - started,
        usage=used,
        steps=tuple(_step(chance, number, created) for number in range(chance.randrange(0, 7))),
        generations=generations,
        archived_at=created + 1 if chance.random() < 0.05 else None,
    )


def _step(chance: random.Random, number: int, at: int) -> StepRecord:
    status = chance.choices(("succeeded", "failed", "skipped", "cancelled", "running", "waiting"), weights=(70, 8, 12, 4, 3, 3))[0]
    kind = "" if status == "skipped" or chance.random() < 0.05 else chance.choice(_TYPES)
    took = None if status in ("running", "waiting", "skipped") else int(chance.lognormvariate(6, 1.5))
    return StepRecord(path=f"s{number}", id=f"s{number}", type=kind, status=status, started_at=at, duration_ms=took)


def _generation(chance: random.Random, seq: int, at: int) -> GenerationRecord:
    used = Usage(
        input_tokens=chance.randrange(5_000),
        cached_tokens=chance.randrange(100),
        output_tokens=chance.randrange(900),
        reasoning_tokens=chance.randrange(50),
        generations=1,
        cost_nanos=chance.randrange(10**9),
    )
    return GenerationRecord(seq=seq, at=at, step_path="s0", provider="openai", model=chance.choice(_MODELS), usage=used)


def revised(record: RunRecord, **changes: object) -> RunRecord:
    """Return a later revision of the run."""
    return msgspec.structs.replace(record, rev=record.rev + 1, **changes)
