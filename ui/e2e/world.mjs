// Workflows and runs as people have them: every test that looks at lists starts from these.

import { slowNeighbour } from "./server.mjs";

const TRIAGE = {
  name: "support-triage",
  tags: ["support"],
  steps: [
    { id: "classify", type: "llm", model: "demo:triage", prompt: "Classify: {{ input.ticket.text }}" },
    {
      id: "approve",
      type: "approval",
      depends_on: ["classify"],
      when: "input.ticket.refund",
      title: "Refund {{ input.ticket.id }}?",
      payload: { amount: "{{ input.ticket.amount }}" },
    },
    { id: "answer", type: "transform", depends_on: ["approve"], value: { sent: true, lang: "{{ input.ticket.lang }}" } },
  ],
  output: "{{ steps.answer.result }}",
};

const INVOICE = {
  name: "invoice-check",
  steps: [
    { id: "read", type: "transform", value: "{{ input.invoice }}" },
    { id: "sum", type: "python", depends_on: ["read"], inputs: { total: "{{ input.total }}" }, code: "100 // total" },
  ],
  output: "{{ steps.sum.result }}",
};

const SLOW = (url) => ({
  name: "nightly-sync",
  steps: [{ id: "fetch", type: "http", request: { method: "GET", url }, timeout_s: 600 }],
  output: "{{ steps.fetch.result.status }}",
});

const TOO_LONG = (url) => ({
  name: "quarterly-report",
  limits: { timeout_s: 1 },
  steps: [{ id: "wait-for-it", type: "http", request: { method: "GET", url }, timeout_s: 600 }],
});

const AGENT = {
  name: "review-summary",
  steps: [{ id: "agent", type: "agent", model: "demo:summary", instructions: "Sum the review up in one sentence." }],
};

export const HOSTILE = '<img src=x onerror="document.title=1"> \u202egnp.exe \u001b[31mred';

/** Fill the server; return the ids of runs by what they are. `busy`: whom the running ones wait for. */
export async function fill(server) {
  const busy = await slowNeighbour();
  await server.publish(TRIAGE);
  await server.publish(INVOICE);
  await server.publish(SLOW(busy.url));
  await server.publish(TOO_LONG(busy.url));
  await server.publish(AGENT, "agent");
  const ticket = (n, more = {}) => ({
    ticket: { id: `T-${4700 + n}`, text: `order ${n} is late`, lang: n % 3 ? "de" : "en", refund: false, amount: n, ...more },
  });
  const runs = { succeeded: [], failed: [] };
  for (let n = 0; n < 14; n += 1) runs.succeeded.push(await server.run("support-triage", ticket(n), { tags: n % 2 ? ["beta"] : [] }));
  for (let n = 0; n < 3; n += 1) runs.failed.push(await server.run("invoice-check", { invoice: `I-${n}`, total: 0 }));
  runs.succeeded.push(await server.run("invoice-check", { invoice: "I-9", total: 7 }));
  for (let n = 0; n < 4; n += 1) await server.run("review-summary", `The hotel was fine, number ${n}.`);
  runs.hostile = await server.run("invoice-check", { invoice: HOSTILE, total: 1 }, { tags: [HOSTILE.slice(0, 60)] });
  runs.timedOut = await server.run("quarterly-report", {});
  runs.waiting = await server.run("support-triage", ticket(50, { refund: true, amount: 89 }));
  runs.running = await server.run("nightly-sync", {});
  runs.stopped = await server.run("nightly-sync", {});
  await server.runUntil(runs.stopped, "running");
  await server.post("/v1/workflows/nightly-sync/command", { command: "stop", run_id: runs.stopped, params: { mode: "immediate" } });
  runs.paused = await server.run("nightly-sync", {});
  await server.runUntil(runs.paused, "running");
  await server.post("/v1/workflows/nightly-sync/command", { command: "pause", run_id: runs.paused });
  await Promise.all([
    ...runs.succeeded.map((id) => server.runUntil(id, "succeeded")),
    ...runs.failed.map((id) => server.runUntil(id, "failed")),
    server.runUntil(runs.timedOut, "timed_out"),
    server.runUntil(runs.waiting, "waiting"),
    server.runUntil(runs.running, "running"),
    server.runUntil(runs.stopped, "stopped"),
  ]);
  return { runs, busy };
}
