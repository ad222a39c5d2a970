// The list of runs: seed 003's filters step by step, the search, live status, selections, saved views, keys only.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { isWell, look, openBrowser, openPage, SIZES } from "./browser.mjs";
import { startServer, until } from "./server.mjs";
import { fill, HOSTILE } from "./world.mjs";

let server, browser, world;

before(async () => {
  [server, browser] = await Promise.all([startServer(), openBrowser()]);
  world = await fill(server);
});

after(async () => {
  world?.busy.close();
  await browser?.close();
  await server?.close();
});

async function open(address = "/runs", options = {}) {
  const page = await openPage(browser, options);
  await page.goto(server.address + address);
  await page.locator("tbody tr[data-run]").first().waitFor();
  return page;
}

const rows = (page) => page.locator("tbody tr[data-run]");
const row = (page, id) => page.locator(`tr[data-run="${id}"]`);
const statuses = (page) => page.locator('tbody td[data-column="status"]').allInnerTexts();

/** Wait until the list shows as many runs. */
async function shows(page, count) {
  await until(async () => (await rows(page).count()) === count, 10_000).catch(async () => {
    assert.equal(await rows(page).count(), count);
  });
}

test("the list shows what seed 003 says, in both themes and sizes", async () => {
  const page = await open();
  const heads = await page.locator("thead th").allInnerTexts();
  assert.deepEqual(heads.slice(1), ["Flow", "Status", "Started", "Duration", "Failed step", "Trigger", "Cost", "Tokens"]);
  const failed = row(page, world.runs.failed[0]);
  assert.match(await failed.innerText(), /invoice-check[\s\S]*Failed[\s\S]*sum/);
  assert.match(await page.title(), /^\(1\) Runs · Runwell$/);
  await look(page, "runs", { whole: true });
  isWell(page);
  await page.context().close();
});

test("filters narrow the list, stand in the address and come back with it", async () => {
  const page = await open();
  const all = await rows(page).count();
  await page
    .getByRole("group", { name: "Status" })
    .getByRole("button", { name: /^Failed/ })
    .click();
  await shows(page, 3);
  assert.deepEqual(new Set(await statuses(page)), new Set(["Failed"]));
  await page.getByRole("button", { name: /^Flow:/ }).click();
  await page.getByRole("checkbox", { name: /invoice-check/ }).click();
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: /^Time:/ }).click();
  await page.getByRole("radio", { name: "Last 24 hours" }).click();
  await shows(page, 3);
  const address = new URL(page.url());
  assert.equal(address.search, "?status=failed&workflow=invoice-check&from=-24h");
  await page.reload();
  await shows(page, 3);
  await page.getByRole("button", { name: "Clear all" }).click();
  await shows(page, all);
  await page.goBack();
  await shows(page, 3);
  isWell(page);
  await page.context().close();
});

test("days are those of the time zone that was chosen", async () => {
  const page = await open();
  const today = new Date().toLocaleDateString("sv", { timeZone: "Europe/Berlin" });
  await page.getByRole("button", { name: /^Time:/ }).click();
  await look(page, "runs-period");
  await page.getByLabel("First day").fill(today);
  await page.getByLabel("Last day").fill(today);
  await page.getByRole("button", { name: "Show these" }).click();
  await until(() => new URL(page.url()).searchParams.has("to"), 5_000);
  const { searchParams } = new URL(page.url());
  const midnight = (name) => new Date(searchParams.get(name)).toLocaleTimeString("en-GB", { timeZone: "Europe/Berlin" });
  assert.deepEqual([midnight("from"), midnight("to")], ["00:00:00", "00:00:00"]);
  assert.ok((await rows(page).count()) > 0);
  isWell(page);
  await page.context().close();
});

test("nothing matches: it says so and offers a way out", async () => {
  const page = await open();
  await page.goto(`${server.address}/runs?q=nobodywrotethis`);
  await page.getByRole("heading", { name: "No run matches" }).waitFor();
  await look(page, "runs-nothing-matches");
  await page.getByRole("button", { name: "Clear all filters" }).click();
  await rows(page).first().waitFor();
  isWell(page);
  await page.context().close();
});

test("the search completes, and marks mistakes at their place", async () => {
  const page = await open();
  const search = page.getByRole("combobox", { name: "Search runs" });
  await search.click();
  await search.pressSequentially("sta");
  await page.getByRole("option", { name: /^status/ }).waitFor();
  await search.press("ArrowDown");
  await search.press("Enter");
  assert.equal(await search.inputValue(), "status:");
  await search.pressSequentially("timed");
  await page.getByRole("option", { name: "timed_out" }).waitFor();
  await look(page, "runs-completion", { prepare: () => search.focus() });
  await search.press("ArrowDown");
  await search.press("Enter");
  await search.press("Enter");
  await shows(page, 1);
  assert.equal(new URL(page.url()).search, "?q=status:timed_out");
  await search.fill('input.ticket.lang:"de" stauts:failed late');
  await search.press("Enter");
  const fault = page.getByRole("alert").filter({ hasText: "stauts" });
  await fault.waitFor();
  assert.match(await fault.innerText(), /Did you mean status/);
  assert.equal(await page.locator("u").first().textContent(), "stauts");
  await look(page, "runs-search-fault");
  await search.fill('input.ticket.lang:"de"');
  await search.press("Enter");
  await until(async () => (await statuses(page)).length === 10, 10_000);
  isWell(page);
  await page.context().close();
});

test("status changes in place, new runs are announced, and no row shifts meanwhile", async () => {
  const page = await open();
  const first = await rows(page).first().getAttribute("data-run");
  const before = await rows(page).evaluateAll((all) => all.map((each) => each.dataset.run));
  const made = await server.run("invoice-check", { invoice: "new", total: 3 });
  const news = page.getByRole("button", { name: "1 new run" });
  await news.waitFor();
  assert.deepEqual(await rows(page).evaluateAll((all) => all.map((each) => each.dataset.run)), before);
  const running = row(page, world.runs.running).locator('[data-column="status"]');
  assert.equal(await running.innerText(), "Running");
  world.busy.release();
  await until(async () => (await running.innerText()) === "Succeeded", 10_000);
  assert.equal(await rows(page).first().getAttribute("data-run"), first);
  await look(page, "runs-news");
  await news.click();
  await row(page, made).waitFor();
  await news.waitFor({ state: "detached" });
  isWell(page);
  await page.context().close();
});

test("columns are chosen, fields of inputs among them", async () => {
  const page = await open("/runs?workflow=support-triage");
  await page.getByRole("button", { name: "Columns" }).click();
  const find = page.getByRole("textbox", { name: "Find a column or field" });
  await find.fill("input.ticket.lang");
  await page.getByRole("checkbox", { name: "input.ticket.lang" }).waitFor();
  await find.press("Enter");
  await page.keyboard.press("Escape");
  await page.locator('tbody td[data-column="input.ticket.lang"]').filter({ hasText: "de" }).first().waitFor();
  assert.match(new URL(page.url()).search, /columns=flow,status,.*input\.ticket\.lang/);
  await look(page, "runs-columns");
  isWell(page);
  await page.context().close();
});

test("many are selected, but these, and archived with a tally", async () => {
  const page = await open("/runs?workflow=support-triage&status=succeeded");
  await page.getByRole("checkbox", { name: "Select all rows of this page" }).check();
  await page.getByText("14 runs selected").waitFor();
  await rows(page).nth(2).getByRole("checkbox").uncheck();
  await page.getByText("13 runs selected").waitFor();
  await page.getByRole("button", { name: "Select all 14 that match" }).click();
  await rows(page).nth(2).getByRole("checkbox").uncheck();
  await page.getByText("13 runs selected").waitFor();
  const kept = await rows(page).nth(2).getAttribute("data-run");
  await look(page, "runs-selected");
  await page.getByRole("button", { name: "Export" }).click();
  const file = page.waitForEvent("download");
  await page.getByRole("menuitem", { name: /CSV/ }).click();
  const lines = (await (await file).createReadStream()).toArray().then((pieces) => Buffer.concat(pieces).toString().trim().split("\r\n"));
  assert.equal((await lines).length, 14);
  await page.getByRole("button", { name: "Archive", exact: true }).click();
  await page.getByRole("region", { name: "Progress" }).getByText("Archiving: 13 done").waitFor();
  await page.getByRole("button", { name: "Done" }).click();
  await shows(page, 1);
  assert.equal(await rows(page).first().getAttribute("data-run"), kept);
  await page.getByRole("button", { name: /^Archived:/ }).click();
  await page.getByRole("radio", { name: "Only archived runs" }).click();
  await shows(page, 13);
  isWell(page);
  await page.context().close();
});

test("a running run is stopped from the list", async () => {
  world.busy.hold();
  const id = await server.run("nightly-sync", {});
  await server.runUntil(id, "running");
  const page = await open("/runs");
  await row(page, id).getByRole("checkbox").check();
  await page.getByRole("button", { name: "Stop", exact: true }).click();
  await look(page, "runs-stop");
  await page.getByRole("button", { name: "Stop at once" }).click();
  await page.getByRole("region", { name: "Progress" }).getByText("Stopping: 1 done").waitFor();
  await until(async () => /Canceled/.test(await row(page, id).innerText()), 10_000);
  isWell(page);
  await page.context().close();
});

test("a view is saved, chosen and deleted", async () => {
  const page = await open("/runs?status=failed");
  await page.getByRole("button", { name: "Views" }).click();
  await page.getByRole("menuitem", { name: "Save what is shown now" }).click();
  await page.getByRole("textbox", { name: "Name" }).fill("Failed of late");
  await look(page, "runs-save-view");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await until(() => new URL(page.url()).search === "?q=status:failed", 10_000);
  await page.goto(`${server.address}/runs`);
  await rows(page).first().waitFor();
  await page.getByRole("button", { name: "Views" }).click();
  await page.getByRole("menuitem", { name: "Failed of late", exact: true }).click();
  await until(() => new URL(page.url()).search === "?q=status:failed", 10_000);
  await page.getByRole("button", { name: "Failed of late" }).click();
  await page.getByRole("menuitem", { name: "Delete the view Failed of late" }).click();
  await until(async () => (await server.get("/v1/views")).data.length === 0);
  isWell(page);
  await page.context().close();
});

test("pages are turned by cursors, rows per page are chosen", async () => {
  const page = await open("/runs?rows=25&archived=true");
  await page.getByRole("button", { name: "Next" }).click();
  await until(async () => (await rows(page).count()) < 25, 10_000);
  assert.match(page.url(), /cursor=/);
  await page.getByRole("button", { name: "Previous" }).click();
  await shows(page, 25);
  await page.getByRole("combobox", { name: "Rows per page" }).selectOption("100");
  await until(async () => (await rows(page).count()) > 25, 10_000);
  isWell(page);
  await page.context().close();
});

test("keys alone go through the list and open a run", async () => {
  const page = await open("/runs?status=failed");
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  await page.keyboard.press("k");
  await page.keyboard.press("x");
  await page.getByText("1 run selected").waitFor();
  await page.keyboard.press("x");
  const id = await rows(page).first().getAttribute("data-run");
  await page.keyboard.press("Enter");
  await until(() => new URL(page.url()).pathname === `/runs/${id}`, 5_000);
  await page.goBack();
  await rows(page).first().waitFor();
  await page.keyboard.press("/");
  assert.equal(await page.evaluate(() => document.activeElement?.getAttribute("aria-label")), "Search runs");
  isWell(page);
  await page.context().close();
});

test("what is hostile in runs stays text", async () => {
  const page = await open(`/runs?q=run:${world.runs.hostile}&columns=flow,input,tags,input.invoice`);
  await until(async () => (await row(page, world.runs.hostile).innerText()).includes("<img src=x"), 10_000);
  const text = await row(page, world.runs.hostile).innerText();
  assert.ok(text.includes("U+202E") && text.includes("\u241b[31m"), text);
  assert.ok(!text.includes(HOSTILE.slice(40)));
  assert.equal(await page.locator("table img").count(), 0);
  await look(page, "runs-hostile");
  isWell(page);
  await page.context().close();
});

test("of one workflow and of one agent; a foreign one is not found", async () => {
  const page = await open("/workflows/invoice-check/runs");
  assert.deepEqual(
    new Set(await page.locator('td[data-column="flow"] a').evaluateAll((all) => all.map((each) => each.firstChild.textContent))),
    new Set(["invoice-check"]),
  );
  await page.goto(`${server.address}/agents/review-summary/runs`);
  await rows(page).first().waitFor();
  const href = await rows(page).first().getByRole("link").getAttribute("href");
  assert.match(href, /^\/agents\/review-summary\/runs\/run_/);
  await page.goto(`${server.address}/workflows/no-such/runs`);
  await page.getByRole("heading", { name: "Not found" }).waitFor();
  await look(page, "runs-not-found");
  isWell(page);
  await page.context().close();
});

test("a small screen has a drawer and two-line rows", async () => {
  const page = await open("/runs", { size: SIZES.narrow });
  await page.getByRole("button", { name: "Open the navigation" }).click();
  await page.getByRole("navigation", { name: "Pages" }).waitFor();
  await page.waitForTimeout(300);
  await page.screenshot({ path: new URL("screens/drawer.png", import.meta.url).pathname });
  await page.getByRole("link", { name: "Workflows" }).click();
  await page.getByRole("heading", { name: "Workflows" }).waitFor();
  isWell(page);
  await page.context().close();
});
