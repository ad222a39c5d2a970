// Settings: the time zone everywhere, members and roles, keys shown once, limits and retention and where their values are from.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { isWell, look, openBrowser, openPage } from "./browser.mjs";
import { startServer, until } from "./server.mjs";

const ADA = { email: "ada@example.com", password: "correct horse battery", name: "Ada" };
let server, browser, storage;

before(async () => {
  [server, browser] = await Promise.all([startServer({ signIn: true, env: { RUNWELL_MAX_RUNNING: "77" } }), openBrowser()]);
  const token = new URL(server.setUp()).searchParams.get("token");
  await server.post("/v1/setup", { ...ADA, token });
  const page = await openPage(browser);
  await signIn(page, "/settings", ADA.email, ADA.password);
  await page.getByRole("heading", { name: "Settings", exact: true }).waitFor();
  storage = await page.context().storageState();
  await page.context().close();
});

after(async () => {
  await browser?.close();
  await server?.close();
});

async function signIn(page, address, email, password) {
  await page.goto(server.address + address);
  await page.getByLabel("E-mail address").fill(email);
  await page.getByRole("textbox", { name: "Password" }).fill(password);
  await page.keyboard.press("Enter");
}

async function open(part, title) {
  const page = await openPage(browser, { storage });
  await page.goto(`${server.address}/settings/${part}`);
  await page.getByRole("heading", { name: title, exact: true }).waitFor();
  return page;
}

test("the time zone holds on every page", async () => {
  const page = await open("browser", "This browser");
  await look(page, "settings-browser", { whole: true });
  const zone = page.getByRole("textbox", { name: "Time zone" }).or(page.getByRole("combobox", { name: "Time zone" }));
  await zone.click();
  await zone.fill("Auckland");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.goto(`${server.address}/analytics`);
  await page.getByText("Times are Pacific/Auckland.").waitFor();
  isWell(page);
  await page.context().close();
});

test("somebody is invited, comes in, and sees what the role lets see", async () => {
  const page = await open("members", "Members and roles");
  await page.getByRole("cell", { name: "Organization admin" }).waitFor();
  await page.getByRole("button", { name: "Invite somebody" }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("dialog", { name: "Invite somebody" }).waitFor();
  await page.getByRole("textbox", { name: "E-mail address" }).fill("ben@example.com");
  await page.getByRole("textbox", { name: "Name" }).fill("Ben");
  await page.keyboard.press("Enter");
  await page.getByRole("dialog", { name: "Pass this link on" }).waitFor();
  const link = await page.locator("code", { hasText: "token=" }).innerText();
  await page.getByRole("button", { name: "Done" }).click();
  await page.getByRole("row", { name: /^Ben/ }).getByText("Invited").waitFor();
  await look(page, "settings-members");
  const token = new URL(link).searchParams.get("token");
  await server.post("/v1/password", { token, password: "battery horse correct", name: "Ben" });
  const his = await openPage(browser);
  await signIn(his, "/settings/keys", "ben@example.com", "battery horse correct");
  await his.getByRole("heading", { name: "You may not see this" }).waitFor();
  await look(his, "settings-not-allowed");
  await his.context().close();
  await page.reload();
  const ben = page.getByRole("row", { name: /^Ben/ });
  await ben.getByText("Active").waitFor();
  await ben.getByRole("button", { name: "More about Ben" }).click();
  await page.getByRole("menuitem", { name: "Disable" }).click();
  await page.getByRole("dialog", { name: "Disable Ben?" }).getByRole("button", { name: "Disable" }).click();
  await ben.getByText("Disabled").waitFor();
  isWell(page);
  await page.context().close();
});

test("a key is made, works, and is revoked", async () => {
  const page = await open("keys", "API keys");
  await page.getByText("No program has a key").waitFor();
  await look(page, "settings-keys-none");
  await page.getByRole("button", { name: "New key" }).click();
  await page.getByRole("textbox", { name: "Name" }).fill("ci");
  await look(page, "settings-key-new");
  await page.keyboard.press("Enter");
  await page.getByRole("dialog", { name: "The key is made" }).waitFor();
  const key = await page.locator("code", { hasText: "rw_" }).innerText();
  const asked = () => fetch(`${server.address}/v1/runs`, { headers: { Authorization: `Bearer ${key}` } });
  assert.equal((await asked()).status, 200);
  await page.getByRole("button", { name: "Done" }).click();
  await page.getByRole("button", { name: "Revoke ci" }).click();
  await page.getByRole("dialog", { name: "Revoke ci?" }).getByRole("button", { name: "Revoke" }).click();
  await page.getByRole("row", { name: /^ci/ }).getByText("revoked").waitFor();
  await look(page, "settings-keys");
  assert.equal((await asked()).status, 401);
  isWell(page);
  await page.context().close();
});

test("limits tell where they are from, and are set by keys alone", async () => {
  const page = await open("limits", "Limits");
  await page.getByText("the server's own limit of 77 holds, from its environment").waitFor();
  await look(page, "settings-limits");
  const field = page.getByRole("textbox", { name: "Runs that work at the same time" });
  await field.focus();
  await page.keyboard.type("0");
  await page.keyboard.press("Enter");
  await page.getByText("This must be a whole number").waitFor();
  await field.fill("12");
  await page.keyboard.press("Enter");
  await page.getByText("Set for this project.").waitFor();
  await page.reload();
  await until(async () => (await field.inputValue()) === "12", 5_000);
  isWell(page);
  await page.context().close();
});

test("retention is asked about before it holds", async () => {
  const page = await open("retention", "Retention");
  await page.getByText("Not set: runs are kept for ever.").waitFor();
  await page.getByText("Nothing is held.").waitFor();
  await page.getByRole("textbox", { name: "Keep runs for so many days" }).fill("90");
  await page.getByRole("button", { name: "Add a rule" }).click();
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("Choose a workflow, statuses, or both.").waitFor();
  const statuses = page.getByRole("group", { name: "Rule 1" }).getByLabel("Ended as").first();
  await statuses.click();
  await page.getByRole("option", { name: "Failed" }).click();
  await page.keyboard.press("Escape");
  await look(page, "settings-retention");
  await page.getByRole("button", { name: "Save" }).click();
  const dialog = page.getByRole("dialog", { name: "Change how long runs are kept?" });
  await dialog.getByText("kept 90 days, unless a rule says otherwise").waitFor();
  await dialog.getByRole("button", { name: "Change it" }).click();
  await page.getByText("Set for this project.").waitFor();
  isWell(page);
  await page.context().close();
});

test("the server's settings tell which were set", async () => {
  const page = await open("server", "Server");
  const row = page.getByRole("row", { name: /RUNWELL_MAX_RUNNING/ });
  assert.match(await row.innerText(), /77[\s\S]*Environment/);
  await look(page, "settings-server");
  isWell(page);
  await page.context().close();
});
