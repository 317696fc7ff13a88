// What a person does, and what must be seen. `test` has page, site, server, watch.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { Camera } from "../../tests/players/camera.mjs";
import * as stamp from "../../tests/players/stamp.mjs";
import { TIMELINE_CASES } from "./cases/timeline.mjs";

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const AXE = readFileSync(new URL("../node_modules/axe-core/axe.min.js", import.meta.url), "utf8");
const REFUSED = [/status of 40[0-9]/];

export async function signIn(test, path = "/console/") {
  const { page, site, server } = test;
  await page.goto(site.url + path);
  await fillIn(page, server.credentials.accessKeyId, server.credentials.secretAccessKey);
  await page.locator(".shell").waitFor();
}

async function fillIn(page, key, secret) {
  await page.locator("input[name=key]").fill(key);
  await page.locator("input[name=secret]").fill(secret);
  await page.locator("button[type=submit]").click();
}

/** Goes to another place of the page without loading it anew: the key stays. */
export async function visit(page, path) {
  await page.evaluate((path) => {
    history.pushState(null, "", path);
    dispatchEvent(new PopStateEvent("popstate"));
  }, path);
}

const alert = (page) => page.locator("[role=alert]").first().innerText();

/** Media time moves, and the pictures with it. */
async function moves(page, seconds = 1, withinMs = 15_000) {
  await page.waitForFunction((seconds) => {
    const video = document.querySelector("video");
    if (!video || video.readyState < 2) return false;
    window.movedFrom ??= { time: video.currentTime, frames: video.getVideoPlaybackQuality().totalVideoFrames, src: video.src };
    if (window.movedFrom.src !== video.src) window.movedFrom = undefined;
    const from = window.movedFrom;
    return from && video.currentTime - from.time >= seconds && video.getVideoPlaybackQuality().totalVideoFrames - from.frames >= 10 * seconds;
  }, seconds, { timeout: withinMs });
  await page.evaluate(() => { window.movedFrom = undefined; });
}

export const CASES = [
  {
    name: "wrong keys are told apart",
    run: async ({ page, site, server, watch }) => {
      watch.allows = REFUSED;
      await page.goto(`${site.url}/console/`);
      await fillIn(page, "AKIDNOBODY", "wrong");
      assert.match(await alert(page), /does not know this access key/);
      assert.equal(await page.locator("input[name=secret]").inputValue(), "");
      await fillIn(page, server.credentials.accessKeyId, "wrong");
      await page.getByText("does not belong to this access key").waitFor();
    },
  },
  {
    name: "a clock that is off is told with both times, and signing works",
    run: async (test) => {
      const { page } = test;
      await page.addInitScript(() => {
        const Real = Date;
        const offset = 2 * 3_600_000;
        window.Date = class extends Real {
          constructor(...args) {
            super(...(args.length ? args : [Real.now() + offset]));
          }
          static now() {
            return Real.now() + offset;
          }
        };
      });
      await page.goto(`${test.site.url}/console/`);
      const words = await page.locator(".notice.warn").innerText();
      assert.match(words, /2 h apart|1 h 59 m apart/);
      assert.equal(words.match(/\d\d:\d\d:\d\d/g)?.length, 2);
      await signIn(test);
    },
  },
  {
    name: "a page that is not secure says why",
    run: async ({ page, site, watch }) => {
      watch.allows = [/Cross-Origin-Opener-Policy header has been ignored/];
      await page.goto(`http://console.test:${site.port}/console/`);
      await page.getByText("This connection is not secure").waitFor();
      assert.equal(await page.locator("input").count(), 0);
      assert.match(await page.locator("pre").innerText(), /--tls-listen/);
    },
  },
  {
    name: "a sign-in link is used once and leaves the URL",
    run: async ({ page, site, watch }) => {
      watch.allows = REFUSED;
      await page.goto(`${site.url}/console/streams?q=gate#signin=wrong`);
      assert.match(await alert(page), /used already or has expired/);
      await page.goto("about:blank");
      await page.goto(`${site.url}/console/streams?q=gate#signin=good-token`);
      await page.locator(".shell").waitFor();
      assert.equal(page.url(), `${site.url}/console/streams?q=gate`);
      assert.equal(await page.evaluate(() => JSON.stringify([localStorage, sessionStorage]).includes("wJalr")), false);
    },
  },
  {
    name: "first run shows three doors; a stream is created",
    run: async (test) => {
      const { page } = test;
      await signIn(test);
      await page.getByText("No streams yet").waitFor();
      assert.equal(await page.locator(".door").count(), 3);
      assert.ok((await page.locator(".doors").innerText()).includes(test.server.url));
      await page.keyboard.press("n");
      await page.locator("dialog input").first().fill("gate 3");
      assert.equal(await page.locator("dialog button[type=submit]").isEnabled(), false);
      await page.locator("dialog input").first().fill("gate-3");
      await page.getByLabel("Site").fill("north");
      await page.locator("dialog button[type=submit]").click();
      await page.getByText("Nothing has arrived yet").waitFor();
      assert.match(page.url(), /\/console\/streams\/gate-3$/);
    },
  },
  {
    name: "the first fragment turns the page into a picture; the badge tells the truth",
    run: async (test) => {
      const { page } = test;
      await signIn(test, "/console/streams/gate-3");
      await page.getByText("Nothing has arrived yet").waitFor();
      test.camera = new Camera(test.server, "gate-3", { audio: true });
      const begun = Date.now();
      await moves(page, 1, 40_000);
      test.notes.push(`picture ${((Date.now() - begun) / 1000).toFixed(1)} s after the camera was switched on`);
      await pause(6000);
      await page.locator(".badge").click();
      const seen = await pictureAges(page);
      const badge = await page.locator(".badge").innerText();
      const told = Number(/live ([\d.]+) s/.exec(badge)?.[1]) * 1000;
      test.notes.push(`badge "${badge.trim().replace(/\s+/g, " ")}", by the stamp in the picture ${seen.map((ms) => Math.round(ms)).join(", ")} ms`);
      assert.ok(told > 0 && told < 3000, badge);
      const stats = await page.locator(".stats").innerText();
      assert.match(stats, /LL-HLS/);
      assert.match(stats, /640×360/);
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
    name: "axe finds nothing, in both themes",
    run: async (test) => {
      const { page, site } = test;
      const found = [];
      const look = async (what) => {
        for (const colorScheme of ["dark", "light"]) {
          await page.emulateMedia({ colorScheme });
          await pause(200);
          await page.evaluate(AXE);
          const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
          for (const { id, nodes } of violations) {
            found.push(`${what}, ${colorScheme}: ${id}: ${nodes.slice(0, 3).map((node) => node.target.join(" ")).join(", ")}`);
          }
        }
      };
      await page.goto(`${site.url}/console/`);
      await page.locator("input[name=key]").waitFor();
      await look("sign-in");
      await signIn(test);
      await page.locator(".stream-row img").waitFor();
      await look("list");
      await page.keyboard.press("n");
      await page.locator("dialog").waitFor();
      await look("create");
      await page.keyboard.press("Escape");
      await visit(page, "/console/settings");
      await page.locator(".settings").waitFor();
      await look("settings");
      await visit(page, "/console/streams/gate-3");
      await moves(page);
      await look("stream");
      await page.locator(".badge").click();
      await page.getByRole("tab", { name: "Lab" }).click();
      await look("stats and Lab");
      await page.getByRole("tab", { name: "Details" }).click();
      await page.getByRole("button", { name: "More" }).click();
      await look("details and menu");
      assert.deepEqual(found, []);
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
      test.camera = new Camera(test.server, "gate-3", { audio: true });
      const again = Date.now();
      await page.locator(".player:not(.is-stale) .badge", { hasText: "live" }).waitFor({ timeout: 30_000 });
      await moves(page, 1, 20_000);
      test.notes.push(`back ${((Date.now() - again) / 1000).toFixed(1)} s after it was switched on again`);
      test.camera.kill();
    },
  },
  {
    name: "denied: a stream is opened by name",
    run: async (test) => {
      const { page, watch } = test;
      watch.allows = REFUSED;
      await fault(page, "**/listStreams", 403, "AccessDeniedException", "User is not authorized to perform: kinesisvideo:ListStreams");
      await signIn(test);
      assert.match(await alert(page), /may not do that/);
      assert.match(await alert(page), /AccessDeniedException/);
      await page.locator(".centre input").fill("gate-3");
      await page.keyboard.press("Enter");
      await page.locator(".stream-page").waitFor();
    },
  },
  {
    name: "an error names its exception and request, and is tried again",
    run: async (test) => {
      const { page, watch } = test;
      watch.allows = [/status of 500/, /status of 404/];
      await signIn(test);
      await page.locator(".stream-row").waitFor();
      await fault(page, "**/describeStream", 500, "InternalFailure", "The request failed because of an internal error.");
      await visit(page, "/console/streams/gate-3");
      assert.match(await alert(page), /InternalFailure[\s\S]*r-e2e/);
      await page.unroute("**/describeStream");
      await page.getByRole("button", { name: "Retry" }).click();
      await page.locator(".stream-page").waitFor();
      await visit(page, "/console/streams/nobody");
      await page.getByText("There is no stream nobody").waitFor();
    },
  },
  {
    name: "offline: a banner counts, reads stay, writes wait; back again by itself",
    run: async (test) => {
      const { page, watch } = test;
      watch.allows = [/ERR_INTERNET_DISCONNECTED|ERR_FAILED/];
      await signIn(test);
      await page.locator(".stream-row").waitFor();
      await page.context().setOffline(true);
      await page.locator(".banner").waitFor({ timeout: 20_000 });
      assert.match(await page.locator(".banner").innerText(), /Last answer at \d\d:\d\d:\d\d/);
      assert.equal(await page.locator(".stream-row").count(), 1);
      assert.equal(await page.getByRole("button", { name: "Create stream" }).isEnabled(), false);
      await page.context().setOffline(false);
      await page.locator(".banner").waitFor({ state: "detached", timeout: 20_000 });
    },
  },
  {
    name: "ten thousand streams: at most 60 rows in the page",
    run: async (test) => {
      const { page } = test;
      // So many cannot be made in a test's time: the list alone is made up.
      await page.route("**/listStreams", async (route) => {
        const { NextToken, MaxResults } = JSON.parse(route.request().postData());
        const from = Number(NextToken ?? 0);
        const count = Math.min(MaxResults ?? 1000, 1000);
        await route.fulfill({
          headers: { "access-control-allow-origin": "*" },
          json: {
            StreamInfoList: Array.from({ length: count }, (_, n) => made(from + n)),
            NextToken: from + count < 10_000 && MaxResults !== 1 ? String(from + count) : null,
          },
        });
      });
      watchAllowsNotFound(test);
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
  ...TIMELINE_CASES,
];

function watchAllowsNotFound({ watch }) {
  watch.allows = [/status of 404/];
}

const made = (n) => ({
  StreamName: `camera-${n}`, StreamARN: `arn:aws:kinesisvideo:us-west-2:000000000000:stream/camera-${n}/1`,
  DeviceName: null, MediaType: null, KmsKeyId: "", Version: "1", Status: "ACTIVE", CreationTime: 1_795_000_000,
  DataRetentionInHours: 24,
});

export async function fault(page, pattern, status, exception, message) {
  await page.route(pattern, (route) => route.fulfill({
    status,
    headers: {
      "access-control-allow-origin": "*",
      "access-control-expose-headers": "x-amzn-ErrorType, x-amzn-RequestId",
      "x-amzn-errortype": exception,
      "x-amzn-requestid": "r-e2e",
    },
    json: { message },
  }));
}

/** How old the pictures on the screen are, by the clock in them, in milliseconds. */
async function pictureAges(page) {
  const rows = await page.evaluate(readPictures, { width: stamp.WIDTH, height: stamp.HEIGHT });
  return rows.map(({ at, data }) => {
    const ms = stamp.read(data);
    return ms === null ? NaN : (((at - ms) % 2 ** 32) + 2 ** 32) % 2 ** 32;
  });
}

/** In the page: the strip with the clock, of five pictures, and when each was shown. */
async function readPictures({ width, height }) {
  const video = document.querySelector("video");
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const rows = [];
  for (let n = 0; n < 5; n++) {
    const metadata = await new Promise((resolve) => video.requestVideoFrameCallback((_now, data) => resolve(data)));
    context.drawImage(video, 0, 0, width, height, 0, 0, width, height);
    rows.push({ at: performance.timeOrigin + metadata.expectedDisplayTime, data: [...context.getImageData(0, 0, width, height).data] });
  }
  return rows;
}
