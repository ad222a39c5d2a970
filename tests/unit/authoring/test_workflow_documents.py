"""`@workflow`: from a function to the document that the server takes."""

from typing import Any, Literal

import pytest
import yaml
from pydantic import BaseModel

from runwell import agent, step, tool, workflow
from runwell.model.errors import InvalidDocument, InvalidInput


@tool
def find(number: int) -> dict[str, Any]:
    """Find a parcel."""
    return {"number": number}


class Kind(BaseModel):
    kind: Literal["refund", "bug"]
    score: float


@agent(model="demo:x", tools=[find])
def classify(ticket: str) -> Kind:
    """Say what kind of ticket it is."""
    raise NotImplementedError


def steps_of(written: Any) -> dict[str, dict[str, Any]]:
    return {one["id"]: one for one in written.document()["steps"]}


def test_calls_are_steps_and_references_are_dependencies() -> None:
    @workflow
    def triage(ticket: str, number: int, limit: float = 0.5) -> object:
        """Triage a ticket."""
        found = find(number=number)
        kind = classify(ticket=f"{ticket} ({found['number']})")
        with step.when((kind.kind == "refund") & (kind.score >= limit)):
            asked = step.approval(f"Refund {ticket}?", payload={"parcel": found})
            step.http("POST", "https://pay.example/refunds", json={"ok": asked.approved}, headers={"X": step.secret("PAY")}, id="pay")
        return {"kind": kind.kind, "status": step.status(asked)}

    document = triage.document()
    assert (document["name"], document["description"], triage.slug, triage.kind) == ("triage", "Triage a ticket.", "triage", "workflow")
    assert document["input_schema"]["required"] == ["ticket", "number"]
    assert [one["name"] for one in document["tools"]] == ["find"]
    steps = steps_of(triage)
    assert steps["find"] == {"id": "find", "type": "tool", "tool": "python:find", "args": {"number": "{{ input.number }}"}}
    assert steps["classify"]["prompt"] == "{{ input.ticket }} ({{ steps.find.result.number }})"
    assert steps["classify"]["output_schema"]["required"] == ["kind", "score"]
    assert (steps["classify"]["depends_on"], steps["approval"]["depends_on"]) == (["find"], ["find", "classify"])
    assert (
        steps["approval"]["when"]
        == '(steps.classify.result.kind == "refund") && (steps.classify.result.score >= default(input.limit, 0.5))'
    )
    assert steps["pay"]["depends_on"] == ["classify", "approval"]
    assert steps["pay"]["request"]["headers"] == {"X": "{{ secrets.PAY }}"}
    assert document["output"] == {"kind": "{{ steps.classify.result.kind }}", "status": "{{ steps.approval.status }}"}
    assert yaml.safe_load(triage.yaml()) == document
    triage.document()["name"] = "changed"
    assert triage.document()["name"] == "triage"


def test_conditions_of_nested_ifs_are_joined_and_ids_are_numbered() -> None:
    @workflow
    def many(input: list[int]) -> object:
        with step.when(input[0] > 1):
            step.transform("a")
            with step.when(step.negated(input[1] > 2)):
                step.transform("b")
        return step.transform("c", after=[step.transform("d", id="last")])

    steps = steps_of(many)
    assert [*steps] == ["transform", "transform_2", "last", "transform_3"]
    assert steps["transform_2"]["when"] == "(input[0] > 1) && (!(input[1] > 2))"
    assert "when" not in steps["last"]
    assert steps["transform_3"]["depends_on"] == ["last"]
    assert many.document()["input_schema"] == {"type": "array", "items": {"type": "integer"}}


def test_loops() -> None:
    @workflow
    def loops(orders: list[dict[str, Any]], top: int) -> object:
        rate = step.transform(1.2, id="rate")

        def each_order(order: Any, index: Any) -> Any:
            lines = step.for_each(order["lines"], lambda line: step.transform(line.price * rate), id="lines")
            return {"index": index, "id": order.id, "lines": lines}

        done = step.for_each(orders, each_order, max_parallel=3, on_item_error="collect")
        grown = step.repeat(
            lambda last: step.transform(step.default(last, 1) * 2), again=lambda last: last < top, max_iterations=9, id="grow"
        )
        return {"done": done, "grown": grown.value}

    steps = steps_of(loops)
    each = steps["each_order"]
    assert (each["items"], each["max_parallel"], each["depends_on"]) == ("{{ input.orders }}", 3, ["rate"])
    assert each["output"] == {"index": "{{ index }}", "id": "{{ item.id }}", "lines": "{{ steps.lines.result }}"}
    [inner] = each["steps"]
    assert inner["items"] == "{{ item.lines }}"
    assert inner["steps"] == [{"id": "transform", "type": "transform", "value": "{{ item.price * steps.rate.result }}"}]
    grow = steps["grow"]
    assert grow["condition"] == "loop.previous.transform_2.result < input.top"
    assert grow["steps"][0]["value"] == "{{ default(loop.previous.transform_2.result, 1) * 2 }}"
    assert "loop number" not in str(loops.document())
    assert "last step" not in str(loops.document())


def test_a_workflow_within_a_workflow() -> None:
    @workflow
    def child(name: str) -> object:
        return step.transform(f"Hello {name}")

    @workflow(name="The parent", concurrency=3, on_failure="drain", limits={"timeout_s": 60})
    def parent(names: list[str]) -> object:
        return step.for_each(names, lambda name: child.options(on_error="continue")(name=name))

    document = parent.document()
    assert (document["concurrency"], document["on_failure"], parent.slug) == (3, "drain", "the-parent")
    assert parent.needs() == (child,)
    [called] = document["steps"][0]["steps"]
    assert called == {"id": "child", "type": "workflow", "workflow": "child", "input": {"name": "{{ item }}"}, "on_error": "continue"}


def test_names_in_any_script_and_calls_of_itself() -> None:
    @workflow
    def größe(n: int) -> object:  # noqa: PLC2401
        with step.when(n > 0):
            less = größe(n - 1)
        return step.default(less, 0)

    assert (größe.slug, [*steps_of(größe)], größe.needs()) == ("größe", ["gr__e"], (größe,))


def test_two_workflows_of_one_name_are_refused() -> None:
    @workflow(name="one")
    def first(input: int) -> object:
        return step.transform(input)

    @workflow(name="one")
    def second(input: int) -> object:
        return step.transform(input)

    @workflow
    def both(input: int) -> object:
        return [first(input), second(input)]

    with pytest.raises(InvalidInput, match="two workflows are called 'one'"):
        both.document()


def test_every_kind_of_step() -> None:
    @workflow
    def every(input: Any) -> object:
        step.llm("Hello", model="demo:x", output=Kind, params={"temperature": 0})
        step.agent("support", prompt="Hello")
        step.tool("mcp:desk/find_ticket", {"number": input.number})
        step.workflow("other", input)
        step.python("x + 1", inputs={"x": input["a-b"]})
        step.delay(3)
        step.wait("word", expires_in_s=5)
        step.of_type("transform", value=step.expression("size({}) > {}", input.names, 2))
        return step.run().id

    steps = steps_of(every)
    assert [*steps] == ["llm", "support", "find_ticket", "other", "python", "delay", "wait", "transform"]
    assert steps["python"]["inputs"] == {"x": '{{ input["a-b"] }}'}
    assert steps["transform"]["value"] == "{{ size(input.names) > 2 }}"
    assert steps["find_ticket"]["args"] == {"number": "{{ input.number }}"}


def test_fields_of_a_step_may_be_given_to_a_call() -> None:
    @workflow
    def options(number: int) -> object:
        return find.options(id="look", retry={"max_attempts": 3}, timeout_s=5, fallback=None)(number)

    assert steps_of(options)["look"] == {
        "id": "look",
        "type": "tool",
        "tool": "python:find",
        "args": {"number": "{{ input.number }}"},
        "retry": {"max_attempts": 3},
        "timeout_s": 5,
        "fallback": None,
    }


def decides(count: int) -> object:
    if count > 3:
        return step.transform("many")
    return step.transform("few")


def counts(names: list[str]) -> object:
    return [step.transform(name) for name in names]


def is_in(name: str) -> object:
    return step.transform("Ada" in name)


def calls_a_method(name: str) -> object:
    return step.transform(name.upper())


def formats(price: float) -> object:
    return step.transform(f"{price:.2f}")


def changes(order: dict[str, Any]) -> object:
    order["done"] = True
    return step.transform(order)


def gives_an_object() -> object:
    return step.transform(object())


def escapes(names: list[str]) -> object:
    kept: list[Any] = []
    step.for_each(names, lambda name: step.transform([kept.append(name)]))  # type: ignore[func-returns-value]
    return step.transform(kept[0])


def shadows(rows: list[list[str]]) -> object:
    return step.for_each(rows, lambda row: step.for_each(row, lambda cell: step.transform({"row": row, "cell": cell})))


def nothing(name: str) -> object:
    return name


async def awaits(name: str) -> object:
    return step.transform(name)


def has_decided(name: str) -> object:
    with step.when(3 > 2):
        return step.transform(name)


def twice() -> object:
    step.transform(1, id="a")
    return step.transform(2, id="a")


def calls_wrongly(number: int) -> object:
    return find(nummer=number)  # type: ignore[call-arg]


def empty_loop(names: list[str]) -> object:
    return step.for_each(names, lambda name: None)


@pytest.mark.parametrize(
    ("function", "words", "cure"),
    [
        (decides, "Python cannot decide by it", "step.when"),
        (counts, "input.names has no items yet", "step.for_each"),
        (is_in, "cannot look for one", "{} in {}"),
        (calls_a_method, "input.name.upper cannot be called", "step.expression"),
        (formats, "cannot be formatted as '.2f'", "step.python"),
        (changes, "cannot be changed", "step.transform"),
        (gives_an_object, "of type object cannot stand in a document", "text, numbers"),
        (escapes, "the item of a loop is used outside", "outer loop"),
        (shadows, "the item of a loop is used outside of it, or in a loop within it", "step.transform(item)"),
        (nothing, "no step is called in it", "runwell.step"),
        (awaits, "it is async", "write def"),
        (has_decided, "Python has decided it already", "answer.score > 3"),
        (twice, "two steps have the id 'a'", "another"),
        (calls_wrongly, "missing a required argument: 'number'", "it takes number"),
        (empty_loop, "has no steps", "call steps"),
    ],
)
def test_what_a_document_cannot_say_is_refused_with_function_and_cure(function: Any, words: str, cure: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        workflow(function).document()
    assert words in caught.value.message
    assert cure in (caught.value.hint or "")
    assert f"{function.__name__}() (test_workflow_documents.py:" in caught.value.message or "find()" in caught.value.message


def test_the_line_is_told() -> None:
    with pytest.raises(InvalidInput, match=rf", line {decides.__code__.co_firstlineno + 1}: input.count"):
        workflow(decides).document()


def test_a_problem_of_the_document_has_the_line_of_its_step() -> None:
    @workflow
    def unsound(name: str) -> object:
        step.transform(name)
        return step.llm("Hello")

    with pytest.raises(InvalidDocument) as caught:
        unsound.document()
    [problem] = caught.value.problems
    assert problem.step_id == "llm"
    assert problem.line == unsound.function.__code__.co_firstlineno + 3
    assert "unsound() (test_workflow_documents.py:" in caught.value.message
    assert "model or models" in caught.value.message


@pytest.mark.parametrize(
    ("call", "cure"),
    [
        (lambda: step.transform(1), "call it in one"),
        (lambda: step.for_each([], lambda item: None), "call it in one"),
        (lambda: classify(ticket="x"), "classify.run(...)"),
        (lambda: find.options(id="x")(number=1), "@workflow function"),
    ],
)
def test_outside_of_a_workflow_there_are_no_steps(call: Any, cure: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        call()
    assert cure in (caught.value.hint or "")
