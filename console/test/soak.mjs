#!/usr/bin/env node
// A wall that stays open: `node test/soak.mjs [--minutes 10] [--short] [--tiles 16]`.
//
// Sixteen tiles of 640×360 at 25 frames a second, against a real server, with everything sampled every ten
// seconds. --short takes a minute and a half. One line a minute, then a summary in JSON; exit status 0 when
//
// - memory of the whole browser (PSS, after a collection of the page's garbage) grows by at most 1 MB a minute
//   after the third minute, by least squares (where there are at least two minutes of that);
// - no tile whose clock stands still for 4 s says that it is live;
// - the page reports no error and no breach of its policy.
//
// STREAMKEEP names the server binary, CHROMIUM the browser. Build first: `npm run build`.

import { Server } from "../../tests/players/server.mjs";
import { Watch, launch } from "./browser.mjs";
import { fleets } from "./fleet.mjs";
import { quantile, readPictures } from "./pixels.mjs";
import { browserBelow, cpuSeconds, kindOf, pssMb, treeOf } from "./processes.mjs";
import { serveSite } from "./site.mjs";
import { pause, signIn } from "./steps.mjs";

const SAMPLE_MS = 10_000;
const LOOK_MS = 1000;
const CAMERAS = 4;
const WARM_MINUTES = 3;
const SLOPE_MINUTES_MIN = 2;
const SLOPE_MAX = 1;
/** Of the process that draws, before anything is measured: enough that no video is spared. */
const DRAW_STALLS = 8;
const DRAW_STALL_MS = 250;
/** So long a tile may stand and say that it is live; a tile of key frames gets one in 2 s. */
const STANDS_MS_MAX = { live: 4000, key: 6000 };
/** A camera that was late itself is no fault of the page. */
const CAMERA_GAP_MS = 1000;

const argument = (name, otherwise) => {
  const at = process.argv.indexOf(name);
  return at < 0 ? otherwise : Number(process.argv[at + 1]);
};
const minutes = argument("--minutes", process.argv.includes("--short") ? 1.5 : 10);
const tileCount = argument("--tiles", 16);

/** MB a minute. */
function slopeOf(points) {
  const n = points.length;
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / n;
  const [x, y] = [mean(points.map(([x]) => x)), mean(points.map(([, y]) => y))];
  const spread = points.reduce((sum, [px]) => sum + (px - x) ** 2, 0);
  return points.reduce((sum, [px, py]) => sum + (px - x) * (py - y), 0) / spread;
}

/** Watches the clocks in the pictures: a tile that stands must not say that it is live. */
class Clocks {
  tiles = new Map();
  troubles = [];
  ages = [];
  bad = 0;

  look(read, now, cameraGapMs) {
    for (const { name, mode, stampMs, ageMs } of read) {
      const tile = this.tiles.get(name) ?? { stampMs: null, roseAt: now, isTold: false };
      this.tiles.set(name, tile);
      if (Number.isNaN(ageMs)) this.bad += 1;
      if (ageMs !== null && mode === "live") this.ages.push(ageMs);
      if (stampMs !== tile.stampMs) Object.assign(tile, { stampMs, roseAt: now, isTold: false });
      const stands = now - tile.roseAt;
      const limit = STANDS_MS_MAX[mode];
      if (limit === undefined || stands < limit || tile.isTold || cameraGapMs > CAMERA_GAP_MS) continue;
      tile.isTold = true;
      this.troubles.push(`${name} says ${mode}, and its picture stands for ${Math.round(stands)} ms`);
    }
    // Rings, not logs: this runs for hours.
    if (this.ages.length > 20_000) this.ages.splice(0, 10_000);
  }
}

async function main() {
  const names = Array.from({ length: tileCount }, (_, n) => `cam-${String(n + 1).padStart(2, "0")}`);
  const server = await Server.start();
  let site, browser, cameras = [];
  try {
    site = await serveSite(server.url, undefined, { isOne: true });
    cameras = await fleets(server, names, Math.min(CAMERAS, tileCount));
    await pause(3000);
    browser = await launch();
    const root = browserBelow(process.pid);
    const watch = await Watch.open(browser, [site.url]);
    const { page } = watch;
    const session = await page.context().newCDPSession(page);
    await signIn({ page, site, server }, `/console/wall?s=${names.join(",")}`);
    await page.waitForFunction((count) => document.querySelectorAll(".tile.is-live").length === count, tileCount, { timeout: 30_000 });

    await stallDrawing(root);

    const clocks = new Clocks();
    const samples = [];
    const begun = performance.now();
    let last = null;
    for (let next = begun; performance.now() - begun < minutes * 60_000;) {
      clocks.look(await readPictures(page, ".tile video", 900), performance.now(), Math.max(...cameras.map((camera) => camera.takeGapMs())));
      if (performance.now() >= next) {
        next += SAMPLE_MS;
        const sample = await takeSample(page, session, root, server, last);
        last = sample.total;
        samples.push({ ...sample, minute: (performance.now() - begun) / 60_000 });
        if (samples.length % 6 === 0) console.log(words(samples.slice(-6), clocks));
      }
      await pause(LOOK_MS);
    }
    const troubles = [...clocks.troubles, ...(await watch.close())];
    return summary(samples, clocks, troubles);
  } finally {
    for (const camera of cameras) camera.kill();
    await browser?.close();
    site?.close();
    await server.stop();
  }
}

/**
 * Without a GPU, Chromium shares two pictures of each video between the page and the process that draws; when
 * drawing is late once, that video gets a third, for good: 1 MB each. On a wall that comes to 16 MB at a time
 * of chance. Drawing is late for all at once here, so that what grows later is something else.
 */
async function stallDrawing(root) {
  const pids = treeOf(root).filter((pid) => kindOf(pid) === "gpu-process");
  for (let stall = 0; stall < DRAW_STALLS; stall++) {
    for (const pid of pids) process.kill(pid, "SIGSTOP");
    await pause(DRAW_STALL_MS);
    for (const pid of pids) process.kill(pid, "SIGCONT");
    await pause(DRAW_STALL_MS);
  }
}

async function takeSample(page, session, root, server, last) {
  const pids = treeOf(root);
  const now = performance.now();
  // Of pages, with what draws and decodes for them; of the server; each in seconds of a core so far.
  const total = {
    now,
    page: cpuSeconds(pids.filter((pid) => kindOf(pid) === "renderer")),
    gpu: cpuSeconds(pids.filter((pid) => kindOf(pid) === "gpu-process")),
    browser: cpuSeconds(pids),
    server: cpuSeconds([server.process.pid]),
  };
  const seconds = last ? (now - last.now) / 1000 : Infinity;
  const cores = (name) => (last ? (total[name] - last[name]) / seconds : 0);
  // What could be collected comes and goes by 20 MB, with the heap behind it.
  const heapFullMb = await heapMb(session);
  await session.send("HeapProfiler.collectGarbage");
  const parts = partsMb(pids);
  const tiles = await page.evaluate(() => [...document.querySelectorAll(".tile")].map((tile) => {
    const { totalVideoFrames, droppedVideoFrames } = tile.querySelector("video").getVideoPlaybackQuality();
    return { name: tile.dataset.stream, mode: tile.dataset.mode, frames: totalVideoFrames, dropped: droppedVideoFrames };
  }));
  return {
    total, tiles,
    partsMb: parts, pssMb: Object.values(parts).reduce((sum, mb) => sum + mb, 0), heapFullMb, heapMb: await heapMb(session), processes: pids.length,
    pageCores: cores("page"), gpuCores: cores("gpu"), browserCores: cores("browser"), serverCores: cores("server"),
  };
}

async function heapMb(session) {
  const { usedSize } = await session.send("Runtime.getHeapUsage");
  return usedSize / 2 ** 20;
}

/** Where the memory is: each kind of process, as `renderer` and `gpu-process`. */
function partsMb(pids) {
  const parts = {};
  for (const pid of pids) parts[kindOf(pid)] = (parts[kindOf(pid)] ?? 0) + pssMb([pid]);
  return parts;
}

const count = (tiles, ...modes) => tiles.filter(({ mode }) => modes.includes(mode)).length;
const mean = (samples, name) => samples.reduce((sum, sample) => sum + sample[name], 0) / samples.length;

function words(samples, clocks) {
  const { tiles, minute, pssMb, partsMb, heapMb, heapFullMb } = samples.at(-1);
  const frames = tiles.map((tile, n) => tile.frames - samples[0].tiles[n].frames);
  return [
    `minute ${Math.round(minute)}`,
    `PSS ${pssMb.toFixed(0)} MB (${Object.entries(partsMb).map(([kind, mb]) => `${kind} ${mb.toFixed(0)}`).join(", ")})`, `heap ${heapFullMb.toFixed(1)} MB, ${heapMb.toFixed(1)} collected`,
    `cores: page ${mean(samples, "pageCores").toFixed(2)}, browser ${mean(samples, "browserCores").toFixed(2)}, server ${mean(samples, "serverCores").toFixed(2)}`,
    `${count(tiles, "live")} live, ${count(tiles, "key")} key, ${count(tiles, "stale")} stale`,
    `frames a tile in 50 s ${Math.min(...frames)}–${Math.max(...frames)}`,
    `delay p50 ${Math.round(quantile(clocks.ages.slice(-900), 0.5) ?? NaN)} ms`,
  ].join(" · ");
}

function summary(samples, clocks, troubles) {
  const warm = samples.filter(({ minute }) => minute >= WARM_MINUTES).map(({ minute, pssMb }) => [minute, pssMb]);
  const hasSlope = warm.length > 1 && warm.at(-1)[0] - warm[0][0] >= SLOPE_MINUTES_MIN - SAMPLE_MS / 30_000;
  const slope = hasSlope ? slopeOf(warm) : null;
  const heap = samples.filter(({ minute }) => minute >= WARM_MINUTES).map(({ minute, heapMb }) => [minute, heapMb]);
  if (slope !== null && slope > SLOPE_MAX) troubles.push(`memory grows by ${slope.toFixed(2)} MB a minute`);
  if (clocks.bad > 0) troubles.push(`${clocks.bad} pictures without a clock`);
  const { tiles } = samples.at(-1);
  const round = (value, digits = 2) => (value === null ? null : Number(value.toFixed(digits)));
  console.log(JSON.stringify({
    minutes, tiles: tileCount, samples: samples.length,
    pssMb: { first: round(samples[0].pssMb, 0), last: round(samples.at(-1).pssMb, 0), most: round(Math.max(...samples.map(({ pssMb }) => pssMb)), 0) },
    pssSlopeMbPerMinute: round(slope), heapSlopeMbPerMinute: hasSlope ? round(slopeOf(heap)) : null,
    cores: Object.fromEntries(["page", "gpu", "browser", "server"].map((name) => [name, round(mean(samples.slice(1), `${name}Cores`))])),
    delayMs: { median: round(quantile(clocks.ages, 0.5) ?? NaN, 0), p95: round(quantile(clocks.ages, 0.95) ?? NaN, 0) },
    frames: Object.fromEntries(tiles.map(({ name, frames, dropped }) => [name, [frames, dropped]])),
    troubles,
  }, null, 2));
  return troubles.length === 0;
}

process.exitCode = (await main()) ? 0 : 1;
