// The playground: variants side by side, what comes of them, and what is kept.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { isAccessible, isWell, look, openBrowser, openPage } from "./browser.mjs";
import { startServer, until } from "./server.mjs";
import { HOSTILE } from "./world.mjs";

const TRIAGE = {
  name: "Ticket triage",
  input_schema: {
    type: "object",
    required: ["ticket"],
    properties: {
      ticket: { type: "string", description: "What the customer wrote" },
      lang: { enum: ["en", "de"] },
      urgent: { type: "boolean" },
      amount: { type: "number" },
    },
  },
  steps: [
    {
      id: "classify",
      type: "llm",
      model: "demo:large",
      system: "You classify tickets.",
      prompt: "Ticket: {{ input.ticket }}",
      params: { temperature: 1 },
    },
  ],
  output: "{{ steps.classify.result }}",
};

const SUPPORT = {
  name: "Support",
  input_schema: { type: "string" },
  tools: [
    {
      type: "python",
      name: "find_parcel",
      input_schema: { type: "object", properties: { number: { type: "integer" } }, required: ["number"] },
      code: '{"place": "Lyon"}',
    },
  ],
  steps: [{ id: "agent", type: "agent", model: "demo:support", instructions: "Help.", tools: ["python:find_parcel"] }],
};

let server, browser, run;

before(async () => {
  [server, browser] = await Promise.all([startServer(), openBrowser()]);
  await server.publish(TRIAGE);
  await server.publish(SUPPORT, "agent");
  run = await server.run("ticket-triage", { ticket: "My parcel is late.", lang: "en" });
  await server.runUntil(run, "succeeded");
});

after(async () => {
  await browser?.close();
  await server?.close();
});

const answers = (page) => page.getByRole("region", { name: /^Answer of/ });
const ended = (page, many) => until(async () => (await answers(page).getByText("tokens").count()) === many, 10_000);

test("variants answer side by side; they can be compared, saved as a version and as a test", async () => {
  const page = await openPage(browser);
  await page.goto(`${server.address}/playground?workflow=ticket-triage`);
  await page.getByRole("textbox", { name: "ticket" }).fill("My parcel 4711 is late, I want my money back.");
  await page.getByRole("combobox", { name: "lang" }).selectOption("en");
  await look(page, "playground-begin", { whole: true });
  await page.getByRole("button", { name: "Add variant" }).click();
  const second = page.getByRole("article", { name: "Variant B" });
  await second.getByRole("combobox", { name: "Model" }).fill("demo:small");
  await second.getByRole("textbox", { name: "Instructions" }).fill("Answer with one word.");
  await second.getByRole("textbox", { name: "Temperature" }).fill("0");
  await page.getByRole("button", { name: "Add variant" }).click();
  const third = page.getByRole("article", { name: "Variant C" });
  await third.getByRole("combobox", { name: "Model" }).fill("openai:gpt-4o");
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Try all 3" }).click();
  await ended(page, 3);
  assert.match(await answers(page).nth(0).innerText(), /4711/);
  await answers(page).nth(2).getByText("LLM_REQUEST_FAILED").waitFor();
  await look(page, "playground-answers", { whole: true });
  await page.getByRole("switch", { name: "Show what differs" }).check();
  await answers(page).nth(1).locator("ins, del").first().waitFor();
  assert.equal(new URL(page.url()).searchParams.get("diff"), "true");
  await look(page, "playground-diff");

  await second.getByRole("button", { name: "Save as version" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("textbox", { name: "Note" }).fill("shorter");
  await page.waitForTimeout(300);
  await isAccessible(page, "save as version");
  await dialog.getByRole("button", { name: "Save version" }).click();
  await dialog.getByText("Saved as version 2").waitFor();
  await dialog.getByRole("button", { name: "Done" }).click();
  const kept = await server.get("/v1/workflows/ticket-triage/versions/2");
  assert.equal(kept.note, "shorter");
  assert.equal(kept.document.steps[0].system, "Answer with one word.");
  assert.equal(kept.document.steps[0].params.temperature, 0);

  await second.getByRole("button", { name: "Save as test" }).click();
  await page.waitForTimeout(300);
  await isAccessible(page, "save as test");
  await dialog.getByRole("button", { name: "Save test" }).click();
  await dialog.getByText("is now a row").waitFor();
  const rows = await server.get("/v1/datasets/ticket-triage-tests/rows");
  assert.equal(rows.data[0].input.lang, "en");
  assert.match(rows.data[0].expected, /4711/);
  isWell(page);
  await page.context().close();
});

test("what was written is still there after a reload, and by keyboard alone it is tried", async () => {
  const page = await openPage(browser);
  await page.goto(`${server.address}/playground?workflow=ticket-triage`);
  await page.getByRole("textbox", { name: "ticket" }).focus();
  await page.keyboard.type(HOSTILE);
  await page.keyboard.press("Control+Enter");
  await ended(page, 1);
  assert.equal(await page.locator("article img").count(), 0);
  await page.waitForTimeout(400);
  await page.reload();
  await page.getByRole("textbox", { name: "ticket" }).waitFor();
  assert.match(await page.getByRole("textbox", { name: "ticket" }).inputValue(), /onerror/);
  const seen = new Set();
  for (let n = 0; n < 60; n += 1) {
    await page.keyboard.press("Tab");
    seen.add(await page.evaluate(() => document.activeElement?.getAttribute("aria-label") ?? document.activeElement?.textContent));
  }
  for (const name of ["Try it", "Add variant", "More for Variant A"])
    assert.ok(
      [...seen].some((each) => each?.includes(name)),
      name,
    );
  isWell(page);
  await page.context().close();
});

test("a run is tried again with its version, its input alone, or the prompt of one step", async () => {
  const page = await openPage(browser);
  await page.goto(`${server.address}/playground?run=${run}`);
  await until(async () => (await page.getByRole("textbox", { name: "ticket" }).inputValue()) === "My parcel is late.");
  assert.equal(await page.getByRole("combobox", { name: "Version of Variant A" }).inputValue(), "1");
  await page.goto(`${server.address}/playground?run=${run}&take=input`);
  await until(async () => (await page.getByRole("textbox", { name: "ticket" }).inputValue()) === "My parcel is late.");
  assert.equal(await page.getByRole("combobox", { name: "Version of Variant A" }).inputValue(), "");
  await page.goto(`${server.address}/playground?run=${run}&step=classify`);
  const message = page.getByRole("textbox", { name: "User message" });
  await until(async () => (await message.inputValue()) === "Ticket: My parcel is late.");
  assert.equal(await page.getByRole("textbox", { name: "Instructions" }).inputValue(), "You classify tickets.");
  await message.fill("Ticket: Where is my refund?");
  await page.getByRole("button", { name: "Try it" }).click();
  await ended(page, 1);
  assert.match(await answers(page).first().innerText(), /refund/);
  await look(page, "playground-prompt", { whole: true });
  await page.goto(`${server.address}/playground?run=run_00000000000000000000000000000000`);
  await page.getByRole("heading", { name: "Not found" }).waitFor();
  isWell(page);
  await page.context().close();
});

test("a message alone is tried, and an agent tells which tools it wants", async () => {
  const page = await openPage(browser);
  await page.goto(`${server.address}/playground`);
  await page.getByRole("textbox", { name: "Message" }).fill("Say hello.");
  await page.getByRole("button", { name: "Try it" }).click();
  await ended(page, 1);
  await page.getByRole("combobox", { name: "Workflow or agent" }).click();
  await page.getByRole("option", { name: "Support" }).click();
  await until(() => new URL(page.url()).search === "?workflow=support");
  await page.getByRole("textbox", { name: "Input" }).fill("Where is parcel 7?");
  await page.getByRole("button", { name: "Try it" }).click();
  await page.getByText("Wants to call").waitFor();
  await look(page, "playground-agent");
  isWell(page);
  await page.context().close();
});
