#!/usr/bin/env node
// The console in a browser, against a real server with a real camera:
// `node test/run.mjs [--only TEXT] [--short] [--again] [--list] [--shots [TEXT]]`.
//
// One line per case, at the end `N passed, N failed`; exit status 0 when none failed. --shots takes
// pictures of every screen into test/.shots instead. --short hides a page for 15 s and not for 60,
// and lingers less. --again runs what failed once more at the end, and counts that: pictures are judged on a
// machine that does other things too. A case fails too when the browser logs an error, reports a breach of the page's
// policy, or asks any other host.
//
// STREAMKEEP names the server binary, CHROMIUM the browser. Build first: `npm run build`.

import assert from "node:assert/strict";
import { Camera } from "../../tests/players/camera.mjs";
import { Server } from "../../tests/players/server.mjs";
import { Watch, launch } from "./browser.mjs";
import { CASES } from "./cases.mjs";
import { WALL_STREAMS } from "./cases/wall.mjs";
import { fleets } from "./fleet.mjs";
import { takeShots } from "./shots.mjs";
import { serveSite } from "./site.mjs";
import { pause } from "./steps.mjs";

/** Encoders behind the streams of the wall. */
const CAMERAS = 4;

const argument = (name) => {
  const at = process.argv.indexOf(name);
  return at < 0 ? undefined : process.argv[at + 1];
};
const only = argument("--only");
const wantsShots = process.argv.includes("--shots");
const chosen = CASES.filter(({ name }) => !only || name.includes(only));

/** What a case needs, whichever cases were run before it. What it does not need is off: it takes time from others. */
async function prepare(test, { needs = "camera" }) {
  const { server } = test;
  if (needs !== "wall") {
    for (const fleet of test.wall ?? []) fleet.kill();
    test.wall = undefined;
  }
  if (needs !== "camera") test.camera?.kill();
  if (needs === "wall" && !test.wall) {
    test.wall = await fleets(server, WALL_STREAMS, CAMERAS);
    await pause(3000);
  }
  if (needs === "camera" && !test.camera?.isOn) {
    await server.call("CreateStream", { StreamName: "gate-3", DataRetentionInHours: 24, Tags: { site: "north" } })
      .catch(({ kind }) => assert.equal(kind, "ResourceInUseException"));
    test.camera = new Camera(server, "gate-3", { audio: "aac" });
    await pause(8000);
  }
}

async function runCase(test, one) {
  const { name, run } = one;
  await prepare(test, one);
  const begun = Date.now();
  test.notes = [];
  test.watch = await Watch.open(test.browser, test.origins);
  test.page = test.watch.page;
  const broken = [];
  try {
    await run(test);
  } catch (error) {
    broken.push(error.stack ?? String(error));
    await test.page.screenshot({ path: new URL(`.shots/failed.png`, import.meta.url).pathname }).catch(() => {});
  }
  broken.push(...(await test.watch.close()));
  const seconds = ((Date.now() - begun) / 1000).toFixed(0);
  console.log(`${broken.length ? "FAILED" : "ok    "} ${name} (${seconds} s)`);
  for (const note of test.notes) console.log(`         ${note}`);
  for (const reason of broken) console.log(`         ${reason}`);
  return broken.length === 0;
}

async function main() {
  if (process.argv.includes("--list")) {
    for (const { name } of CASES) console.log(name);
    return true;
  }
  const server = await Server.start();
  const test = { server, isShort: process.argv.includes("--short") };
  let site;
  try {
    const { accessKeyId, secretAccessKey } = server.credentials;
    site = await serveSite(server.url, (token) => (token === "good-token" ? { accessKeyId, secretAccessKey } : null));
    test.site = site;
    test.browser = await launch();
    test.origins = [site.url, server.url, `http://console.test:${site.port}`];
    if (wantsShots) {
      await prepare(test, {});
      await server.call("CreateStream", { StreamName: "hall", DataRetentionInHours: 168, Tags: { site: "south" } });
      const shot = argument("--shots");
      const troubles = await takeShots(test, test.browser, test.origins, shot?.startsWith("--") ? undefined : shot);
      for (const trouble of troubles) console.log(trouble);
      return troubles.length === 0;
    }
    const run = async (cases) => {
      const failed = [];
      for (const one of cases) if (!(await runCase(test, one))) failed.push(one);
      return failed;
    };
    let failed = await run(chosen);
    if (process.argv.includes("--again")) failed = await run(failed);
    console.log(`${chosen.length - failed.length} passed, ${failed.length} failed`);
    return failed.length === 0;
  } finally {
    await prepare(test, { needs: "nothing" });
    await test.browser?.close();
    site?.close();
    await server.stop();
  }
}

process.exitCode = (await main()) ? 0 : 1;
