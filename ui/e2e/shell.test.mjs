// The frame: palette, shortcuts, preferences, pages that are not there, a server that is away, the policy, any base path.

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

async function open(address, origin = server.address) {
  const page = await openPage(browser);
  await page.goto(origin + address);
  await page.getByRole("navigation", { name: "Pages" }).waitFor();
  return page;
}

test("an empty server says what to do next", async () => {
  const page = await open("/runs");
  await page.getByRole("heading", { name: "No runs in the last 7 days" }).waitFor();
  assert.equal(new URL(page.url()).pathname, "/runs");
  await look(page, "runs-empty");
  await page.getByRole("link", { name: "Go to the workflows" }).click();
  await page.getByRole("heading", { name: "No workflows yet" }).waitFor();
  await look(page, "workflows-empty");
  isWell(page);
  await page.context().close();
});

test("the palette goes anywhere, and takes any id", async () => {
  const made = await server.publish({ name: "Palette target", steps: [{ id: "a", type: "transform", value: 1 }] });
  const id = await server.run(made.slug, {});
  const page = await open("/runs");
  await page.keyboard.press("Control+k");
  const field = page.getByRole("combobox", { name: "Go to anything" });
  await field.waitFor();
  await look(page, "palette");
  await field.fill("work");
  await page.getByRole("option", { name: "Workflows" }).waitFor();
  await field.press("Enter");
  await page.getByRole("heading", { name: "Workflows" }).waitFor();
  await page.keyboard.press("Control+k");
  await field.fill("palette tar");
  await page.getByRole("option", { name: /Palette target/ }).waitFor();
  await page.getByRole("option", { name: /Palette target/ }).click();
  await until(() => new URL(page.url()).pathname === `/workflows/${made.slug}/runs`, 5_000);
  await page.keyboard.press("Control+k");
  await field.fill(`see ${server.address}/runs/${id}?x=1`);
  await page.getByRole("option", { name: /Open the run/ }).waitFor();
  await field.press("Enter");
  await until(() => new URL(page.url()).pathname === `/runs/${id}`, 5_000);
  isWell(page);
  await page.context().close();
});

test("keys are listed, lead to pages, and can be switched off", async () => {
  const page = await open("/runs");
  await page.keyboard.press("g");
  await page.keyboard.press("w");
  await page.getByRole("heading", { name: "Workflows" }).waitFor();
  await page.keyboard.press("?");
  await page.getByRole("dialog", { name: "Keyboard shortcuts" }).waitFor();
  await look(page, "shortcuts");
  await page.getByRole("switch", { name: "Single keys do something" }).click();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await page.keyboard.press("g");
  await page.keyboard.press("r");
  await page.waitForTimeout(200);
  assert.equal(new URL(page.url()).pathname, "/workflows");
  isWell(page);
  await page.context().close();
});

test("colours and time zone are chosen and kept", async () => {
  const page = await open("/runs");
  await page.getByRole("button", { name: /Local user/ }).click();
  await page.getByRole("menuitemradio", { name: "UTC" }).waitFor();
  await look(page, "user-menu");
  await page.getByRole("menuitemradio", { name: "Dark" }).click();
  await until(() => page.evaluate(() => document.documentElement.dataset.mantineColorScheme === "dark"), 5_000);
  await page.reload();
  await page.getByRole("navigation", { name: "Pages" }).waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.dataset.mantineColorScheme), "dark");
  isWell(page);
  await page.context().close();
});

test("an address that leads nowhere says so", async () => {
  const page = await open("/no/such/page");
  await page.getByRole("heading", { name: "There is no such page" }).waitFor();
  await look(page, "no-such-page");
  isWell(page);
  await page.context().close();
});

test("a server that is away is told, and the page comes back with it", async () => {
  const page = await open("/workflows");
  await page.getByRole("heading", { name: "Workflows", exact: true }).waitFor();
  await server.stop();
  await page.getByRole("textbox", { name: "Find a workflow" }).fill("x");
  await page.getByRole("heading", { name: "The server cannot be reached" }).waitFor({ timeout: 20_000 });
  await look(page, "unreachable");
  await server.start();
  await page.getByRole("heading", { name: "No workflow matches" }).waitFor();
  await page.context().close();
});

test("it works below any path", async () => {
  const other = await startServer({ env: { RUNWELL_BASE_PATH: "/tools/runwell" } });
  try {
    const page = await open("/workflows", other.address);
    assert.ok(other.address.endsWith("/tools/runwell"));
    await page.getByRole("link", { name: "Runs", exact: true }).click();
    await page.getByRole("heading", { name: "No runs in the last 7 days" }).waitFor();
    assert.equal(new URL(page.url()).pathname, "/tools/runwell/runs");
    await page.reload();
    await page.getByRole("heading", { name: "No runs in the last 7 days" }).waitFor();
    isWell(page);
    await page.context().close();
  } finally {
    await other.close();
  }
});

test("a script that is not ours does not run, and no style without the nonce counts", async () => {
  const page = await open("/runs");
  const ran = await page.evaluate(() => {
    const script = document.createElement("script");
    script.textContent = "window.ran = true";
    document.body.append(script);
    const style = document.createElement("style");
    style.textContent = "body { outline: 7px solid red }";
    document.body.append(style);
    return [window.ran === true, getComputedStyle(document.body).outlineWidth === "7px"];
  });
  assert.deepEqual(ran, [false, false]);
  assert.ok(page.troubles.some((trouble) => trouble.includes("Content Security Policy")));
  await page.context().close();
});
