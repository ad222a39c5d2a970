/** What each event of a step changes. */

import type { StepStatus } from "../status";
import { idOf } from "./paths";
import { NOTHING_USED, plus, type Attempt, type Round, type RunError, type RunEvent, type RunRecord, type Step, type Used } from "./record";

type Data = Record<string, unknown>;

type StepChange = (step: Step, event: RunEvent, record: RunRecord) => void;

export const STEP_EVENTS: Record<string, StepChange> = {
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

/** Return the step of this path; one that was not known begins here. */
export function stepOf(record: RunRecord, path: string): Step {
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

/** End the last of the spans, if it is open. */
export function closeLast(spans: { to: number | null }[], ts: number): void {
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

function usedOf(usage: Record<string, number> | undefined): Used {
  return {
    input: usage?.["input_tokens"] ?? 0,
    cached: usage?.["cached_tokens"] ?? 0,
    output: usage?.["output_tokens"] ?? 0,
    reasoning: usage?.["reasoning_tokens"] ?? 0,
    calls: usage?.["generations"] ?? 1,
    nanos: usage?.["cost_nanos"] ?? 0,
  };
}

/** Return the value if it is a text. */
export function text(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

function isFilled(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length > 0;
}
