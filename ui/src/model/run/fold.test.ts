import { describe, expect, it } from "vitest";

import { culpritOf } from "./culprit";
import { costsOf } from "./cost";
import { apply, emptyRecord, foldTo } from "./fold";
import { journal } from "./journal.fixture";
import { rowsOf, treeOf } from "./tree";

const FAILED = journal([
  ["run_created", null, { input: { total: 0 } }],
  ["run_started"],
  ["step_started", "read", { step_type: "transform", input: { value: 1 } }],
  ["step_completed", "read", { result: 1 }],
  ["step_started", "letter", { step_type: "http" }],
  ["step_started", "charge", { step_type: "python" }],
  ["log", "charge", { message: "charging 0" }],
  ["step_retrying", "charge", { error: { code: "PYTHON_FAILED", message: "no" }, retry_at: 9_000 }],
  ["step_started", "charge", { step_type: "python" }, 2],
  ["step_failed", "charge", { error: { code: "PYTHON_FAILED", message: "division by zero" } }, 2],
  ["step_cancelled", "letter", { caused_by: "charge" }],
  ["step_completed", "join", { skipped: true, reason: "blocked", caused_by: "charge" }],
  ["step_completed", "gift", { skipped: true, reason: "condition_false" }],
  ["run_failed", null, { error: { code: "PYTHON_FAILED", message: "division by zero", step_id: "charge" }, failed_step: "charge" }],
]);

describe("a run whose parallel step failed", () => {
  const record = foldTo(FAILED);

  it("knows how every step ended", () => {
    const statuses = [...record.steps.values()].map((step) => [step.path, step.status, step.reason]);
    expect(statuses).toEqual([
      ["read", "succeeded", null],
      ["letter", "cancelled", null],
      ["charge", "failed", null],
      ["join", "skipped", "blocked"],
      ["gift", "skipped", "condition_false"],
    ]);
    expect([record.status, record.ended]).toEqual(["failed", FAILED.at(-1)?.ts]);
  });

  it("names the culprit and what came of it", () => {
    expect(culpritOf(record)).toMatchObject({
      path: "charge",
      cancelled: ["letter"],
      blocked: ["join"],
      error: { message: "division by zero" },
    });
  });

  it("keeps each attempt", () => {
    const charge = record.steps.get("charge");
    expect(charge?.attempts.map((attempt) => [attempt.number, attempt.status, attempt.error?.message])).toEqual([
      [1, "failed", "no"],
      [2, "failed", "division by zero"],
    ]);
    expect(charge?.logs).toBe(1);
    expect(charge?.waits).toMatchObject([{ why: "retry", until: 9_000 }]);
  });

  it("is rewound to any of its events", () => {
    const before = foldTo(FAILED, 6);
    expect(before.status).toBe("running");
    expect(before.steps.get("charge")?.status).toBe("running");
    expect(before.steps.has("join")).toBe(false);
    expect(culpritOf(before)).toBeNull();
  });

  it("is the same whether it was watched or read at once", () => {
    const live = emptyRecord();
    for (const event of FAILED) apply(live, event);
    expect(live).toEqual(record);
  });

  it("says nothing of events that it does not know", () => {
    const more = journal([
      ...FAILED.map((event) => [event.type, event.step_id, event.data] as const),
      ["run_dreamed"],
      ["step_dreamed", "read"],
    ]);
    expect(foldTo(more).status).toBe("failed");
  });
});

describe("an agent", () => {
  const record = foldTo(
    journal([
      ["run_created"],
      ["run_started"],
      ["step_started", "agent", { step_type: "agent" }],
      ["generation_completed", "agent", call({ tool_calls: [{ id: "c1", name: "find", args: { n: 7 } }], response: "I look." })],
      ["tool_called", "agent", { tool: "find", args: { n: 7 }, call_id: "c1" }],
      ["tool_returned", "agent", { tool: "find", result: "Lyon", call_id: "c1" }],
      ["generation_completed", "agent", call({ response: "In Lyon.", thought: "Lyon then" })],
      ["step_completed", "agent", { result: "In Lyon." }],
      ["run_succeeded", null, { output: "In Lyon." }],
    ]),
  );

  it("has rounds with what they called", () => {
    const rounds = record.steps.get("agent")?.rounds ?? [];
    expect(rounds.map((round) => [round.number, round.text, round.thought, round.calls.length])).toEqual([
      [1, "I look.", null, 1],
      [2, "In Lyon.", "Lyon then", 0],
    ]);
    expect(rounds[0]?.calls[0]).toMatchObject({ tool: "find", result: "Lyon", from: 5_000, to: 6_000 });
  });

  it("adds its cost up exactly, by model and by step", () => {
    expect(record.used.nanos).toBe(2 * 123_456_789);
    expect(costsOf(record)).toMatchObject({
      byModel: [{ key: "openai:mini", used: { input: 200, calls: 2 } }],
      byStep: [{ key: "agent" }],
      hits: 0,
    });
  });
});

function call(more: Record<string, unknown>) {
  const usage = { input_tokens: 100, cached_tokens: 0, output_tokens: 10, reasoning_tokens: 0, generations: 1, cost_nanos: 123_456_789 };
  return { provider: "openai", model: "mini", usage, latency_ms: 300, ...more };
}

describe("the run itself", () => {
  it("waits, goes on, is paused, and stops", () => {
    const events = journal([
      ["run_created"],
      ["run_started"],
      ["step_started", "ask", { step_type: "approval" }],
      ["task_created", "ask", { task_id: "t1", task_type: "approval", title: "Pay?", payload: { amount: 3 } }],
      ["step_waiting", "ask", { waiting_for: "approval", task_id: "t1" }],
      ["run_waiting", null, { waiting_for: "approval", steps: ["ask"] }],
      ["run_paused"],
      ["run_resumed"],
      ["task_completed", "ask", { task_id: "t1", approved: true, by: "ada" }],
      ["step_resumed", "ask", { by: "task" }],
      ["run_stop_requested", null, { mode: "immediate" }],
      ["step_stopped", "ask", {}],
      ["run_stopped", null, { error: { code: "RUN_STOPPED", message: "stopped" } }],
    ]);
    expect([6, 7, 8, 13].map((seq) => foldTo(events, seq).status)).toEqual(["waiting", "paused", "running", "stopped"]);
    const record = foldTo(events);
    expect(record.pauses).toEqual([{ from: 7_000, to: 8_000 }]);
    expect(record.tasks.get("t1")).toMatchObject({ title: "Pay?", decided: { approved: true, by: "ada" } });
    expect(record.steps.get("ask")).toMatchObject({ status: "stopped", waits: [{ why: "approval", from: 5_000, to: 10_000 }] });
  });

  it.each([
    ["timeout_s", "timed_out"],
    ["memory_mb", "memory_limit_exceeded"],
    ["log_bytes", "log_size_exceeded"],
    ["credits", "quota_exceeded"],
  ])("over its %s is %s", (which, status) => {
    expect(foldTo(journal([["run_limit_exceeded", null, { which, error: { code: "X", message: "" } }]])).status).toBe(status);
  });

  it("remembers where it came from, and what people did with it", () => {
    const record = foldTo(
      journal([
        ["run_created", null, { trigger: "cli", tags: ["a"], parent_run_id: "p" }],
        ["run_succeeded", null, { output: 1 }],
        ["run_archived"],
        ["run_reviewed", null, { review: "positive", score: 0.9 }],
        ["run_evaluated", null, { evaluation_run_id: "e", evaluator: "Judge" }],
        ["comment_added", null, { comment_id: "c", content: "Well done" }],
      ]),
    );
    expect(record.origin).toMatchObject({ trigger: "cli", tags: ["a"], parentRunId: "p", sourceRunId: null, environment: "production" });
    expect(record).toMatchObject({ status: "succeeded", archived: true, review: { review: "positive", score: 0.9 } });
    expect([record.judges, record.comments[0]?.content]).toEqual([[{ runId: "e", evaluator: "Judge" }], "Well done"]);
  });

  it("that was served from the cache has its output", () => {
    const record = foldTo(journal([["run_served_from_cache", null, { source_run_id: "r", output: 5, saved_nanos: 7 }]]));
    expect(record).toMatchObject({ status: "succeeded", output: 5, servedFrom: "r", savedNanos: 7 });
  });
});

describe("loops", () => {
  const record = foldTo(
    journal([
      ["run_created"],
      ["step_started", "each", { step_type: "for_each", items: [1, 2] }],
      ["step_started", "each[1]", { step_type: "iteration" }],
      ["step_started", "each[0]", { step_type: "iteration" }],
      ["step_started", "each[0].send", { step_type: "http" }],
      ["step_failed", "each[0].send", { error: { code: "HTTP_FAILED", message: "500" } }],
      ["step_failed", "each[0]", { error: { code: "HTTP_FAILED", message: "500" } }],
      ["step_failed", "each", { error: { code: "HTTP_FAILED", message: "500" } }],
      ["run_failed", null, { error: { code: "HTTP_FAILED", message: "500" }, failed_step: "each" }],
    ]),
  );
  const graph = {
    nodes: [
      { id: "each", type: "for_each", name: "Send each", steps: { nodes: [{ id: "send", type: "http", name: "Send" }], edges: [] } },
      { id: "end", type: "transform", name: null },
    ],
    edges: [{ source: "each", target: "end" }],
  };

  it("find the step at fault within them", () => {
    expect(culpritOf(record)?.path).toBe("each[0].send");
  });

  it("are a tree, with what has not begun", () => {
    const rows = rowsOf(treeOf(record, graph), () => true);
    expect(rows.map((row) => [row.level, row.node.path, row.node.label, row.node.status])).toEqual([
      [1, "each", "Send each", "failed"],
      [2, "each[0]", "#1", "failed"],
      [3, "each[0].send", "Send", "failed"],
      [2, "each[1]", "#2", "running"],
      [3, "each[1].send", "Send", "pending"],
      [1, "end", "end", "pending"],
    ]);
    expect(rowsOf(treeOf(record, graph), () => false).map((row) => row.node.path)).toEqual(["each", "end"]);
  });
});
