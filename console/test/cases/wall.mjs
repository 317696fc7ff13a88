// The wall: sixteen tiles with real cameras, and what happens to them.

import assert from "node:assert/strict";
import { Fleet } from "../fleet.mjs";
import { median, quantile, readPictures } from "../pixels.mjs";
import { start, stop } from "../server.mjs";
import { Steps, pause, signIn } from "../steps.mjs";

const TILES = 16;
/** Behind the camera, by the clock in the picture. */
const DELAY_MS_MAX = 700;
const BADGE_OFF_MS_MAX = 100;
const READINGS = 60;
const STALE_MS_MAX = 4000;
const BACK_MS_MAX = 3000;
const EDGE_MS_MAX = 2000;
/** A tile that says it is live has a new picture at least this often; of key frames there is one in 2 s. */
const STANDS_MS_MAX = { live: 4000, key: 6000 };

export const WALL_STREAMS = Array.from({ length: TILES }, (_, n) => `cam-${String(n + 1).padStart(2, "0")}`);
const wallOf = (names, layout) => `/console/wall/${layout}?s=${names.join(",")}`;
const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`;

async function allLive(page, count) {
  const begun = Date.now();
  await page.waitForFunction((count) => document.querySelectorAll(".tile.is-live").length === count, count, { timeout: 20_000 });
  return Date.now() - begun;
}

/** Four tiles of different cameras. */
const FOUR = [0, 5, 10, 15].map((n) => WALL_STREAMS[n]);

/** What the tiles look like now. */
function look(page) {
  return page.evaluate(() => [...document.querySelectorAll(".tile")].map((tile) => ({
    name: tile.dataset.stream,
    mode: tile.dataset.mode,
    isGrey: getComputedStyle(tile.querySelector("video")).filter.includes("grayscale"),
    badge: tile.querySelector(".tile-badge")?.textContent ?? "",
    trouble: tile.querySelector(".tile-trouble")?.innerText ?? "",
  })));
}

const looksLive = ({ mode, isGrey }) => mode === "live" || mode === "key" || !isGrey;

/** How long until a tile does not look live any more. */
async function stillLive(page, name, begun, withinMs) {
  for (;;) {
    const tile = (await look(page)).find((tile) => tile.name === name);
    const after = Date.now() - begun;
    if (!looksLive(tile)) return after;
    assert.ok(after <= withinMs, `${name} looks ${tile.mode} ${after} ms later: ${tile.badge}`);
    await pause(50);
  }
}

/** How old a picture may be at the live edge; of key frames there is one in 2 s. */
const FRESH_MS_MAX = { live: 1000, key: 3000 };

/** How long until these tiles look live, and their pictures are. */
async function untilFresh(page, names, begun, withinMs) {
  for (;;) {
    const read = await readPictures(page, ".tile video", 300);
    const late = read.filter(({ name, mode, ageMs }) => names.includes(name) && !(ageMs !== null && ageMs <= FRESH_MS_MAX[mode]));
    const after = Date.now() - begun;
    if (late.length === 0) return after;
    assert.ok(after <= withinMs, `after ${after} ms ${late.map((tile) => `${tile.name} is ${tile.mode}, ${tile.ageMs} ms old`).join("; ")}`);
  }
}

/** As the browser tells a page that it is hidden or shown. */
function setHidden(page, isHidden) {
  return page.evaluate((isHidden) => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => isHidden });
    Object.defineProperty(document, "visibilityState", { configurable: true, get: () => (isHidden ? "hidden" : "visible") });
    document.dispatchEvent(new Event("visibilitychange"));
  }, isHidden);
}

export default [
  {
    name: "wall: sixteen tiles play, each tile's pictures go on",
    needs: "wall",
    run: async (test) => {
      const { page } = test;
      await signIn(test, wallOf(WALL_STREAMS, "4x4"));
      test.notes.push(`all live after ${seconds(await allLive(page, TILES))}`);
      const tiles = new Map(WALL_STREAMS.map((name) => [name, { stampMs: -1, frames: -1, roseAt: Date.now(), steps: 0, rises: 0 }]));
      const ages = [];
      for (const until = Date.now() + 20_000; Date.now() < until; await pause(1000)) {
        for (const { name, mode, frames, stampMs, ageMs } of await readPictures(page, ".tile video")) {
          const tile = tiles.get(name);
          assert.ok(mode === "live" || mode === "key", `${name}: ${mode}`);
          assert.ok(!Number.isNaN(ageMs), `${name}: a picture without a clock`);
          if (mode === "live") tile.steps += 1;
          else tile.isKey = true;
          if (stampMs > tile.stampMs && frames > tile.frames) {
            Object.assign(tile, { stampMs, frames, roseAt: Date.now() });
            if (mode === "live") tile.rises += 1;
          }
          if (mode === "live" && ageMs !== null) ages.push(ageMs);
          assert.ok(Date.now() - tile.roseAt < STANDS_MS_MAX[mode], `${name} looks ${mode} and stands still`);
        }
      }
      const keys = [...tiles].filter(([, { isKey }]) => isKey).map(([name]) => name);
      for (const [name, { steps, rises }] of tiles) assert.ok(rises >= 0.8 * steps, `${name}: new pictures ${rises} times of ${steps}`);
      // A machine that is busy with other things takes one tile down at a time.
      assert.ok(keys.length <= 4, `key frames only: ${keys.join(", ")}`);
      if (keys.length > 0) test.notes.push(`this machine was too slow for all frames of ${keys.join(", ")}`);
      assert.match(await page.locator(".wall-counts").innerText(), /16 live/);
      test.notes.push(`${ages.length} readings: median ${Math.round(median(ages))} ms, p95 ${Math.round(quantile(ages, 0.95))} ms`);
    },
  },
  {
    name: "wall: the delay by the clock in the picture, and the badge agrees",
    needs: "wall",
    run: async (test) => {
      const { page } = test;
      await signIn(test, wallOf(FOUR, "2x2"));
      await allLive(page, FOUR.length);
      await pause(5000);
      const read = [];
      while (read.length < READINGS) {
        read.push(...await readPictures(page, ".tile video"));
        await pause(200 + Math.random() * 150);
      }
      const bad = read.filter(({ ageMs }) => ageMs === null || Number.isNaN(ageMs));
      assert.equal(bad.length, 0, `${bad.length} pictures without a clock`);
      const ages = read.map(({ ageMs }) => ageMs);
      const told = read.map(({ badge }) => Number(/([\d.]+) s/.exec(badge)?.[1]) * 1000);
      const offOf = (name) => test.wall.find(({ streams }) => streams.includes(name)).clockOffMs;
      const off = told.map((ms, n) => ms - ages[n] - offOf(read[n].name));
      test.notes.push(
        `${read.length} readings: median ${Math.round(median(ages))} ms, p95 ${Math.round(quantile(ages, 0.95))} ms; ` +
        `badge minus picture: median ${Math.round(median(off))} ms, ${Math.round(quantile(off, 0.05))} to ${Math.round(quantile(off, 0.95))} ms`,
      );
      assert.ok(median(ages) <= DELAY_MS_MAX, `${median(ages)} ms`);
      for (const name of FOUR) {
        const own = off.filter((_, n) => read[n].name === name);
        assert.ok(Math.abs(median(own)) <= BADGE_OFF_MS_MAX, `${name}: the badge is off by ${median(own)} ms`);
      }
    },
  },
  {
    name: "wall: a camera that dies is grey soon, and back soon",
    needs: "wall",
    run: async (test) => {
      const { page, server } = test;
      const name = FOUR[3];
      await signIn(test, wallOf(FOUR, "2x2"));
      await allLive(page, FOUR.length);
      await pause(2000);
      test.wall.find(({ streams }) => streams.includes(name)).signal(name, "SIGKILL");
      const dead = Date.now();
      const stale = await stillLive(page, name, dead, STALE_MS_MAX);
      for (const until = Date.now() + 6000; Date.now() < until; await pause(100)) {
        for (const tile of await look(page)) assert.equal(looksLive(tile), tile.name !== name, `${tile.name} is ${tile.mode}`);
      }
      assert.match(await page.locator(".wall-counts").innerText(), /3 live[^]*1 (stale|down)/);
      test.wall.push(new Fleet(server, [name]));
      const back = await untilFresh(page, [name], Date.now(), BACK_MS_MAX);
      test.notes.push(`grey after ${seconds(stale)}, back ${seconds(back)} after it was switched on again`);
    },
  },
  {
    name: "wall: a camera that hangs is grey soon, and back at the edge",
    needs: "wall",
    run: async (test) => {
      const { page } = test;
      const name = FOUR[1];
      await signIn(test, wallOf(FOUR, "2x2"));
      await allLive(page, FOUR.length);
      await pause(2000);
      const fleet = test.wall.find(({ streams }) => streams.includes(name));
      try {
        fleet.signal(name, "SIGSTOP");
        // What was on the way is still shown; nothing new for 3 s is old.
        const stale = await stillLive(page, name, Date.now(), STALE_MS_MAX + 1000);
        await pause(5000);
        assert.ok(!looksLive((await look(page)).find((tile) => tile.name === name)));
        fleet.signal(name, "SIGCONT");
        const back = await untilFresh(page, [name], Date.now(), BACK_MS_MAX);
        test.notes.push(`grey after ${seconds(stale)}, back ${seconds(back)} after it went on`);
      } finally {
        fleet.signal(name, "SIGCONT");
      }
    },
  },
  {
    name: "wall: enlarged by one step and back by one, to the same place",
    needs: "wall",
    run: async (test) => {
      const { page } = test;
      const name = FOUR[2];
      await signIn(test, wallOf(FOUR, "2x2"));
      await allLive(page, FOUR.length);
      const tile = page.locator(`.tile[data-stream="${name}"]`);
      const before = await tile.boundingBox();
      const grid = await page.locator(".wall-grid").boundingBox();
      const url = page.url();
      const steps = new Steps(page);
      const check = async (enlarge) => {
        const from = steps.count;
        await enlarge();
        await page.locator(`.tile.is-enlarged[data-stream="${name}"]`).waitFor();
        assert.deepEqual(await tile.boundingBox(), grid);
        assert.equal(new URL(page.url()).searchParams.get("tile"), name);
        await untilFresh(page, [name], Date.now(), 2000);
        assert.equal(steps.count - from, 1);
        await steps.press("Escape");
        await page.locator(".tile.is-enlarged").waitFor({ state: "detached" });
        assert.deepEqual(await tile.boundingBox(), before);
        assert.equal(page.url(), url);
        assert.equal(steps.count - from, 2);
        // It is where the keys go on from.
        assert.equal(await page.evaluate(() => document.activeElement?.closest(".tile")?.dataset.stream), name);
        await untilFresh(page, FOUR, Date.now(), 2000);
      };
      await check(() => steps.doubleClick(tile.locator(".tile-hit")));
      await check(() => steps.press("Enter"));
    },
  },
  {
    name: "wall: a page that was hidden is at the live edge when it is shown again",
    needs: "wall",
    run: async (test) => {
      const { page } = test;
      const sockets = [];
      page.on("websocket", (socket) => sockets.push(socket));
      await signIn(test, wallOf(FOUR, "2x2"));
      await allLive(page, FOUR.length);
      await pause(2000);
      await setHidden(page, true);
      await pause(test.isShort ? 15_000 : 60_000);
      const rest = await page.evaluate(() => [...document.querySelectorAll(".tile video")].map((video) => video.src));
      assert.deepEqual(rest, FOUR.map(() => ""), "decoders are kept");
      await setHidden(page, false);
      const shown = Date.now();
      // Nothing of before may pass for live.
      for (const tile of await look(page)) assert.notEqual(tile.mode, "live", tile.name);
      const after = await untilFresh(page, FOUR, shown, EDGE_MS_MAX);
      for (const { rate } of await readPictures(page, ".tile video")) assert.ok(rate <= 1.1, `rate ${rate}`);
      test.notes.push(`at the edge ${seconds(after)} after it was shown; connections: ${sockets.length}`);
    },
  },
  {
    name: "wall: a server that restarts: grey, a banner, and back by itself",
    needs: "wall",
    run: async (test) => {
      const { page, watch, server } = test;
      watch.allows = [/ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|WebSocket connection to|ERR_EMPTY_RESPONSE|status of 503/];
      await signIn(test, wallOf(FOUR, "2x2"));
      await allLive(page, FOUR.length);
      await pause(2000);
      await stop(server);
      const gone = Date.now();
      for (const name of FOUR) await stillLive(page, name, gone, STALE_MS_MAX);
      const grey = Date.now() - gone;
      await page.locator(".wall-notice, .banner").first().waitFor({ timeout: 5000 });
      test.notes.push(`grey after ${seconds(grey)}: ${(await page.locator(".wall-notice, .banner").first().innerText()).replace(/\s+/g, " ")}`);
      for (const until = gone + 6000; Date.now() < until; await pause(100)) {
        for (const tile of await look(page)) assert.ok(!looksLive(tile), `${tile.name} is ${tile.mode}`);
      }
      await start(server);
      const back = await untilFresh(page, FOUR, Date.now(), 20_000);
      await page.locator(".wall-notice, .banner").first().waitFor({ state: "detached", timeout: 10_000 });
      test.notes.push(`back ${seconds(back)} after the server was`);
    },
  },
  {
    name: "wall: a denied tile has a lock and names the action that is missing",
    needs: "wall",
    run: async (test) => {
      const { page } = test;
      const name = FOUR[1];
      await page.routeWebSocket(/openLive/, (socket) => {
        const server = socket.connectToServer();
        socket.onMessage((text) => {
          const { op, tile, stream } = JSON.parse(text);
          if (op !== "open" || stream !== name) return server.send(text);
          socket.send(JSON.stringify({
            tile, is: "denied", name: "AccessDeniedException",
            text: `User: arn:aws:iam::000000000000:user/guard is not authorized to perform: kinesisvideo:GetMedia on resource: ${name}`,
          }));
        });
      });
      await signIn(test, wallOf(FOUR, "2x2"));
      const tile = page.locator(`.tile[data-stream="${name}"]`);
      await page.locator(`.tile.is-denied[data-stream="${name}"]`).waitFor();
      await allLive(page, FOUR.length - 1);
      assert.match(await tile.innerText(), /kinesisvideo:GetMedia is missing[^]*AccessDeniedException/);
      assert.equal(await tile.locator(".tile-trouble > svg").count(), 1);
      assert.equal(await tile.locator("video").isVisible(), false);
      assert.match(await page.locator(".wall-counts").innerText(), /3 live[^]*1 down/);
      // It does not try for ever by itself; a press does.
      await tile.getByRole("button", { name: "Retry" }).waitFor();
    },
  },
];
