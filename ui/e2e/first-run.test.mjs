// The first-run page: where there is nothing yet, a demo that really runs, watched and decided in place, by keys alone.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { isWell, look, openBrowser, openPage } from "./browser.mjs";
import { startServer, until } from "./server.mjs";

let server, browser;

before(async () => {
  [server, browser] = await Promise.all([startServer(), openBrowser()]);
});

after(async () => {
  await browser?.close();
  await server?.close();
});

test("an empty server shows a demo: it runs live, asks, and ends", async () => {
  const page = await openPage(browser);
  await page.goto(`${server.address}/`);
  await page.getByRole("heading", { name: "Welcome to Runwell" }).waitFor();
  await look(page, "welcome", { whole: true });
  await page.getByRole("button", { name: "Run the demo" }).focus();
  await page.keyboard.press("Enter");
  await page.getByText(/\[demo model\] No real model/).waitFor();
  const card = page.getByRole("article", { name: "Refund Ada?" });
  await card.waitFor({ timeout: 30_000 });
  await look(page, "welcome-asks");
  await card.getByRole("button", { name: "Edit" }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("textbox", { name: "amount" }).fill("50");
  await page.keyboard.press("Enter");
  await page.getByText("It is done, and kept").waitFor();
  await look(page, "welcome-done");
  const id = new URL(page.url()).searchParams.get("run");
  const run = await server.get(`/v1/runs/${id}`);
  assert.deepEqual([run.status, run.output.amount, run.output.sent], ["succeeded", 50, true]);
  isWell(page);
  await page.context().close();
});

test("from then on the console begins with the runs", async () => {
  const page = await openPage(browser);
  await page.goto(`${server.address}/`);
  await until(() => new URL(page.url()).pathname === "/runs", 10_000);
  await page.getByRole("heading", { name: "Runs", exact: true }).waitFor();
  isWell(page);
  await page.context().close();
});
