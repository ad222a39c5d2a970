"""Carrying out a node: a worker's model calls and tool calls, a tool's call, a request."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from runwell.model.errors import StepError
from runwell.model.schema import SchemaCheck
from runwell.model.tool import ToolSpec
from runwell.ports.models import Message, ToolCall, ToolOffer
from runwell.ports.steps import StepContext
from runwell.ports.tools import DeclaredTool
from runwell.steps.conversation.asking import Asking
from runwell.steps.conversation.document import ConversationStep, HttpNode, ToolNode, ToolUse, WorkerNode
from runwell.steps.conversation.flow import Carry, Outcome, Said, Talk, one_of, text_of
from runwell.steps.conversation.recall import Recall
from runwell.steps.http import HttpStep
from runwell.steps.llm import read_answer
from runwell.steps.tool_calls import call_tool, offered

SILENCE: Final = "(The person waits for your answer.)"
"""Stands for the person where a provider wants a message of theirs at the end."""


def as_messages(said: Sequence[Said]) -> list[Message]:
    """Return the conversation for a model: what one side said in a row is one message, and the person's is the last."""
    messages = [Message(role=role, content="\n\n".join(one.text for one in some)) for role, some in groupby(said, key=lambda one: one.role)]
    if not messages or messages[-1].role != "user":
        messages.append(Message(role="user", content=SILENCE))
    return messages


class Nodes:
    """Carries out the nodes of one turn."""

    def __init__(self, ctx: StepContext, spec: ConversationStep, talk: Talk, asking: Asking, recall: Recall) -> None:
        self._ctx, self._spec, self._talk, self._asking, self._recall = ctx, spec, talk, asking, recall
        self._calls = 0
        self._said: list[str] = []

    async def carry(self, need: Carry) -> Outcome:
        """Carry the node out. Raises `StepError` when it fails and has nothing to say then."""
        node = need.node
        self._said = []
        try:
            if isinstance(node, WorkerNode):
                value, variables = await self._work(node, need.place)
            else:
                assert isinstance(node, ToolNode | HttpNode)
                await self._backchannel(node, need.place)
                value, variables = await self._call_of_node(node, need.place), {}
                await self._ctx.kept()
        except StepError as exc:
            apology = node.default_error_message or self._spec.default_error_message
            if apology is None:
                raise
            return Outcome(said=tuple(self._said), error=exc.info(self._ctx.step_id), apology=apology)
        if node.result_variable is not None:
            variables = {**variables, node.result_variable: value}
        return Outcome(said=tuple(self._said), value=value, variables=variables)

    def _fill(self, place: str, more: Mapping[str, Any] | None = None) -> Any:
        names = self._talk.names()
        return self._ctx.late.fill(place, {**names, "conversation": {**names["conversation"], **(more or {})}})

    def _tell(self, text: str) -> None:
        self._said.append(text)
        self._ctx.delta(text)

    # Workers

    async def _work(self, node: WorkerNode, place: str) -> tuple[Any, dict[str, Any]]:
        """Return the worker's text or object, and the variables that its tools set."""
        models, variables = self._asking.of_worker(node), dict[str, Any]()
        uses, offers = await self._tools(node)
        messages = [self._system(node, place), *as_messages(self._talk.said)]
        for left in reversed(range(node.max_consecutive_tool_calls + 1)):
            choice = "auto" if left else "none"
            request = self._asking.request("", messages, node, tools=offers, tool_choice=choice, output_schema=node.output_schema)
            answer = await self._asking.ask(models, request, node.repair_attempts)
            if not answer.tool_calls or not left:
                break
            if answer.text:
                self._said.append(answer.text)
            await self._backchannel(node, place)
            messages.append(answer.as_message())
            for call in answer.tool_calls:
                messages.append(await self._call_of_model(node, place, uses, call, variables))
            await self._ctx.kept()  # so that whatever happens from here on, none of them is made again
        if node.output_schema is None:
            self._said += [answer.text] if answer.text else []
            return answer.text, variables
        value, wrong = read_answer(answer.text, SchemaCheck(node.output_schema))
        if wrong:  # it called tools to the last, or a project's redaction took out what it needs
            raise StepError("LLM_INVALID_OUTPUT", f"{node.id}: {wrong[0]}", details={"reason": "invalid_output", "errors": wrong})
        if node.reply is not None:
            self._tell(text_of(self._fill(f"{place}/reply", {"output": value})))
        return value, variables

    def _system(self, own: WorkerNode, place: str) -> Message:
        spec = self._spec
        places = [
            "/prompt_prefix" if spec.prompt_prefix is not None else None,
            "/prompt" if own.prompt is None else f"{place}/prompt",
            "/prompt_suffix" if spec.prompt_suffix is not None else None,
        ]
        return Message(role="system", content="\n\n".join(text_of(self._fill(where)) for where in places if where is not None))

    async def _tools(self, node: WorkerNode) -> tuple[dict[str, tuple[int, ToolUse]], tuple[ToolOffer, ...]]:
        """Return the tools of the node by name, each with its place and use, and as they are offered."""
        uses: dict[str, tuple[int, ToolUse]] = {}
        offers = []
        for i, use in enumerate(node.uses):
            for info in await offered(self._ctx, [use.tool]):
                if info.name not in uses and not info.requires_approval:
                    uses[info.name] = (i, use)
                    offers.append(ToolOffer(name=info.name, description=info.description, input_schema=info.input_schema))
        return uses, tuple(offers)

    async def _call_of_model(
        self, node: WorkerNode, place: str, uses: Mapping[str, tuple[int, ToolUse]], call: ToolCall, variables: dict[str, Any]
    ) -> Message:
        """Make the call that a model wants; return its result, or what went wrong, for the model."""
        if call.name not in uses:
            return Message(role="tool", content=text_of({"error": f"there is no tool {call.name!r}"}), tool_call_id=call.id)
        i, use = uses[call.name]
        self._say_before(f"{place}/tools/{i}", node.id, use)
        try:
            result = await self._call(call.name, call.args, None, again=False)
        except StepError as exc:
            return Message(role="tool", content=text_of({"error": exc.message}), tool_call_id=call.id)
        if use.variable is not None:
            variables[use.variable] = result
        return Message(role="tool", content=text_of(result), tool_call_id=call.id)

    def _say_before(self, place: str, node: str, use: ToolUse) -> None:
        if use.messages:
            before = self._talk.visits.get(node, 1) - 1
            seed = f"{self._ctx.idempotency_key}{place}/{self._talk.turn}/{self._calls}"
            which = one_of(len(use.messages), use.selection, before, seed)
            self._tell(text_of(self._fill(f"{place}/messages/{which}")))

    async def _backchannel(self, node: WorkerNode | ToolNode | HttpNode, place: str) -> None:
        """Have a model say a word to the person, who is about to wait. It does without when the model fails."""
        where = f"{place}/backchannel" if node.backchannel is not None else "/backchannel" if self._spec.backchannel is not None else None
        if where is None:
            return
        models = self._asking.of_worker(node) if isinstance(node, WorkerNode) else self._asking.of_judge()
        messages = [Message(role="system", content=text_of(self._fill(where))), *as_messages(self._talk.said)]
        try:
            answer = await self._asking.ask(models, self._asking.request("", messages))
        except StepError:
            return
        if answer.text:
            self._said.append(answer.text)

    # Tools

    async def _call_of_node(self, node: ToolNode | HttpNode, place: str) -> Any:
        if isinstance(node, ToolNode):
            return await self._call(node.tool, self._fill(f"{place}/args"), None, again=True)
        tool = RequestTool(node, self._ctx.late.secret_pointers(f"{place}/request"))
        return await self._call(tool.spec.full_name, {"request": self._fill(f"{place}/request")}, tool, again=True)

    async def _call(self, name: str, args: Any, own: DeclaredTool | None, *, again: bool) -> Any:
        """Return what the call gives or gave. `again`: one that failed before a crash is made again."""
        self._calls += 1
        call_id = f"{self._talk.turn}-{self._calls}"
        returned = self._recall.returned(call_id)
        if returned is None or (returned.error is not None and again):
            return await call_tool(self._ctx, name, args, call_id=call_id, own=own)
        if returned.error is not None:
            raise StepError("TOOL_FAILED", returned.error.message, details=returned.error.details)
        return returned.result


class RequestTool:
    """The request of an http node, as a tool that is called with it; implements `DeclaredTool`."""

    def __init__(self, node: HttpNode, secret_pointers: frozenset[str]) -> None:
        step = HttpStep(id=node.id, type="http", request=node.request, expect_status=node.expect_status, parse=node.parse)
        self.spec = ToolSpec(type="http", name=node.id, step=step)
        self.secret_pointers = secret_pointers

    def render(self, args: Mapping[str, Any]) -> Mapping[str, Any]:
        return args
