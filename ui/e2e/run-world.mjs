// Runs of every kind that the page of a run must show: parallel failures, approvals, agents, loops, children, long and wide ones.

import { createServer } from "node:http";

import { slowNeighbour } from "./server.mjs";

/** Branch `charge` fails while `letter` is in flight; `join` can never start. */
const PARALLEL = (url) => ({
  name: "Order intake",
  slug: "order-intake",
  steps: [
    { id: "read", name: "Read the order", type: "transform", value: { id: "{{ input.order }}", total: "{{ input.total }}" } },
    { id: "letter", name: "Write the letter", type: "http", depends_on: ["read"], request: { method: "GET", url }, timeout_s: 600 },
    {
      id: "charge",
      name: "Charge the card",
      type: "python",
      depends_on: ["read", "settle"],
      inputs: { total: "{{ input.total }}" },
      code: "print('charging', total)\n100 // total",
      retry: { max_attempts: 2, initial_delay_s: 0.2 },
    },
    { id: "settle", type: "delay", depends_on: ["read"], for_s: 0.3 },
    { id: "gift", name: "Wrap a gift", type: "transform", depends_on: ["read"], when: "input.total > 1000", value: "wrapped" },
    { id: "join", name: "Ship it", type: "transform", depends_on: ["letter", "charge"], value: "{{ steps.charge.result }}" },
    { id: "tell", name: "Tell the customer", type: "transform", depends_on: ["join", "gift"], value: "sent" },
  ],
  output: "{{ steps.tell.result }}",
});

const APPROVAL = {
  name: "Refund request",
  slug: "refund-request",
  steps: [
    { id: "classify", name: "Classify the ticket", type: "llm", model: "demo:triage", prompt: "Classify: {{ input.text }}" },
    {
      id: "approve",
      name: "Ask a person",
      type: "approval",
      depends_on: ["classify"],
      title: "Refund {{ input.amount }} euros?",
      description: "The customer writes: {{ input.text }}",
      payload: { amount: "{{ input.amount }}", reason: "late" },
      expires_in_s: 86400,
    },
    {
      id: "pay",
      name: "Pay it back",
      type: "transform",
      depends_on: ["approve"],
      when: "steps.approve.result.approved",
      value: { paid: "{{ has(steps.approve.result.amount) ? steps.approve.result.amount : input.amount }}" },
    },
  ],
  output: "{{ steps.pay.result }}",
};

const AGENT = {
  name: "Parcel support",
  slug: "parcel-support",
  input_schema: { type: "string" },
  tools: [
    {
      type: "python",
      name: "find_parcel",
      description: "Find a parcel by its number.",
      input_schema: { type: "object", properties: { number: { type: "integer" } }, required: ["number"] },
      code: '{"number": number, "place": "Lyon"}',
      inputs: { number: "{{ args.number }}" },
    },
  ],
  steps: [
    {
      id: "agent",
      type: "agent",
      model: "openai:gpt-4o-mini",
      instructions: "Help people who look for a parcel.",
      tools: ["python:find_parcel"],
      limits: { rounds: 8 },
    },
  ],
};

const LOOPS = {
  name: "Briefing",
  slug: "briefing",
  steps: [
    {
      id: "read",
      name: "Read each document",
      type: "for_each",
      items: "{{ input.documents }}",
      max_parallel: 3,
      steps: [
        { id: "extract", type: "llm", model: "openai:gpt-4o-mini", prompt: "What does it say? {{ item }}" },
        { id: "check", type: "transform", depends_on: ["extract"], value: "{{ steps.extract.result }}" },
      ],
    },
    {
      id: "refine",
      name: "Refine",
      type: "while",
      depends_on: ["read"],
      condition: "loop.iteration < 2",
      max_iterations: 4,
      steps: [{ id: "draft", type: "transform", value: "draft {{ loop.iteration }}" }],
    },
    { id: "child", name: "Check the invoice", type: "workflow", depends_on: ["read"], workflow: "child-check", input: { total: 5 } },
    { id: "end", type: "transform", depends_on: ["refine", "child"], value: { drafts: "{{ steps.refine.result.iterations }}" } },
  ],
  output: "{{ steps.end.result }}",
};

const CHILD = {
  name: "Child check",
  slug: "child-check",
  steps: [
    { id: "sum", type: "python", inputs: { total: "{{ input.total }}" }, code: "total * 2" },
    { id: "pause", type: "delay", depends_on: ["sum"], for_s: 1 },
  ],
  output: "{{ steps.sum.result }}",
};

/** A step, a wait, a step: one can watch it. */
const LIVE = (url) => ({
  name: "Nightly report",
  slug: "nightly-report",
  steps: [
    { id: "begin", type: "transform", value: "begun" },
    { id: "fetch", name: "Fetch the figures", type: "http", depends_on: ["begin"], request: { method: "GET", url }, timeout_s: 600 },
    { id: "write", name: "Write the report", type: "llm", depends_on: ["fetch"], model: "demo:writer", prompt: "Report {{ input.day }}" },
  ],
  output: "{{ steps.write.result }}",
});

const HOSTILE_STEPS = {
  name: '<img src=x onerror="document.title=3">',
  slug: "hostile",
  steps: [
    { id: "say", name: '<img src=x onerror="document.title=1">', type: "transform", value: "{{ input }}" },
    { id: "print", type: "python", depends_on: ["say"], inputs: { text: "{{ input.text }}" }, code: "print(text)\n1" },
    { id: "line", type: "transform", depends_on: ["print"], value: "{{ input.long }}" },
  ],
  output: "{{ steps.say.result }}",
};

/** 500 steps in 25 lanes of 20. */
const WIDE = {
  name: "Wide",
  slug: "wide",
  steps: Array.from({ length: 500 }, (_, n) => ({
    id: `s${n}`,
    type: "transform",
    depends_on: n < 25 ? [] : [`s${n - 25}`],
    value: n,
  })),
  output: "{{ steps.s499.result }}",
};

const LONG = {
  name: "Long",
  slug: "long",
  steps: [
    {
      id: "each",
      type: "for_each",
      items: "{{ input.items }}",
      max_parallel: 50,
      steps: [{ id: "one", type: "transform", value: "{{ item }}" }],
      output: 1,
    },
  ],
  output: "{{ size(steps.each.result) }}",
};

export const HOSTILE = '<img src=x onerror="document.title=1"><script>document.title=2</script> \u202egnp.exe \u001b[31mred';

/** OpenAI's protocol, as far as the runs here ask: it calls the tool that it is offered twice, thinks, then answers. */
export async function fakeOpenAi() {
  const server = createServer(async (request, response) => {
    const pieces = [];
    for await (const piece of request) pieces.push(piece);
    const asked = JSON.parse(Buffer.concat(pieces).toString() || "{}");
    const answered = (asked.messages ?? []).filter((message) => message.role === "tool").length;
    const call = asked.tools && answered < 2;
    const pace = JSON.stringify(asked.messages ?? "").includes("slowly") ? 400 : 12;
    const message = call
      ? {
          role: "assistant",
          content: answered === 0 ? "I look the parcel up first." : "Once more, to be sure.",
          tool_calls: [
            {
              id: `call_${answered}`,
              type: "function",
              function: { name: asked.tools[0].function.name, arguments: JSON.stringify({ number: 7 + answered }) },
            },
          ],
        }
      : { role: "assistant", content: "The parcel is in **Lyon** and arrives tomorrow." };
    const usage = { prompt_tokens: 1200 + 300 * answered, completion_tokens: 85, total_tokens: 1285 + 300 * answered };
    const chunk = (delta, more = {}) => ({
      id: "chatcmpl-1",
      object: "chat.completion.chunk",
      created: 1_790_000_000,
      model: "gpt-4o-mini-2024-07-18",
      choices: [{ index: 0, delta, finish_reason: null }],
      ...more,
    });
    const words = message.content.split(/(?<= )/).map((content) => chunk({ content }));
    const calls = message.tool_calls ? [chunk({ tool_calls: message.tool_calls.map((each, index) => ({ index, ...each })) })] : [];
    const last = { choices: [{ index: 0, delta: {}, finish_reason: call ? "tool_calls" : "stop" }] };
    const chunks = [chunk({ role: "assistant", content: "" }), ...words, ...calls, chunk({}, last), chunk({}, { choices: [], usage })];
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    for (const each of chunks) {
      response.write(`data: ${JSON.stringify(each)}\n\n`);
      await new Promise((resolve) => setTimeout(resolve, pace));
    }
    response.end("data: [DONE]\n\n");
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}/v1`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Publish the workflows that are asked for by slug; all without any. */
export async function publishAll(server, busyUrl, slugs = []) {
  const all = [CHILD, PARALLEL(busyUrl), APPROVAL, LOOPS, LIVE(busyUrl), HOSTILE_STEPS, WIDE, LONG];
  for (const { slug, ...document } of [...all, AGENT]) {
    if (slugs.length > 0 && !slugs.includes(slug)) continue;
    const kind = slug === AGENT.slug ? "agent" : "workflow";
    const made = await server.post("/v1/workflows", { document, kind, slug });
    await server.post(`/v1/workflows/${made.slug}/versions`);
  }
}

/** Start one run of each kind and wait until it is as it should be; return their ids. */
export async function fillRuns(server) {
  const busy = await slowNeighbour();
  await publishAll(server, busy.url);
  const runs = {
    failed: await server.run("order-intake", { order: "O-17", total: 0 }),
    waiting: await server.run("refund-request", { text: "The parcel is late.", amount: 89 }),
    agent: await server.run("parcel-support", "Where is parcel 7?"),
    loops: await server.run("briefing", { documents: ["one", "two", "three"] }),
    live: await server.run("nightly-report", { day: "Monday" }),
    stopped: await server.run("nightly-report", { day: "Sunday" }),
    hostile: await server.run("hostile", { text: HOSTILE, long: "x".repeat(60_000), "<b>key</b>": HOSTILE }),
  };
  await server.runUntil(runs.stopped, "running");
  await server.post("/v1/workflows/nightly-report/command", { command: "stop", run_id: runs.stopped, params: { mode: "immediate" } });
  await Promise.all([
    server.runUntil(runs.failed, "failed"),
    server.runUntil(runs.waiting, "waiting"),
    server.runUntil(runs.agent, "succeeded"),
    server.runUntil(runs.loops, "succeeded"),
    server.runUntil(runs.live, "running"),
    server.runUntil(runs.stopped, "stopped"),
    server.runUntil(runs.hostile, "succeeded"),
  ]);
  return { runs, busy };
}
