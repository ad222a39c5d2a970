/** What a run cost, by model and by step. */

import { NOTHING_USED, plus, type RunRecord, type Used } from "./record";
import { templateOf } from "./paths";

export interface CostRow {
  key: string;
  used: Used;
  failed: number;
  latencyMs: number;
}

export interface Costs {
  total: Used;
  savedNanos: number;
  savedMs: number;
  hits: number;
  byModel: CostRow[];
  /** A step in a loop is one row, whatever the number of its iterations. */
  byStep: CostRow[];
}

export function costsOf(record: RunRecord): Costs {
  const models = new Map<string, CostRow>();
  const steps = new Map<string, CostRow>();
  let savedNanos = record.savedNanos;
  let savedMs = 0;
  let hits = record.servedFrom ? 1 : 0;
  for (const step of record.steps.values()) {
    if (step.cache) {
      savedNanos += step.cache.savedNanos;
      savedMs += step.cache.savedMs;
      hits += 1;
    }
    for (const round of step.rounds) {
      add(models, `${round.provider}:${round.model}`, round.used, round.ok, round.latencyMs);
      add(steps, templateOf(step.path), round.used, round.ok, round.latencyMs);
    }
  }
  return { total: record.used, savedNanos, savedMs, hits, byModel: sorted(models), byStep: sorted(steps) };
}

function add(rows: Map<string, CostRow>, key: string, used: Used, ok: boolean, latencyMs: number): void {
  const row = rows.get(key) ?? { key, used: NOTHING_USED, failed: 0, latencyMs: 0 };
  rows.set(key, { key, used: plus(row.used, used), failed: row.failed + (ok ? 0 : 1), latencyMs: row.latencyMs + latencyMs });
}

function sorted(rows: Map<string, CostRow>): CostRow[] {
  return [...rows.values()].sort((a, b) => b.used.nanos - a.used.nanos || b.used.input + b.used.output - a.used.input - a.used.output);
}
