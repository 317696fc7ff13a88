// What people come to the wall for, and in how few steps. The developer's jobs are in stream.mjs, the clerk's
// in timeline.mjs, a tile enlarged in wall.mjs.

import assert from "node:assert/strict";
import { median, readPictures } from "../pixels.mjs";
import { Steps, fillIn, pause, signIn, streamLink } from "../steps.mjs";
import { WALL_STREAMS } from "./wall.mjs";

const tiles = (page, count) => page.waitForFunction((count) => document.querySelectorAll(".tile.is-live").length === count, count, { timeout: 20_000 });

export default [
  {
    name: "jobs: a guard sees the wall without a step, and what was 30 s ago by one",
    needs: "wall",
    run: async (test) => {
      const { page, site, server } = test;
      await page.goto(`${site.url}/console/wall/4x4?s=${WALL_STREAMS.join(",")}&tile=${WALL_STREAMS[2]}`);
      await fillIn(page, server.credentials.accessKeyId, server.credentials.secretAccessKey);
      const steps = new Steps(page);
      await tiles(page, 1);
      assert.equal(steps.count, 0);
      // There is something that is 30 s old.
      await pause(Math.max(0, test.wall[0].camera.begunAt + 40_000 - Date.now()));
      await steps.press("r");
      await page.waitForURL(new RegExp(`/streams/${WALL_STREAMS[2]}\\?t=`));
      await page.waitForFunction(() => document.querySelector("video.is-shown")?.readyState >= 2, undefined, { timeout: 15_000 });
      const [{ ageMs }] = await readPictures(page, "video.is-shown");
      test.notes.push(`the picture is ${(ageMs / 1000).toFixed(1)} s old`);
      assert.ok(ageMs > 27_000 && ageMs < 36_000, `${ageMs} ms`);
      assert.equal(steps.count, 1);
      await page.goBack();
      await page.locator(`.tile.is-enlarged[data-stream="${WALL_STREAMS[2]}"]`).waitFor();
    },
  },
  {
    name: "jobs: on a phone, a tap shows the door",
    needs: "wall",
    run: async (test) => {
      const { page } = test;
      await page.setViewportSize({ width: 390, height: 844 });
      await signIn(test, "/console/streams");
      const steps = new Steps(page);
      await steps.click(streamLink(page, WALL_STREAMS[0]));
      await page.locator("video.is-shown").waitFor();
      await page.waitForFunction(() => document.querySelector("video.is-shown").readyState >= 2, undefined, { timeout: 10_000 });
      const ages = [];
      for (let n = 0; n < 5; n++) ages.push((await readPictures(page, "video.is-shown"))[0].ageMs);
      assert.ok(median(ages) < 3000, ages.join(" "));
      assert.equal(steps.count, 1);
    },
  },
];
