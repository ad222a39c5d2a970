/** Which runs are stuck and why, and failures that are alike told as one. Pure: the time is handed in. */

import { duration } from "./time";

/** What is looked at of a run in a list. */
export interface Looked {
  id: string;
  status: string;
  created_at: string;
  started_at?: string | null;
  waiting_for?: string | null;
  failed_step?: string | null;
  failure_code?: string | null;
  workflow: { id: string };
}

export interface Wait {
  waiting_for: string;
  since: string;
  until?: string | null;
  message?: string | null;
  path: string;
}

const MINUTE = 60_000;

/** How long each may take before it is worth a look. */
export const PATIENCE = {
  queued: MINUTE,
  running: 30 * MINUTE,
  draining: 10 * MINUTE,
  paused: 60 * MINUTE,
  message: 60 * MINUTE,
  retry: 5 * MINUTE,
  child_run: 60 * MINUTE,
} as const;

/** Return why the run seems to be stuck and what may help; null when it does not. `waits`: what its steps wait for, where that is known. */
export function stuckWhy(run: Looked, waits: readonly Wait[] | undefined, now: number): { why: string; help: string } | null {
  const since = (at: string | null | undefined) => now - new Date(at ?? run.created_at).getTime();
  const age = since(run.started_at);
  switch (run.status) {
    case "queued": {
      const queued = since(run.created_at);
      if (queued < PATIENCE.queued) return null;
      return { why: `Queued for ${duration(queued)}: as many runs work as may at once.`, help: "Stop one of them, or raise the limit." };
    }
    case "running":
      return age < PATIENCE.running
        ? null
        : { why: `Running for ${duration(age)}, longer than most.`, help: "Look at its last event, or give its steps a time limit." };
    case "draining":
      return age < PATIENCE.draining
        ? null
        : {
            why: `Stopping, and started ${duration(age)} ago: it waits for what is in flight.`,
            help: "Stop it immediately to cancel that.",
          };
    case "paused":
      return age < PATIENCE.paused ? null : { why: "Somebody paused it and did not resume it.", help: "Resume or stop it." };
    case "waiting":
      return stuckWait(waits ?? [], now);
    default:
      return null;
  }
}

function stuckWait(waits: readonly Wait[], now: number): { why: string; help: string } | null {
  for (const wait of waits) {
    const waited = now - new Date(wait.since).getTime();
    if (wait.until && wait.waiting_for !== "retry") continue;
    if (wait.waiting_for === "message" && waited >= PATIENCE.message) {
      const what = wait.message ? `the message "${wait.message}"` : "a message";
      return {
        why: `${wait.path} has waited ${duration(waited)} for ${what}, without an end.`,
        help: "Send it, or give the step an expiry.",
      };
    }
    if (wait.waiting_for === "retry" && waited >= PATIENCE.retry) {
      return { why: `${wait.path} failed and is tried again only later.`, help: "Look at its last error." };
    }
    if (wait.waiting_for === "child_run" && waited >= PATIENCE.child_run) {
      return { why: `${wait.path} has waited ${duration(waited)} for its child run.`, help: "Look at the child run." };
    }
  }
  return null;
}

/** Whether what the run waits for has to be asked for, to know whether it is stuck. */
export function mayBeStuck(run: Looked, now: number): boolean {
  if (run.status !== "waiting" || !run.waiting_for || !["message", "retry", "child_run"].includes(run.waiting_for)) return false;
  return now - new Date(run.started_at ?? run.created_at).getTime() >= PATIENCE[run.waiting_for as "message"];
}

export interface FailureGroup<T extends Looked> {
  /** The latest. */
  run: T;
  runs: number;
}

/** Return one entry for all runs of a workflow that failed alike: same status, step and code. The latest is first. */
export function groupFailures<T extends Looked>(runs: readonly T[]): FailureGroup<T>[] {
  const groups = new Map<string, FailureGroup<T>>();
  for (const run of runs) {
    const key = JSON.stringify([run.workflow.id, run.status, run.failed_step, run.failure_code]);
    const group = groups.get(key);
    if (group) group.runs += 1;
    else groups.set(key, { run, runs: 1 });
  }
  return [...groups.values()];
}
