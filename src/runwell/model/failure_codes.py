"""What each failure code means and what to do about it: the documented list."""

from typing import Final

FAILURE_CODES: Final[dict[str, str]] = {
    "HTTP_FAILED": "An http step's request failed, or its answer had another status than expected. `details` holds status and the beginning of the body.",
    "HTTP_BLOCKED": "An http step's address is not allowed: private, local or reserved. The operator can allow blocks with `RUNWELL_HTTP_ALLOW`.",
    "PYTHON_FAILED": "The code of a python step raised or could not be run. `details` holds the traceback.",
    "LLM_REQUEST_FAILED": "A model call failed. `details.reason` says why: rate_limit, auth, context_length, timeout, and so on.",
    "LLM_INVALID_OUTPUT": "The model's answer broke `output_schema`, after all repair attempts. `details` holds the raw answer and the errors.",
    "MCP_TOOL_FAILED": "A call to a tool of an MCP server failed. `details.reason` says why: tool_error, unknown_tool, timeout, connection, unavailable, protocol, too_large, auth, and so on.",
    "TOOL_FAILED": "A tool was not called. `details.reason` says why: unknown_tool, invalid_args (they break its `input_schema`), needs_approval, not_here. What a declared http or python tool runs into has the code of that step.",
    "EXPRESSION_FAILED": "An expression or template had no value: a key is missing, types do not fit, a text grew too long.",
    "TOO_MANY_ITEMS": "A for_each was given more than 10,000 items. Split the list over several runs, as with a `workflow` step for each part.",
    "OUTPUT_TOO_LARGE": "A step's result is larger than `limits.output_bytes`.",
    "STEP_TIMED_OUT": "An attempt took longer than the step's `timeout_s`.",
    "STEP_INTERRUPTED": "The process that ran the attempt ended. The attempt is made again by itself.",
    "STEP_CRASHED": "A step type has a defect: its handler raised what it should not, or its result is no JSON data.",
    "CHILD_RUN_FAILED": "The run that a workflow step started did not succeed, or could not start. `details` names it.",
    "SECRET_MISSING": "A secret that the step names is not set.",
    "SECRET_REFUSED": "A step would send a stored secret or connection to an address that is not at one of its allowed origins. Nothing was sent.",
    "SECRET_UNREADABLE": "A stored secret or connection does not open: the server's key changed, or somebody changed the database; or the database did not answer.",
    "CONNECTION_MISSING": "The project has no stored connection of this name, or one of another type.",
    "TASK_REJECTED": "Reserved: no step has it yet. A rejected approval succeeds, with `approved: false` in its result.",
    "TASK_EXPIRED": "Nobody decided in time, and the approval has `on_expire: fail`.",
    "MESSAGE_EXPIRED": "The message that a wait step waited for did not come in time.",
    "MEMORY_LIMIT_EXCEEDED": "A step used more memory than `limits.memory_mb`. The run ends `memory_limit_exceeded`.",
    "LOG_SIZE_EXCEEDED": "The run wrote more log than `limits.log_bytes`; each line counts 64 bytes more than its text. The run ends `log_size_exceeded`.",
    "INSUFFICIENT_CREDITS": "Reserved: no run has it yet. The run has no credits left. It ends `quota_exceeded`.",
    "RUN_TIMED_OUT": "The run was active for longer than `limits.timeout_s`; waiting and paused time does not count. The run ends `timed_out`.",
    "RUN_STOPPED": "Somebody stopped the run.",
    "DRAIN_TIMEOUT": "A graceful stop waited for what was in flight until its drain timeout, then ended it.",
    "INTERNAL_ERROR": "Something went wrong in Runwell itself, or a step took its process down three times. The run ends `internal_error`.",
}
