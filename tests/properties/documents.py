"""Random valid workflow documents.

A document is drawn from a strip of bytes: each choice takes the next one, and a strip that is used
up gives zeros. Zero is always the simplest choice, so hypothesis shrinks a document by shrinking
its strip. That is many times faster than a strategy for each field, and 150 runs for each
property must fit into seconds.
"""

from collections.abc import Sequence
from typing import Any, Final, TypeVar

T = TypeVar("T")

MAX_STEPS: Final = 12
MAX_DEPTH: Final = 2

MESSAGES: Final = ("go", "go", "go", "next")


class Strip:
    """Choices, one byte each."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def is_used_up(self) -> bool:
        return self._at >= len(self._data)

    def number(self, below: int) -> int:
        self._at += 1
        return self._data[self._at - 1] % below if self._at <= len(self._data) else 0

    def one(self, *options: T) -> T:
        return options[self.number(len(options))]

    def some(self, options: Sequence[T]) -> list[T]:
        return [option for option in options if self.number(2)]

    def rarely(self) -> bool:
        return self.number(6) == 5


def document(strip: Strip) -> dict[str, Any]:
    """Return a workflow document that compiles."""
    return _Writer(strip).workflow()


class _Writer:
    def __init__(self, strip: Strip) -> None:
        self._strip = strip
        self._left = 1 + strip.number(MAX_STEPS)
        self._count = 0
        self._never: set[str] = set()

    def workflow(self) -> dict[str, Any]:
        strip = self._strip
        made: dict[str, Any] = {"name": "random"}
        if strip.number(3) == 1:
            made["on_failure"] = "drain"
        if strip.number(4) == 1:
            made["limits"] = {"timeout_s": strip.one(20, 3, 60)}
        elif strip.rarely():
            made["limits"] = {"log_bytes": strip.one(200, 100)}
        made["steps"] = self._body(0, [], in_item=False)
        if strip.rarely():
            last = f'steps["{made["steps"][-1]["id"]}"].result'
            made["output"] = {"last": strip.one(f"{{{{ {last} }}}}", f"{{{{ {last}.n }}}}")}
        return made

    def _body(self, depth: int, outer: list[str], *, in_item: bool) -> list[dict[str, Any]]:
        steps: list[dict[str, Any]] = []
        most = self._left if depth == 0 else 1 + self._strip.number(min(3, max(1, self._left)))
        upstream: dict[str, set[str]] = {}
        while not steps or (len(steps) < most and self._left > 0):
            deps = self._strip.some(list(upstream)[-4:])
            visible = set(outer).union(*({dep} | upstream[dep] for dep in deps))
            step = self._step(depth, deps, sorted(visible), in_item)
            upstream[step["id"]] = {dep for d in deps for dep in ({d} | upstream[d])}
            steps.append(step)
        return steps

    def _step(self, depth: int, deps: list[str], visible: list[str], in_item: bool) -> dict[str, Any]:
        self._left -= 1
        self._count += 1
        strip = self._strip
        step: dict[str, Any] = {"id": f"{strip.one('s', 's-')}{self._count}", "type": "transform", "depends_on": deps}
        kind = strip.one(
            "transform", "transform", "transform", "transform", "for_each", "while", "delay", "approval", "wait", "wait", "workflow"
        )
        if kind in ("for_each", "while") and depth >= MAX_DEPTH:
            kind = "transform"
        step["type"] = kind
        self._common(step, visible)
        getattr(self, f"_{kind}")(step, depth, visible, in_item)
        return {key: value for key, value in step.items() if value not in ([], None) or key in ("items", "fallback")}

    def _common(self, step: dict[str, Any], visible: list[str]) -> None:
        strip = self._strip
        never = self._never.intersection(step["depends_on"])
        if len(step["depends_on"]) > 1:
            join = strip.one("any", "all")  # of what never runs not all can be awaited: that does not compile
            step["join"] = "any" if never else join
        if strip.number(4) == 1:
            step["when"] = self._condition(visible)
        if strip.number(12) == 11:
            step["enabled"] = False
        if "enabled" in step or (never and never.issuperset(step["depends_on"])):
            self._never.add(step["id"])
        handling = strip.number(5)
        if handling == 1:
            step["on_error"] = "continue"
        elif handling == 2:
            step["fallback"] = strip.one(None, {"n": 1}, [1, 2])
        if strip.number(4) == 3:
            step["timeout_s"] = strip.one(10, 1, 4)

    def _condition(self, visible: list[str]) -> str:
        if not visible:
            return self._strip.one("input.yes", "input.no", "1 < 2", "input.none_such == 1")
        of = f'steps["{self._strip.one(*visible)}"]'
        return self._strip.one(
            f'{of}.status == "succeeded"',
            f"default({of}.result.n, 0) > 2",
            "input.yes",
            "input.no",
            f"{of}.error == null",
            f"{of}.result.n > 1",
            f"{of}.result",
        )

    def _value(self, visible: list[str], in_item: bool) -> Any:
        options: list[Any] = [1, "{{ input.list }}"]
        options += ["{{ item }}", "{{ index }}"] if in_item else []
        options += [f'{{{{ steps["{step}"].result }}}}' for step in visible[-2:]]
        return self._strip.one(*options)

    def _transform(self, step: dict[str, Any], depth: int, visible: list[str], in_item: bool) -> None:
        step["value"] = self._value(visible, in_item)
        if self._strip.number(3) == 1:
            retry = {"max_attempts": 2 + self._strip.number(3), "initial_delay_s": self._strip.one(2, 0, 0.5), "backoff": 2}
            step["retry"] = retry | {"jitter": self._strip.one(0, 0.5), "max_delay_s": 5}

    def _for_each(self, step: dict[str, Any], depth: int, visible: list[str], in_item: bool) -> None:
        strip = self._strip
        value = self._value(visible, in_item)
        some = "{{ input.yes }}" if value in (1, "{{ index }}") else value  # no list either, but only a run knows that
        step["items"] = strip.one([1, 2], [], [1, 2, 3, 4], "{{ input.list }}", some)
        step["max_parallel"] = strip.one(1, 2, 10)
        step["on_item_error"] = strip.one("fail", "collect")
        step["steps"] = self._body(depth + 1, visible, in_item=True)
        if strip.number(3) == 1:
            step["output"] = f'{{{{ steps["{step["steps"][-1]["id"]}"].result }}}}'

    def _while(self, step: dict[str, Any], depth: int, visible: list[str], in_item: bool) -> None:
        strip = self._strip
        step["max_iterations"] = 1 + strip.number(3)
        step["steps"] = self._body(depth + 1, visible, in_item=in_item)
        last = f'loop.previous["{step["steps"][-1]["id"]}"]'
        step["condition"] = strip.one(
            "true", "loop.iteration < 2", f'{last}.status == "succeeded"', f"default({last}.result.n, 0) < 3", f"{last}.result"
        )

    def _delay(self, step: dict[str, Any], depth: int, visible: list[str], in_item: bool) -> None:
        if self._strip.number(4) == 3:
            step["until"] = self._strip.one("2026-10-14T18:00:00Z", "2020-01-01T00:00:00Z", "2026-10-14T16:53:25Z")
        else:
            step["for_s"] = self._strip.one(5, 0, 0.5, 2, 1, 3, "4", "{{ input.list }}")

    def _approval(self, step: dict[str, Any], depth: int, visible: list[str], in_item: bool) -> None:
        step["title"] = self._strip.one("go on?", "Item {{ input.list[0].n }}?", "go?", "{{ input.list }}")
        if self._strip.number(2):
            step["expires_in_s"] = self._strip.one(6, 1, 3)
            step["on_expire"] = self._strip.one("reject", "fail")

    def _wait(self, step: dict[str, Any], depth: int, visible: list[str], in_item: bool) -> None:
        step["message"] = self._strip.one(*MESSAGES)
        if self._strip.number(2):
            step["expires_in_s"] = self._strip.one(6, 1, 3)

    def _workflow(self, step: dict[str, Any], depth: int, visible: list[str], in_item: bool) -> None:
        step["workflow"] = "child"
