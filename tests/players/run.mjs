#!/usr/bin/env node
// Browsers' players against the server:
// `node run.mjs [--short] [--busy] [--only TEXT] [--list] [--verbose] [--keep]`.
//
// hls.js, Shaka Player and dash.js in a headless Chromium play recordings and live cameras; the
// clock drawn into each picture says what was really on the screen. One line per case, at the end
// `N passed, N failed`; exit status 0 when none failed. The short form leaves cases out and plays
// live for 15 s instead of 60; --busy is for a machine that does other things too: delays are told
// and not judged, and a case that failed is run once more; --only takes the cases whose name holds the text; --verbose prints
// all that was seen; --keep leaves the server's directory.
//
// STREAMKEEP names the server binary, CHROMIUM the browser, CHECK_PLAYLIST the playlist checker.

import { existsSync, mkdirSync } from "node:fs";
import path from "node:path";
import { chromium } from "playwright-core";
import { Camera, FRAME_RATE, record } from "./camera.mjs";
import { CASES } from "./cases.mjs";
import { servePages } from "./pages.mjs";
import { Recorder, checker } from "./playlists.mjs";
import { Server } from "./server.mjs";

const FLAGS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
  "--autoplay-policy=no-user-gesture-required",
];

const argument = (name) => {
  const at = process.argv.indexOf(name);
  return at < 0 ? undefined : process.argv[at + 1];
};
const isShort = process.argv.includes("--short");
const isBusy = process.argv.includes("--busy");
const only = argument("--only");
// A case that is named runs in the short form too.
const chosen = CASES.filter(({ name, isLong }) => only ? name.includes(only) : !(isShort && isLong));

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

class Context {
  constructor(server, pages, browser) {
    Object.assign(this, { server, pages, browser });
    /** Whether a delay above its goal is a failure. */
    this.judgesTimes = !isBusy;
    this.liveSeconds = isShort ? 15 : 60;
    /** Presses of play of which the median counts. */
    this.rounds = 5;
    this.recordings = {};
    this.cameras = new Map();
    this.lists = 0;
    /** Slow requests of the page played last. */
    this.slow = [];
  }

  async makeRecordings() {
    const length = isShort ? 8 : 20; // whole fragments, also of its half
    this.recordings.plain = await this.#recording("plain", { bFrames: false }, [[0, length]]);
    this.recordings.bFrames = await this.#recording("b-frames", { bFrames: true }, [[0, length]]);
    const half = length / 2;
    this.recordings.gap = await this.#recording("gap", { bFrames: false }, [[0, half], [half + 5, half]]);
  }

  /** `parts` are [after, length] in seconds: each is a run of the camera. */
  async #recording(stream, kind, parts) {
    const start = Math.floor(Date.now() / 1000) * 1000 - 600_000;
    await this.server.call("CreateStream", { StreamName: stream, DataRetentionInHours: 2 });
    let seconds = 0;
    for (const [index, [after, length]] of parts.entries()) {
      const file = path.join(this.server.directory, `${stream}-${index}.mkv`);
      const firstMs = start + after * 1000;
      await record(file, { seconds: length, firstMs, bFrames: kind.bFrames, audio: "aac" });
      await this.server.run(["put", stream, file, "--start", String(firstMs / 1000)]);
      seconds += length;
    }
    return { stream, start, end: start + 60_000, seconds, gapMs: 5000 };
  }

  /** The stream of a live camera; it was switched on when it was first asked for. */
  async camera(bFrames) {
    const stream = bFrames ? "live-b-frames" : "live";
    if (!this.cameras.has(stream)) {
      for (const camera of this.cameras.values()) camera.kill(); // two cores: one camera at a time
      await this.server.call("CreateStream", { StreamName: stream, DataRetentionInHours: 2 });
      this.cameras.set(stream, new Camera(this.server, stream, { bFrames, audio: "aac" }));
      await pause(9_000); // a list of some fragments to begin with
    }
    return stream;
  }

  /** Calls a function of the page that has the AWS SDK. */
  async sdk(name, credentials, stream) {
    const page = await this.browser.newPage();
    try {
      await page.goto(`${this.pages.url}/sdk.html`);
      await page.waitForFunction(() => window.isReady === true);
      return await page.evaluate(([name, ...rest]) => window[name](...rest), [name, credentials, stream]);
    } finally {
      await page.close();
    }
  }

  /** Plays in a page of its own; the last report. */
  async play({ player, url, live = false, lowLatency = false, until, patienceSeconds }) {
    const page = await this.browser.newPage();
    const directory = path.join(this.server.directory, `lists-${this.lists++}`);
    mkdirSync(directory);
    const recorder = new Recorder(page, directory);
    const troubles = [];
    page.on("pageerror", (error) => troubles.push(`page: ${error.message}`));
    try {
      await page.goto(`${this.pages.url}/player.html`);
      await page.waitForFunction(() => window.isReady === true);
      await pause(300); // the page has settled
      const pressedAt = Date.now();
      const options = {
        player, live, lowLatency, pressedAt, fragmentSeconds: 2, url: await url(),
      };
      await page.evaluate((options) => { window.play(options); }, options);
      const deadline = Date.now() + patienceSeconds * 1000;
      let report;
      for (;;) {
        // Delays count once playback has found its place.
        const since = pressedAt + 5_000;
        report = await page.evaluate((since) => window.monitor.report(since), since);
        report.watchedMs = report.firstPictureMs === null
          ? 0 : Date.now() - pressedAt - report.firstPictureMs;
        if (until(report) || Date.now() > deadline) break;
        await pause(100);
      }
      report.errors.push(...troubles, ...recorder.failures);
      this.slow = recorder.slow;
      report.errors.push(...(await recorder.findings()).map((line) => `playlist: ${line}`));
      if (process.argv.includes("--verbose")) console.log(JSON.stringify(report, null, 1));
      return { report };
    } finally {
      await page.close();
    }
  }
}

async function runCase(context, { name, run }) {
  const begun = Date.now();
  let outcome;
  try {
    outcome = await run(context);
  } catch (error) {
    outcome = { expect: { broken: [error.stack ?? String(error)] } };
  }
  const { expect, says } = outcome;
  const passed = expect.broken.length === 0;
  const took = ((Date.now() - begun) / 1000).toFixed(0);
  console.log(`${passed ? "ok    " : "FAILED"} ${name} (${took} s)${says ? `: ${says}` : ""}`);
  for (const reason of expect.broken) console.log(`         ${reason}`);
  for (const reason of expect.late ?? []) console.log(`         late: ${reason}`);
  if (!passed) for (const line of context.slow.slice(0, 10)) console.log(`         slow: ${line}`);
  return passed;
}

async function main() {
  if (process.argv.includes("--list")) {
    for (const { name } of chosen) console.log(name);
    return true;
  }
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  if (!existsSync(executablePath)) throw new Error(`no browser at ${executablePath}`);
  if (!checker()) console.log("note: no playlist checker is built, lists are not checked");
  const server = await Server.start();
  let pages, browser, context;
  try {
    pages = await servePages();
    browser = await chromium.launch({ executablePath, headless: true, args: FLAGS });
    console.log(`Chromium ${browser.version()}, ${FRAME_RATE} frames/s`);
    context = new Context(server, pages, browser);
    await context.makeRecordings();
    let failed = 0;
    for (const one of chosen) {
      const passed = (await runCase(context, one)) || (isBusy && (await runCase(context, one)));
      failed += passed ? 0 : 1;
    }
    const alarms = server.log().split("\n").filter((line) => /\b(ERROR|panicked)\b/.test(line));
    for (const line of alarms.slice(0, 10)) console.log(`server: ${line}`);
    console.log(`${chosen.length - failed} passed, ${failed} failed`);
    return failed === 0 && alarms.length === 0;
  } finally {
    for (const camera of context?.cameras.values() ?? []) camera.kill();
    await browser?.close();
    pages?.close();
    await server.stop({ keep: process.argv.includes("--keep") });
  }
}

process.exitCode = (await main()) ? 0 : 1;
