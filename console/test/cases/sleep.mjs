// A computer that slept: its processes stood, the world went on.

import assert from "node:assert/strict";
import { Watch } from "../browser.mjs";
import { readPictures } from "../pixels.mjs";
import { browserBelow, treeOf } from "../processes.mjs";
import { moves, pause, signIn } from "../steps.mjs";
import { WALL_STREAMS } from "./wall.mjs";

/** Longer than the server waits for a word of a page. */
const SLEEP_MS = 25_000;
const FRESH_MS_MAX = 1500;
const BACK_MS_MAX = 4000;
const NAMES = WALL_STREAMS.slice(0, 4);

/** How long until the pictures that are seen are new. */
async function untilFresh(page, selector, begun) {
  for (;;) {
    const read = await readPictures(page, selector, 300);
    const after = Date.now() - begun;
    const ages = read.map(({ ageMs }) => ageMs);
    if (ages.length > 0 && ages.every((age) => age !== null && age <= FRESH_MS_MAX)) return after;
    assert.ok(after <= BACK_MS_MAX, `${after} ms later the pictures are ${ages.join(", ")} ms old`);
    await pause(50);
  }
}

export default [
  {
    name: "sleep: wall and stream page are at the live edge soon after",
    needs: "wall",
    run: async (test) => {
      const { page, browser, origins, server, site } = test;
      test.watch.allows = [/ERR_|WebSocket/];
      const other = await Watch.open(browser, origins);
      other.allows = test.watch.allows;
      try {
        await signIn(test, `/console/wall/2x2?s=${NAMES.join(",")}`);
        await page.waitForFunction((count) => document.querySelectorAll(".tile.is-live").length === count, NAMES.length);
        await signIn({ page: other.page, site, server }, `/console/streams/${NAMES[0]}`);
        await moves(other.page, 2);
        await pause(2000);
        const tree = treeOf(browserBelow(process.pid));
        for (const pid of tree) process.kill(pid, "SIGSTOP");
        await pause(SLEEP_MS);
        for (const pid of tree) process.kill(pid, "SIGCONT");
        const begun = Date.now();
        const [wall, stream] = await Promise.all([
          untilFresh(page, ".tile video", begun), untilFresh(other.page, "video.is-shown", begun),
        ]);
        test.notes.push(`wall ${wall} ms, stream page ${stream} ms after waking`);
        assert.equal(await page.locator(".tile.is-live").count(), NAMES.length);
      } finally {
        test.watch.troubles.push(...(await other.close()));
      }
    },
  },
];
