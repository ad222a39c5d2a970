"""One run in the hands of a test: commands in, batches of events out, time as the test says."""

from typing import Any, ClassVar, Final, Literal, get_args

from runwell.engine.advance import Advance, advance
from runwell.engine.compile import compile_workflow
from runwell.engine.decide import start
from runwell.engine.evolve import create, fold
from runwell.engine.plan import Plan
from runwell.engine.state import RunState, StepState, next_alarm
from runwell.engine.view import run_view
from runwell.model.commands import AdmitRun, Command, CompleteAttempt, CompleteTask, FailAttempt, RecoverRun, StartRun, Tick
from runwell.model.errors import ErrorInfo
from runwell.model.events import Event, RunCreated, decode_event, encode_event
from runwell.model.run import RunView
from runwell.model.step import CONTROL_STEPS, StepSpec
from runwell.model.workflow import parse_workflow

T0: Final = 1_792_000_000_000
RUN_ID: Final = "run_0199e0a1b2c37def8123456789abcdef"


class Transform(StepSpec):
    """A leaf step with one template."""

    templates = frozenset({"value"})

    type: Literal["transform"]
    value: Any = None


class Request(StepSpec):
    """A leaf step in which secrets may stand."""

    templates = frozenset({"request", "note"})
    secret_fields: ClassVar[frozenset[str]] = frozenset({"request"})

    type: Literal["request"]
    request: Any = None
    note: Any = None
    connection: str | None = None
    output_schema: Any = None


_SPECS: Final[tuple[type[StepSpec], ...]] = (Transform, Request, *CONTROL_STEPS)
SPEC_TYPES: Final = {str(get_args(spec.model_fields["type"].annotation)[0]): spec for spec in _SPECS}


def compiled(document: dict[str, Any]) -> Plan:
    return compile_workflow(parse_workflow(document, SPEC_TYPES))


def workflow(*steps: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Return a document with these steps; a step without a type is a transform."""
    return {"name": "t", "steps": [{"type": "transform"} | step for step in steps], **fields}


def created(given: Any = None) -> RunCreated:
    return RunCreated(
        org_id="org_1",
        project_id="prj_1",
        workflow_id="wf_1",
        workflow_slug="t",
        workflow_name="t",
        version=1,
        version_hash="h",
        input=given,
    )


class Driver:
    """A run that is driven by hand. `batches` are the events of each command that made any."""

    def __init__(self, document: dict[str, Any], given: Any = None, *, admit: bool = True) -> None:
        self.plan = compiled(document)
        self.now = T0
        first = start(RUN_ID, StartRun(run=created(given)), self.now)
        self.state: RunState = create(self.plan, first)
        self.batches: list[list[Event]] = [[first]]
        if admit:
            self.do(AdmitRun())

    @property
    def events(self) -> list[Event]:
        return [event for batch in self.batches for event in batch]

    @property
    def view(self) -> RunView:
        return run_view(self.state)

    def do(self, command: Command) -> Advance:
        out = advance(self.state, command, self.now)
        if out.events:
            self.batches.append(out.events)
        return out

    def step(self, path: str) -> StepState:
        return self.state.steps[path]

    def statuses(self) -> dict[str, str]:
        return {path: step.status.value for path, step in self.state.steps.items()}

    def complete(self, path: str, result: Any = None) -> Advance:
        return self.do(CompleteAttempt(step_id=path, attempt=self.step(path).attempt, result=result))

    def fail(self, path: str, *, retryable: bool = False, retry_after_s: float | None = None) -> Advance:
        error = ErrorInfo(code="HTTP_FAILED", message="it failed", step_id=path)
        attempt = self.step(path).attempt
        return self.do(FailAttempt(step_id=path, attempt=attempt, error=error, retryable=retryable, retry_after_s=retry_after_s))

    def decide(self, path: str, *, approved: bool = True, result: dict[str, Any] | None = None) -> Advance:
        return self.do(CompleteTask(actor="ann", task_id=self.step(path).task_id or "", approved=approved, result=result))

    def wait(self, ms: int) -> Advance:
        self.now += ms
        return self.do(Tick())

    def to_alarm(self) -> Advance:
        at = next_alarm(self.state)
        assert at is not None, "nothing will happen by itself"
        return self.wait(max(0, at - self.now))

    def crash(self) -> Advance:
        """Forget the state and take the run up again from its journal."""
        self.state = fold(self.plan, [decode_event(encode_event(event)) for event in self.events])
        return self.do(RecoverRun())
