/** One place that says what each status is called, and how it looks. Components look here and nowhere else. */

export type RunStatus =
  | "queued"
  | "running"
  | "waiting"
  | "paused"
  | "draining"
  | "succeeded"
  | "failed"
  | "stopped"
  | "timed_out"
  | "quota_exceeded"
  | "memory_limit_exceeded"
  | "log_size_exceeded"
  | "internal_error";

export type StepStatus = "pending" | "running" | "waiting" | "succeeded" | "failed" | "cancelled" | "stopped" | "skipped";

/** Names of hues; `theme.css` says what they are in light and dark. */
export type Tone =
  "slate" | "blue" | "violet" | "amber" | "orange" | "green" | "red" | "stone" | "pink" | "plum" | "cyan" | "olive" | "crimson";

/** Names of icons; `components/status-icon.tsx` draws them. */
export type IconName =
  | "clock"
  | "spinner"
  | "hourglass"
  | "pause"
  | "draining"
  | "check"
  | "cross"
  | "ban"
  | "alarm"
  | "coin"
  | "memory"
  | "log"
  | "bug"
  | "skip"
  | "dot";

export interface StatusLook {
  label: string;
  tone: Tone;
  icon: IconName;
}

export const RUN_STATUSES: Record<RunStatus, StatusLook> = {
  queued: { label: "Queued", tone: "slate", icon: "clock" },
  running: { label: "Running", tone: "blue", icon: "spinner" },
  waiting: { label: "Waiting", tone: "violet", icon: "hourglass" },
  paused: { label: "Paused", tone: "amber", icon: "pause" },
  draining: { label: "Stopping", tone: "orange", icon: "draining" },
  succeeded: { label: "Succeeded", tone: "green", icon: "check" },
  failed: { label: "Failed", tone: "red", icon: "cross" },
  stopped: { label: "Canceled", tone: "stone", icon: "ban" },
  timed_out: { label: "Timeout", tone: "pink", icon: "alarm" },
  quota_exceeded: { label: "Quota Exceeded", tone: "plum", icon: "coin" },
  memory_limit_exceeded: { label: "Memory Limit Exceeded", tone: "cyan", icon: "memory" },
  log_size_exceeded: { label: "Log Size Exceeded", tone: "olive", icon: "log" },
  internal_error: { label: "Internal Error", tone: "crimson", icon: "bug" },
};

export const STEP_STATUSES: Record<StepStatus, StatusLook> = {
  pending: { label: "Pending", tone: "slate", icon: "clock" },
  running: { label: "Running", tone: "blue", icon: "spinner" },
  waiting: { label: "Waiting", tone: "violet", icon: "hourglass" },
  succeeded: { label: "Success", tone: "green", icon: "check" },
  failed: { label: "Failed", tone: "red", icon: "cross" },
  cancelled: { label: "Cancelled", tone: "orange", icon: "ban" },
  stopped: { label: "Stopped", tone: "stone", icon: "ban" },
  skipped: { label: "Skipped", tone: "slate", icon: "skip" },
};

/** In the order in which people look for them. */
export const RUN_STATUS_ORDER = Object.keys(RUN_STATUSES) as RunStatus[];

const LIVE: ReadonlySet<string> = new Set<RunStatus>(["queued", "running", "waiting", "paused", "draining"]);
const BROKEN: ReadonlySet<string> = new Set<RunStatus>([
  "failed",
  "timed_out",
  "quota_exceeded",
  "memory_limit_exceeded",
  "log_size_exceeded",
  "internal_error",
]);
/** Of runs that have not ended. */
export const LIVE_STATUSES = [...LIVE];
/** Of runs that ended in a way that asks for attention. */
export const BROKEN_STATUSES = [...BROKEN];
const STOPPABLE: ReadonlySet<string> = LIVE;

export function runLook(status: string): StatusLook {
  return RUN_STATUSES[status as RunStatus] ?? { label: status, tone: "slate", icon: "dot" };
}

/** Return a step's badge; a skipped step says why. */
export function stepLook(status: string, reason?: string | null): StatusLook {
  if (status === "skipped" && reason === "blocked") return { label: "Skipped (Blocked)", tone: "slate", icon: "skip" };
  return STEP_STATUSES[status as StepStatus] ?? { label: status, tone: "slate", icon: "dot" };
}

/** Whether the run has not ended yet. */
export function isLive(status: string): boolean {
  return LIVE.has(status);
}

/** Whether the run ended in a way that asks for attention. */
export function isBroken(status: string): boolean {
  return BROKEN.has(status);
}

export function canStop(status: string): boolean {
  return STOPPABLE.has(status);
}

const WAITING_FOR: Record<string, string> = {
  approval: "an approval",
  message: "a message",
  delay: "a delay",
  child_run: "a child run",
  retry: "a retry",
};

/** Return what a waiting run waits for, in words; null when nothing is known. */
export function waitingFor(what: string | null | undefined): string | null {
  return what ? (WAITING_FOR[what] ?? what) : null;
}
