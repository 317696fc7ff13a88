// The server's health: one page, the red first.

import assert from "node:assert/strict";
import { axe } from "../axe.mjs";
import { REFUSED, Steps, alert, fault, pause, signIn, visit } from "../steps.mjs";

const PATTERN = "**/streamkeep/getServerHealth";
const EVERY_MS = 5000;

/** The answer of the real server, changed. */
async function withAnswer(page, change) {
  await page.route(PATTERN, async (route) => {
    const response = await route.fetch();
    const json = await response.json();
    change(json);
    await route.fulfill({ response, json });
  });
}

export default [
  {
    name: "health: is the disk enough until Friday, in one step",
    run: async (test) => {
      const { page, server } = test;
      await signIn(test);
      await page.locator(".stream-row .state.LIVE").waitFor();
      const steps = new Steps(page);
      steps.count += 1; // one chord
      await page.keyboard.press("g");
      await page.keyboard.press("h");
      await page.locator(".health-outlook").waitFor();
      assert.equal(steps.count, 1);
      assert.equal(new URL(page.url()).pathname, "/console/settings/health");
      assert.match(await page.locator(".health-outlook").innerText(), /Being measured|Does not fill up|Full in/);
      const told = await server.call("streamkeep/getServerHealth", {});
      const of = async (name) => page.locator(".health-facts > div", { hasText: name }).first().locator("dd > span").first().innerText();
      assert.equal(await of("Streams"), String(told.Ingest.Streams));
      assert.equal(await of("live"), String(told.Ingest.Live));
      assert.ok(told.Ingest.Live >= 1);
      assert.equal(await of("Version"), told.Version);
      // The camera sends: fragments are stored, and acks come.
      await page.waitForFunction(() => /≤/.test(document.querySelector(".health-panels")?.textContent ?? ""), undefined, { timeout: 2 * EVERY_MS });
      // Asked again by itself, and not while the page is hidden.
      await page.waitForRequest(PATTERN, { timeout: EVERY_MS + 3000 });
      await page.evaluate(() => {
        Object.defineProperty(document, "hidden", { configurable: true, get: () => true });
      });
      await pause(1000);
      let asked = 0;
      page.on("request", (request) => { if (request.url().includes("getServerHealth")) asked += 1; });
      await pause(2 * EVERY_MS);
      assert.ok(asked <= 1, `${asked} calls while hidden`);
    },
  },
  {
    name: "health: what is wrong stands first, the worst on top; narrow, in both languages, without axe's complaint",
    run: async (test) => {
      const { page } = test;
      await withAnswer(page, (health) => {
        const Since = health.Timestamp - 600;
        health.Problems = [
          { Severity: "CRITICAL", What: "DISK_FULL_SOON", Text: "The disk is full in 1.5 days; then no media is taken.", Since },
          { Severity: "WARNING", What: "SYNC_SLOW", Text: "One sync in a hundred takes up to 2500 ms.", Since },
          // Of a server that knows more than this page.
          { Severity: "WARNING", What: "SOMETHING_NEW", Text: "It is new.", Since },
        ];
        Object.assign(health.Disk, { Outlook: "FILLS", DaysUntilFull: 1.5, DaySeconds: 86_400, DayStoredBytesPerSecond: 5e6 });
        health.Disk.History = { StepSeconds: 900, StoredBytesPerSecond: Array.from({ length: 96 }, (_, n) => 4e6 + 1e4 * n) };
      });
      await signIn(test, "/console/settings/health");
      const problems = page.locator(".health-problems li");
      await problems.first().waitFor();
      assert.match(await problems.nth(0).innerText(), /The disk will be full soon[\s\S]*critical[\s\S]*Shorten retention/);
      assert.match(await problems.nth(1).innerText(), /The disk is slow/);
      assert.match(await problems.nth(2).innerText(), /SOMETHING_NEW[\s\S]*It is new/);
      assert.match(await page.locator(".health-outlook").innerText(), /Full in 1.5 days[\s\S]*at 20\d\d-/);
      const [above, below] = await Promise.all([".health-problems", ".health-disk"].map((of) => page.locator(of).boundingBox()));
      assert.ok(above.y < below.y);
      assert.deepEqual(await axe(page, "health"), []);
      await page.setViewportSize({ width: 320, height: 700 });
      await pause(200);
      const wide = await page.evaluate(() => {
        const main = document.querySelector("main");
        return Math.max(document.documentElement.scrollWidth - innerWidth, main.scrollWidth - main.clientWidth);
      });
      assert.ok(wide <= 0, `${wide} px too wide`);
      // In Settings it is a press away, as in the palette.
      await page.setViewportSize({ width: 1440, height: 900 });
      await visit(page, "/console/settings");
      await page.locator(".settings").getByRole("link", { name: "Health" }).click();
      await problems.first().waitFor();
      await page.keyboard.press("Control+k");
      await page.keyboard.type("health");
      await page.locator(".palette-row", { hasText: "Health" }).first().waitFor();
      await page.keyboard.press("Escape");
      await visit(page, "/console/settings");
      await page.getByLabel("Language").selectOption("zh-CN");
      await visit(page, "/console/settings/health");
      await page.getByText("磁盘即将写满").waitFor();
      await page.getByText("1.5 天后写满").waitFor();
    },
  },
  {
    name: "health: denied names the action; offline, old figures look old",
    run: async (test) => {
      const { page, watch } = test;
      watch.allows = [...REFUSED, /ERR_INTERNET_DISCONNECTED|ERR_FAILED/];
      await fault(page, PATTERN, 403, "AccessDeniedException",
        "User: arn:aws:iam::000000000000:user/guard is not authorized to perform: streamkeep:GetServerHealth on resource: *");
      await signIn(test, "/console/settings/health");
      assert.match(await alert(page), /may not do that[\s\S]*streamkeep:GetServerHealth/);
      assert.deepEqual(await axe(page, "health, denied"), []);
      await page.unroute(PATTERN);
      await page.getByRole("button", { name: "Retry" }).click();
      await page.locator(".health-outlook").waitFor();
      assert.equal(await page.locator(".is-stale").count(), 0);
      await page.context().setOffline(true);
      await page.locator(".is-stale").waitFor({ timeout: 20_000 });
      assert.match(await page.locator(".is-stale .notice").first().innerText(), /These figures are .* old/);
      assert.ok(await page.locator(".health-outlook").isVisible());
      assert.deepEqual(await axe(page, "health, offline"), []);
      await page.context().setOffline(false);
      await page.locator(".is-stale").waitFor({ state: "detached", timeout: 20_000 });
    },
  },
];
