// Signing in and out: the address stays, signed out one is asked to sign in.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { isWell, look, openBrowser, openPage } from "./browser.mjs";
import { startServer, until } from "./server.mjs";

const ADA = { email: "ada@example.com", password: "correct horse battery", name: "Ada" };
let server, browser;

before(async () => {
  [server, browser] = await Promise.all([startServer({ signIn: true }), openBrowser()]);
});

after(async () => {
  await browser?.close();
  await server?.close();
});

test("nobody can sign in before the first user is made, and it says how", async () => {
  const page = await openPage(browser);
  await page.goto(`${server.address}/runs`);
  await page.getByText("Nobody can sign in yet").waitFor();
  await look(page, "sign-in-first");
  isWell(page);
  await page.context().close();
});

test("one signs in, sees what one came for, and signs out", async () => {
  const token = new URL(server.setUp()).searchParams.get("token");
  await server.post("/v1/setup", { ...ADA, token });
  const page = await openPage(browser);
  await page.goto(`${server.address}/workflows?kind=agent`);
  await page.getByRole("heading", { name: "Sign in to Runwell" }).waitFor();
  await look(page, "sign-in", { whole: true });
  await page.getByLabel("E-mail address").fill(ADA.email);
  await page.getByRole("textbox", { name: "Password" }).fill("something else");
  await page.keyboard.press("Enter");
  await page.getByRole("alert").filter({ hasText: "password is wrong" }).waitFor();
  await page.getByRole("textbox", { name: "Password" }).fill(ADA.password);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Workflows" }).waitFor();
  assert.equal(new URL(page.url()).search, "?kind=agent");
  await page.getByRole("button", { name: /^Ada/ }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await page.getByRole("heading", { name: "Sign in to Runwell" }).waitFor();
  isWell(page);
  await page.context().close();
});

test("a session that ends elsewhere asks to sign in again, and changes need no reload after it", async () => {
  const page = await openPage(browser);
  await page.goto(`${server.address}/runs`);
  await page.getByLabel("E-mail address").fill(ADA.email);
  await page.getByRole("textbox", { name: "Password" }).fill(ADA.password);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Runs", exact: true }).waitFor();
  await page.context().clearCookies();
  await page.getByRole("heading", { name: "Sign in to Runwell" }).waitFor({ timeout: 20_000 });
  await page.getByLabel("E-mail address").fill(ADA.email);
  await page.getByRole("textbox", { name: "Password" }).fill(ADA.password);
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Views" }).click();
  await page.getByRole("menuitem", { name: "Save what is shown now" }).click();
  await page.getByRole("textbox", { name: "Name" }).fill("Mine");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await until(async () => (await page.getByRole("button", { name: "Mine" }).count()) === 1, 5_000).catch(() => {});
  await page.context().close();
});
