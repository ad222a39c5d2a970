"""Random runs and random queries, with all that is awkward: quotes, NUL, keys with dots, numbers at the edges, nothing at all."""

import random
from collections.abc import Callable, Sequence
from typing import Any, cast

import msgspec
from tests.search.oracle import ROOTS, keys_of, path_name, values_at

from runwell.model.ids import DEFAULT_ORG, DEFAULT_PROJECT
from runwell.model.run_query import All, AnyOf, Compare, FieldType, Not, Operator, Query, Value, Words
from runwell.model.run_record import GenerationRecord, RunRecord, StepRecord
from runwell.model.statuses import RunStatus, StepStatus
from runwell.model.usage import Usage

NOW = 1_795_254_000_000
KEYS = ["a", "b", "lang", "items", "length", "n", "a.b", "x y", "", 'q"k', "k=v", "n@", "b[]", "é", "k\0", "back\\slash", "a#b", "😀"]
WORDS = ["refund", "Order", "late", "GRÖSSE", "größe", "İstanbul", "ΣΊΣΥΦΟΣ", "\u212aelvin", "kelvin", "foo_bar", "é", "日本", "x", "404"]
TEXTS = [
    "",
    "5",
    "5.0",
    "-0.5",
    "1e3",
    "true",
    "false",
    "null",
    "empty",
    "de",
    "De",
    "de*",
    "a,b",
    "a..b",
    'say "hi"',
    "back\\slash \\n",
    "line\nbreak\ttab",
    "nul\0nul",
    "it's {w0:String} %s ?",
    "2026-11-20",
    "2026-11-20T10:00:00Z",
    "2026-11-20T10:00:00.123+02:00",
    "1969-07-20 20:17",
    "2026-13-40",
    "y" * 64,
    "y" * 65,
    "z" * 200 + " tail",
    "/slash/ </tag> &amp;",
    "\u2028\u00a0",
    " ",
]
NUMBERS: list[int | float] = [
    0,
    -0.0,
    1,
    5,
    -1,
    0.1,
    -0.5,
    1e3,
    1e-7,
    2**53,
    2**53 + 1,
    2**63 - 1,
    2**64,
    -(2**63),
    10**30,
    1.7976931348623157e308,
    5e-324,
    1 / 3,
]


def compare(field: str, operator: str, values: tuple[Value, ...] = (), type_: FieldType | None = None) -> Compare:
    return Compare(field, cast(Operator, operator), values, type_)


def json_value(rng: random.Random, depth: int = 0) -> Any:
    kind = rng.random()
    if depth < 3 and kind < (0.9 if depth == 0 else 0.3):
        return {rng.choice(KEYS if rng.random() < 0.3 else KEYS[:6]): json_value(rng, depth + 1) for _ in range(rng.randint(0, 4))}
    if depth < 4 and kind < 0.45:
        return [json_value(rng, depth + 1) for _ in range(rng.randint(0, 3))]
    scalars: list[Callable[[random.Random], Any]] = [text_value, text_value, _number, _small, _boolean, _nothing]
    return rng.choice(scalars)(rng)


def _number(rng: random.Random) -> int | float:
    return rng.choice(NUMBERS)


def _small(rng: random.Random) -> int:
    return rng.randint(-5, 5)


def _boolean(rng: random.Random) -> bool:
    return rng.random() < 0.5


def _nothing(rng: random.Random) -> None:
    return None


def text_value(rng: random.Random) -> str:
    if rng.random() < 0.5:
        return rng.choice(TEXTS)
    return rng.choice([" ", "-", "\n", "\0", "é"]).join(rng.choices(WORDS, k=rng.randint(1, 4)))


def a_record(rng: random.Random, number: int) -> RunRecord:
    started = rng.choice([None, NOW - rng.randint(0, 10) * 3_600_000])
    failed = rng.random() < 0.4
    names: dict[str, Callable[[], Any]] = {"openai": lambda: rng.choice(["gpt-5", "gpt-5-mini"]), "anthropic": lambda: "claude-é"}
    generations = []
    for seq in range(rng.choice([0, 0, 1, 2, 3])):
        provider = rng.choice(list(names))
        messages: Any = rng.choice(
            [None, [{"role": "user", "content": text_value(rng)}, {"role": "system", "content": [{"text": "You are late"}]}]]
        )
        generations.append(
            GenerationRecord(
                seq=seq, at=NOW, step_path="s", provider=provider, model=names[provider](), messages=messages, response=json_value(rng, 3)
            )
        )
    return RunRecord(
        run_id=f"run_{number:032x}",
        rev=number + 1,
        org_id=DEFAULT_ORG,
        project_id=DEFAULT_PROJECT,
        workflow_id=f"wf_{rng.randint(1, 3):032x}",
        workflow_slug=rng.choice(["support-triage", "refunds"]),
        workflow_name=rng.choice(["Support Triage", "Größe"]),
        kind=rng.choice(["workflow", "agent"]),
        version=rng.randint(1, 4),
        version_hash="a" * 64,
        status=rng.choice(list(RunStatus)),
        waiting_for=rng.choice([None, "approval", "delay"]),
        failure_code=rng.choice(["HTTP_FAILED", "STEP_TIMED_OUT"]) if failed else None,
        failed_step=rng.choice(["refund", "classify"]) if failed else None,
        error_message=rng.choice(["", text_value(rng), "HTTP 404: not found, order late"]) if failed else None,
        trigger=rng.choice(["api", "schedule", "cli"]),
        environment=rng.choice(["production", "testing"]),
        parent_run_id=rng.choice([None, None, f"run_{rng.randint(0, 3):032x}"]),
        root_run_id=rng.choice([None, f"run_{rng.randint(0, 3):032x}"]),
        source_run_id=rng.choice([None, None, f"run_{rng.randint(0, 3):032x}"]),
        created_at=NOW - rng.randint(0, 20) * 3_600_000,
        started_at=started,
        ended_at=None if started is None else rng.choice([None, started + 2_000]),
        duration_ms=None if started is None else rng.choice([None, 0, 2_000, 90_500]),
        queue_ms=rng.choice([0, 500]),
        waited_ms=rng.choice([0, 60_000]),
        input=json_value(rng),
        output=json_value(rng, rng.choice([0, 0, 1, 3])),
        tags=tuple(rng.sample(["beta", "Beta", "größe", "vip"], rng.randint(0, 2))),
        metadata={rng.choice(["env", "a.b", "é", "n", "length"]): text_value(rng) for _ in range(rng.randint(0, 2))},
        usage=Usage(
            input_tokens=rng.randint(0, 5),
            output_tokens=rng.randint(0, 5),
            cost_nanos=rng.choice([0, 10_000_000, 10_000_001, 3 * 10**9]),
            generations=len(generations) + rng.choice([0, 0, 2]),  # of many, not all are kept
        ),
        cache_hits=rng.choice([0, 0, 1]),
        saved_nanos=rng.choice([0, 10_000_000]),
        tool_calls=rng.randint(0, 2),
        step_count=rng.randint(0, 4),
        steps=tuple(
            StepRecord(path=step, id=step, type=rng.choice(["http", "llm"]), status=rng.choice(list(StepStatus)))
            for step in rng.choices(["refund", "classify", "a-b"], k=rng.randint(0, 3))
        ),
        generations=tuple(generations),
        comments=rng.randint(0, 2),
        review=rng.choice(["", "positive", "negative"]),
        score=rng.choice([None, 0.0, 0.1, 0.5, 1.0]),
        archived_at=rng.choice([None, None, NOW]),
    )


OWN_TEXTS: dict[str, list[Value]] = {
    "trigger": ["api", "schedule", "s*", ""],
    "environment": ["production", "testing"],
    "failed_step": ["refund", "re*"],
    "failure_code": ["HTTP_FAILED", "HTTP*"],
    "model": ["gpt-5", "gpt-5*", "claude-é", "CLAUDE-É"],
    "provider": ["openai", "o*"],
    "tag": ["beta", "Größe", "größe", "GRÖ*", "v*"],
    "step_type": ["http", "llm", "h*"],
    "error": ["http_failed", "404", "not found", "HTTP*", "ord*", "late", "größe", "", "...", "\u212aelvin"],
}
CHOICES: dict[str, list[Value]] = {
    "kind": ["workflow", "agent"],
    "waiting_for": ["approval", "delay", "retry"],
    "review": ["positive", "negative"],
}
OWN_NUMBERS: dict[str, list[Value]] = {
    "version": [1, 3, 9],
    "started": [NOW, NOW - 3 * 3_600_000],
    "created": [NOW, NOW - 3 * 3_600_000],
    "ended": [NOW + 2_000, NOW - 3 * 3_600_000],
    "begun": [NOW, NOW - 5 * 3_600_000],
    "duration": [0, 2_000, 5_000],
    "queued": [0, 500],
    "waited": [0, 1],
    "cost": [0, 0.01, 0.010000001, 3],
    "tokens": [0, 5, 8],
    "input_tokens": [2],
    "output_tokens": [3],
    "generations": [0, 2],
    "cache_hits": [0, 1],
    "saved": [0, 0.01],
    "tool_calls": [1],
    "steps": [0, 2],
    "score": [0, 0.1, 0.5, 1],
    "comments": [0, 1],
}
ORDERS = ("gt", "gte", "lt", "lte", "between")


class Queries:
    """Random queries about these runs: most of the values are ones that occur."""

    def __init__(self, rng: random.Random, records: Sequence[RunRecord]) -> None:
        self._rng, self._records = rng, records

    def query(self, depth: int = 0) -> Query:
        kind = self._rng.random()
        if depth < 3 and kind < 0.25:
            parts = tuple(self.query(depth + 1) for _ in range(self._rng.randint(0 if depth else 1, 3)))
            return All(parts) if self._rng.random() < 0.5 else AnyOf(parts)
        if depth < 3 and kind < 0.32:
            return Not(self.query(depth + 1))
        if kind < 0.45:
            return self._words()
        return self._own() if kind < 0.65 else self._json()

    def _words(self) -> Words:
        from runwell.search.flatten import tokens

        words = tuple(tokens(" ".join(self._rng.choices([*WORDS, *TEXTS], k=3)))) or ("late",)
        start = self._rng.randrange(len(words))
        some = words[start : start + self._rng.choice([1, 1, 2, 3])]
        if self._rng.random() < 0.3:
            return Words((*some[:-1], some[-1][: self._rng.randint(1, 4)]), True)
        return Words(some)

    def _some(self, pool: Sequence[Value]) -> tuple[Value, ...]:
        return tuple(self._rng.choices(pool, k=self._rng.choice([1, 1, 1, 2, 3])))

    def _own(self) -> Compare:
        others = ["status", "workflow", "archived", "parent", "source", "root", "run", "step"]
        name = self._rng.choice([*OWN_TEXTS, *CHOICES, *OWN_NUMBERS, *others])
        equality = self._rng.choice(["is", "is_not"])
        emptiness = self._rng.choice(["empty", "not_empty"])
        if name in OWN_TEXTS:
            operator = self._rng.choice(["is", "is_not", "contains", "not_contains", emptiness])
            values = tuple(value for value in self._some(OWN_TEXTS[name]) if value or "contains" not in operator) or ("e",)
            return compare(name, operator, () if operator == emptiness else values, self._rng.choice([None, "string"]))
        if name in CHOICES:
            operator = self._rng.choice([equality, emptiness])
            return compare(name, operator, () if operator == emptiness else self._some(CHOICES[name]))
        if name in OWN_NUMBERS:
            operator = self._rng.choice([*ORDERS, equality, emptiness])
            return compare(name, operator, self._operands(operator, OWN_NUMBERS[name]))
        if name == "status":
            return compare(name, equality, self._some([status.value for status in RunStatus]))
        if name == "workflow":
            pool: list[Value] = ["support-triage", "refunds", "ref*", f"wf_{1:032x}", "gröSSE", "TRIAGE"]
            return compare(name, self._rng.choice([equality, "contains"]), self._some(pool))
        if name == "archived":
            return compare(name, equality, (self._rng.random() < 0.5,))
        if name == "step":
            step = self._rng.choice(["refund", "classify", "a-b", "other"])
            operator = self._rng.choice([equality, emptiness])
            return compare(
                f"step.{step}.status", operator, () if operator == emptiness else self._some([status.value for status in StepStatus])
            )
        operator = self._rng.choice([equality, emptiness])
        return compare(name, operator, () if operator == emptiness else self._some([f"run_{number:032x}" for number in range(4)]))

    def _operands(self, operator: str, pool: Sequence[Any]) -> tuple[Value, ...]:
        if operator in ("empty", "not_empty"):
            return ()
        if operator == "between":
            return tuple(sorted((self._rng.choice(pool), self._rng.choice(pool))))
        return self._some(pool) if operator in ("is", "is_not") else (self._rng.choice(pool),)

    def _place(self) -> tuple[str, tuple[str | None, ...], list[Any]]:
        """Return a place in one of the runs, and what is there in that run."""
        record = self._rng.choice(self._records)
        root = self._rng.choice(list(ROOTS))
        path = self._rng.choice(list(keys_of(getattr(record, root))) or [("nowhere",)])
        if self._rng.random() < 0.15:
            path = (*path, "length")
        if root == "metadata":
            path = path[:1]
        return root, path, values_at(getattr(record, root), path)

    def _json(self) -> Compare:
        type_: FieldType | None = self._rng.choice([None, None, "string", "number", "integer", "boolean", "date", "array_length"])
        root, path, found = self._place()
        for _ in range(30):  # mostly a place where there is something of this type: elsewhere the answer is the same for all runs
            if _is_of(found, type_) or self._rng.random() < 0.02:
                break
            root, path, found = self._place()
        name = path_name(root, path)
        seen = [value for value in found if isinstance(value, str | int | float)]
        emptiness = self._rng.choice(["empty", "not_empty"])
        equality = self._rng.choice(["is", "is_not"])
        if type_ in (None, "string"):
            operator = self._rng.choice([equality, "contains", "not_contains", emptiness])
            texts = [value if isinstance(value, str) else str(value) for value in [*seen, self._rng.choice(TEXTS), self._rng.choice(WORDS)]]
            if operator in ("contains", "not_contains"):
                texts = [text.upper()[self._rng.randint(0, 3) :] or "e" for text in texts]
            elif type_ is None and self._rng.random() < 0.3:
                texts = [text[:2] + "*" for text in texts]
            return compare(name, operator, () if operator == emptiness else self._some(texts), type_)
        if type_ == "boolean":
            return compare(name, equality, (self._rng.random() < 0.5,), type_)
        pool: list[Any] = (
            [0, 1, 2, 3] if type_ == "array_length" else NUMBERS + [value for value in seen if not isinstance(value, str | bool)]
        )
        if type_ == "date":
            pool = [1_795_132_800_000, 1_795_168_800_000, 1_795_161_600_123, -14_182_980_000, NOW]
        operator = self._rng.choice([*ORDERS, equality])
        if type_ == "date" and operator in ("gt", "lt") and self._rng.random() < 0.5:
            operator = "after" if operator == "gt" else "before"
        return compare(name, operator, self._operands(operator, pool), type_)


def _is_of(found: Sequence[Any], type_: FieldType | None) -> bool:
    if type_ == "date":
        return any(isinstance(value, str) and value[4:5] == "-" for value in found)
    kinds = {"boolean": bool, "array_length": list, "number": (int, float), "integer": (int, float)}.get(type_ or "", str)
    return any(isinstance(value, kinds) and (type_ == "boolean" or not isinstance(value, bool)) for value in found)  # type: ignore[arg-type]


def records(rng: random.Random, count: int) -> list[RunRecord]:
    """Return runs as they come out of the journal: through JSON."""
    made = (a_record(rng, number) for number in range(count))
    return [msgspec.json.decode(msgspec.json.encode(record), type=RunRecord) for record in made]
