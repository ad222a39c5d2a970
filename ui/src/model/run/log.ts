/** A run's events as lines of a log. */

import { runLook, stepLook } from "../status";
import type { RunError, RunEvent } from "./record";

export type LineTone = "bad" | "good" | "quiet" | "warn" | null;

export interface LogChoice {
  /** Words, all of which must be in the line. */
  find: string;
  /** Groups of types; empty: all. */
  groups: string[];
  /** Only of this step and what lies in it; empty: all. */
  step: string;
}

export const GROUPS: { id: string; label: string; has: (type: string) => boolean }[] = [
  { id: "run", label: "Run", has: (type) => type.startsWith("run_") },
  { id: "step", label: "Steps", has: (type) => type.startsWith("step_") },
  { id: "model", label: "Model calls", has: (type) => type === "generation_completed" },
  { id: "tool", label: "Tools", has: (type) => type.startsWith("tool_") },
  { id: "task", label: "Approvals", has: (type) => type.startsWith("task_") },
  { id: "log", label: "Log lines", has: (type) => type === "log" },
  { id: "other", label: "Other", has: (type) => !/^(run_|step_|tool_|task_|log$|generation_completed$)/.test(type) },
];

const MOST = 400;

/** Return what the event says, in one line. */
export function lineOf(event: RunEvent): string {
  return wordsOf(event).slice(0, MOST);
}

function wordsOf({ type, data, attempt }: RunEvent): string {
  const error = data["error"] as RunError | undefined;
  switch (type) {
    case "log":
      return String(data["message"] ?? "").slice(0, MOST);
    case "step_started":
      return `${String(data["step_type"] ?? "")} began${(attempt ?? 1) > 1 ? `, attempt ${attempt}` : ""}`;
    case "step_completed": {
      if (data["skipped"]) return `${stepLook("skipped", data["reason"] as string).label}${by(data["caused_by"])}`;
      if (data["cache"]) return "had its result from the cache";
      return data["reused_from"] ? "was taken over from an earlier run" : `succeeded: ${short(data["result"])}`;
    }
    case "step_failed":
      return `failed${data["handled"] ? ", the run goes on" : ""}: ${error?.code ?? ""} ${error?.message ?? ""}`;
    case "step_retrying":
      return `is tried again: ${error?.code ?? ""} ${error?.message ?? ""}`;
    case "step_waiting":
      return `waits for ${String(data["waiting_for"]).replace("_", " ")}`;
    case "step_resumed":
      return `goes on, by ${String(data["by"]).replace("_", " ")}`;
    case "step_cancelled":
      return `was cancelled${by(data["caused_by"])}`;
    case "step_stopped":
      return "was stopped";
    case "generation_completed":
      return `${String(data["provider"])}:${String(data["model"])} ${error ? `failed: ${error.message}` : `answered: ${short(data["response"])}`}`;
    case "tool_called":
      return `calls ${String(data["tool"])} ${short(data["args"])}`;
    case "tool_returned":
      return `${String(data["tool"])} ${error ? `failed: ${error.message}` : `returned ${short(data["result"])}`}`;
    case "task_created":
      return `asks: ${String(data["title"])}`;
    case "task_completed":
      return `${data["approved"] ? "approved" : data["expired"] ? "expired" : "rejected"}${data["by"] ? ` by ${String(data["by"])}` : ""}`;
    case "comment_added":
      return short(data["content"]);
    case "run_waiting":
      return `waits for ${String(data["waiting_for"]).replace("_", " ")}`;
    case "run_failed":
      return `${runLook("failed").label}: ${error?.message ?? ""}`;
    case "run_succeeded":
      return `${runLook("succeeded").label}: ${short(data["output"])}`;
    default:
      return error?.message ?? (Object.keys(data).length > 0 && type !== "run_created" ? short(data) : "");
  }
}

function by(cause: unknown): string {
  return typeof cause === "string" ? `, because of ${cause}` : "";
}

function short(value: unknown): string {
  if (value === undefined) return "";
  const text = typeof value === "string" ? value.slice(0, MOST) : (JSON.stringify(value) ?? "");
  return text.slice(0, MOST);
}

export function toneOf({ type, data }: RunEvent): LineTone {
  if (/_failed$|internal_error|limit_exceeded/.test(type) || data["error"]) return type === "step_retrying" ? "warn" : "bad";
  if (type === "log") return data["level"] === "error" || data["stream"] === "stderr" ? "bad" : data["level"] === "warning" ? "warn" : null;
  if (type === "run_succeeded") return "good";
  return data["skipped"] || type === "step_cancelled" || type === "step_stopped" ? "quiet" : null;
}

/** Return the events that fit. */
export function chosen(events: readonly RunEvent[], choice: LogChoice): readonly RunEvent[] {
  const words = choice.find.toLowerCase().split(/\s+/).filter(Boolean);
  const groups = GROUPS.filter((group) => choice.groups.includes(group.id));
  if (words.length === 0 && groups.length === 0 && choice.step === "") return events;
  return events.filter((event) => {
    if (choice.step !== "" && !isOf(event.step_id, choice.step)) return false;
    if (groups.length > 0 && !groups.some((group) => group.has(event.type))) return false;
    if (words.length === 0) return true;
    const line = `${event.seq} ${event.type} ${event.step_id ?? ""} ${lineOf(event)}`.toLowerCase();
    return words.every((word) => line.includes(word));
  });
}

function isOf(path: string | null, step: string): boolean {
  return path !== null && (path === step || path.startsWith(`${step}.`) || path.startsWith(`${step}[`));
}
