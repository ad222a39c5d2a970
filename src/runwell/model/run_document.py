"""A run in one document, in the words of seed 004: what happened, what it cost, and the whole configuration that it ran with.

Where each field comes from stands in docs/reference/run-document.md. What Runwell has nothing for is null or
empty, never made up.
"""

from typing import Any, Literal

import msgspec

RunStatusWord = Literal["not_started", "running", "waiting_for_user_input", "paused", "completed", "failed", "cancelled"]
PairCommand = Literal["start", "complete_task", "send_message", "data"]

Free = dict[str, Any]


class _Part(msgspec.Struct, frozen=True, kw_only=True):
    pass


class RunInput(_Part, frozen=True, kw_only=True):
    """What somebody gave the run, and how."""

    dynamic_variables: Free = {}
    runtime_variables: Free = {}
    miscellaneous: Free = {}
    command: PairCommand = "start"
    workflow_id: str | None
    version_number: int | None
    run_by: str | None = None
    workflow_run_id: str | None
    team_id: str | None
    thread_to_node_inputs: Free = {}


class RunOutput(_Part, frozen=True, kw_only=True):
    """What happened until the next input."""

    events: list[Any] = []
    thread_to_node_outputs: Free = {}


class InputOutputPair(_Part, frozen=True, kw_only=True):
    run_input: RunInput
    run_output: RunOutput
    evaluation: Free = {}


class DocumentComment(_Part, frozen=True, kw_only=True):
    logical_id: str | None
    content: str | None
    created_by: str | None = msgspec.field(name="createdBy")
    updated_by: str | None = msgspec.field(name="updatedBy")
    created_at: str | None = msgspec.field(name="createdAt")
    updated_at: str | None = msgspec.field(name="updatedAt")


class ModelTokens(_Part, frozen=True, kw_only=True):
    response_model: str | None
    provider: str | None
    total_input_tokens: int
    total_output_tokens: int
    total_tokens: int
    call_count_with_user_keys: int
    call_count_with_fallback_keys: int
    call_count: int


class TokenUsage(_Part, frozen=True, kw_only=True):
    total_input_tokens: int
    total_output_tokens: int
    total_tokens: int
    call_count_with_user_keys: int
    call_count_with_fallback_keys: int
    call_count: int
    breakdown_by_models: list[ModelTokens]


class ModelLatency(_Part, frozen=True, kw_only=True):
    response_model: str | None
    provider: str | None
    call_count: int
    total_latency_milliseconds: int
    average_latency_milliseconds: int


class LatencyStats(_Part, frozen=True, kw_only=True):
    call_count: int
    total_latency_milliseconds: int
    average_latency_milliseconds: int
    breakdown_by_models: list[ModelLatency]


class Prompt(_Part, frozen=True, kw_only=True):
    prompt: str | None = None


class LlmsConfig(_Part, frozen=True, kw_only=True):
    logical_id: str | None = None
    provider: str | None = None
    streaming: bool | None = None
    model_kwargs: Free = {}
    do_not_split_sentences: bool | None = None
    type: str | None = None


class StaticMessages(_Part, frozen=True, kw_only=True):
    static_messages: list[str] = []
    static_messages_selection_mode: str | None = None


class ToolConfig(_Part, frozen=True, kw_only=True):
    logical_id: str | None
    tool_id: str | None = None
    name: str | None
    description: str | None = None
    category: str | None = None
    signature: str | None = None
    args_schema: Free = {}
    static_messages_config: StaticMessages = StaticMessages()
    result_runtime_variable_name: str | None = None
    type: str | None
    code: str | None = None


class ToolsConfig(_Part, frozen=True, kw_only=True):
    tools: list[ToolConfig] = []


class McpServer(_Part, frozen=True, kw_only=True):
    server_url: str | None = None
    name: str | None
    api_headers: Free = {}


class EvaluationConfig(_Part, frozen=True, kw_only=True):
    evaluator_workflow_id: str | None = None
    evaluator_workflow_version_number: int | None = None
    enable_turn_by_turn_evaluation: bool | None = None


class Condition(_Part, frozen=True, kw_only=True):
    condition_freeform: str | None = None
    condition_expression: str | None = None
    args_schema: Free = {}
    static_messages_config: StaticMessages = StaticMessages()


class GlobalNodeConfig(_Part, frozen=True, kw_only=True):
    is_global: bool = False
    condition: Condition = Condition()


class NodeConfig(_Part, frozen=True, kw_only=True):
    """One step."""

    logical_id: str | None
    name: str | None
    description: str | None
    workflow_id: str | None
    version_number: int | None
    disabled: bool
    miscellaneous: Free
    primary_category: str | None = None
    secondary_category: str | None = None
    is_start: bool
    global_node_config: GlobalNodeConfig = GlobalNodeConfig()
    main_response_config: Prompt
    llms_config: LlmsConfig
    tools_config: ToolsConfig
    self_loop: bool = False
    wait_for_user_message: bool
    max_consecutive_tool_calls: int | None = None
    default_error_message: str | None = None
    use_mcp_tools: bool
    type: str | None
    structured_output_schema: Free
    backchannel_response_config: Prompt = Prompt()


class EdgeConfig(_Part, frozen=True, kw_only=True):
    """One dependency."""

    logical_id: str | None
    name: str | None = None
    description: str | None = None
    workflow_id: str | None
    version_number: int | None
    disabled: bool = False
    miscellaneous: Free = {}
    source_node_logical_id: str | None
    destination_node_logical_id: str | None
    type: str | None = "direct"


class WorkflowConfig(_Part, frozen=True, kw_only=True):
    logical_id: str | None
    name: str | None
    description: str | None
    category: str | None = None
    llms_config: LlmsConfig = LlmsConfig()
    main_response_config: Prompt = Prompt()
    backchannel_response_config: Prompt = Prompt()
    default_prompt_prefix: str | None = None
    default_prompt_suffix: str | None = None
    tools_config: ToolsConfig
    mcp_servers: list[McpServer]
    global_condition_evaluation_method: str | None = None
    nodes: list[str]
    edges: list[str]
    evaluation_config: EvaluationConfig = EvaluationConfig()
    miscellaneous: Free


class HydratedConfig(_Part, frozen=True, kw_only=True):
    """The exact version that ran, with nothing left to look up."""

    workflow_config: WorkflowConfig
    node_configs: list[NodeConfig]
    edge_configs: list[EdgeConfig]
    dynamic_variables: Free = {}
    runtime_variables: Free = {}


class EvaluationRunInfo(_Part, frozen=True, kw_only=True):
    evaluation_workflow_run_id: str | None = None


class DocumentRun(_Part, frozen=True, kw_only=True):
    logical_id: str
    workflow_id: str
    version_number: int
    status: RunStatusWord
    termination_source: str | None
    input_output_pairs: list[InputOutputPair]
    run_by: str | None
    comments: list[DocumentComment]
    llm_token_usage: TokenUsage
    llm_latency_stats: LatencyStats
    version_name: str | None
    workflow_config_fully_hydrated: HydratedConfig
    workflow_run_id: str
    source_workflow_run_id: str | None
    is_evaluation_run: bool
    evaluation_run_info: EvaluationRunInfo = EvaluationRunInfo()


class RunEnvelope(_Part, frozen=True, kw_only=True):
    team_id: str
    created_by: str | None
    updated_by: str | None
    created_at: str
    updated_at: str
    id: str = msgspec.field(name="_id")
    workflow_run: DocumentRun
    debug_info: Free


class RunDocument(_Part, frozen=True, kw_only=True):
    """A run with everything that belongs to it."""

    workflow_run: RunEnvelope
