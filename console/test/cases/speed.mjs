// How soon there is a picture: from the press in the signed-in page, on a slow line and on this machine. Page and
// API are one origin here, as in life: no request asks for leave first.

import assert from "node:assert/strict";
import { median, quantile, readPictures } from "../pixels.mjs";
import { serveSite } from "../site.mjs";
import { pause, signIn, streamLink, visit } from "../steps.mjs";
import { Watch } from "../browser.mjs";
import { WALL_STREAMS } from "./wall.mjs";

const SLOW = { offline: false, latency: 200, downloadThroughput: 300e3 / 8, uploadThroughput: 300e3 / 8 };
const SLOW_MS_MAX = 2000;
/** A key frame of 34 KB takes 0.9 s of this line, and there is a new one every 2 s: so old it is when it comes, at most. */
const SLOW_ARRIVES_MS_MAX = 5000;
/** It stands until the turn of its tile among four comes again. */
const SLOW_AGE_MS_MAX = 11_000;
const PRESS_PLAY_MS_MAX = 500;
const PRESSES = 5;
const DELAY_MS_MAX = 1000;
const BADGE_OFF_MS_MAX = 100;
const READINGS = 30;
const FOUR = [0, 5, 10, 15].map((n) => WALL_STREAMS[n]);

/** In the page: from the next press on, when the first still and the first frame are on the screen. */
function watchPictures() {
  const firsts = window.firsts = {};
  addEventListener("pointerdown", () => {
    const pressed = performance.now();
    const seen = (what) => requestAnimationFrame(() => { firsts[what] ??= Math.round(performance.now() - pressed); });
    const known = new WeakSet(document.querySelectorAll("img"));
    const look = () => {
      for (const image of document.querySelectorAll("img.tile-picture, img.first-picture")) {
        if (known.has(image)) continue;
        known.add(image);
        void image.decode().then(() => seen("still"), () => {});
      }
      for (const video of document.querySelectorAll("video")) {
        if (known.has(video)) continue;
        known.add(video);
        video.requestVideoFrameCallback(() => seen("frame"));
      }
    };
    new MutationObserver(look).observe(document.documentElement, { childList: true, subtree: true, attributes: true });
  }, { once: true, capture: true });
}

const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`;
const words = ({ still, frame }) => `still ${still ?? "–"} ms, frame ${frame ?? "–"} ms`;

/** A page of its own, signed in, with nothing but the list on it. */
async function withPage(test, line, run) {
  const site = await serveSite(test.server.url, undefined, { isOne: true });
  const watch = await Watch.open(test.browser, [site.url]);
  try {
    const { page } = watch;
    const session = await page.context().newCDPSession(page);
    // Chromium 156 slows WebSockets down by it as well.
    if (line) await session.send("Network.emulateNetworkConditions", line);
    await signIn({ page, site, server: test.server }, "/console/streams");
    await page.locator(".stream-row img").first().waitFor();
    // What is loaded ahead has come.
    await pause(line ? 8000 : 3000);
    await run(page);
  } finally {
    test.watch.troubles.push(...(await watch.close()));
    site.close();
  }
}

async function press(page, locator) {
  await page.evaluate(watchPictures);
  await locator.click();
  await page.waitForFunction(() => window.firsts.still || window.firsts.frame, undefined, { timeout: 15_000 });
  return page.evaluate(() => window.firsts);
}

export default [
  {
    name: "first picture on a slow line: stream page and wall",
    needs: "wall",
    run: async (test) => {
      await withPage(test, SLOW, async (page) => {
        const stream = await press(page, streamLink(page, WALL_STREAMS[0]));
        test.notes.push(`stream page: ${words(stream)}`);
        assert.ok(Math.min(stream.still ?? Infinity, stream.frame ?? Infinity) <= SLOW_MS_MAX, words(stream));
        await visit(page, "/console/settings");
        await pause(3000);
        const wall = await press(page, page.getByRole("link", { name: "Wall" }));
        test.notes.push(`wall: ${words(wall)}`);
        assert.ok(Math.min(wall.still ?? Infinity, wall.frame ?? Infinity) <= SLOW_MS_MAX, words(wall));
      });
    },
  },
  {
    name: "wall on a slow line: key frames of four cameras, and recent ones",
    needs: "wall",
    run: async (test) => {
      await withPage(test, SLOW, async (page) => {
        await visit(page, `/console/wall/2x2?s=${FOUR.join(",")}`);
        await pause(30_000);
        const tiles = new Map(FOUR.map((name) => [name, { stamps: new Set(), ages: [], fresh: [] }]));
        for (const until = Date.now() + 20_000; Date.now() < until; await pause(500)) {
          for (const { name, mode, ageMs, stampMs, badge } of await readPictures(page, ".tile video", 100)) {
            assert.ok(mode === "key" || mode === "live", `${name} is ${mode}: ${badge}`);
            assert.ok(ageMs <= SLOW_AGE_MS_MAX, `${name} is ${ageMs} ms old`);
            const { stamps, ages, fresh } = tiles.get(name);
            if (stamps.size > 0 && !stamps.has(stampMs)) fresh.push(ageMs);
            stamps.add(stampMs);
            ages.push(ageMs);
          }
        }
        for (const [name, { stamps, ages, fresh }] of tiles) {
          const words = `${stamps.size} pictures in 20 s, ${fresh.map(seconds).join(", ")} old when they came`;
          test.notes.push(`${name}: ${words}; age median ${seconds(quantile(ages, 0.5))}, at most ${seconds(Math.max(...ages))}`);
          assert.ok(stamps.size >= 3, `${name}: ${words}`);
          assert.ok(Math.max(...fresh) <= SLOW_ARRIVES_MS_MAX, `${name}: ${words}`);
        }
      });
    },
  },
  {
    name: "first picture on this machine: half a second from the press",
    needs: "wall",
    run: async (test) => {
      await withPage(test, null, async (page) => {
        const found = [];
        for (let n = 0; n < PRESSES; n++) {
          await press(page, streamLink(page, WALL_STREAMS[0]));
          await page.waitForFunction(() => window.firsts.frame, undefined, { timeout: 15_000 });
          found.push(await page.evaluate(() => window.firsts));
          const [{ ageMs }] = await readPictures(page, "video.is-shown");
          assert.ok(ageMs < 5000, `the picture is ${ageMs} ms old`);
          await visit(page, "/console/streams");
          await page.locator(".stream-row").first().waitFor();
          await pause(1500);
        }
        test.notes.push(...found.map((one) => `stream page: ${words(one)}`));
        const wall = await press(page, page.getByRole("link", { name: "Wall" }));
        await page.waitForFunction(() => window.firsts.frame, undefined, { timeout: 15_000 });
        test.notes.push(`wall of ${WALL_STREAMS.length}: ${words(await page.evaluate(() => window.firsts))}`);
        assert.ok(Math.min(wall.still ?? Infinity, wall.frame ?? Infinity) <= PRESS_PLAY_MS_MAX, words(wall));
        const middle = median(found.map(({ frame }) => frame));
        assert.ok(middle <= PRESS_PLAY_MS_MAX, `${middle} ms: ${found.map(words).join("; ")}`);
      });
    },
  },
  {
    name: "stream page: within a second of the camera, and the badge says so",
    needs: "wall",
    run: async (test) => {
      const { page } = test;
      await signIn(test, `/console/streams/${WALL_STREAMS[0]}`);
      await page.locator(".badge", { hasText: "live" }).waitFor();
      // The live edge is gone to by rate.
      await pause(8000);
      const read = [];
      for (let n = 0; n < READINGS; n++) {
        read.push((await readPictures(page, "video.is-shown"))[0]);
        await pause(200);
      }
      const ages = read.map(({ ageMs }) => ageMs);
      assert.ok(ages.every((age) => age !== null && !Number.isNaN(age)), `pictures without a clock: ${ages.join(" ")}`);
      const off = median(read.map(({ badge, ageMs }) => Math.abs(Number(/[\d.]+/.exec(badge)[0]) * 1000 - ageMs)));
      test.notes.push(`delay ${Math.round(median(ages))} ms, ${Math.round(Math.min(...ages))} to ${Math.round(Math.max(...ages))}; badge ${Math.round(off)} ms off`);
      assert.ok(median(ages) <= DELAY_MS_MAX, `${ages.map(Math.round).join(" ")} ms`);
      assert.ok(off <= BADGE_OFF_MS_MAX, read.map(({ badge, ageMs }) => `${badge}: ${Math.round(ageMs)} ms`).join("; "));
    },
  },
];
