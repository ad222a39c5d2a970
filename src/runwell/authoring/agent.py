"""`@agent`: a function whose docstring tells a model what to do, and whose types say what goes in and what comes out."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, ParamSpec, TypeVar

from runwell.authoring.authored import Written
from runwell.authoring.recording import Recorder, recording
from runwell.authoring.references import Reference, Wrong
from runwell.authoring.step import output_schema
from runwell.model.workflow_views import Kind
from runwell.sdk.signatures import Function

P = ParamSpec("P")
T = TypeVar("T")


class Agent(Written, Generic[P, T]):
    """An agent written in Python. Inside of a `@workflow` a call is an agent step of that workflow's document."""

    kind: Kind = "agent"

    def __init__(self, function: Function, name: str | None, output: Any, tools: Sequence[Any], fields: Mapping[str, Any]) -> None:
        super().__init__(function, name, {})
        self._output, self._tools, self._step = output, tuple(tools), {key: one for key, one in fields.items() if one is not None}

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T:
        return self.called_with(args, kwargs, {})  # type: ignore[no-any-return]

    def options(self, **options: Any) -> Callable[P, T]:
        """Return the agent for a call whose step has these fields, too: `id`, `after`, `when`, `retry`, `timeout_s`, ..."""

        def call(*args: P.args, **kwargs: P.kwargs) -> T:
            return self.called_with(args, kwargs, options)  # type: ignore[no-any-return]

        return call

    @property
    def description(self) -> str | None:
        return self.signature.description.partition("\n\n")[0] or None

    def build(self, made: Recorder) -> dict[str, Any]:
        given: dict[str, Any] = dict(self.stand_ins())
        asked = {"prompt": next(iter(given.values()))} if len(given) == 1 and not self.signature.is_whole else {}
        made.add("agent", "agent", {**self._brought(made, given), **asked}, {})
        return made.finished(None)

    def as_step(self, made: Recorder, given: Mapping[str, Any], options: Mapping[str, Any]) -> Any:
        one = next(iter(given.values())) if len(given) == 1 else None
        asked = {"prompt": one} if isinstance(one, Reference | str) else {"input": self.in_one(given)}
        return made.add("agent", self.function.__name__, {**self._brought(made, given), **asked}, options)

    def _brought(self, made: Recorder, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields of the agent's step but for what it is asked."""
        schema = output_schema(self.signature.returns if self._output is None else self._output, self.signature.place)
        tools = [made.use(tool) for tool in self._tools]
        return {**self._step, "instructions": self._instructions(given), "tools": tools or None, "output_schema": schema}

    def _instructions(self, given: Mapping[str, Any]) -> str:
        own = Recorder()
        with recording(own):
            said = self.called(**{**self.stand_ins(), **given})
        if own.last_added is not None:
            raise Wrong("an agent's function calls no steps: it only says what the agent is to do", hint="give it as tools=[...]")
        if not isinstance(said, str | Reference | None):
            raise Wrong(f"it returns {said!r:.80}, but instructions are text", hint="return text, or nothing to use the docstring")
        text = self.signature.description if said is None else str(said)
        if not text.strip():
            raise Wrong("it has no instructions", hint="write what the agent is to do as its docstring, or return it")
        return text


def agent(
    *,
    model: str | None = None,
    models: Sequence[str] | None = None,
    tools: Sequence[Any] = (),
    output: Any = None,
    name: str | None = None,
    limits: Mapping[str, Any] | None = None,
    params: Mapping[str, Any] | None = None,
    **fields: Any,
) -> Callable[[Callable[P, T]], Agent[P, T]]:
    """Make a typed function an agent. Its instructions are its docstring, or the text that it returns, in which its arguments may stand.

    model, models: who is asked, as in `openai:gpt-5-mini`; of several, the next one when one fails.
    tools: functions with `@tool`, workflows and agents, or names like `mcp:desk/find_ticket`.
    output: the type of the answer; left out, that which the function is annotated to return. `str` is text.
    The other arguments are fields of the agent's step: `limits`, `params`, `retry`, `timeout_s`, `connection`, ...
    """
    step = {**fields, "model": model, "models": models, "limits": limits, "params": params}

    def made(function: Callable[P, T]) -> Agent[P, T]:
        return Agent(function, name, output, tools, step)

    return made
