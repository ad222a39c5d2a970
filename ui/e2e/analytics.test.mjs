// Analytics: figures, a chart that is dragged and clicked, groups, the time zone; every number leads to the runs behind it.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { isWell, look, openBrowser, openPage } from "./browser.mjs";
import { startServer, until } from "./server.mjs";
import { fill } from "./world.mjs";

let server, browser, world;

before(async () => {
  [server, browser] = await Promise.all([startServer(), openBrowser()]);
});

after(async () => {
  world?.busy.close();
  await browser?.close();
  await server?.close();
});

async function open(address) {
  const page = await openPage(browser);
  await page.goto(server.address + address);
  await page.getByRole("heading", { name: "Analytics", exact: true }).waitFor();
  return page;
}

const rows = (page) => page.locator("tbody tr[data-run]");
const shows = (page, n) => until(async () => (await rows(page).count()) === n, 10_000);
const chart = (page) => page.getByRole("img", { name: /over time/ });
const choose = (page, label) => page.locator("label", { hasText: new RegExp(`^${label}$`) }).click();
const search = (page) => new URL(page.url()).searchParams;

test("with no runs it is empty, not broken", async () => {
  const page = await open("/analytics");
  await page.getByText("No run began in this time.").first().waitFor();
  await look(page, "analytics-empty");
  isWell(page);
  await page.context().close();
});

test("figures, and the runs behind them", async () => {
  world = await fill(server);
  const page = await open("/analytics?window=24h");
  const tile = (name) => page.getByRole("link", { name });
  await tile(/^Runs\s*28/).waitFor();
  await chart(page).waitFor();
  await look(page, "analytics", { whole: true });
  await tile(/^Success rate.*of 25 ended runs/).click();
  await shows(page, 25);
  await page.goBack();
  const failed = page.getByRole("row", { name: /^Failed/ }).getByRole("link");
  assert.equal(await failed.innerText(), "3");
  await failed.click();
  await shows(page, 3);
  assert.equal(search(page).get("q"), "status:failed");
  await page.goBack();
  await page
    .getByRole("row", { name: /^invoice-check/ })
    .getByRole("link", { name: "5", exact: true })
    .click();
  await shows(page, 5);
  assert.equal(search(page).get("workflow"), "invoice-check");
  isWell(page);
  await page.context().close();
});

test("the chart: a bar opens its runs, dragging looks closer, the span goes away again", async () => {
  const page = await open("/analytics?window=24h&per=day");
  await chart(page).locator("canvas").waitFor();
  const whole = await page.locator(".u-over").boundingBox();
  await page.mouse.click(whole.x + whole.width * 0.75, whole.y + whole.height / 2);
  await rows(page).first().waitFor();
  assert.ok(search(page).get("from") && search(page).get("to"));
  await page.goto(`${server.address}/analytics?window=1h`);
  await chart(page).locator("canvas").waitFor();
  const box = await page.locator(".u-over").boundingBox();
  const at = (share) => box.x + box.width * share;
  await page.mouse.move(at(0.98), box.y + box.height / 2);
  await page.mouse.down();
  await page.mouse.move(at(0.5), box.y + box.height / 2, { steps: 5 });
  await page.mouse.up();
  await page.getByRole("button", { name: "Take this time away" }).waitFor();
  assert.ok(Date.parse(search(page).get("to")) - Date.parse(search(page).get("from")) < 40 * 60_000);
  await page.getByRole("button", { name: "Take this time away" }).click();
  await until(() => search(page).get("from") === null, 5_000);
  await page.getByRole("switch", { name: "As a table" }).focus();
  await page.keyboard.press("Space");
  const table = page.getByRole("group", { name: "Over time, as a table" });
  await table.getByRole("link").first().waitFor();
  const counted = (await table.locator("tbody td").allInnerTexts()).reduce((total, text) => total + Number(text), 0);
  assert.equal(counted, 28);
  await look(page, "analytics-table");
  await table.getByRole("link").first().focus();
  await page.keyboard.press("Enter");
  await rows(page).first().waitFor();
  assert.match(search(page).get("from"), /:00\.000Z$/);
  isWell(page);
  await page.context().close();
});

test("groups, parted series, other figures and the time zone stand in the address", async () => {
  const page = await open("/analytics?window=24h");
  await choose(page, "Trigger");
  await page.getByRole("row", { name: /^api/ }).waitFor();
  await choose(page, "Model");
  await page.getByRole("row", { name: /^demo:triage/ }).waitFor();
  await page.getByRole("switch", { name: "Part by model" }).click();
  await choose(page, "Tokens");
  await page.getByText(/demo:triage \d/).waitFor();
  await look(page, "analytics-parted");
  assert.equal(new URL(page.url()).search, "?window=24h&metric=tokens&by=model&parted=yes");
  await page.getByText("Times are Europe/Berlin.").waitFor();
  const asked = page.waitForRequest((request) => request.url().includes("usage-timeseries") && request.url().includes("tz=UTC"));
  await page.getByRole("button", { name: /Local user/ }).click();
  await page.getByRole("menuitemradio", { name: "UTC" }).click();
  await asked;
  await page.getByText("Times are UTC.").waitFor();
  await page.getByRole("button", { name: "Days" }).click();
  await page.getByLabel("From the beginning of").fill("2026-06-12");
  await page.getByLabel("Until the beginning of").fill("2026-06-13");
  await page.getByRole("button", { name: "Show these" }).click();
  await until(() => search(page).get("from") === "2026-06-12T00:00:00Z", 5_000);
  await page.getByText("No run began in this time.").first().waitFor();
  isWell(page);
  await page.context().close();
});
