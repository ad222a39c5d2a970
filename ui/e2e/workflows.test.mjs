// The list of workflows: what there is, filters in the address, the way to runs.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { isWell, look, openBrowser, openPage } from "./browser.mjs";
import { startServer, until } from "./server.mjs";

const say = (name) => ({ name, steps: [{ id: "say", type: "transform", value: "hello" }] });
let server, browser;

before(async () => {
  [server, browser] = await Promise.all([startServer(), openBrowser()]);
  for (const name of ["Support triage", "Invoice check", "Nightly sync", "<img src=x onerror=alert(1)>"]) await server.publish(say(name));
  const agent = { name: "Review summary", steps: [{ id: "agent", type: "agent", model: "demo:summary", instructions: "Sum it up." }] };
  await server.publish(agent, "agent");
  await server.post("/v1/workflows", { document: say("Only a draft"), kind: "workflow" });
});

after(async () => {
  await browser?.close();
  await server?.close();
});

test("workflows are listed, found, filtered and lead to their runs", async () => {
  const page = await openPage(browser);
  await page.goto(`${server.address}/workflows`);
  await page.getByRole("link", { name: "Support triage" }).waitFor();
  assert.equal(await page.locator("tbody tr").count(), 6);
  await look(page, "workflows", { whole: true });
  assert.equal(await page.locator("table img").count(), 0);
  await page.getByRole("textbox", { name: "Find a workflow" }).fill("triage");
  await until(async () => (await page.locator("tbody tr").count()) === 1);
  assert.equal(new URL(page.url()).search, "?q=triage");
  await page.getByRole("textbox", { name: "Find a workflow" }).fill("");
  await page.getByRole("radiogroup", { name: "Kind" }).getByText("Agents").click();
  await until(async () => (await page.locator("tbody tr").count()) === 1);
  await page.getByRole("link", { name: "Review summary" }).click();
  await until(() => new URL(page.url()).pathname === "/agents/review-summary", 5_000);
  isWell(page);
  await page.context().close();
});
