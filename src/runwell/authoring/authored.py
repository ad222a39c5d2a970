"""What `@workflow` and `@agent` make of a function: a document, and the ways to run it."""

import asyncio
import copy
import functools
import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from runwell.adapters.document_yaml import YamlText
from runwell.authoring.recording import Recorder, is_recording, recorder, recording
from runwell.authoring.references import Reference, Wrong, source_of
from runwell.model.caching import CacheUse
from runwell.model.errors import InvalidDocument, InvalidInput, Problem
from runwell.model.run import RunView
from runwell.model.slugs import slug_of
from runwell.model.workflow_views import Kind
from runwell.runtime.publisher import Publisher
from runwell.sdk.authored import Authored
from runwell.sdk.signatures import Function, Signature
from runwell.sdk.tool import Tool
from runwell.steps.registry import step_types
from runwell.storage.memory_journal import MemoryDefinitions


class Built:
    """A document, and what its steps call that is not in it."""

    def __init__(self, document: dict[str, Any], made: Recorder) -> None:
        self.document, self.places = document, made.places
        self.tools, self.needs = tuple(made.tools.values()), tuple(made.needs.values())


class Written:
    """A function whose document Runwell runs. The document is made and checked when it is first asked for, and then stays.

    The input is an object with a field for each parameter of the function; one that has a single parameter called `input` gets the
    input whole.
    """

    kind: Kind = "workflow"

    def __init__(self, function: Function, name: str | None, fields: Mapping[str, Any]) -> None:
        self.function, self.signature = function, Signature(function)
        self.name = name or function.__name__.replace("_", "-")
        self.slug = slug_of(self.name)
        self._fields = {key: value for key, value in fields.items() if value is not None}
        functools.update_wrapper(self, function)  # type: ignore[arg-type]

    def document(self) -> dict[str, Any]:
        """Return the document as the server takes it. Raises `InvalidDocument`, which names the lines of the function."""
        return copy.deepcopy(self._built.document)

    def yaml(self) -> str:
        """Return the document as YAML."""
        return YamlText().write(self._built.document)

    def tools(self) -> tuple[Tool[..., Any], ...]:
        """Return the functions that its steps call."""
        return self._built.tools

    def needs(self) -> tuple[Authored, ...]:
        """Return the workflows and agents that it runs, which are published before it."""
        return self._built.needs

    def run(self, input: Any = None, **how: Any) -> RunView:
        """Run it in this process and return the run once it has ended, whatever became of it. For the arguments see `arun`."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return asyncio.run(self.arun(input, **how))
        raise InvalidInput(f"{self.signature.place}: run() would block the event loop that is running", hint="write: await ....arun(input)")

    async def arun(
        self,
        input: Any = None,
        *,
        data_dir: Any = None,
        key: str | None = None,
        decide: Any = None,
        tags: Sequence[str] = (),
        metadata: Mapping[str, str] | None = None,
        environment: str = "production",
        use_cache: CacheUse = "auto",
        timeout_s: float | None = None,
    ) -> RunView:
        """Run it in this process and return the run once it has ended, whatever became of it.

        data_dir: where the run is kept, durably; left out, it is in memory and gone afterwards.
        key: names the run of a data directory: the same key finds the same run, and goes on with it if its process died.
        decide: is asked what a person would decide: called with the task, it returns True, False, or an object of edits.
        timeout_s: how long to wait for the end. Raises `RunNotEnded` after that, and when only a person could move the run on.
        Raises `InvalidInput` for an input that breaks the schema, and `DataDirectoryBusy`.
        """
        from runwell.authoring.local import local

        async with local(data_dir) as here:
            return await here.run(
                self,
                input,
                key=key,
                decide=decide,
                tags=tags,
                metadata=metadata,
                environment=environment,
                use_cache=use_cache,
                timeout_s=timeout_s,
            )

    def build(self, made: Recorder) -> dict[str, Any]:
        """Return the fields of the document but for its name and schema."""
        raise NotImplementedError

    def as_step(self, made: Recorder, given: Mapping[str, Any], options: Mapping[str, Any]) -> Any:
        """Add the step for which a call within another workflow stands; `given` are the arguments."""
        raise NotImplementedError

    def called_with(self, args: tuple[Any, ...], kwargs: Mapping[str, Any], options: Mapping[str, Any]) -> Any:
        """Return the result of that step. Raises `InvalidInput` outside of a `@workflow` function."""
        if not is_recording():
            raise InvalidInput(
                f"{self.signature.place} is a {self.kind}: it has no result of its own here",
                hint=f"run it: {self.function.__name__}.run(...)",
            )
        return self.as_step(recorder(self.name), self.signature.bind(args, kwargs), options)

    def in_one(self, given: Mapping[str, Any]) -> Any:
        """Return the arguments as the input of a run."""
        return given.get("input") if self.signature.is_whole else dict(given)

    def called(self, *args: Any, **kwargs: Any) -> Any:
        """Return the function's own answer to stand-ins. Raises `Wrong`, with the function's name."""
        try:
            returned = self.function(*args, **kwargs)
        except NotImplementedError:
            return None
        if inspect.iscoroutine(returned):
            returned.close()
            raise Wrong("it is async, but it only says which steps there are", hint="write def, and leave out await")
        return returned

    def stand_ins(self) -> dict[str, Reference]:
        """Return what stands for the input, parameter by parameter."""
        if self.signature.is_whole:
            return {"input": Reference("input")}
        return {name: self._stand_in(name, parameter.default) for name, parameter in self.signature.parameters.items()}

    def _stand_in(self, name: str, default: Any) -> Reference:
        from_input = Reference("input")[name]
        if default is inspect.Parameter.empty:
            return from_input
        return Reference(f"default({source_of(from_input)}, {source_of(default)})")

    @functools.cached_property
    def _built(self) -> Built:
        made = Recorder()
        try:
            with recording(made):
                fields = self.build(made)
        except Wrong as exc:
            raise InvalidInput(f"{self.signature.place}{_line_in(exc, self.function)}: {exc.message}", hint=exc.hint) from exc
        about = {"description": self.description, "input_schema": self._input_schema()}
        document = {"name": self.name, **{key: value for key, value in about.items() if value is not None}, **self._fields, **fields}
        self._check(document, made)
        return Built(document, made)

    @property
    def description(self) -> str | None:
        """What the document says of itself."""
        return self.signature.description or None

    def _input_schema(self) -> dict[str, Any] | None:
        return self.signature.input_schema if self.signature.parameters else None

    def _check(self, document: dict[str, Any], made: Recorder) -> None:
        """Raise `InvalidDocument` with the lines of the function where it goes wrong."""
        try:
            Publisher(MemoryDefinitions(), step_types()).compile(document)
        except InvalidDocument as exc:
            problems = tuple(_with_line(problem, made.places) for problem in exc.problems)
            count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
            raise InvalidDocument(
                f"{self.signature.place} makes no valid workflow: {count}; {problems[0]}", hint=None, problems=problems
            ) from exc

    def __repr__(self) -> str:
        return f"<{self.kind} {self.slug}: {self.signature.place}>"


def _with_line(problem: Problem, places: Mapping[str, int]) -> Problem:
    fields = {name: getattr(problem, name) for name in problem.__struct_fields__}
    return Problem(**{**fields, "line": places.get(problem.step_id or "")})


def _line_in(exc: BaseException, function: Function) -> str:
    """Return the line of the function at which it went wrong."""
    code, trace = inspect.unwrap(function).__code__, exc.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code is code:
            return f", line {trace.tb_lineno}"
        trace = trace.tb_next
    return ""
