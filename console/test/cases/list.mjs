// The list of streams.

import assert from "node:assert/strict";
import { signIn, tenThousandStreams } from "../steps.mjs";

/** From the press on *Streams* to rows. */
const USABLE_MS_MAX = 1000;
const FRAMES_PER_SECOND_MIN = 50;
/** Of the page's scripts and their data. */
const HEAP_MB_MAX = 150;

export default [
  {
    name: "the list shows the stream live, with its picture",
    run: async (test) => {
      const { page } = test;
      await signIn(test);
      await page.locator(".stream-row .state.LIVE").waitFor();
      await page.locator(".stream-row img").waitFor();
      await page.locator(".stream-row").getByText("north").waitFor();
      const row = await page.locator(".stream-row").innerText();
      assert.match(row, /H\.264 360p25 · AAC/);
      assert.match(row, /(kb|Mb)\/s/);
      // What was before this page was opened.
      await page.waitForFunction(() => {
        const canvas = document.querySelector(".stream-row .stream-spark canvas");
        if (!canvas?.width) return false;
        const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        return data.some((value, n) => n % 4 === 3 && value > 0);
      });
      await page.keyboard.press("/");
      await page.keyboard.type("hall");
      await page.getByText("No stream matches").waitFor();
      assert.match(page.url(), /q=hall/);
      await page.getByText("1 matches without “hall”.").waitFor();
      await page.getByRole("button", { name: "Show all" }).click();
      await page.locator("h1").click();
      await page.keyboard.press("j");
      await page.keyboard.press("x");
      await page.getByText("1 selected").waitFor();
      await page.keyboard.press("Escape");
      await page.keyboard.press("Enter");
      await page.locator(".stream-page").waitFor();
    },
  },
  {
    name: "ten thousand streams: at most 60 rows in the page",
    run: async (test) => {
      const { page, watch } = test;
      await tenThousandStreams(page);
      watch.allows = [/status of 404/];
      await signIn(test, "/console/settings");
      const begun = Date.now();
      await page.getByRole("link", { name: "Streams" }).click();
      await page.locator(".stream-row").nth(5).waitFor();
      const usable = Date.now() - begun;
      await page.getByText("10,000 streams").waitFor({ timeout: 30_000 });
      const whole = Date.now() - begun;
      const frames = await page.evaluate(async () => {
        const body = document.querySelector(".streams-body");
        const worst = { rows: 0, gap: 0 };
        const begun = performance.now();
        let last = begun;
        for (let step = 0; step < 120; step++) {
          body.scrollTop += 600;
          await new Promise(requestAnimationFrame);
          const now = performance.now();
          worst.gap = Math.max(worst.gap, now - last);
          last = now;
          worst.rows = Math.max(worst.rows, document.querySelectorAll(".stream-row").length);
        }
        worst.rate = 120_000 / (last - begun);
        body.scrollTop = body.scrollHeight;
        await new Promise((resolve) => setTimeout(resolve, 300));
        return { ...worst, last: [...document.querySelectorAll(".stream-row .name")].at(-1)?.textContent };
      });
      const session = await page.context().newCDPSession(page);
      const heapMb = (await session.send("Runtime.getHeapUsage")).usedSize / 2 ** 20;
      test.notes.push(`rows after ${usable} ms, all after ${whole} ms, ${Math.round(frames.rate)} frames/s, the longest ${Math.round(frames.gap)} ms, heap ${Math.round(heapMb)} MB, rows ${frames.rows}`);
      assert.ok(usable <= USABLE_MS_MAX, `${usable} ms`);
      assert.ok(frames.rate >= FRAMES_PER_SECOND_MIN, `${frames.rate} frames a second`);
      assert.ok(heapMb <= HEAP_MB_MAX, `${heapMb} MB`);
      assert.ok(frames.rows > 5 && frames.rows <= 60, String(frames.rows));
      assert.equal(frames.last, "camera-9999");
      // Gone to a stream and come back: the list is where it was left.
      await page.locator(".stream-row .name").last().click();
      await page.getByText("There is no stream camera-").waitFor();
      await page.goBack();
      await page.locator(".stream-row .name", { hasText: "camera-9999" }).waitFor();
      await page.keyboard.press("/");
      await page.keyboard.type("camera 77");
      await page.getByText(/^\d+ of 10,000/).waitFor();
    },
  },
  {
    name: "ten thousand streams: a site is filtered within seconds, and found in the palette",
    run: async (test) => {
      const { page } = test;
      await tenThousandStreams(page);
      const calls = [];
      await page.route("**/streamkeep/getStreamTags", (route) => {
        const { Streams } = route.request().postDataJSON();
        calls.push(Streams.length);
        return route.fulfill({
          headers: { "access-control-allow-origin": "*" },
          json: { Streams: Streams.map((StreamName) => ({ StreamName, Error: null, Tags: { site: `site-${StreamName.at(-1)}` } })) },
        });
      });
      await signIn(test, "/console/streams");
      await page.getByText("10,000 streams").waitFor({ timeout: 30_000 });
      const begun = Date.now();
      await page.getByLabel("Site", { exact: true }).focus();
      await page.getByLabel("Site", { exact: true }).selectOption("site-7");
      await page.getByText("1,000 of 10,000").waitFor();
      const took = Date.now() - begun;
      test.notes.push(`site filter complete in ${took} ms, ${calls.length} calls`);
      assert.ok(calls.length <= 12, `${calls.length} calls`);
      assert.ok(took < 10_000, `${took} ms`);
      await page.keyboard.press("Control+k");
      await page.keyboard.type("site 7 camera 77");
      await page.locator(".palette-row", { hasText: "camera-77" }).first().waitFor();
    },
  },
  {
    name: "streams that are selected are put on a wall, by the bar or by a key",
    run: async (test) => {
      const { page, server, watch } = test;
      watch.allows = [/status of 404/];
      const arns = [];
      for (const StreamName of ["yard-1", "yard-2", "yard-3"]) {
        arns.push((await server.call("CreateStream", { StreamName, DataRetentionInHours: 1 })).StreamARN);
      }
      await signIn(test, "/console/streams?q=yard");
      await page.locator(".stream-row").nth(2).waitFor();
      await page.locator("h1").click();
      for (const key of ["j", "x", "j", "j", "x"]) await page.keyboard.press(key);
      await page.locator(".streams-selection").getByRole("button", { name: "Wall" }).click();
      await page.waitForURL(/wall\/auto\?s=yard-1,yard-3$/);
      await page.locator(".tile[data-stream=yard-3]").waitFor();
      assert.equal(await page.locator(".tile").count(), 2);
      await page.goBack();
      await page.locator(".stream-row").nth(2).waitFor();
      for (const key of ["j", "j", "w"]) await page.keyboard.press(key);
      await page.waitForURL(/wall\/auto\?s=yard-2$/);
      for (const StreamARN of arns) await server.call("DeleteStream", { StreamARN });
    },
  },
  {
    name: "deleting takes the name, many take the count",
    run: async (test) => {
      const { page, server } = test;
      for (const StreamName of ["old-1", "old-2"]) await server.call("CreateStream", { StreamName, DataRetentionInHours: 1 });
      await signIn(test, "/console/streams?q=old");
      await page.locator(".stream-row").nth(1).waitFor();
      await page.locator(".streams-columns .check").click();
      await page.locator(".streams-selection").getByRole("button", { name: "Delete" }).click();
      const submit = page.locator("dialog button[type=submit]");
      await page.locator("dialog input").fill("3");
      assert.equal(await submit.isEnabled(), false);
      await page.locator("dialog input").fill("2");
      await submit.click();
      await page.getByText("No stream matches").waitFor();
    },
  },
];
