// The page of one stream: live, back in time, the Lab.

import assert from "node:assert/strict";
import { Camera } from "../../../tests/players/camera.mjs";
import { REFUSED, Steps, moves, pause, signIn } from "../steps.mjs";

export default [
  {
    name: "jobs: a developer sees by one step whether the producer is right, and copies a call by one",
    run: async (test) => {
      const { page } = test;
      await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
      await signIn(test, "/console/streams");
      const steps = new Steps(page);
      await steps.click(page.locator(".stream-row", { hasText: "gate-3" }).locator(".name"));
      assert.equal(steps.count, 1);
      const side = page.locator(".stream-side");
      for (const word of ["Session", "Bit rate", "PERSISTED after", "Last error", "none"]) await side.getByText(word, { exact: true }).waitFor();
      await page.getByText(/H\.264 360p25 · AAC/).waitFor();
      await page.getByRole("tab", { name: "Lab" }).click();
      const from = steps.count;
      await steps.click(page.getByRole("button", { name: "Copy as CLI" }));
      assert.equal(steps.count - from, 1);
      const copied = await page.evaluate(() => navigator.clipboard.readText());
      assert.match(copied, /aws kinesis-video-archived-media get-hls-streaming-session-url/);
      assert.match(copied, /--stream-name gate-3/);
    },
  },
  {
    name: "the picture is enlarged by z, wheel and drag, and is whole again",
    run: async (test) => {
      const { page } = test;
      await signIn(test, "/console/streams/gate-3");
      await moves(page);
      const picture = page.locator(".player-picture");
      const box = await picture.boundingBox();
      const at = { x: box.x + box.width / 4, y: box.y + box.height / 4 };
      const seen = async () => {
        const { x, y, width } = await page.locator(".player-layers").boundingBox();
        // What lies under the point: from the picture's left and top edge, in its widths.
        return { scale: width / box.width, x: (at.x - x) / width, y: (at.y - y) / width };
      };
      const whole = await seen();
      assert.equal(whole.scale, 1);
      await page.mouse.move(at.x, at.y);
      await page.mouse.wheel(0, 100);
      await pause(200);
      assert.equal((await seen()).scale, 1, "a wheel without Ctrl scrolls the page");
      await page.evaluate(() => document.querySelector("main").scrollTo(0, 0));
      await page.keyboard.down("Control");
      for (let n = 0; n < 5; n++) await page.mouse.wheel(0, -100);
      await page.keyboard.up("Control");
      await page.locator(".over.at-end").waitFor();
      const near = await seen();
      assert.ok(near.scale > 2 && near.scale < 3, `${near.scale} times`);
      assert.ok(Math.abs(near.x - whole.x) < 0.002 && Math.abs(near.y - whole.y) < 0.002, "the point stays under the pointer");
      await page.mouse.down();
      await page.mouse.move(at.x - 60, at.y - 30, { steps: 4 });
      await page.mouse.up();
      const moved = await seen();
      assert.ok(Math.abs((moved.x - near.x) * box.width * near.scale - 60) < 2, "a drag moves the picture with it");
      await page.mouse.move(at.x - 90, at.y, { steps: 2 });
      assert.deepEqual(await seen(), moved, "only while it is held");
      await page.locator(".over.at-end").click();
      assert.equal((await seen()).scale, 1);
      await page.locator("h1").click();
      await page.keyboard.press("z");
      assert.equal((await seen()).scale, 2);
      await page.keyboard.press("z");
      assert.equal((await seen()).scale, 1);
      await moves(page);
    },
  },
  {
    name: "plain HLS and DASH play by choice",
    run: async (test) => {
      const { page } = test;
      await signIn(test, "/console/streams/gate-3");
      await moves(page);
      for (const transport of ["hls", "dash", "ll-hls"]) {
        await page.locator(".player-bar select").selectOption(transport);
        await pause(500);
        await moves(page, 1.5, 30_000);
        test.notes.push(`${transport}: ${(await page.locator(".badge").innerText()).trim().replace(/\s+/g, " ")}`);
      }
    },
  },
  {
    name: "back in time: the URL has the instant, and opens it",
    run: async (test) => {
      const { page } = test;
      await signIn(test, "/console/streams/gate-3");
      await moves(page);
      await page.locator("h1").click();
      await page.keyboard.press("ArrowLeft");
      await page.waitForURL(/\?t=2\d\d\d-/);
      await moves(page, 1, 20_000);
      const at = new Date(new URL(page.url()).searchParams.get("t")).getTime();
      assert.ok(Date.now() - at > 5000 && Date.now() - at < 25_000, page.url());
      const wanted = Date.now() - 12_000;
      await signIn(test, `/console/streams/gate-3?t=${new Date(wanted).toISOString()}`);
      await moves(page, 0.5, 20_000);
      const shown = Number(await page.locator(".timeline-slot").getAttribute("data-playhead"));
      assert.ok(Math.abs(shown - wanted) < 4000, `${shown - wanted} ms off`);
      await page.keyboard.press("l");
      await page.waitForURL(/gate-3$/);
      await page.locator(".badge", { hasText: "live" }).waitFor();
      await moves(page, 1, 20_000);
    },
  },
  {
    name: "the Lab makes sessions, clips and images",
    run: async (test) => {
      const { page } = test;
      await signIn(test, "/console/streams/gate-3");
      await moves(page);
      await page.getByRole("tab", { name: "Lab" }).click();
      await page.locator(".lab form select").first().selectOption("ON_DEMAND");
      await page.getByRole("button", { name: "Send" }).click();
      await page.getByText("HLSStreamingSessionURL").last().waitFor();
      const answer = page.locator(".lab .code").last();
      assert.ok((await answer.innerText()).includes("SessionToken=…"));
      await page.getByRole("button", { name: "Show token" }).click();
      assert.ok(!(await answer.innerText()).includes("SessionToken=…"));
      await page.getByRole("button", { name: "Play it above" }).click();
      await moves(page, 0.5, 20_000);
      await page.locator(".lab select").first().selectOption("GetClip");
      await page.getByRole("button", { name: "Send" }).click();
      await page.getByText("video/mp4").waitFor();
      await page.locator(".lab select").first().selectOption("GetImages");
      await page.getByRole("button", { name: "Send" }).click();
      await page.locator(".lab-images img").first().waitFor();
      await page.locator(".lab select").first().selectOption("GetDASHStreamingSessionURL");
      await page.getByRole("button", { name: "Send" }).click();
      await page.getByText("DASHStreamingSessionURL").last().waitFor();
    },
  },
  {
    name: "tags and retention change",
    run: async (test) => {
      const { page } = test;
      await signIn(test, "/console/streams/gate-3");
      await page.getByRole("tab", { name: "Details" }).click();
      await page.getByText("site=north").waitFor();
      await page.getByRole("button", { name: "More" }).click();
      await page.getByRole("menuitem", { name: "Tags" }).click();
      await page.getByRole("button", { name: "Add a tag" }).click();
      await page.locator("dialog .tag-row").last().locator("input").first().fill("floor");
      await page.locator("dialog .tag-row").last().locator("input").last().fill("2");
      await page.locator("dialog button[type=submit]").click();
      await page.getByText("floor=2").waitFor();
      await page.getByRole("button", { name: "Change" }).first().click();
      await page.locator("dialog input").fill("2");
      await page.locator("dialog button[type=submit]").click();
      await page.getByText("2 d", { exact: false }).first().waitFor();
    },
  },
  {
    name: "a camera that dies: the picture is stale soon, off after, and back by itself",
    run: async (test) => {
      const { page, watch } = test;
      watch.allows = REFUSED;
      await signIn(test, "/console/streams/gate-3");
      await moves(page);
      await pause(2000);
      test.camera.kill();
      const begun = Date.now();
      await page.locator(".player.is-stale").waitFor({ timeout: 8000 });
      const after = Date.now() - begun;
      test.notes.push(`stale after ${(after / 1000).toFixed(1)} s`);
      assert.ok(after < 6000, `${after} ms`);
      await page.locator(".state.OFF").first().waitFor({ timeout: 30_000 });
      await pause(3000);
      test.camera = new Camera(test.server, "gate-3", { audio: "aac" });
      const again = Date.now();
      await page.locator(".player:not(.is-stale) .badge", { hasText: "live" }).waitFor({ timeout: 30_000 });
      await moves(page, 1, 20_000);
      test.notes.push(`back ${((Date.now() - again) / 1000).toFixed(1)} s after it was switched on again`);
      test.camera.kill();
    },
  },
];
