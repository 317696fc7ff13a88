// The list of streams.

import assert from "node:assert/strict";
import { signIn, tenThousandStreams } from "../steps.mjs";

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
      await signIn(test);
      await page.getByText("10,000 streams").waitFor({ timeout: 30_000 });
      const frames = await page.evaluate(async () => {
        const body = document.querySelector(".streams-body");
        const worst = { rows: 0, gap: 0 };
        let last = performance.now();
        for (let step = 0; step < 60; step++) {
          body.scrollTop += 5000;
          await new Promise(requestAnimationFrame);
          const now = performance.now();
          worst.gap = Math.max(worst.gap, now - last);
          last = now;
          worst.rows = Math.max(worst.rows, document.querySelectorAll(".stream-row").length);
        }
        body.scrollTop = body.scrollHeight;
        await new Promise((resolve) => setTimeout(resolve, 300));
        return { ...worst, last: [...document.querySelectorAll(".stream-row .name")].at(-1)?.textContent };
      });
      test.notes.push(`rows ${frames.rows}, longest frame ${Math.round(frames.gap)} ms`);
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
