import { describe, expect, test } from "vitest";

import { groupFailures, mayBeStuck, stuckWhy, type Looked } from "./attention";

const NOW = Date.parse("2026-06-12T12:00:00Z");
const run = (status: string, minutes: number, more: Partial<Looked> = {}): Looked => {
  const at = new Date(NOW - minutes * 60_000).toISOString();
  return { id: "run_1", status, created_at: at, started_at: at, workflow: { id: "wf_1" }, ...more };
};

describe("stuck", () => {
  test("is who waits for a turn, and says for how long", () => {
    expect(stuckWhy(run("queued", 0.5), undefined, NOW)).toBeNull();
    expect(stuckWhy(run("queued", 4, { started_at: null }), undefined, NOW)?.why).toBe(
      "Queued for 4 min 00 s: as many runs work as may at once.",
    );
  });

  test("is who works, stops or pauses for too long", () => {
    expect(stuckWhy(run("running", 29), undefined, NOW)).toBeNull();
    expect(stuckWhy(run("running", 31), undefined, NOW)?.why).toContain("31 min");
    expect(stuckWhy(run("draining", 11), undefined, NOW)?.help).toContain("immediately");
    expect(stuckWhy(run("paused", 61), undefined, NOW)?.help).toBe("Resume or stop it.");
    expect(stuckWhy(run("succeeded", 999), undefined, NOW)).toBeNull();
  });

  test("is who waits without an end; time ends other waits by itself", () => {
    const since = new Date(NOW - 2 * 3_600_000).toISOString();
    const waiting = run("waiting", 130, { waiting_for: "message" });
    const message = { waiting_for: "message", since, path: "arrival", message: "arrived" };
    expect(stuckWhy(waiting, [message], NOW)?.why).toBe('arrival has waited 2 h 00 min for the message "arrived", without an end.');
    expect(stuckWhy(waiting, [{ ...message, until: "2026-06-13T00:00:00Z" }], NOW)).toBeNull();
    expect(stuckWhy(waiting, [{ ...message, since: new Date(NOW).toISOString() }], NOW)).toBeNull();
    expect(stuckWhy(waiting, undefined, NOW)).toBeNull();
  });

  test("only old waits are looked at", () => {
    expect(mayBeStuck(run("waiting", 61, { waiting_for: "message" }), NOW)).toBe(true);
    expect(mayBeStuck(run("waiting", 5, { waiting_for: "message" }), NOW)).toBe(false);
    expect(mayBeStuck(run("waiting", 61, { waiting_for: "approval" }), NOW)).toBe(false);
  });
});

test("failures that are alike are one entry, the latest first", () => {
  const failed = (id: string, step: string) => run("failed", 1, { id, failed_step: step });
  const groups = groupFailures([failed("run_3", "sum"), failed("run_2", "read"), failed("run_1", "sum")]);
  expect(groups.map((group) => [group.run.id, group.runs])).toEqual([
    ["run_3", 2],
    ["run_2", 1],
  ]);
});
