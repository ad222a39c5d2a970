"""The conversations of a version's document as nodes and edges with all their settings, in the words of seed 004."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from runwell.model.run import WorkflowRef
from runwell.model.run_document import (
    Condition,
    EdgeConfig,
    GlobalNodeConfig,
    LlmsConfig,
    NodeConfig,
    Prompt,
    StaticMessages,
    ToolConfig,
    ToolsConfig,
)

Json = dict[str, Any]

KINDS: Final = {"worker": "worker_llm"}
CATEGORIES: Final = {"worker": "LLM", "say": "Static", "tool": "Tool", "http": "HTTP"}
"""Of the node types, all of which Runwell brings along: the second category; the first one is System."""

SILENT: Final = StaticMessages()

MAX_TOOL_CALLS: Final = 3
RESULT: Final = "tool_result"
"""Defaults of the step type, which the document leaves out."""

_CONDITION_FIELDS: Final = frozenset({"when", "freeform", "args_schema", "messages", "selection"})
_NODE_FIELDS: Final = frozenset(
    {
        *("id", "name", "description", "type", "start", "self_loop", "wait_for_user_message", "default_error_message", "prompt"),
        *("model", "models", "params", "tools", "max_consecutive_tool_calls", "output_schema", "backchannel"),
    }
)
_EDGE_FIELDS: Final = frozenset({"id", "from", "to", "name", "description", "enabled", *_CONDITION_FIELDS})


def node_key(path: str, node: str) -> str:
    """Return a conversation node's id in the run document; `path` is that of its step, in or outside of loops."""
    return f"{path.rpartition('.')[2]}/{node}"


def provider_of(model: Any) -> str | None:
    """Return the provider in `provider:model`; None when a template decides it."""
    provider = model.partition(":")[0] if isinstance(model, str) and ":" in model else None
    return provider if provider and "{{" not in provider else None


def static_messages(raw: Json) -> StaticMessages:
    messages = list(raw.get("messages") or ())
    return StaticMessages(static_messages=messages, static_messages_selection_mode=raw.get("selection", "random") if messages else None)


def others(raw: Json, known: frozenset[str]) -> Json:
    return {name: value for name, value in raw.items() if name not in known}


class Conversation(NamedTuple):
    """A conversation step as written. `tools` are those that the document declares, by their whole names."""

    raw: Json
    workflow: WorkflowRef
    tools: Mapping[str, Json]

    @property
    def id(self) -> str:
        return str(self.raw["id"])

    def nodes(self) -> list[NodeConfig]:
        raws: list[Json] = self.raw["nodes"]
        start = next((raw["id"] for raw in raws if raw.get("start")), raws[0]["id"])
        return [self._node(raw, is_start=raw["id"] == start) for raw in raws]

    def edges(self) -> list[EdgeConfig]:
        return [self._edge(raw) for raw in self.raw.get("edges") or ()]

    def llms(self) -> LlmsConfig:
        """Return the models of nodes that have none of their own."""
        return _llms(f"llm_{self.id}", self.raw, self.raw.get("params") or {}, "global_default_llm")

    def judges(self) -> bool:
        """Whether a model decides on some of the ways."""
        conditions = [*(raw.get("global") or {} for raw in self.raw["nodes"]), *(self.raw.get("edges") or ())]
        return any(condition.get("freeform") is not None for condition in conditions)

    def named_tools(self) -> Iterator[str]:
        for raw in self.raw["nodes"]:
            yield from (str(use["tool"]) for use in _uses(raw))

    def _node(self, raw: Json, *, is_start: bool) -> NodeConfig:
        key, kind = f"{self.id}/{raw['id']}", raw["type"]
        tools = list(self._tools(key, raw))
        way = raw.get("global")
        schema = raw.get("output_schema")
        works = kind == "worker"
        return NodeConfig(
            logical_id=key,
            name=raw.get("name") or raw["id"],
            description=raw.get("description"),
            workflow_id=self.workflow.id,
            version_number=self.workflow.version,
            disabled=False,
            miscellaneous={
                "conversation": self.id,
                **others(raw, _NODE_FIELDS if way is None else _NODE_FIELDS | {"global"}),
                **_returns(way),
            },
            primary_category="System",
            secondary_category=CATEGORIES.get(kind),
            is_start=is_start,
            global_node_config=GlobalNodeConfig() if way is None else GlobalNodeConfig(is_global=True, condition=_condition(way)),
            main_response_config=Prompt(prompt=raw.get("prompt") or (self.raw.get("prompt") if works else None)),
            llms_config=self._llms(raw) if works else LlmsConfig(),
            tools_config=ToolsConfig(tools=tools),
            self_loop=bool(raw.get("self_loop", False)),
            wait_for_user_message=_waits(raw),
            max_consecutive_tool_calls=raw.get("max_consecutive_tool_calls", MAX_TOOL_CALLS) if works else None,
            default_error_message=raw.get("default_error_message") or self.raw.get("default_error_message"),
            use_mcp_tools=any(tool.type == "mcp" for tool in tools),
            type=KINDS.get(kind, kind),
            structured_output_schema=schema if isinstance(schema, dict) else {},
            backchannel_response_config=Prompt(prompt=raw.get("backchannel") or (None if kind == "say" else self.raw.get("backchannel"))),
        )

    def _llms(self, raw: Json) -> LlmsConfig:
        if raw.get("model") is None and raw.get("models") is None:
            own = self.llms()
            return own if not raw.get("params") else _llms(str(own.logical_id), self.raw, self._params(raw), "global_default_llm")
        return _llms(f"llm_{self.id}_{raw['id']}", raw, self._params(raw), "node_llm")

    def _params(self, raw: Json) -> Json:
        return {**(self.raw.get("params") or {}), **(raw.get("params") or {})}

    def _tools(self, key: str, raw: Json) -> Iterator[ToolConfig]:
        if raw["type"] == "http":
            yield ToolConfig(
                logical_id=f"{key}/request",
                name=raw["id"],
                description=raw.get("description"),
                category="http",
                static_messages_config=static_messages(raw),
                result_runtime_variable_name=raw.get("variable", RESULT),
                type="http",
            )
        for use in _uses(raw):
            declared = self.tools.get(use["tool"], {})
            yield used_tool(f"{key}/{use['tool']}", use["tool"], declared, static_messages(use), use.get("variable"))

    def _edge(self, raw: Json) -> EdgeConfig:
        condition = _condition(raw)
        given = raw.get("when") is not None or raw.get("freeform") is not None
        about = {name: raw[name] for name in ("when", "freeform", "args_schema", "messages", "selection") if raw.get(name)}
        return EdgeConfig(
            logical_id=f"{self.id}/{raw.get('id') or raw['from'] + '-' + raw['to']}",
            name=raw.get("name") or condition.condition_freeform or condition.condition_expression,
            description=raw.get("description"),
            workflow_id=self.workflow.id,
            version_number=self.workflow.version,
            disabled=raw.get("enabled") is False,
            miscellaneous={"conversation": self.id, **about},
            source_node_logical_id=f"{self.id}/{raw['from']}",
            destination_node_logical_id=f"{self.id}/{raw['to']}",
            type="conditional" if given else "direct",
        )


def used_tool(key: str, named: str, declared: Json, messages: StaticMessages = SILENT, variable: str | None = None) -> ToolConfig:
    """Return a tool that a step or node names, with what the document declares of it."""
    kind, _, name = named.partition(":")
    schema = declared.get("input_schema") or {}
    inline = kind == "python" and "code" in declared
    return ToolConfig(
        logical_id=key,
        tool_id=named,
        name=name or named,
        description=declared.get("description"),
        category=kind if name else None,
        signature=f"{name}({', '.join(schema.get('properties') or ())})" if schema else None,
        args_schema=schema,
        static_messages_config=messages,
        result_runtime_variable_name=variable,
        type="inline_python" if inline else kind if name else None,
        code=declared.get("code"),
    )


def _uses(raw: Json) -> list[Json]:
    """Return the tools of a node, each with what goes with a call."""
    if raw["type"] == "tool":
        return [{"variable": RESULT, **raw}]
    return [{"tool": use} if isinstance(use, str) else use for use in raw.get("tools") or ()]


def _returns(way: Json | None) -> Json:
    return {"returns": True} if way is not None and way.get("returns") else {}


def _condition(raw: Json) -> Condition:
    return Condition(
        condition_freeform=raw.get("freeform"),
        condition_expression=raw.get("when"),
        args_schema=raw.get("args_schema") or {},
        static_messages_config=static_messages(raw),
    )


def _waits(raw: Json) -> bool:
    given = raw.get("wait_for_user_message")
    speaks = raw["type"] == "say" or (raw["type"] == "worker" and (raw.get("output_schema") is None or raw.get("reply") is not None))
    return speaks if given is None else bool(given)


def _llms(key: str, raw: Json, params: Json, kind: str) -> LlmsConfig:
    names = {name: raw[name] for name in ("model", "models") if raw.get(name) is not None}
    first = raw.get("model") or next(iter(raw.get("models") or ()), None)
    return LlmsConfig(
        logical_id=key,
        provider=provider_of(first),
        streaming=True,
        model_kwargs={**names, **params},
        do_not_split_sentences=True,
        type=kind,
    )
