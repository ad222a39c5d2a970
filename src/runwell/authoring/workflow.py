"""`@workflow`: a function whose calls are the steps of a document."""

from collections.abc import Callable, Mapping
from typing import Any, Generic, Literal, ParamSpec, TypeVar, overload

from runwell.authoring.authored import Written
from runwell.authoring.recording import Recorder
from runwell.authoring.references import Wrong

P = ParamSpec("P")
T = TypeVar("T")


class Workflow(Written, Generic[P, T]):
    """A workflow written in Python. Inside of another one a call stands for a run of this one, which that waits for."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T:
        return self.called_with(args, kwargs, {})  # type: ignore[no-any-return]

    def options(self, **options: Any) -> Callable[P, T]:
        """Return the workflow for a call whose step has these fields, too: `id`, `after`, `when`, `on_error`, ..."""

        def call(*args: P.args, **kwargs: P.kwargs) -> T:
            return self.called_with(args, kwargs, options)  # type: ignore[no-any-return]

        return call

    def build(self, made: Recorder) -> dict[str, Any]:
        returned = self.called(**self.stand_ins())
        if made.last_added is None:
            raise Wrong("no step is called in it", hint="call tools, agents, or the functions of runwell.step")
        return made.finished(returned)

    def as_step(self, made: Recorder, given: Mapping[str, Any], options: Mapping[str, Any]) -> Any:
        return made.add("workflow", self.function.__name__, {"workflow": made.need(self), "input": self.in_one(given)}, options)


@overload
def workflow(function: Callable[P, T], /) -> Workflow[P, T]: ...
@overload
def workflow(
    *,
    name: str | None = None,
    on_failure: Literal["fail_fast", "drain"] | None = None,
    limits: Mapping[str, Any] | None = None,
    concurrency: int | None = None,
) -> Callable[[Callable[P, T]], Workflow[P, T]]: ...
def workflow(
    function: Callable[..., Any] | None = None,
    /,
    *,
    name: str | None = None,
    on_failure: Literal["fail_fast", "drain"] | None = None,
    limits: Mapping[str, Any] | None = None,
    concurrency: int | None = None,
) -> Any:
    """Make a typed function a workflow. It is called once, with stand-ins for its input, to find out its steps.

    Steps that use nothing of each other run at the same time; `after=` makes one wait. What the function returns is the output.
    name: of the workflow, whose slug follows from it; left out, the function's with hyphens.
    The other arguments are fields of the document.
    """

    def made(function: Callable[..., Any]) -> Workflow[..., Any]:
        return Workflow(function, name, {"on_failure": on_failure, "limits": limits, "concurrency": concurrency})

    return made if function is None else made(function)
