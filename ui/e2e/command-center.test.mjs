// The Command Center: decisions by keys and by form, runs under way, stuck and failed ones, badges; all of it live.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { isWell, look, openBrowser, openPage } from "./browser.mjs";
import { startServer, until } from "./server.mjs";
import { fill } from "./world.mjs";

const AGENT = {
  name: "Careful",
  tools: [
    {
      type: "python",
      name: "refund",
      description: "Pay money back.",
      input_schema: { type: "object", properties: { amount: { type: "integer", minimum: 0 } }, required: ["amount"] },
      code: 'f"{amount} refunded"',
      inputs: { amount: "{{ args.amount }}" },
      requires_approval: true,
    },
  ],
  steps: [{ id: "agent", type: "agent", model: "demo:careful", instructions: "Refund.", tools: ["python:refund"] }],
};
const ASK = {
  name: "ask",
  steps: [
    {
      id: "ask",
      type: "approval",
      title: "Pay {{ input.to }}?",
      payload: { amount: 10, to: "{{ input.to }}", urgent: false },
      expires_in_s: 1800,
    },
    { id: "pay", type: "transform", depends_on: ["ask"], value: "{{ steps.ask.result }}" },
  ],
};

let server, browser, world;

before(async () => {
  [server, browser] = await Promise.all([startServer(), openBrowser()]);
});

after(async () => {
  world?.busy.close();
  await browser?.close();
  await server?.close();
});

async function open(address = "/command-center") {
  const page = await openPage(browser);
  await page.goto(server.address + address);
  await page.getByRole("heading", { name: "Command Center", exact: true }).waitFor();
  return page;
}

const card = (page, title) => page.getByRole("article", { name: title });
const line = (page, id) => page.locator(`li[data-run="${id}"]`);

test("with nothing to do it says so", async () => {
  const page = await open();
  await page.getByText("Nothing needs you").waitFor();
  await page.getByText("No run failed.").waitFor();
  assert.equal(await page.title(), "Command Center · Runwell");
  await look(page, "command-center-empty");
  isWell(page);
  await page.context().close();
});

test("what is asked, runs and failed appears by itself, in the title and the navigation, too", async () => {
  const page = await open();
  await page.getByText("Nothing needs you").waitFor();
  world = await fill(server);
  await server.publish(ASK);
  await server.publish(AGENT, "agent");
  world.ask = await server.run("ask", { to: "Ben" });
  world.agent = await server.run("careful", "I want 30 back");
  await card(page, "Refund T-4750?").waitFor();
  await card(page, "Pay Ben?").waitFor();
  await card(page, "Call python:refund?").waitFor();
  await until(async () => (await page.title()) === "(3) Command Center · Runwell", 10_000);
  await page.getByRole("link", { name: /^Command Center.*3 need you/ }).waitFor();
  await line(page, world.runs.running).waitFor();
  await line(page, world.runs.timedOut).filter({ hasText: "Timeout" }).waitFor();
  const failure = page.getByRole("listitem").filter({ hasText: "3 times" });
  assert.match(await failure.innerText(), /invoice-check[\s\S]*sum/);
  await look(page, "command-center", { whole: true });
  await failure.getByRole("link", { name: /3 times/ }).click();
  await until(async () => (await page.locator("tbody tr[data-run]").count()) === 3, 10_000);
  isWell(page);
  await page.context().close();
});

test("keys alone: choose, approve with a reason, reject", async () => {
  const second = await server.run("ask", { to: "Eve" });
  const page = await open();
  await card(page, "Pay Eve?").waitFor();
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  await until(() => page.evaluate(() => document.activeElement.textContent === "Pay Ben?"), 5_000);
  await page.keyboard.press("a");
  await page.getByRole("textbox", { name: "Reason (optional)" }).waitFor();
  await until(() => page.evaluate(() => document.activeElement.tagName === "INPUT"), 5_000);
  await look(page, "command-center-approve");
  assert.match(page.url(), /task=task_\w+&do=approve$/);
  await page.keyboard.press("Escape");
  await page.getByRole("textbox", { name: "Reason (optional)" }).waitFor({ state: "detached" });
  await until(() => page.evaluate(() => document.activeElement.textContent === "Pay Ben?"), 5_000);
  await page.keyboard.press("a");
  await page.getByRole("textbox", { name: "Reason (optional)" }).waitFor();
  await page.keyboard.type("as agreed");
  await page.keyboard.press("Enter");
  await card(page, "Pay Ben?").waitFor({ state: "detached" });
  const run = await server.runUntil(world.ask, "succeeded");
  assert.equal(run.output.comment, "as agreed");
  await until(() => page.evaluate(() => document.activeElement.closest("article") !== null), 5_000);
  await card(page, "Pay Eve?").getByRole("button", { name: "Reject" }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("textbox", { name: "Why not? (optional)" }).fill("no budget");
  await page.keyboard.press("Enter");
  await card(page, "Pay Eve?").waitFor({ state: "detached" });
  assert.equal((await server.runUntil(second, "succeeded")).output.approved, false);
  isWell(page);
  await page.context().close();
});

test("an agent's call is edited by its schema; what breaks it is told and nothing is lost", async () => {
  const page = await open();
  await card(page, "Call python:refund?").getByRole("button", { name: "Edit" }).click();
  const amount = page.getByRole("textbox", { name: "args / amount" });
  await amount.fill("12.5");
  await page.keyboard.press("Enter");
  await page.getByText("This must be a whole number.").waitFor();
  await amount.fill("-3");
  await page.keyboard.press("Enter");
  await page.getByRole("alert").waitFor();
  await look(page, "command-center-edit");
  await amount.fill("12");
  await page.getByRole("button", { name: "Approve with these values" }).click();
  await card(page, "Call python:refund?").waitFor({ state: "detached" });
  await server.runUntil(world.agent, "succeeded");
  const { rounds } = await server.get(`/v1/runs/${world.agent}/steps/agent/timeline`);
  assert.equal(rounds[0].calls[0].result, "12 refunded");
  isWell(page);
  await page.context().close();
});

test("a decision made elsewhere takes the card away", async () => {
  const id = await server.run("ask", { to: "Zoe" });
  const page = await open();
  await card(page, "Pay Zoe?").waitFor();
  const [task] = (await server.get(`/v1/runs/${id}/tasks/pending`)).data;
  await server.post(`/v1/tasks/${task.id}/complete`, { approved: true });
  await card(page, "Pay Zoe?").waitFor({ state: "detached", timeout: 10_000 });
  isWell(page);
  await page.context().close();
});
