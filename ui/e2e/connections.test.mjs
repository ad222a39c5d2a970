// Connections and secrets: made, tried, changed and deleted; what is secret never comes back.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { isWell, look, openBrowser, openPage } from "./browser.mjs";
import { slowNeighbour, startServer } from "./server.mjs";

let server, browser, neighbour;

before(async () => {
  [server, browser, neighbour] = await Promise.all([startServer(), openBrowser(), slowNeighbour()]);
  neighbour.release();
});

after(async () => {
  neighbour?.close();
  await browser?.close();
  await server?.close();
});

async function open(address = "/connections") {
  const page = await openPage(browser);
  await page.goto(server.address + address);
  await page.getByRole("heading", { name: "Connections", exact: true }).waitFor();
  return page;
}

test("the first one is made by keys, tried, changed and deleted", async () => {
  const page = await open();
  await page.getByRole("heading", { name: "No connections yet" }).waitFor();
  await look(page, "connections-none");
  await page.getByRole("button", { name: "Make the first" }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("dialog", { name: "New connection" }).waitFor();
  await page.getByRole("textbox", { name: "Name", exact: true }).fill("Desk!");
  await page.getByRole("textbox", { name: "Address" }).fill(neighbour.url);
  await page.keyboard.press("Enter");
  await page.getByText("Lower case letters, digits").waitFor();
  await page.getByRole("textbox", { name: "Name", exact: true }).fill("desk");
  await page.getByLabel("Secret headers: value 1").fill("Bearer very-secret");
  await look(page, "connections-new");
  await page.keyboard.press("Enter");
  const row = page.getByRole("row", { name: /^desk/ });
  await row.waitFor();
  await row.getByText("Authorization").waitFor();
  await page.getByRole("button", { name: "Test desk" }).click();
  await row.getByText(/Answers \(200\)/).waitFor();
  await look(page, "connections", { whole: true });
  await page.getByRole("button", { name: "More about desk" }).click();
  await page.getByRole("menuitem", { name: "Change" }).click();
  await page.getByRole("dialog", { name: "Change desk" }).waitFor();
  assert.equal(await page.getByText("very-secret").count(), 0);
  await page.getByRole("button", { name: "Add a header" }).last().click();
  await page.getByLabel("Other headers: name 1").fill("X-Team");
  await page.getByLabel("Other headers: value 1").fill("support");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("dialog").waitFor({ state: "detached" });
  const [kept] = (await server.get("/v1/connections")).data;
  assert.deepEqual([kept.headers, kept.has_secret, kept.secret_headers], [{ "X-Team": "support" }, true, ["Authorization"]]);
  await page.getByRole("button", { name: "More about desk" }).click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await page.getByRole("dialog", { name: "Delete desk?" }).getByRole("button", { name: "Delete" }).click();
  await page.getByRole("heading", { name: "No connections yet" }).waitFor();
  isWell(page);
  await page.context().close();
});

test("a connection that cannot be made says why, and nothing typed is lost", async () => {
  const page = await open();
  await page.getByRole("button", { name: "New connection" }).click();
  await page.getByRole("textbox", { name: "Name", exact: true }).fill("lost");
  await page.getByRole("textbox", { name: "Address" }).fill("not an address");
  await page.getByRole("button", { name: "Make the connection" }).click();
  await page.getByRole("alert").waitFor();
  assert.equal(await page.getByRole("textbox", { name: "Address" }).inputValue(), "not an address");
  isWell(page);
  await page.context().close();
});

test("a secret is kept and deleted", async () => {
  const page = await open("/connections?show=secrets");
  await page.getByRole("button", { name: "Keep the first" }).click();
  await page.getByRole("textbox", { name: "Name" }).fill("pay");
  await page.getByRole("textbox", { name: "Value" }).fill("s3cret");
  await page
    .getByRole("textbox", { name: "May be sent to" })
    .or(page.getByRole("combobox", { name: "May be sent to" }))
    .fill("https://pay.example");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Keep it" }).click();
  await page.getByRole("row", { name: /^pay/ }).waitFor();
  await look(page, "secrets");
  await page.getByRole("button", { name: "Delete pay" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await page.getByRole("heading", { name: "No secrets yet" }).waitFor();
  isWell(page);
  await page.context().close();
});
