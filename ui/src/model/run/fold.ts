/**
 * Folds a run's events, one by one and in order, into its record. The same fold serves a run that is over, one that goes
 * on, and a look back: `foldTo` stops at an event. It never reads a clock, and an event that it does not know changes nothing.
 */

import type { RunStatus } from "../status";
import { NOTHING_USED, type Origin, type RunError, type RunEvent, type RunRecord } from "./record";
import { closeLast, STEP_EVENTS, stepOf, text } from "./step-events";

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

function addComment(record: RunRecord, { ts, actor, data }: RunEvent): void {
  record.comments.push({ id: String(data["comment_id"]), by: actor, at: ts, content: String(data["content"]) });
}
