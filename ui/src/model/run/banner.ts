/** How a run is summed up in one line, and what to do when it failed. */

import type { TimeZone } from "../time";
import { runLook, waitingFor } from "../status";
import type { RunError, RunRecord } from "./record";

const SAID: Record<string, string> = {
  succeeded: "succeeded",
  failed: "failed",
  stopped: "was canceled",
  timed_out: "timed out",
  quota_exceeded: "exceeded its quota",
  memory_limit_exceeded: "exceeded its memory limit",
  log_size_exceeded: "exceeded its log size",
  internal_error: "failed by an internal error",
  queued: "is queued",
  running: "is running",
  waiting: "waits",
  paused: "is paused",
  draining: "is stopping",
};

/** Return what became of the run: `Run succeeded`, `Run waits for an approval`. */
export function outcome(record: Pick<RunRecord, "status" | "waitingFor">): string {
  const what = record.status === "waiting" ? waitingFor(record.waitingFor) : null;
  return `Run ${SAID[record.status] ?? runLook(record.status).label}${what ? ` for ${what}` : ""}`;
}

/** Return the moment as the banner says it: `Jun 12, 2026, 3:23 AM`. */
export function bannerMoment(ts: number, zone: TimeZone): string {
  const timeZone = zone === "local" ? undefined : zone;
  const options: Intl.DateTimeFormatOptions = { dateStyle: "medium", timeStyle: "short", timeZone };
  return new Intl.DateTimeFormat("en-US", options).format(ts).replace(/\u202f/g, " ");
}

/** Return a duration in words: `832 milliseconds`, `4.2 seconds`, `3 minutes 7 seconds`, `2 hours 4 minutes`. */
export function longDuration(ms: number): string {
  if (ms < 1000) return words(Math.round(ms), "millisecond");
  if (ms < 59_500) return ms < 9_950 ? `${(ms / 1000).toFixed(1)} seconds` : words(Math.round(ms / 1000), "second");
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return two(Math.floor(seconds / 60), "minute", seconds % 60, "second");
  if (seconds < 86_400) return two(Math.floor(seconds / 3600), "hour", Math.floor((seconds % 3600) / 60), "minute");
  return two(Math.floor(seconds / 86_400), "day", Math.floor((seconds % 86_400) / 3600), "hour");
}

function two(a: number, first: string, b: number, second: string): string {
  return b === 0 ? words(a, first) : `${words(a, first)} ${words(b, second)}`;
}

function words(n: number, one: string): string {
  return `${n} ${one}${n === 1 ? "" : "s"}`;
}

const NEXT: Record<string, string> = {
  HTTP_FAILED: "Look at the answer in the step's output, and whether its address and credentials are right. Then run it again.",
  HTTP_BLOCKED: "The address is private or local. An operator can allow it with RUNWELL_HTTP_ALLOW.",
  PYTHON_FAILED:
    "The traceback is in the step's output, what the code was given in its input. Publish a corrected version, or run it again with other input.",
  LLM_REQUEST_FAILED: "Look at the step's prompt tab for what was sent and answered.",
  LLM_INVALID_OUTPUT: "The model's answer broke the step's output schema: make the schema simpler or the instructions clearer.",
  MCP_TOOL_FAILED: "Check the tool's server and its credentials, then run it again.",
  TOOL_FAILED: "Look at what the tool was given in the step's timeline.",
  AGENT_LIMIT_EXCEEDED: "Its timeline shows what the agent did. Raise the step's limits, or make its instructions clearer.",
  LOOPING_RISK: "The conversation went round: look at its turns, and at the conditions of its edges.",
  EXPRESSION_FAILED: "An expression had no value. Compare it with the run's context: a key may be missing.",
  TOO_MANY_ITEMS: "Split the list over several runs, with a workflow step for each part.",
  OUTPUT_TOO_LARGE: "The step's result is larger than `limits.output_bytes`: keep less of it, or raise the limit.",
  STEP_TIMED_OUT: "Raise the step's `timeout_s`, or see why it takes so long.",
  STEP_CRASHED: "The step type has a defect. The server's log has the traceback.",
  CHILD_RUN_FAILED: "Open the child run: it says why.",
  SECRET_MISSING: "Set the secret that the step names, then run it again.",
  SECRET_REFUSED: "Add the address to the connection's allowed origins, or correct it. Nothing was sent.",
  CONNECTION_MISSING: "Make the connection that the step names, then run it again.",
  TASK_EXPIRED: "Nobody decided in time. Run it again, or let it expire later.",
  MESSAGE_EXPIRED: "The message did not come in time. Run it again, or let it wait longer.",
  MEMORY_LIMIT_EXCEEDED: "The step needs more memory than `limits.memory_mb`: raise it, or handle less at a time.",
  LOG_SIZE_EXCEEDED: "The run logged more than `limits.log_bytes`: log less, or raise it.",
  INSUFFICIENT_CREDITS: "There are no credits left in this period.",
  RUN_TIMED_OUT: "The run was active for longer than `limits.timeout_s`. The timeline shows where the time went.",
  DRAIN_TIMEOUT: "What was in flight did not end in time, and was ended.",
  INTERNAL_ERROR: "This is a fault of Runwell, not of the flow. The server's log has more of it.",
};

const WHY_A_CALL_FAILED: Record<string, string> = {
  rate_limit: "The provider takes no more calls now: wait, or raise the limit of the connection.",
  auth: "The provider refused the key: set a valid one for the connection, then run it again.",
  missing_key: "There is no key for the provider: set one, then run it again.",
  context_length: "The messages are longer than the model reads: send less, or choose a model that reads more.",
  content_filter: "The provider refused the messages or filtered the answer: change the prompt.",
  overloaded: "The provider failed. Run it again later, or give the step a second model.",
  timeout: "No whole answer came in time. Run it again, or raise the step's `timeout_s`.",
  connection: "The provider was not reached. Check the network and the connection's address.",
  unknown_model: "Nobody answers for this model's name: check its spelling.",
};

/** Return what to do about the error. */
export function nextAction(error: RunError | null): string {
  const reason = error?.details?.["reason"];
  const known = error?.code === "LLM_REQUEST_FAILED" && typeof reason === "string" ? WHY_A_CALL_FAILED[reason] : undefined;
  return known ?? NEXT[error?.code ?? ""] ?? "Look at the step's input and output, correct the cause, and run it again.";
}
