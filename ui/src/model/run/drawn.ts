/** How far each drawn step is: which of a loop's iterations is shown, and what its steps are there. */

import { isBroken } from "../status";
import { isWithin, iterationOf, parentOf } from "./paths";
import type { LaidStep } from "./layout";
import type { RunRecord, Step } from "./record";

export interface Standing {
  /** The step's path in the run: in the iteration that is shown. */
  path: string;
  step: Step | null;
  status: string;
  reason: string | null;
  /** Set for a step of a child run that is unfolded: which run's. */
  childRun: string | null;
  iterations: Iterations | null;
}

export interface Iterations {
  /** Their paths, in order. */
  paths: string[];
  /** Which is shown, from 0; -1 when none has begun. */
  shown: number;
  done: number;
  failed: number;
  /** How many there will be; null when nobody knows yet. */
  of: number | null;
}

/** Return how each laid-out step stands. `chosen` is the step that is looked at: its iteration is the one that shows. */
export function standings(laid: readonly LaidStep[], record: RunRecord, chosen: string | null): Map<string, Standing> {
  const iterations = iterationsByLoop(record);
  const found = new Map<string, Standing>();
  for (const { path, parent, drawn } of laid) {
    const within = parent === null ? null : found.get(parent);
    const place = within?.iterations ? (within.iterations.paths[within.iterations.shown] ?? `${within.path}[0]`) : within?.path;
    const own = parent === null ? drawn.id : `${place}.${drawn.id}`;
    const step = record.steps.get(own) ?? null;
    const isLoop = drawn.type === "for_each" || drawn.type === "while";
    const childRun = within?.childRun ?? (within?.step?.type === "workflow" ? (within.step.children.at(-1) ?? null) : null);
    const status = step?.status ?? (childRun ? drawn.status : null) ?? "pending";
    const reason = step?.reason ?? (childRun ? (drawn.reason ?? null) : null);
    found.set(path, {
      path: own,
      step,
      status,
      reason,
      childRun,
      iterations: isLoop ? shownOf(own, step, iterations.get(own) ?? [], chosen) : null,
    });
  }
  return found;
}

function iterationsByLoop(record: RunRecord): Map<string, Step[]> {
  const found = new Map<string, Step[]>();
  for (const step of record.steps.values()) {
    if (iterationOf(step.path) === null) continue;
    const loop = parentOf(step.path) as string;
    const known = found.get(loop);
    if (known) known.push(step);
    else found.set(loop, [step]);
  }
  for (const steps of found.values()) steps.sort((a, b) => (iterationOf(a.path) ?? 0) - (iterationOf(b.path) ?? 0));
  return found;
}

function shownOf(loop: string, step: Step | null, iterations: readonly Step[], chosen: string | null): Iterations {
  const paths = iterations.map((each) => each.path);
  const looked = chosen && isWithin(chosen, loop) ? paths.findIndex((path) => chosen === path || isWithin(chosen, path)) : -1;
  const bad = iterations.findIndex((each) => each.status === "failed");
  const live = iterations.findIndex((each) => each.status === "running" || each.status === "waiting");
  const items = (step?.input as { items?: unknown } | undefined)?.items;
  return {
    paths,
    shown: looked >= 0 ? looked : bad >= 0 ? bad : live >= 0 ? live : paths.length - 1,
    done: iterations.filter((each) => each.to !== null).length,
    failed: iterations.filter((each) => isBroken(each.status)).length,
    of: Array.isArray(items) ? items.length : null,
  };
}
