"""`client.runs`."""

from collections.abc import Mapping, Sequence
from typing import Any, Unpack

import msgspec

from runwell.model.caching import CacheUse
from runwell.model.evaluation import AcceptedEvaluation
from runwell.model.events import StopMode, Verdict
from runwell.model.run import RunGraph, RunView, StepView
from runwell.model.run_overview import RunContext, RunOverview, RunSummary
from runwell.model.run_parts import Accepted, Comment, EventView, FeedbackToken, Generation, RunMarks
from runwell.model.run_search import Facets, RunFields
from runwell.model.text_delta import Delta
from runwell.sdk.connection import Connection
from runwell.sdk.event_stream import Following, follow
from runwell.sdk.faces import Awaiting, Listing, Resource, Stream, Waiting, listing, operation, streaming
from runwell.sdk.flow import Flow, ask, exchange
from runwell.sdk.request import Request, question, request
from runwell.sdk.run_filters import RunFiltering, Several, as_body, as_query, several
from runwell.sdk.starting import start_request
from runwell.sdk.waiting import ended, until


class RunCount(msgspec.Struct, frozen=True, kw_only=True):
    """How many runs a list holds."""

    count: int
    facets: Facets


class ExportedPart(msgspec.Struct, frozen=True):
    """A part of an export; `next_cursor` leads to the next one, None at the end."""

    content: bytes
    next_cursor: str | None = None


class _Operations(Resource):
    @operation
    def start(
        self,
        workflow: str,
        input: Any = None,
        *,
        version: int | None = None,
        tags: Sequence[str] = (),
        metadata: Mapping[str, str] | None = None,
        environment: str = "production",
        use_cache: CacheUse = "auto",
        idempotency_key: str | None = None,
    ) -> Flow[Accepted]:
        """Start a run of a workflow, as `workflows.start` does."""
        asked = start_request(workflow, input, version, tags, metadata, environment, use_cache, idempotency_key)
        return ask(self._connection, asked, Accepted)

    @listing
    def list(
        self, *, q: str = "", workflow: Several | None = None, limit: int = 50, **filters: Unpack[RunFiltering]
    ) -> Listing[RunSummary]:
        """Return runs, newest first. `q` is in the search language; `limit` is for one page."""
        return Listing(_list(q, workflow, limit, filters), RunSummary)

    @listing
    def search(
        self,
        query: str = "",
        field_queries: Sequence[Mapping[str, Any]] = (),
        *,
        workflow: Several = (),
        limit: int = 50,
        **filters: Unpack[RunFiltering],
    ) -> Listing[RunSummary]:
        """Return the runs for which the query and all conditions on fields hold, newest first.

        A condition is `{"field_name": "output.score", "operator": "less than", "values": [0.5], "type": "number"}`.
        """
        body = {"query": query, "field_queries": list(field_queries), "workflow": several(workflow), "limit": limit, **as_body(filters)}
        return Listing(question("runs", "search", body=body), RunSummary)

    @operation
    def count(self, *, q: str = "", workflow: Several | None = None, **filters: Unpack[RunFiltering]) -> Flow[RunCount]:
        """Return how many runs `list` would return, exactly, and how they divide."""
        asked = _list(q, workflow, 1, filters)
        return ask(self._connection, msgspec.structs.replace(asked, query=(*asked.query, ("count", "true"))), RunCount)

    @operation
    def export(
        self,
        *,
        q: str = "",
        format: str = "jsonl",
        workflow: Several | None = None,
        limit: int = 1_000,
        cursor: str | None = None,
        split: float | None = None,
        side: str | None = None,
        columns: Sequence[str] = (),
        **filters: Unpack[RunFiltering],
    ) -> Flow[ExportedPart]:
        """Return the next part of the runs that `q` finds as a file, of all time unless the filters say less; `limit` is for the part."""
        given = {"format": format, "split": None if split is None else str(split), "side": side, "column": tuple(columns) or None}
        about = {"q": q or None, "workflow": several(workflow or ()) or None, "limit": limit, "cursor": cursor}
        return _exported(self._connection, request("GET", "runs", "export", query={**about, **given, **as_query(filters)}))

    @operation
    def fields(self) -> Flow[RunFields]:
        """Return what can be asked about runs, and which places inputs, outputs and metadata of late have."""
        return ask(self._connection, request("GET", "runs", "fields"), RunFields)

    @operation
    def archive(self, run_id: str) -> Flow[RunMarks]:
        """Archive the run: lists leave it out unless they are asked for it. Raises `CommandRefused` for one that has not ended."""
        return ask(self._connection, request("POST", "runs", run_id, "archive"), RunMarks)

    @operation
    def unarchive(self, run_id: str) -> Flow[RunMarks]:
        """Let lists show the run again."""
        return ask(self._connection, request("POST", "runs", run_id, "unarchive"), RunMarks)

    @operation
    def review(self, run_id: str, review: Verdict, *, score: float | None = None, comment: str | None = None) -> Flow[RunMarks]:
        """Say whether the run did well, in place of what was said before; an empty `review` takes it back."""
        body = {"review": review, "score": score, "comment": comment}
        return ask(self._connection, request("PUT", "runs", run_id, "review", body=body), RunMarks)

    @operation
    def evaluate(
        self, run_id: str, evaluator: str, *, expected: Any = None, turn: Mapping[str, Any] | None = None
    ) -> Flow[AcceptedEvaluation]:
        """Let an evaluator judge the run, or one `turn` of it: `{number, input, output}`. What it says will stand on the run."""
        body = {"evaluator": evaluator, "expected": expected, "turn": turn}
        return ask(self._connection, request("POST", "runs", run_id, "evaluations", body=body), AcceptedEvaluation)

    @operation
    def feedback_token(self, run_id: str, *, expires_in_s: int = 604_800, subject: str = "") -> Flow[FeedbackToken]:
        """Return a token for whom the run was made: with it `POST /v1/feedback` takes their review of this run, without a key."""
        body = {"expires_in_s": expires_in_s, "subject": subject}
        return ask(self._connection, request("POST", "runs", run_id, "feedback-token", body=body), FeedbackToken)

    @operation
    def get(self, run_id: str) -> Flow[RunView]:
        """Return one run with its steps, input, output and error."""
        return ask(self._connection, request("GET", "runs", run_id), RunView)

    @operation
    def summary(self, run_id: str) -> Flow[RunOverview]:
        """Return how the run stands: progress, what it waits for, what failed and why, where the time went."""
        return _overview(self._connection, run_id)

    @operation
    def context(self, run_id: str) -> Flow[RunContext]:
        """Return what the run's expressions see."""
        return ask(self._connection, request("GET", "runs", run_id, "context"), RunContext)

    @operation
    def graph(self, run_id: str) -> Flow[RunGraph]:
        """Return the steps and edges of the run's version, and how far each step is."""
        return ask(self._connection, request("GET", "runs", run_id, "graph"), RunGraph)

    @operation
    def document(self, run_id: str) -> Flow[dict[str, Any]]:
        """Return the workflow document of the run's exact version."""
        return ask(self._connection, request("GET", "runs", run_id, "document"), dict[str, Any])

    @listing
    def events(
        self, run_id: str, *, types: Sequence[str] = (), step_id: str | None = None, after: int = 0, limit: int = 200
    ) -> Listing[EventView]:
        """Return the events kept so far with a `seq` over `after`, in order."""
        query = {"type": tuple(types), "step_id": step_id, "after": after or None, "limit": limit}
        return Listing(request("GET", "runs", run_id, "events", query=query), EventView)

    @listing
    def steps(self, run_id: str, *, path: str | None = None, limit: int = 200) -> Listing[StepView]:
        """Return the run's steps; with `path` that one and those inside of it."""
        return Listing(request("GET", "runs", run_id, "steps", query={"path": path, "limit": limit}), StepView)

    @listing
    def generations(self, run_id: str, *, step_id: str | None = None, limit: int = 50) -> Listing[Generation]:
        """Return the run's model calls as they were sent and answered."""
        return Listing(request("GET", "runs", run_id, "generations", query={"step_id": step_id, "limit": limit}), Generation)

    @listing
    def comments(self, run_id: str, *, limit: int = 50) -> Listing[Comment]:
        """Return what people wrote about the run, oldest first."""
        return Listing(request("GET", "runs", run_id, "comments", query={"limit": limit}), Comment)

    @operation
    def comment(self, run_id: str, content: str) -> Flow[Comment]:
        """Add a comment to the run."""
        return ask(self._connection, request("POST", "runs", run_id, "comments", body={"content": content}), Comment)

    @operation
    def stop(self, run_id: str, *, mode: StopMode = "immediate", drain_timeout_s: float | None = None) -> Flow[Accepted]:
        """Stop the run for good; `graceful` lets end what is in flight. Raises `CommandRefused`."""
        return _command(self._connection, run_id, "stop", {"mode": mode, "drain_timeout_s": drain_timeout_s})

    @operation
    def pause(self, run_id: str) -> Flow[Accepted]:
        """Let nothing new of the run start until it is resumed. Raises `CommandRefused`."""
        return _command(self._connection, run_id, "pause", {})

    @operation
    def resume(self, run_id: str) -> Flow[Accepted]:
        """Go on with a run that is paused. Raises `CommandRefused`."""
        return _command(self._connection, run_id, "resume", {})

    @operation
    def send(self, run_id: str, name: str, body: Any = None, *, message_id: str | None = None) -> Flow[Accepted]:
        """Send the run a message. One with the same `message_id` counts once."""
        return _command(self._connection, run_id, "send_message", {"name": name, "body": body, "message_id": message_id})

    @operation
    def data(
        self,
        run_id: str,
        message: str | None = None,
        *,
        variables: Mapping[str, Any] | None = None,
        step: str | None = None,
        message_id: str | None = None,
    ) -> Flow[Accepted]:
        """Tell the run's conversation what the person says, and variables that it is to have. `step` says which, if there are several."""
        params = {"message": message, "variables": dict(variables or {}), "step": step, "message_id": message_id}
        return _command(self._connection, run_id, "data", params)

    @streaming
    def stream(self, run_id: str, *, after: int = 0) -> Stream[EventView]:
        """Iterate over the run's events, those with a `seq` over `after`, as they come, until the run has ended.

        A cut is mended: each event comes once. Raises `StreamCut` or `ServerUnreachable` when it cannot be.
        """
        return Stream(follow(self._connection, Following(run_id, after)))

    @streaming
    def watch(self, run_id: str, *, after: int = 0) -> Stream[EventView | Delta]:
        """Iterate as `stream` does, and over the text that models write, which is kept nowhere: a cut may lose some."""
        return Stream(follow(self._connection, Following(run_id, after, deltas=True)))

    @operation
    def wait(self, run_id: str, *, timeout_s: float | None = None) -> Flow[RunView]:
        """Return the run once it has ended. Raises `RunNotEnded` when that takes longer than `timeout_s`."""
        return ended(self._connection, run_id, until(timeout_s))


def _list(q: str, workflow: Several | None, limit: int, filters: RunFiltering) -> Request:
    path = ("workflows", workflow, "runs") if isinstance(workflow, str) else ("runs",)
    among = () if workflow is None or isinstance(workflow, str) else several(workflow)
    return request("GET", *path, query={"q": q or None, "workflow": among, "limit": limit, **as_query(filters)})


def _exported(connection: Connection, asked: Request) -> Flow[ExportedPart]:
    reply = yield from exchange(connection, asked)
    return ExportedPart(reply.body, reply.headers.get("runwell-next-cursor"))


def _overview(connection: Connection, run_id: str) -> Flow[RunOverview]:
    return ask(connection, request("GET", "runs", run_id, "summary"), RunOverview)


def _command(connection: Connection, run_id: str, command: str, params: Mapping[str, Any]) -> Flow[Accepted]:
    """Steer the run, which goes through its workflow."""
    workflow = (yield from _overview(connection, run_id)).workflow
    given = {name: value for name, value in params.items() if value is not None or name == "body"}
    body = {"command": command, "run_id": run_id, "params": given}
    return (yield from ask(connection, request("POST", "workflows", workflow.id, "command", body=body), Accepted))


class Runs(_Operations, Waiting):
    """Runs: started, looked at, steered, followed."""


class AsyncRuns(_Operations, Awaiting):
    """Runs: started, looked at, steered, followed."""
