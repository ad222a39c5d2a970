// The page of a run: why it failed, what it did step by step, approvals in place, back in time, live over a crash.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { isWell, look, openBrowser, openPage } from "./browser.mjs";
import { fakeOpenAi, fillRuns, HOSTILE } from "./run-world.mjs";
import { startServer, until } from "./server.mjs";

let server, browser, openai, world;

before(async () => {
  [openai, browser] = await Promise.all([fakeOpenAi(), openBrowser()]);
  server = await startServer({ env: { OPENAI_API_KEY: "sk-test", OPENAI_BASE_URL: openai.url } });
  world = await fillRuns(server);
});

after(async () => {
  world?.busy.release();
  world?.busy.close();
  openai?.close();
  await browser?.close();
  await server?.crash();
  await server?.close();
});

async function open(run, query = "", options = {}) {
  const page = await openPage(browser, options);
  await page.goto(`${server.address}/runs/${world.runs[run] ?? run}${query}`);
  await banner(page).waitFor();
  return page;
}

const banner = (page) => page.getByRole("region", { name: "What became of the run" });
const node = (page, path) => page.locator(`[data-step="${path}"]`);
const row = (page, path) => page.locator(`[role="treeitem"][data-path="${path}"]`);
const tab = (page, name) => page.getByRole("tab", { name });
const panel = (page) => page.locator("#step-panel");
const inAddress = (page, name) => new URL(page.url()).searchParams.get(name);
const says = (page, words) => until(async () => words.test(await banner(page).innerText()), 15_000);

test("a failed run opens at the culprit, with seed 003's banner and seed 002's badges", async () => {
  const page = await open("failed");
  const words = (await banner(page).innerText()).replace(/\s+/g, " ");
  assert.match(words, /^Run failed - Started: \w{3} \d+, \d{4}, \d+:\d\d [AP]M, Took: \d+ milliseconds/);
  assert.match(words, /charge failed: ZeroDivisionError: division by zero PYTHON_FAILED/);
  assert.match(words, /1 step in flight was cancelled, 2 steps could not begin/);
  assert.match(await panel(page).innerText(), /PYTHON_FAILED[\s\S]*Traceback[\s\S]*charging 0/);
  assert.equal(await row(page, "charge").getAttribute("aria-selected"), "true");
  await node(page, "charge").waitFor();
  const badges = {};
  for (const path of ["read", "charge", "letter", "join", "tell", "gift"]) badges[path] = await node(page, path).innerText();
  assert.match(badges.read, /Success\s+\d+ ms/);
  assert.match(badges.charge, /Failed\s+\d+ ms/);
  assert.match(badges.letter, /Cancelled/);
  assert.match(badges.join, /Skipped \(Blocked\)/);
  assert.match(badges.tell, /Skipped \(Blocked\)/);
  assert.match(badges.gift, /Skipped$/);
  await look(page, "run-failed");
  await node(page, "letter").getByRole("button").first().click();
  await page.getByText("Was in flight when charge failed.").waitFor();
  assert.equal(inAddress(page, "step"), "letter");
  await tab(page, "Input").click();
  assert.match(await panel(page).innerText(), /method:\s+GET/);
  await page.reload();
  await page.getByText("Was in flight when charge failed.").waitFor();
  isWell(page);
  await page.context().close();
});

test("a stopped run marks what was in flight as stopped", async () => {
  const page = await open("stopped");
  assert.match(await banner(page).innerText(), /Run was canceled/);
  await until(async () => /Stopped/.test(await node(page, "fetch").innerText()), 5_000);
  assert.match(await node(page, "write").innerText(), /Skipped \(Blocked\)/);
  await look(page, "run-stopped");
  isWell(page);
  await page.context().close();
});

test("an approval is edited and given in place, by keys alone", async () => {
  const page = await open("waiting");
  assert.match(await banner(page).innerText(), /Run waits for an approval[\s\S]*Refund 89 euros\?/);
  await page.getByRole("button", { name: "Approve" }).waitFor();
  await look(page, "run-waiting");
  await page.locator("body").click({ position: { x: 700, y: 5 } });
  await page.keyboard.press("a");
  await until(() => page.evaluate(() => document.activeElement?.textContent === "Approve"), 5_000);
  await page.keyboard.press("Shift+Tab");
  await page.keyboard.type("Half of it is fair");
  await page.keyboard.press("Shift+Tab");
  await page.keyboard.press("Control+a");
  await page.keyboard.type('{"amount": 4');
  await page.getByText("This is no JSON").waitFor();
  await page.keyboard.type("5}");
  await page.keyboard.press("Control+Enter");
  await says(page, /Run succeeded/);
  await page
    .getByRole("region", { name: "Decision" })
    .getByText(/Approved/)
    .waitFor();
  const run = await server.get(`/v1/runs/${world.runs.waiting}`);
  assert.deepEqual(run.output, { paid: 45 });
  assert.match(await page.getByRole("region", { name: "Decision" }).innerText(), /Half of it is fair[\s\S]*amount:\s*45/);
  await look(page, "run-approved");
  isWell(page);
  await page.context().close();
});

test("an agent's rounds, its tools, and each prompt as it was sent", async () => {
  const page = await openPage(browser);
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.goto(`${server.address}/agents/parcel-support/runs/${world.runs.agent}`);
  await page.getByRole("heading", { name: "Round 3" }).waitFor();
  const rounds = await panel(page).innerText();
  assert.match(rounds, /Round 1[\s\S]*I look the parcel up first\.[\s\S]*python:find_parcel[\s\S]*Round 2[\s\S]*Round 3[\s\S]*Lyon/);
  await page.locator("summary").first().click();
  assert.match(await panel(page).innerText(), /number:\s+7[\s\S]*place:\s+Lyon/);
  await look(page, "run-agent");
  await page.getByRole("button", { name: "View prompt" }).nth(1).click();
  await page.getByText("Where is parcel 7?").first().waitFor();
  assert.equal(inAddress(page, "panel"), "prompt");
  await look(page, "run-prompt");
  await page.getByText("Raw", { exact: true }).click();
  await page.getByText("Request, as it was sent").waitFor();
  assert.match(await panel(page).innerText(), /chat\/completions[\s\S]*messages:\s*4 items[\s\S]*Response, as it came[\s\S]*data: \{/);
  await page.getByRole("button", { name: "Copy as" }).click();
  await page.getByRole("menuitem", { name: "curl" }).click();
  const copied = await until(() => page.evaluate(() => navigator.clipboard.readText()), 5_000);
  assert.match(copied, /^curl -sS 'http:\/\/127\.0\.0\.1:\d+\/v1\/chat\/completions' \\\n/);
  assert.ok(!copied.includes("sk-test"));
  await tab(page, /^Timeline$/)
    .first()
    .click();
  await page.getByRole("button", { name: "agent: fold" }).waitFor();
  if ((await page.getByRole("button", { name: "agent: fold" }).getAttribute("aria-expanded")) === "false") {
    await page.getByRole("button", { name: "agent: fold" }).click();
  }
  await page.getByRole("button", { name: "Round 2: gpt-4o-mini" }).waitFor();
  await look(page, "run-timeline-agent");
  isWell(page);
  await page.context().close();
});

test("what a model writes is seen while it writes", async () => {
  const id = await server.run("parcel-support", "Where is parcel 7? Say it slowly.");
  await server.runUntil(id, "running");
  const page = await open(id);
  await page.getByText("The model writes").waitFor();
  await until(async () => /I look the/.test(await panel(page).innerText()), 10_000);
  await says(page, /Run succeeded/);
  await page.getByText("The model writes").waitFor({ state: "detached" });
  await page.getByRole("heading", { name: "Round 3" }).waitFor();
  isWell(page);
  await page.context().close();
});

test("loops and child runs fold; an iteration is chosen; the timeline and the cost tell of them", async () => {
  const page = await open("loops");
  await node(page, "read").waitFor();
  assert.match(await node(page, "read").innerText(), /3\/3/);
  await node(page, "read").getByRole("button", { name: "Unfold" }).click();
  await node(page, "read[2].extract").waitFor();
  await node(page, "read").getByRole("button", { name: "Iteration before" }).click();
  await node(page, "read[1].extract").waitFor();
  await node(page, "child").getByRole("button", { name: "Unfold" }).click();
  await node(page, "child.sum").waitFor();
  await look(page, "run-loops");
  await tab(page, "Cost").click();
  await page.getByRole("button", { name: "read.extract" }).waitFor();
  await look(page, "run-cost");
  await tab(page, "Context").click();
  await page.getByText("read[1].check").first().waitFor();
  await look(page, "run-context");
  await page.getByRole("button", { name: "Close the step: about the run" }).click();
  await page.getByRole("heading", { name: "Lineage" }).waitFor();
  await page.getByRole("listitem").filter({ hasText: "Child, by child" }).getByRole("link").click();
  await page.getByRole("heading", { name: /Child check/ }).waitFor();
  await page
    .getByRole("button", { name: "Close the step: about the run" })
    .or(page.getByRole("heading", { name: "Lineage" }))
    .first()
    .waitFor();
  isWell(page);
  await page.context().close();
});

test("it goes back in time, by keys and slider, and the moment is in the address", async () => {
  const page = await open("failed");
  const last = (await server.get(`/v1/runs/${world.runs.failed}/events?limit=1000`)).data.length;
  await page.getByRole("group", { name: "Time" }).waitFor();
  for (let n = 0; n < 6; n += 1) await page.keyboard.press(",");
  await until(() => inAddress(page, "at") === String(last - 6), 5_000);
  await says(page, /Run is running[\s\S]*as it stood at event/);
  assert.equal(await row(page, "charge").getAttribute("data-status"), "running");
  assert.equal(await row(page, "join").getAttribute("data-status"), "pending");
  await tab(page, "Context").click();
  assert.match(await page.getByRole("region", { name: "Context" }).innerText(), /settle/);
  await look(page, "run-rewound");
  const slider = page.getByRole("slider");
  await slider.focus();
  await page.keyboard.press("Home");
  await until(() => inAddress(page, "at") === "1", 5_000);
  await page.reload();
  await says(page, /Run is queued/);
  await page.getByRole("button", { name: "To the end" }).click();
  await says(page, /Run failed/);
  assert.equal(inAddress(page, "at"), null);
  isWell(page);
  await page.context().close();
});

test("events are found, narrowed and opened", async () => {
  const page = await open("failed", "?tab=events");
  const lines = page.locator("[data-type]");
  await lines.first().waitFor();
  const all = await lines.count();
  await look(page, "run-events");
  await page.getByRole("textbox", { name: "Find in the events" }).fill("charging");
  await until(async () => (await lines.count()) === 1, 5_000);
  assert.equal(inAddress(page, "find"), "charging");
  await page.getByRole("textbox", { name: "Find in the events" }).fill("nothing has this");
  await page.getByRole("button", { name: "Clear the filters" }).click();
  await until(async () => (await lines.count()) === all, 5_000);
  await page.getByRole("button", { name: "Log lines" }).click();
  await until(async () => (await lines.count()) === 1, 5_000);
  await page.getByRole("button", { name: "Log lines" }).click();
  await page.getByRole("switch", { name: "Only this step" }).click();
  await until(async () => (await lines.count()) === 3, 5_000);
  await page
    .getByRole("button", { name: /all of it/ })
    .first()
    .click();
  await page.getByText("step_type").waitFor();
  await look(page, "run-events-open");
  isWell(page);
  await page.context().close();
});

test("a live run is watched while the server crashes and comes back: told, and nothing is lost", async () => {
  const page = await open("live", "?tab=events");
  await page.getByText("Live", { exact: true }).waitFor();
  const before = await page.locator("[data-type]").count();
  await server.crash();
  await banner(page).getByText("Reconnecting…").waitFor();
  await look(page, "run-reconnecting");
  await server.start();
  await banner(page).getByText("Connected again").waitFor({ timeout: 20_000 });
  world.busy.release();
  await says(page, /Run succeeded/);
  const kept = (await server.get(`/v1/runs/${world.runs.live}/events?limit=1000`)).data;
  assert.ok(kept.length > before);
  await until(async () => (await page.locator("[data-type]").count()) === kept.length, 5_000);
  const seen = await page.locator("[data-type]").evaluateAll((all) => all.map((each) => each.dataset.type));
  assert.deepEqual(
    seen,
    kept.map((event) => event.type),
  );
  assert.deepEqual(
    page.troubles.filter((trouble) => !/Failed to fetch|ERR_/.test(trouble)),
    [],
  );
  await page.context().close();
});

test("a run is paused, goes on, is stopped, and run again with another input", async () => {
  world.busy.hold();
  const id = await server.run("nightly-report", { day: "Tuesday" });
  await server.runUntil(id, "running");
  const page = await open(id);
  await page.getByRole("button", { name: "Pause" }).click();
  await says(page, /Run is paused/);
  await page.getByRole("button", { name: "Resume" }).click();
  await says(page, /Run is running|Run waits/);
  await page.getByRole("button", { name: "Stop", exact: true }).click();
  await page.getByRole("dialog").waitFor();
  await look(page, "run-stop");
  await page.getByRole("button", { name: "Stop gracefully" }).click();
  await says(page, /Run is stopping/);
  await page.getByRole("button", { name: "Stop", exact: true }).click();
  await page.getByRole("button", { name: "Stop at once" }).click();
  await says(page, /Run was canceled/);
  world.busy.release();
  await page.getByRole("button", { name: "Run again" }).click();
  const input = page.getByRole("textbox", { name: "Input (JSON)" });
  assert.deepEqual(JSON.parse(await input.inputValue()), { day: "Tuesday" });
  await input.fill('{"day": ');
  assert.ok(await page.getByRole("button", { name: "Start the run" }).isDisabled());
  await input.fill('{"day": "Friday"}');
  await look(page, "run-again");
  await page.getByRole("button", { name: "Start the run" }).click();
  await until(() => !page.url().includes(id), 10_000);
  await says(page, /Run succeeded/);
  await page.getByText("Friday").first().waitFor();
  isWell(page);
  await page.context().close();
});

test("people comment, and share a link to step and tab", async () => {
  const page = await openPage(browser);
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.goto(`${server.address}/runs/${world.runs.failed}?panel=run`);
  await page.getByRole("textbox", { name: "A comment" }).fill("The total was 0: see order O-17.");
  await page.getByRole("button", { name: "Comment", exact: true }).click();
  await page.getByText("The total was 0: see order O-17.").first().waitFor();
  await look(page, "run-about");
  await tab(page, "Timeline").click();
  await page.getByRole("button", { name: "Write the letter" }).click();
  await page.getByRole("button", { name: "Copy link" }).click();
  const link = await until(() => page.evaluate(() => navigator.clipboard.readText()), 5_000);
  const other = await openPage(browser);
  await other.goto(link);
  await other.getByRole("heading", { name: "Write the letter" }).waitFor();
  assert.equal(await tab(other, "Timeline").first().getAttribute("aria-selected"), "true");
  await look(other, "run-timeline");
  isWell(page);
  isWell(other);
  await page.context().close();
  await other.context().close();
});

test("what is hostile in a run stays text, wherever it stands", async () => {
  const page = await open("hostile");
  assert.match(await page.getByRole("heading", { level: 1 }).innerText(), /<img src=x/);
  for (const query of ["", "?tab=timeline", "?tab=events", "?tab=context", "?step=say", "?step=print", "?step=line", "?panel=run"]) {
    await page.goto(`${server.address}/runs/${world.runs.hostile}${query}`);
    await banner(page).waitFor();
    await page.waitForTimeout(200);
    assert.equal(await page.locator("main img, main script, main b").count(), 0, query);
  }
  await page.goto(`${server.address}/runs/${world.runs.hostile}?step=print&panel=input`);
  await until(async () => (await panel(page).innerText()).includes("U+202E"), 5_000);
  const words = await panel(page).innerText();
  assert.ok(words.includes("\u241b[31m") && words.includes(HOSTILE.slice(0, 40)), words);
  await page.goto(`${server.address}/runs/${world.runs.hostile}?step=line`);
  await page.getByRole("button", { name: /Show more/ }).waitFor();
  await node(page, "line").waitFor();
  await look(page, "run-hostile");
  assert.match(await page.title(), /^Succeeded: <img/);
  isWell(page);
  await page.context().close();
});

test("10,000 events and 500 steps open at once and scroll smoothly", async () => {
  const items = Array.from({ length: 2_500 }, (_, n) => n);
  const [wide, long] = await Promise.all([server.run("wide", {}), server.run("long", { items })]);
  await Promise.all([server.runUntil(wide, "succeeded"), server.runUntil(long, "succeeded")]);
  const page = await openPage(browser);
  await page.goto(`${server.address}/runs/${world.runs.failed}`);
  await banner(page).waitFor();
  for (const [id, query, ready] of [
    [wide, "", ".react-flow__node"],
    [long, "?tab=events", "[data-type]"],
  ]) {
    const began = Date.now();
    await page.goto(`${server.address}/runs/${id}${query}`);
    await banner(page).waitFor();
    const shown = Date.now() - began;
    await page.locator(ready).first().waitFor();
    const whole = Date.now() - began;
    console.log(`${query || "graph"}: banner after ${shown} ms, content after ${whole} ms`);
    assert.ok(shown < 4_000, `the banner took ${shown} ms`);
  }
  await until(async () => /10,005 \/ 10,005/.test(await page.getByRole("group", { name: "Time" }).innerText()), 10_000);
  const frames = await page.evaluate(async () => {
    const box = document.querySelector('[aria-label="Events"]');
    const times = [];
    for (let n = 0; n < 90; n += 1) {
      box.scrollTop += 400;
      times.push(await new Promise((resolve) => requestAnimationFrame(resolve)));
    }
    return times.slice(1).map((time, index) => time - times[index]);
  });
  const slow = frames.filter((ms) => ms > 34).length;
  console.log(`scrolling: ${slow} of ${frames.length} frames took longer than two`);
  assert.ok((await page.locator("[data-type]").count()) < 120);
  await look(page, "run-long");
  isWell(page);
  await page.context().close();
});

test("a run that is not there is not found", async () => {
  const page = await openPage(browser);
  await page.goto(`${server.address}/runs/run_0195dd7a69777197ac3e4fc44ade50dc`);
  await page.getByRole("heading", { name: "Not found" }).waitFor();
  await look(page, "run-not-found");
  await page.goto(`${server.address}/agents/refund-request/runs/${world.runs.agent}`);
  await page.getByRole("heading", { name: "Not found" }).waitFor();
  isWell(page);
  await page.context().close();
});
