// Chromium, pages that note whatever goes wrong in them, axe, and screenshots in both themes and sizes.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

import { chromium } from "playwright-core";

const SCREENS = fileURLToPath(new URL("screens/", import.meta.url));
const AXE = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf-8");
const PLACES = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser"];

export const SIZES = { wide: { width: 1440, height: 900 }, narrow: { width: 390, height: 844 } };

export async function openBrowser() {
  const executablePath = PLACES.find((place) => place && existsSync(place));
  assert.ok(executablePath, "Chromium is not installed: install it, or name it in CHROMIUM");
  return chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
}

/** Open a page as a new person's browser. Everything that goes wrong in it is in `troubles`. */
export async function openPage(browser, { theme = "light", size = SIZES.wide, storage = undefined } = {}) {
  const context = await browser.newContext({
    viewport: size,
    colorScheme: theme,
    reducedMotion: "reduce",
    timezoneId: "Europe/Berlin",
    locale: "en-US",
    storageState: storage,
  });
  const page = await context.newPage();
  const troubles = [];
  page.troubles = troubles;
  page.setDefaultTimeout(15_000);
  page.on("pageerror", (error) => troubles.push(`error: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() !== "error" && message.type() !== "warning") return;
    if (/Failed to load resource/.test(message.text())) return; // an answer that the test asked for, as 401
    troubles.push(`console: ${message.text()}`);
  });
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (!["127.0.0.1", "localhost"].includes(url.hostname) && !["data:", "blob:"].includes(url.protocol)) {
      troubles.push(`asks another server: ${request.url()}`);
    }
  });
  return page;
}

/** Nothing went wrong in the page: no error, no violation of the policy, no request to another server. */
export function isWell(page) {
  assert.deepEqual(page.troubles, []);
}

/** axe finds nothing. */
export async function isAccessible(page, what) {
  await page.evaluate(AXE);
  const found = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  const said = found.violations.flatMap((violation) =>
    violation.nodes.map(
      (node) => `${what}: ${violation.id}: ${violation.help}: ${node.target.join(" ")}: ${node.any.map((each) => each.message).join("; ")}`,
    ),
  );
  assert.deepEqual(said, []);
}

/**
 * Look at the page as it is: screenshots, axe for each, and nothing may need to be scrolled sideways. `whole`: in both themes at both
 * sizes; otherwise light on a wide screen and dark on a narrow one, which is enough for what differs little from a screen seen whole.
 */
export async function look(page, name, { whole = false, prepare = undefined } = {}) {
  await mkdir(SCREENS, { recursive: true });
  const before = page.viewportSize();
  for (const [width, size] of Object.entries(SIZES)) {
    await page.setViewportSize(size);
    for (const theme of whole ? ["light", "dark"] : [width === "wide" ? "light" : "dark"]) {
      await page.emulateMedia({ colorScheme: theme });
      await prepare?.();
      await page.evaluate(() => document.fonts.ready);
      await page.waitForTimeout(150);
      await page.screenshot({ path: `${SCREENS}${name}-${width}-${theme}.png` });
      const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      assert.ok(over <= 0, `${name}-${width}: the page is ${over} px wider than the screen`);
      await isAccessible(page, `${name}-${width}-${theme}`);
    }
  }
  await page.setViewportSize(before);
  await page.emulateMedia({ colorScheme: "light" });
}
