"""The steps of a `@workflow` function: `from runwell import step`.

Each function stands for a step of that type, whose fields it takes by name, and returns what stands for its result. Beside those
of its type every step takes `id`, `after` (steps that it waits for without using their results), `when`, `retry`, `timeout_s`,
`on_error`, `fallback`, `cache`, `join` and `name`.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from runwell.authoring.recording import LAST, condition_of, recorder, step_named
from runwell.authoring.references import Reference, Wrong, as_document, source_of
from runwell.sdk.signatures import schema_of


def llm(prompt: Any = None, *, model: str | None = None, models: Sequence[str] | None = None, output: Any = None, **fields: Any) -> Any:
    """Ask a model. `output` is a type: the result is an object of it, otherwise text."""
    given = {"model": model, "models": models, "prompt": prompt, "output_schema": output_schema(output, "step.llm"), **fields}
    return _add("llm", given)


def agent(slug: str, *, input: Any = None, prompt: Any = None, **fields: Any) -> Any:
    """Run an agent that is published under this slug. One that is written here with `@agent` is called by itself."""
    return _add("agent", {"agent": slug, "input": input, "prompt": prompt, **fields}, slug)


def tool(name: str, /, args: Any = None, **fields: Any) -> Any:
    """Call a tool by its name, as in `mcp:desk/find_ticket`, with `args`. A function with `@tool` is called by itself."""
    return _add("tool", {"tool": name, "args": args, **fields}, name.rpartition("/")[2].rpartition(":")[2])


def workflow(slug: str, input: Any = None, **fields: Any) -> Any:
    """Run a workflow that is published under this slug, and wait for its output."""
    return _add("workflow", {"workflow": slug, "input": input, **fields}, slug)


def http(method: str, url: Any, *, headers: Any = None, query: Any = None, json: Any = None, **fields: Any) -> Any:
    """Send a request. The result is `{status, headers, body}`."""
    parts: dict[str, Any] = {key: fields.pop(key) for key in ("form", "body", "connection") if key in fields}
    sent = {"method": method, "url": url, "headers": headers, "query": query, "json": json, **parts}
    return _add("http", {"request": {key: value for key, value in sent.items() if value is not None}, **fields})


def python(code: str, *, inputs: Mapping[str, Any] | None = None, **fields: Any) -> Any:
    """Run code in the sandbox with `inputs` as its variables. The result is the value of its last expression."""
    return _add("python", {"code": inspect.cleandoc(code), "inputs": inputs, **fields})


def transform(value: Any, **fields: Any) -> Any:
    """Make a value of others."""
    if value is None:
        raise Wrong("a transform step makes nothing", hint="give it a value")
    return _add("transform", {"value": value, **fields})


def approval(title: Any, *, description: Any = None, payload: Any = None, **fields: Any) -> Any:
    """Ask a person. The result is `{approved, by, comment}`, and what the person edited."""
    return _add("approval", {"title": title, "description": description, "payload": payload, **fields})


def delay(seconds: Any = None, *, until: Any = None, **fields: Any) -> Any:
    """Wait for a time, or until a moment."""
    return _add("delay", {"for_s": seconds, "until": until, **fields})


def wait(message: Any, *, expires_in_s: Any = None, **fields: Any) -> Any:
    """Wait for a message of this name. The result is its body."""
    return _add("wait", {"message": message, "expires_in_s": expires_in_s, **fields})


def conversation(**fields: Any) -> Any:
    """Talk with a person. The fields are those of the document's step."""
    return _add("conversation", fields)


def of_type(kind: str, **fields: Any) -> Any:
    """Add a step of any type, also of a plug-in's."""
    return _add(kind, fields)


def for_each(items: Any, body: Callable[..., Any], *, max_parallel: int | None = None, **fields: Any) -> Any:
    """Call `body` with each item, or with item and index; what it calls are steps. The result is the list of what it returns."""
    _check_body(body, 2)

    def inside(number: int) -> dict[str, Any]:
        given = [Reference(f"item__{number}"), Reference(f"index__{number}")]
        returned = body(*given[: len(inspect.signature(body).parameters)])
        output = None if returned is None else as_document(returned)
        return {"items": items, "max_parallel": max_parallel, "output": output}

    name = _name_of(body, "for_each")
    return recorder("step.for_each").loop("for_each", name, inside, fields)


def repeat(body: Callable[..., Any], *, again: Callable[[Any], Any], max_iterations: int, **fields: Any) -> Any:
    """Call `body` with what it returned the last time, at first null, as long as `again` of that holds.

    The result is `{iterations, stopped_reason, value}`.
    """
    _check_body(body, 1)
    own = recorder("step.repeat")

    def inside(number: int) -> dict[str, Any]:
        last = Reference(f"last__{number}")
        returned = body(*[last][: len(inspect.signature(body).parameters)])
        if returned is None:
            raise Wrong("the body of step.repeat returns nothing", hint="return what the next round is to begin with")
        if not _is_result(returned):
            returned = transform(returned)
        return {
            "condition": condition_of(again(last)),
            "max_iterations": max_iterations,
            "output": returned,
            LAST: step_named(returned),
        }

    return own.loop("while", _name_of(body, "repeat"), inside, fields)


@contextmanager
def when(condition: Any) -> Iterator[None]:
    """Let the steps inside of the `with` run only if the condition holds; they are skipped otherwise."""
    with recorder("step.when").condition(condition):
        yield


def expression(text: str, *values: Any) -> Any:
    """Return what CEL makes of values: each `{}` of the text stands for the next one, as in `expression("size({}) > 3", items)`."""
    return Reference(text.format(*map(source_of, values)), compound=True)


def default(value: Any, otherwise: Any) -> Any:
    """Return the value, or `otherwise` where it is null or missing."""
    return Reference(f"default({source_of(value)}, {source_of(otherwise)})")


def both(*conditions: Any) -> Any:
    """Return whether all of the conditions hold."""
    return Reference(" && ".join(f"({source_of(one)})" for one in conditions), compound=True)


def either(*conditions: Any) -> Any:
    """Return whether one of the conditions holds."""
    return Reference(" || ".join(f"({source_of(one)})" for one in conditions), compound=True)


def negated(condition: Any) -> Any:
    """Return whether the condition does not hold."""
    return Reference(f"!({source_of(condition)})", compound=True)


def status(result: Any) -> Any:
    """Return the status of the step whose result this is: `succeeded`, `failed`, `skipped`, ..."""
    return Reference("steps")[step_named(result)].status


def error(result: Any) -> Any:
    """Return the error of the step whose result this is; null where it has none."""
    return Reference("steps")[step_named(result)].error


def secret(name: str) -> Any:
    """Return a secret of the project, for an http step's request. Its value is nowhere but in the request."""
    return Reference("secrets")[name]


def run() -> Any:
    """Return what is known of the run itself: `id`, `created_at`, `tags`, `metadata`, ..."""
    return Reference("run")


def output_schema(kind: Any, place: str) -> dict[str, Any] | None:
    """Return the schema of what a model is to write; None for text. Raises `InvalidInput` for what is neither text nor an object."""
    if kind in (None, Any, str, inspect.Signature.empty):
        return None
    if isinstance(kind, Mapping):
        return dict(kind)
    found = schema_of(kind, place)
    if found.get("type") != "object" and "$ref" not in found:
        raise Wrong(f"{place}: a model writes text or an object, not {kind!r}", hint="wrap it in a pydantic model, TypedDict or dataclass")
    return found


def _add(kind: str, fields: Mapping[str, Any], name: str | None = None) -> Reference:
    own = dict(fields)
    options: dict[str, Any] = {key: own.pop(key) for key in ("id", "after", "when", "fallback") if key in own}
    return recorder(f"step.{kind}").add(kind, name or kind, own, options)


def _name_of(body: Callable[..., Any], otherwise: str) -> str:
    name = getattr(body, "__name__", otherwise)
    return otherwise if name == "<lambda>" else name


def _is_result(value: Any) -> bool:
    try:
        return isinstance(value, Reference) and source_of(Reference("steps")[step_named(value)].result) == source_of(value)
    except Wrong:
        return False


def _check_body(body: Callable[..., Any], most: int) -> None:
    if len(inspect.signature(body).parameters) > most:
        raise Wrong(f"{body!r:.80} cannot be the body of a loop", hint="give a function, as in lambda item: greet(item.name)")
