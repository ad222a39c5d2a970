"""Runs as a busy installation has them: a few large tenants and many small ones, workflows and words with a long tail, inputs of half to
four KB, structured outputs, model calls, failures, over 90 days. The same seed makes the same runs.
"""

import hashlib
import itertools
import math
import random
from collections.abc import Iterator
from typing import Any, Final

from runwell.model.run_record import GenerationRecord, RunRecord, StepRecord
from runwell.model.scope import Scope
from runwell.model.statuses import RunStatus
from runwell.model.usage import Usage

DAYS: Final = 90
END: Final = 1_798_000_000_000
"""The moment (ms since 1970) at which the last run was created."""

TENANTS: Final = 40
WORKFLOWS: Final = 12
"""Workflows of each tenant."""

WORDS: Final = 40_000
_STEPS: Final = (
    ("classify", "llm"),
    ("lookup", "http"),
    ("draft", "llm"),
    ("check", "transform"),
    ("approve", "approval"),
    ("send", "http"),
)
_MODELS: Final = (
    ("openai", "gpt-5-mini", 0.25),
    ("openai", "gpt-5", 1.25),
    ("anthropic", "claude-opus-5", 5.0),
    ("google", "gemini-3-flash", 0.3),
)
_STATUSES: Final = (
    (RunStatus.SUCCEEDED, 900),
    (RunStatus.FAILED, 60),
    (RunStatus.STOPPED, 15),
    (RunStatus.TIMED_OUT, 15),
    (RunStatus.INTERNAL_ERROR, 10),
)
_TRIGGERS: Final = (("api", 70), ("schedule", 15), ("webhook", 10), ("chat", 5))
_SENTIMENTS: Final = (("positive", 60), ("neutral", 30), ("negative", 10))
_CODES: Final = ("HTTP_FAILED", "LLM_REQUEST_FAILED", "PYTHON_FAILED", "OUTPUT_TOO_LARGE")
_SYLLABLES: Final = ("ka", "lo", "mi", "ren", "ta", "vos", "ch", "del", "or", "in", "sa", "pe", "tu", "gra", "ne", "fi")


def scope_of(tenant: int) -> Scope:
    return Scope(f"org_{tenant:032x}", f"prj_{tenant:032x}")


def vocabulary(count: int = WORDS) -> list[str]:
    """Return words, the most frequent first."""
    dice = random.Random(7)
    words: dict[str, None] = {}
    while len(words) < count:
        words["".join(dice.choices(_SYLLABLES, k=dice.randint(2, 4)))] = None
    return list(words)


def zipf(count: int) -> list[float]:
    """Return the cumulated weights of ranks 1 to `count` whose frequency falls with the rank."""
    return list(itertools.accumulate(1 / rank for rank in range(1, count + 1)))


class RunGenerator:
    """Makes runs in the order of their creation."""

    def __init__(self, count: int, seed: int = 1) -> None:
        self.count = count
        self._dice = random.Random(seed)
        self.words = vocabulary()
        self._word_weights = zipf(len(self.words))
        self._tenant_weights = zipf(TENANTS)
        self._workflow_weights = zipf(WORKFLOWS)

    def __iter__(self) -> Iterator[RunRecord]:
        step_ms = DAYS * 86_400_000 / self.count
        for number in range(self.count):
            yield self._run(number, int(END - DAYS * 86_400_000 + number * step_ms))

    def text(self, length: int) -> str:
        """Return about so many characters of prose."""
        return " ".join(self._dice.choices(self.words, cum_weights=self._word_weights, k=max(length // 6, 1)))

    def _one(self, weighted: tuple[tuple[Any, int], ...]) -> Any:
        return self._dice.choices([value for value, _ in weighted], [weight for _, weight in weighted])[0]

    def _run(self, number: int, created: int) -> RunRecord:
        dice = self._dice
        tenant = dice.choices(range(TENANTS), cum_weights=self._tenant_weights)[0]
        workflow = dice.choices(range(WORKFLOWS), cum_weights=self._workflow_weights)[0]
        status: RunStatus = self._one(_STATUSES)
        failed = status not in (RunStatus.SUCCEEDED, RunStatus.STOPPED)
        duration = int(math.exp(dice.gauss(7.5, 1.2)))
        started = created + int(dice.expovariate(1 / 40))
        prose = self.text(min(4_000, max(300, int(math.exp(dice.gauss(7.0, 0.6))))))
        given = {
            "ticket": {"id": f"T-{dice.randrange(10**7)}", "lang": dice.choice(("en", "de", "fr", "es")), "priority": dice.randint(1, 5)},
            "customer": {"id": f"c{dice.randrange(5_000)}", "plan": dice.choice(("free", "pro", "enterprise"))},
            "message": prose,
        }
        output = None if failed else self._output()
        generations = self._generations(started, prose, failed)
        steps = self._steps(started, duration, failed)
        usage = sum((call.usage for call in generations), Usage())
        slug = f"workflow-{workflow}"
        version = 1 + number * 8 // self.count
        scope = scope_of(tenant)
        return RunRecord(
            run_id=f"run_{created:012x}7{number % 0xFFF:03x}8{number:015x}",
            rev=20,
            org_id=scope.org_id,
            project_id=scope.project_id,
            workflow_id=f"wf_{tenant:016x}{workflow:016x}",
            workflow_slug=slug,
            workflow_name=slug.replace("-", " ").title(),
            version=version,
            version_hash=hashlib.sha256(f"{tenant}/{workflow}/{version}".encode()).hexdigest(),
            status=status,
            failure_code=dice.choice(_CODES) if failed else None,
            failed_step=dice.choice(_STEPS)[0] if failed else None,
            error_message=f"the server answered {dice.choice((429, 500, 503))}: {self.text(60)}" if failed else None,
            trigger=self._one(_TRIGGERS),
            created_at=created,
            started_at=started,
            ended_at=started + duration,
            duration_ms=duration,
            queue_ms=started - created,
            input=given,
            output=output,
            tags=("beta",) if dice.random() < 0.1 else (),
            metadata={"env": dice.choice(("prod", "prod", "staging")), "user": f"u{dice.randrange(2_000)}"},
            usage=usage,
            step_count=len(steps),
            steps=steps,
            generations=generations,
            score=round(dice.random(), 2) if dice.random() < 0.05 else None,
        )

    def _output(self) -> dict[str, Any]:
        dice = self._dice
        items = [{"name": dice.choice(self.words[:500]), "price": round(dice.random() * 100, 2)} for _ in range(dice.randint(0, 4))]
        return {"sentiment": self._one(_SENTIMENTS), "score": round(dice.random(), 3), "answer": self.text(400), "items": items}

    def _generations(self, started: int, prose: str, failed: bool) -> tuple[GenerationRecord, ...]:
        dice = self._dice
        return tuple(
            self._generation(started + call * 700, prose, call, ok=not (failed and dice.random() < 0.5))
            for call in range(dice.randint(1, 2))
        )

    def _generation(self, at: int, prose: str, call: int, *, ok: bool) -> GenerationRecord:
        dice = self._dice
        provider, model, price = dice.choice(_MODELS)
        spent = Usage(
            input_tokens=len(prose) // 4 + 200,
            output_tokens=dice.randint(20, 400),
            generations=1,
            cost_nanos=int((len(prose) // 4 + 200) * price * 1_000),
        )
        told = [{"role": "system", "content": "You triage support tickets."}, {"role": "user", "content": prose}]
        return GenerationRecord(
            seq=4 + call * 3,
            at=at,
            step_path=("classify", "draft")[call],
            provider=provider,
            model=model,
            ok=ok,
            latency_ms=round(math.exp(dice.gauss(6.5, 0.6)), 1),
            first_token_ms=round(math.exp(dice.gauss(5.5, 0.5)), 1),
            usage=spent,
            messages=told,
            response=self.text(300) if ok else None,
            error_message=None if ok else "rate limited",
        )

    def _steps(self, started: int, duration: int, failed: bool) -> tuple[StepRecord, ...]:
        count = self._dice.randint(3, len(_STEPS))
        part = duration // count
        return tuple(
            StepRecord(
                path=name,
                id=name,
                type=kind,
                status="failed" if failed and place == count - 1 else "succeeded",
                attempts=1,
                started_at=started + place * part,
                duration_ms=part,
                error_code="HTTP_FAILED" if failed and place == count - 1 else None,
            )
            for place, (name, kind) in enumerate(_STEPS[:count])
        )
