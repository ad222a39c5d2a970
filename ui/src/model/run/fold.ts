/**
 * Folds a run's events, one by one and in order, into its record. The same fold serves a run that is over, one that goes
 * on, and a look back: `foldTo` stops at an event. It never reads a clock, and an event that it does not know changes nothing.
 */

import type { RunStatus, StepStatus } from "../status";
import {
  NOTHING_USED,
  plus,
  type Attempt,
  type Origin,
  type Round,
  type RunError,
  type RunEvent,
  type RunRecord,
  type Step,
  type Used,
} from "./record";
import { idOf } from "./paths";

type Data = Record<string, unknown>;

export function emptyRecord(): RunRecord {
  return {
    status: "queued",
    waitingFor: null,
    seq: 0,
    ts: 0,
    created: null,
    started: null,
    ended: null,
    pauses: [],
    origin: null,
    archived: false,
    review: null,
    judges: [],
    input: undefined,
    output: undefined,
    error: null,
    failedStep: null,
    servedFrom: null,
    savedNanos: 0,
    stopMode: null,
    steps: new Map(),
    tasks: new Map(),
    variables: {},
    comments: [],
    used: NOTHING_USED,
  };
}

/** Return the record after all events, or after the one with this `seq`. */
export function foldTo(events: readonly RunEvent[], seq = Infinity): RunRecord {
  const record = emptyRecord();
  for (const event of events) {
    if (event.seq > seq) break;
    apply(record, event);
  }
  return record;
}

/** Count one event in; the record is changed in place. */
export function apply(record: RunRecord, event: RunEvent): void {
  record.seq = event.seq;
  record.ts = event.ts;
  if (event.type.startsWith("run_")) return applyToRun(record, event);
  if (event.type === "comment_added") return addComment(record, event);
  if (event.step_id === null) return;
  const change = STEP_EVENTS[event.type];
  if (change) change(stepOf(record, event.step_id), event, record);
}

const ENDS: Record<string, RunStatus> = {
  run_succeeded: "succeeded",
  run_served_from_cache: "succeeded",
  run_failed: "failed",
  run_stopped: "stopped",
  run_internal_error: "internal_error",
};
const LIMITS: Record<string, RunStatus> = {
  timeout_s: "timed_out",
  memory_mb: "memory_limit_exceeded",
  log_bytes: "log_size_exceeded",
  credits: "quota_exceeded",
};

function applyToRun(record: RunRecord, event: RunEvent): void {
  const { type, ts, data } = event;
  const end = type === "run_limit_exceeded" ? (LIMITS[String(data["which"])] ?? "failed") : ENDS[type];
  if (end) return endRun(record, end, ts, data);
  if (type === "run_created") {
    record.created = ts;
    record.input = data["input"];
    record.origin = originOf(data);
  } else if (type === "run_started") {
    record.started = ts;
    record.status = "running";
  } else if (type === "run_waiting") {
    record.status = "waiting";
    record.waitingFor = text(data["waiting_for"]);
  } else if (type === "run_paused") {
    record.status = "paused";
    record.pauses.push({ from: ts, to: null });
  } else if (type === "run_resumed") {
    record.status = "running";
    closeLast(record.pauses, ts);
  } else if (type === "run_stop_requested") {
    record.stopMode = text(data["mode"]);
  } else if (type === "run_draining") {
    record.status = "draining";
    closeLast(record.pauses, ts);
    record.error = (data["error"] as RunError | undefined) ?? record.error;
    record.failedStep = text(data["failed_step"]) ?? record.failedStep;
  } else applyAfterwards(record, event);
}

function originOf(data: Data): Origin {
  return {
    trigger: text(data["trigger"]) ?? "api",
    tags: (data["tags"] as string[] | undefined) ?? [],
    metadata: (data["metadata"] as Record<string, string> | undefined) ?? {},
    environment: text(data["environment"]) ?? "production",
    sourceRunId: text(data["source_run_id"]),
    parentRunId: text(data["parent_run_id"]),
  };
}

/** What people and evaluators do with a run when it is over. */
function applyAfterwards(record: RunRecord, { type, data }: RunEvent): void {
  if (type === "run_archived" || type === "run_unarchived") record.archived = type === "run_archived";
  else if (type === "run_reviewed") {
    record.review = {
      review: text(data["review"]) ?? "",
      score: (data["score"] as number | undefined) ?? null,
      comment: text(data["comment"]),
    };
  } else if (type === "run_evaluated") {
    record.judges = [...record.judges, { runId: String(data["evaluation_run_id"]), evaluator: String(data["evaluator"]) }];
  }
}

function endRun(record: RunRecord, status: RunStatus, ts: number, data: Data): void {
  record.status = status;
  record.waitingFor = null;
  record.ended = ts;
  record.output = data["output"];
  record.error = (data["error"] as RunError | undefined) ?? null;
  record.failedStep = text(data["failed_step"]) ?? record.failedStep;
  record.servedFrom = text(data["source_run_id"]);
  record.savedNanos = Number(data["saved_nanos"] ?? 0);
  closeLast(record.pauses, ts);
}

type StepChange = (step: Step, event: RunEvent, record: RunRecord) => void;

const STEP_EVENTS: Record<string, StepChange> = {
  step_started(step, { ts, attempt, data }, record) {
    step.type = text(data["step_type"]) ?? step.type;
    step.status = "running";
    step.from ??= ts;
    step.to = null;
    if ("items" in data) step.input = { items: data["items"], ...(isFilled(data["input"]) ? { input: data["input"] } : {}) };
    else if ("input" in data) step.input = data["input"];
    closeLast(step.waits, ts);
    step.attempts.push({
      number: attempt ?? step.attempts.length + 1,
      status: "running",
      from: ts,
      to: null,
      error: null,
      retryAt: null,
      used: NOTHING_USED,
    });
    wake(record);
  },
  step_completed(step, { ts, data }) {
    step.reusedFrom = text(data["reused_from"]);
    step.result = data["result"];
    const cache = data["cache"] as Data | undefined;
    if (cache) {
      const runId = String(cache["source_run_id"]);
      step.cache = { runId, savedNanos: Number(cache["saved_nanos"] ?? 0), savedMs: Number(cache["saved_ms"] ?? 0) };
    }
    end(step, data["skipped"] ? "skipped" : "succeeded", ts, data);
  },
  step_failed(step, { ts, data }, record) {
    step.error = (data["error"] as RunError | undefined) ?? null;
    step.handled = Boolean(data["handled"]);
    if (step.handled) step.result = data["result"];
    end(step, "failed", ts, data);
    wake(record);
  },
  step_cancelled(step, { ts, data }) {
    end(step, "cancelled", ts, data);
  },
  step_stopped(step, { ts, data }) {
    end(step, "stopped", ts, data);
  },
  step_retrying(step, { ts, data }, record) {
    const attempt = step.attempts.at(-1);
    const retryAt = Number(data["retry_at"]);
    if (attempt) Object.assign(attempt, { status: "failed", to: ts, error: data["error"] as RunError, retryAt });
    step.status = "waiting";
    step.waits.push({ why: "retry", from: ts, to: null, until: retryAt, taskId: null, childRunId: null, message: null });
    wake(record);
  },
  step_waiting(step, { ts, data }) {
    step.status = "waiting";
    const childRunId = text(data["child_run_id"]);
    if (childRunId && !step.children.includes(childRunId)) step.children.push(childRunId);
    step.waits.push({
      why: String(data["waiting_for"]),
      from: ts,
      to: null,
      until: (data["wake_at"] as number | undefined) ?? null,
      taskId: text(data["task_id"]),
      childRunId,
      message: text(data["message"]),
    });
  },
  step_resumed(step, { ts }, record) {
    step.status = "running";
    closeLast(step.waits, ts);
    wake(record);
  },
  generation_completed(step, event, record) {
    const round = roundOf(step, event);
    step.rounds.push(round);
    step.used = plus(step.used, round.used);
    record.used = plus(record.used, round.used);
    const attempt = step.attempts.at(-1);
    if (attempt) attempt.used = plus(attempt.used, round.used);
  },
  tool_called(step, { ts, data }) {
    const id = text(data["call_id"]) ?? `${text(data["tool"])}@${ts}`;
    const known = step.rounds.at(-1)?.calls.find((call) => call.id === id);
    if (known) Object.assign(known, { from: ts, to: null, args: data["args"] ?? known.args, tool: text(data["tool"]) ?? known.tool });
    else
      step.rounds
        .at(-1)
        ?.calls.push({ id, tool: String(data["tool"]), args: data["args"], from: ts, to: null, result: undefined, error: null });
  },
  tool_returned(step, { ts, data }) {
    const id = text(data["call_id"]);
    const calls = step.rounds.at(-1)?.calls ?? [];
    const call = calls.find((each) => each.id === id) ?? calls.find((each) => each.tool === data["tool"] && each.to === null);
    if (call) Object.assign(call, { to: ts, result: data["result"], error: (data["error"] as RunError | undefined) ?? null });
  },
  turn_ended(_step, { data }, record) {
    record.variables = { ...record.variables, ...(data["variables"] as Data | undefined) };
  },
  turn_started(_step, { data }, record) {
    record.variables = { ...record.variables, ...(data["variables"] as Data | undefined) };
  },
  task_created(step, { data }, record) {
    const id = String(data["task_id"]);
    step.tasks.push(id);
    record.tasks.set(id, {
      id,
      step: step.path,
      type: String(data["task_type"]),
      title: String(data["title"]),
      description: text(data["description"]),
      payload: data["payload"],
      expiresAt: (data["expires_at"] as number | undefined) ?? null,
      decided: null,
    });
  },
  task_completed(_step, { ts, data, actor }, record) {
    const task = record.tasks.get(String(data["task_id"]));
    if (!task) return;
    task.decided = {
      approved: Boolean(data["approved"]),
      by: text(data["by"]) ?? actor,
      comment: text(data["comment"]),
      result: data["result"] ?? null,
      at: ts,
      expired: Boolean(data["expired"]),
    };
  },
  log(step) {
    step.logs += 1;
  },
  span_recorded(step, { data }) {
    step.type = text(data["step_type"]) ?? step.type;
  },
};

function stepOf(record: RunRecord, path: string): Step {
  let step = record.steps.get(path);
  if (!step) {
    step = {
      path,
      id: idOf(path),
      type: "",
      status: "pending",
      reason: null,
      causedBy: null,
      from: null,
      to: null,
      input: undefined,
      result: undefined,
      error: null,
      handled: false,
      reusedFrom: null,
      cache: null,
      attempts: [],
      waits: [],
      rounds: [],
      tasks: [],
      children: [],
      logs: 0,
      used: NOTHING_USED,
    };
    record.steps.set(path, step);
  }
  return step;
}

function end(step: Step, status: StepStatus, ts: number, data: Data): void {
  step.status = status;
  step.reason = text(data["reason"]);
  step.causedBy = text(data["caused_by"]);
  if (step.from !== null) step.to = ts;
  closeLast(step.waits, ts);
  const attempt = step.attempts.at(-1);
  if (attempt && attempt.to === null) closeAttempt(attempt, status, ts, step.error);
}

function closeAttempt(attempt: Attempt, status: StepStatus, ts: number, error: RunError | null): void {
  attempt.status = status;
  attempt.to = ts;
  attempt.error = status === "failed" ? error : null;
}

/** Something goes on in a run that waited. */
function wake(record: RunRecord): void {
  if (record.status !== "waiting") return;
  record.status = "running";
  record.waitingFor = null;
}

function closeLast(spans: { to: number | null }[], ts: number): void {
  const last = spans.at(-1);
  if (last && last.to === null) last.to = ts;
}

function roundOf(step: Step, { seq, ts, attempt, data }: RunEvent): Round {
  const latencyMs = Number(data["latency_ms"] ?? 0);
  const wanted = (data["tool_calls"] as Data[] | undefined) ?? [];
  return {
    number: step.rounds.length + 1,
    seq,
    attempt: attempt ?? 1,
    step: step.path,
    provider: String(data["provider"] ?? ""),
    model: String(data["model"] ?? ""),
    ok: data["ok"] !== false,
    text: data["response"],
    thought: text(data["thought"]),
    error: (data["error"] as RunError | undefined) ?? null,
    finish: text(data["finish_reason"]),
    latencyMs,
    firstTokenMs: (data["first_token_ms"] as number | undefined) ?? null,
    from: ts - latencyMs,
    to: ts,
    used: usedOf(data["usage"] as Record<string, number> | undefined),
    calls: wanted.map((call, index) => ({
      id: text(call["id"]) ?? String(index),
      tool: String(call["name"] ?? ""),
      args: call["args"],
      from: null,
      to: null,
      result: undefined,
      error: null,
    })),
  };
}

export function usedOf(usage: Record<string, number> | undefined): Used {
  return {
    input: usage?.["input_tokens"] ?? 0,
    cached: usage?.["cached_tokens"] ?? 0,
    output: usage?.["output_tokens"] ?? 0,
    reasoning: usage?.["reasoning_tokens"] ?? 0,
    calls: usage?.["generations"] ?? 1,
    nanos: usage?.["cost_nanos"] ?? 0,
  };
}

function addComment(record: RunRecord, { ts, actor, data }: RunEvent): void {
  record.comments.push({ id: String(data["comment_id"]), by: actor, at: ts, content: String(data["content"]) });
}

function text(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

function isFilled(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length > 0;
}
