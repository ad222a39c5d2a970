/** Events for tests: one a second, numbered from 1. */

import type { RunEvent } from "./record";

type Written = readonly [type: string, step?: string | null, data?: Record<string, unknown>, attempt?: number];

export function journal(written: readonly Written[]): RunEvent[] {
  return written.map(([type, step = null, data = {}, attempt], index) => ({
    seq: index + 1,
    type,
    ts: (index + 1) * 1_000,
    step_id: step,
    attempt: attempt ?? (step === null ? null : 1),
    actor: null,
    data,
  }));
}
