// Agents: made and changed in a form, published, run; their versions, tools, evaluations and experiments.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { isAccessible, isWell, look, openBrowser, openPage } from "./browser.mjs";
import { startServer, until } from "./server.mjs";

const SUPPORT = {
  name: "Parcel support",
  description: "Answers questions about parcels.",
  input_schema: { type: "object", required: ["question"], properties: { question: { type: "string" }, lang: { enum: ["en", "de"] } } },
  tools: [
    {
      type: "python",
      name: "find_parcel",
      description: "Find a parcel by its number.",
      input_schema: { type: "object", properties: { number: { type: "integer" } }, required: ["number"] },
      code: '{"number": number, "place": "Lyon"}',
      inputs: { number: "{{ args.number }}" },
    },
    {
      type: "python",
      name: "refund",
      description: "Pay money back.",
      input_schema: { type: "object", properties: { amount: { type: "number" } } },
      code: "'refunded'",
      requires_approval: true,
    },
  ],
  steps: [
    {
      id: "agent",
      type: "agent",
      model: "demo:support",
      instructions: "Help people who look for a parcel.",
      tools: ["python:find_parcel", "python:refund"],
      limits: { rounds: 8, cost_usd: 0.25 },
    },
  ],
};

const SUMMARY = { name: "Review summary", steps: [{ id: "agent", type: "agent", model: "demo:summary", instructions: "Sum it up." }] };

let server, browser;

before(async () => {
  [server, browser] = await Promise.all([startServer(), openBrowser()]);
  await server.publish(SUPPORT, "agent");
  await server.publish(SUMMARY, "agent");
  await server.publish({ ...SUMMARY, name: "<img src=x onerror=alert(1)>" }, "agent");
});

after(async () => {
  await browser?.close();
  await server?.close();
});

test("agents are listed and found", async () => {
  const page = await openPage(browser);
  await page.goto(`${server.address}/agents`);
  await page.getByRole("link", { name: "Parcel support" }).waitFor();
  assert.equal(await page.locator("tbody tr").count(), 3);
  assert.equal(await page.locator("table img").count(), 0);
  await look(page, "agents", { whole: true });
  await page.getByRole("textbox", { name: "Find an agent" }).fill("parcel");
  await until(async () => (await page.locator("tbody tr").count()) === 1);
  assert.equal(new URL(page.url()).search, "?q=parcel");
  await page.getByRole("textbox", { name: "Find an agent" }).fill("nothing of this name");
  await page.getByText("No agent matches").waitFor();
  isWell(page);
  await page.context().close();
});

test("an agent is made by keyboard alone, then published and run", async () => {
  const page = await openPage(browser);
  await page.goto(`${server.address}/agents/new`);
  const type = async (name, text) => {
    for (let n = 0; n < 60; n += 1) {
      await page.keyboard.press("Tab");
      const here = await page.evaluate(() => document.activeElement?.labels?.[0]?.textContent ?? document.activeElement?.textContent ?? "");
      if (here.startsWith(name)) {
        if (text === null) await page.keyboard.press("Enter");
        else await page.keyboard.type(text);
        return;
      }
    }
    assert.fail(`Tab does not lead to ${name}`);
  };
  await page.getByRole("heading", { name: "New agent" }).waitFor();
  await type("Name", "Night clerk");
  await type("Instructions", "Answer briefly.");
  await type("Model", "demo:clerk");
  await page.keyboard.press("Escape");
  await type("Create and publish", null);
  await until(() => new URL(page.url()).pathname === "/agents/night-clerk", 10_000);
  await page.getByText("Version 1", { exact: true }).waitFor();
  const made = await server.get("/v1/agents/night-clerk");
  assert.equal(made.active_version, 1);
  assert.equal(made.document.steps[0].instructions, "Answer briefly.");
  await type("Run", null).catch(() => page.getByRole("button", { name: "Run", exact: true }).press("Enter"));
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("textbox", { name: "Input" }).fill("Are you there?");
  await dialog.getByRole("button", { name: "Start the run" }).press("Enter");
  await until(() => /^\/agents\/night-clerk\/runs\/run_/.test(new URL(page.url()).pathname), 10_000);
  const run = new URL(page.url()).pathname.split("/").at(-1);
  assert.equal((await server.runUntil(run, "succeeded")).workflow.slug, "night-clerk");
  await page.context().close();
});

test("a changed draft is saved and published; versions tell what differs and can be made active", async () => {
  const page = await openPage(browser);
  await page.goto(`${server.address}/agents/parcel-support`);
  await page.getByRole("textbox", { name: "Instructions" }).waitFor();
  await look(page, "agent-configure", { whole: true });
  await page.getByRole("textbox", { name: "Instructions" }).fill("Help people who look for a parcel.\nBe brief, and never guess.");
  await page.getByRole("textbox", { name: "Most rounds" }).fill("5");
  await page.getByRole("button", { name: "Save draft" }).click();
  await page.getByText("The draft is saved, and not published yet").waitFor();
  await page.getByRole("link", { name: "Versions" }).click();
  await page.getByRole("group", { name: "Difference" }).getByText("never guess").waitFor();
  await page.getByRole("link", { name: "Configure" }).click();
  await page.getByRole("button", { name: "Publish" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("textbox", { name: "Note" }).fill("Never guess");
  await page.waitForTimeout(300);
  await isAccessible(page, "publish");
  await dialog.getByRole("button", { name: "Publish version" }).click();
  await page.getByText("Version 2", { exact: true }).waitFor();
  await page.getByRole("link", { name: "Versions" }).click();
  await page.getByRole("group", { name: "Difference" }).getByText("never guess").waitFor();
  await look(page, "agent-versions", { whole: true });
  await page.getByRole("button", { name: "Activate version 1" }).click();
  await until(async () => (await server.get("/v1/agents/parcel-support")).active_version === 1);
  await page.getByRole("button", { name: "Activate version 2" }).click();
  await until(async () => (await server.get("/v1/agents/parcel-support")).active_version === 2);
  isWell(page);
  await page.context().close();
});

test("tools are told, and a run is started with the form of the input", async () => {
  const page = await openPage(browser);
  await page.goto(`${server.address}/agents/parcel-support/tools`);
  await page.getByRole("heading", { name: "python:find_parcel" }).waitFor();
  await page.getByText("Asks a person first").waitFor();
  assert.equal(await page.getByRole("navigation", { name: "Agent" }).locator("[aria-current]").count(), 1);
  await look(page, "agent-tools", { whole: true });
  await page.getByRole("button", { name: "Run", exact: true }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("textbox", { name: "question" }).waitFor();
  await dialog.getByRole("button", { name: "Start the run" }).click();
  await dialog.getByRole("alert").getByText("question").waitFor();
  await look(page, "agent-run-refused");
  await dialog.getByRole("textbox", { name: "question" }).fill("Where is parcel 7?");
  await dialog.getByRole("button", { name: "Start the run" }).click();
  await until(() => /\/runs\/run_/.test(new URL(page.url()).pathname), 10_000);
  await page.goto(`${server.address}/agents/parcel-support/runs`);
  await page.getByRole("link", { name: "Experiments" }).waitFor();
  await page.locator("tbody tr").first().waitFor();
  await look(page, "agent-runs");
  isWell(page);
  await page.context().close();
});

test("an evaluator is made and judges; variants are compared on a dataset", async () => {
  const page = await openPage(browser);
  await server.post("/v1/datasets", {
    name: "reviews",
    rows: ["The hotel was fine.", "Never again.", "Great food, slow service."].map((input) => ({ input, expected: "short" })),
  });
  await page.goto(`${server.address}/agents/review-summary/evaluations`);
  await page.getByText("No evaluator judges this agent").waitFor();
  await page.getByRole("button", { name: "New evaluator" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("textbox", { name: "Name" }).fill("brief");
  await dialog.getByText("Python", { exact: true }).click();
  await dialog.getByRole("textbox", { name: "Code" }).fill('1.0 if "small" in output else len(output) % 7 / 7');
  await page.waitForTimeout(300);
  await isAccessible(page, "new evaluator");
  await dialog.getByRole("button", { name: "Make the evaluator" }).click();
  await page.getByRole("button", { name: "Judge runs with it" }).click();
  await page.getByRole("button", { name: "Detach brief" }).waitFor();
  await look(page, "agent-evaluations", { whole: true });

  await page.getByRole("link", { name: "Experiments" }).click();
  await page.getByText("No experiments yet").waitFor();
  await look(page, "agent-experiments-none");
  await page.getByRole("button", { name: "New experiment" }).click();
  await dialog.getByRole("textbox", { name: "Name", exact: true }).fill("Smaller model");
  await dialog.getByRole("combobox", { name: "Evaluators" }).click();
  await dialog.getByRole("option", { name: "brief" }).click();
  await page.keyboard.press("Escape");
  if ((await dialog.count()) === 0) assert.fail("Escape in the list closed the dialog");
  await dialog.getByRole("textbox", { name: "Name of variant 2" }).fill("small");
  await dialog.getByRole("combobox", { name: "Model of variant 2" }).fill("demo:sm");
  await dialog.getByRole("option", { name: "demo:small" }).click();
  await look(page, "agent-experiment-new");
  await dialog.getByRole("button", { name: "Start the experiment" }).click();
  await page.getByRole("region", { name: "Comparison" }).getByText("Baseline").waitFor();
  await until(async () => (await page.getByRole("progressbar").count()) === 0, 30_000);
  await page
    .getByRole("link", { name: /^Run of small on row/ })
    .nth(2)
    .waitFor();
  await look(page, "agent-experiment", { whole: true });
  await page.getByRole("link", { name: "Experiments" }).last().click();
  await page.getByRole("link", { name: "Smaller model" }).waitFor();
  await look(page, "agent-experiments");
  isWell(page);
  await page.context().close();
});

test("an agent that is not there is not found", async () => {
  const page = await openPage(browser);
  await page.goto(`${server.address}/agents/no-such-agent/versions`);
  await page.getByRole("heading", { name: "Not found" }).waitFor();
  isWell(page);
  await page.context().close();
});
