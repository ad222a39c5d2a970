/** Which step brought the run down, and what came of it for the others. */

import { isBroken } from "../status";
import { isWithin } from "./paths";
import type { RunError, RunRecord, Step } from "./record";

export interface Culprit {
  /** Null: no single step did, as when the run took too long. */
  path: string | null;
  error: RunError | null;
  /** In flight when it happened. */
  cancelled: string[];
  /** Never begun, as what they need failed. */
  blocked: string[];
  stopped: string[];
}

/** Return the culprit of a run that ended badly; null of any other. */
export function culpritOf(record: RunRecord): Culprit | null {
  const draining = record.status === "draining" && record.failedStep !== null;
  if (!isBroken(record.status) && !draining) return null;
  const path = innermost(record);
  const step = path === null ? null : record.steps.get(path);
  return { path, error: step?.error ?? record.error, ...consequences(record) };
}

/** Return what a stop or failure did to the steps. */
export function consequences(record: RunRecord): Pick<Culprit, "cancelled" | "blocked" | "stopped"> {
  const steps = [...record.steps.values()];
  const paths = (wanted: (step: Step) => boolean) => steps.filter(wanted).map((step) => step.path);
  return {
    cancelled: paths((step) => step.status === "cancelled"),
    blocked: paths((step) => step.status === "skipped" && step.reason === "blocked"),
    stopped: paths((step) => step.status === "stopped"),
  };
}

/** A loop fails because a step in it did: go down to the first that failed and holds no other. */
function innermost(record: RunRecord): string | null {
  const failed = [...record.steps.values()].filter((step) => step.status === "failed" && !step.handled);
  const outer = record.failedStep ?? record.error?.step_id ?? null;
  const inside = outer === null ? failed : failed.filter((step) => step.path === outer || isWithin(step.path, outer));
  const inner = inside.filter((step) => !inside.some((other) => isWithin(other.path, step.path)));
  const first = inner.sort((a, b) => (a.to ?? Infinity) - (b.to ?? Infinity))[0];
  return first?.path ?? (outer !== null && record.steps.has(outer) ? outer : null);
}
