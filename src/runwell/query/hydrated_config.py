"""A version's document as nodes and edges with all their settings, in the words of seed 004.

Reads what the author wrote. What a step has beyond the fields of a node stands in its `miscellaneous`, so that
nothing of the document is lost.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from runwell.model.run import WorkflowRef
from runwell.model.run_document import (
    EdgeConfig,
    EvaluationConfig,
    HydratedConfig,
    LlmsConfig,
    McpServer,
    NodeConfig,
    Prompt,
    ToolConfig,
    ToolsConfig,
    WorkflowConfig,
)
from runwell.query.conversation_config import Conversation, others, provider_of, used_tool

Json = dict[str, Any]

_WORKFLOW_FIELDS: Final = frozenset({"name", "description", "steps"})
_STEP_FIELDS: Final = frozenset({"id", "name", "description", "type", "depends_on", "enabled", "steps", "output_schema"})
_MODEL_STEPS: Final = frozenset({"llm", "agent"})
_MODEL_FIELDS: Final = frozenset({"model", "models", "params"})
_WAITS_FOR_PEOPLE: Final = frozenset({"approval", "wait", "conversation"})


class _Step(NamedTuple):
    """A step as written, and the loop that it lies in."""

    raw: Json
    loop: str | None

    @property
    def id(self) -> str:
        return str(self.raw["id"])

    @property
    def asks_model(self) -> bool:
        return self.raw.get("type") in _MODEL_STEPS


def hydrated_config(
    document: Json, workflow: WorkflowRef, variables: Json, runtime: Json, evaluation: EvaluationConfig, servers: Mapping[str, McpServer]
) -> HydratedConfig:
    """Return the configuration that the document of this version is.

    `variables` are what the run was started with, `runtime` those that its conversations have. `servers` are the MCP servers that
    the project has set up.
    """
    declared = {f"{tool.get('type')}:{tool.get('name')}": tool for tool in document.get("tools") or ()}
    steps = list(_steps(document.get("steps") or [], None))
    talks = {step.id: Conversation(step.raw, workflow, declared) for step in steps if step.raw.get("type") == "conversation"}
    nodes = [node for step in steps for node in (_node(step, workflow, declared), *(talks[step.id].nodes() if step.id in talks else ()))]
    edges = [_edge(source, step, workflow) for step in steps for source in step.raw.get("depends_on") or ()]
    edges += [edge for talk in talks.values() for edge in talk.edges()]
    first = next(iter(talks.values()), None)
    talk_raw = {} if first is None else first.raw
    named = dict.fromkeys([*_mcp_servers(steps), *(server for talk in talks.values() for server in _servers(talk.named_tools()))])
    config = WorkflowConfig(
        logical_id=workflow.id,
        name=document.get("name"),
        description=document.get("description"),
        category="User Created",
        llms_config=LlmsConfig() if first is None else first.llms(),
        main_response_config=Prompt(prompt=talk_raw.get("prompt")),
        backchannel_response_config=Prompt(prompt=talk_raw.get("backchannel")),
        default_prompt_prefix=talk_raw.get("prompt_prefix"),
        default_prompt_suffix=talk_raw.get("prompt_suffix"),
        tools_config=ToolsConfig(tools=_all_tools(nodes)),
        mcp_servers=[servers.get(name, McpServer(name=name)) for name in named],
        global_condition_evaluation_method="tool_call" if any(talk.judges() for talk in talks.values()) else None,
        nodes=[str(node.logical_id) for node in nodes],
        edges=[str(edge.logical_id) for edge in edges],
        evaluation_config=evaluation,
        miscellaneous=others(document, _WORKFLOW_FIELDS),
    )
    return HydratedConfig(
        workflow_config=config, node_configs=nodes, edge_configs=edges, dynamic_variables=variables, runtime_variables=runtime
    )


def _steps(raws: list[Json], loop: str | None) -> Iterator[_Step]:
    """Yield the steps in the document's order, each loop before what it repeats."""
    for raw in raws:
        step = _Step(raw, loop)
        yield step
        yield from _steps(raw.get("steps") or [], step.id)


def _node(step: _Step, workflow: WorkflowRef, declared: Mapping[str, Json]) -> NodeConfig:
    raw = step.raw
    schema = raw.get("output_schema")
    tools = list(_tools(step, declared))
    return NodeConfig(
        logical_id=step.id,
        name=raw.get("name") or step.id,
        description=raw.get("description"),
        workflow_id=workflow.id,
        version_number=workflow.version,
        disabled=raw.get("enabled") is False,
        miscellaneous=_miscellaneous(step),
        is_start=step.loop is None and not raw.get("depends_on"),
        main_response_config=Prompt(prompt=_prompt(step)),
        llms_config=_llms(step),
        tools_config=ToolsConfig(tools=tools),
        wait_for_user_message=raw.get("type") in _WAITS_FOR_PEOPLE,
        use_mcp_tools=any(tool.type == "mcp" for tool in tools),
        type=raw.get("type"),
        structured_output_schema=schema if isinstance(schema, dict) else {},
    )


def _miscellaneous(step: _Step) -> Json:
    """Return what the step has beyond a node's fields, and the loop that it lies in."""
    known = set(_STEP_FIELDS)
    if step.asks_model:
        known |= _MODEL_FIELDS | ({_prompt_field(step)} if _prompt(step) is not None else set())
    if step.raw.get("type") == "python":
        known.add("code")
    if step.raw.get("type") == "conversation":
        known |= {"nodes", "edges"}
    if not isinstance(step.raw.get("output_schema"), dict):
        known.discard("output_schema")
    more = others(step.raw, frozenset(known))
    return more if step.loop is None else {"loop": step.loop, **more}


def _prompt_field(step: _Step) -> str:
    return "instructions" if step.raw.get("type") == "agent" else "prompt"


def _prompt(step: _Step) -> str | None:
    value = step.raw.get(_prompt_field(step)) if step.asks_model else None
    return value if isinstance(value, str) else None


def _llms(step: _Step) -> LlmsConfig:
    if not step.asks_model:
        return LlmsConfig()
    names = {name: step.raw[name] for name in ("model", "models") if step.raw.get(name) is not None}
    first = step.raw.get("model") or next(iter(step.raw.get("models") or ()), None)
    return LlmsConfig(provider=provider_of(first), streaming=True, model_kwargs={**names, **(step.raw.get("params") or {})})


def _tools(step: _Step, declared: Mapping[str, Json]) -> Iterator[ToolConfig]:
    raw = step.raw
    if raw.get("type") == "python":
        yield ToolConfig(logical_id=step.id, name=raw.get("name") or step.id, type="inline_python", code=raw.get("code"))
    for named in _named_tools(raw):
        yield used_tool(f"{step.id}/{named}", named, declared.get(named, {}))


def _named_tools(raw: Json) -> Iterator[str]:
    """Yield the tools that a step names (`mcp:<server>/<name>`, `python:<name>`, `workflow:<slug>`)."""
    if isinstance(raw.get("tool"), str):
        yield raw["tool"]
    listed = raw.get("tools")
    yield from (tool for tool in (listed if isinstance(listed, list | tuple) else ()) if isinstance(tool, str))


def _all_tools(nodes: list[NodeConfig]) -> list[ToolConfig]:
    return [tool for node in nodes for tool in node.tools_config.tools]


def _mcp_servers(steps: list[_Step]) -> list[str]:
    return list(_servers(tool for step in steps for tool in _named_tools(step.raw)))


def _servers(tools: Iterable[str]) -> Iterator[str]:
    yield from (tool.removeprefix("mcp:").partition("/")[0] for tool in tools if tool.startswith("mcp:"))


def _edge(source: str, step: _Step, workflow: WorkflowRef) -> EdgeConfig:
    when = step.raw.get("when")
    return EdgeConfig(
        logical_id=f"{source}->{step.id}",
        workflow_id=workflow.id,
        version_number=workflow.version,
        miscellaneous={} if when is None else {"when": when},
        source_node_logical_id=source,
        destination_node_logical_id=step.id,
    )
