// Finding a moment and handing it over: export, palette, filters, renewed sessions, fragments.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import path from "node:path";
import { Camera } from "../../../tests/players/camera.mjs";
import * as stamp from "../../../tests/players/stamp.mjs";
import { axe } from "../axe.mjs";
import { Steps, fault, pause, signIn, tenThousandStreams, visit } from "../steps.mjs";

/** A camera at gate-3 that is on while `run` goes; by then it has sent for so long. */
async function withCamera(test, run, seconds = 12) {
  const own = test.camera?.isOn ? null : new Camera(test.server, "gate-3", { audio: "aac" });
  try {
    const begun = (own ?? test.camera).begunAt ?? Date.now();
    await pause(Math.max(0, begun + seconds * 1000 - Date.now()));
    await run();
  } finally {
    own?.kill();
  }
}

async function plays(page, seconds = 0.5) {
  const from = await page.evaluate(() => document.querySelector("video.is-shown, video")?.currentTime ?? 0);
  await page.waitForFunction(({ from, seconds }) => {
    const video = document.querySelector("video.is-shown, video");
    return video && video.readyState >= 2 && Math.abs(video.currentTime - from) >= seconds;
  }, { from, seconds }, { timeout: 20_000 });
}

const playhead = async (page) => Number(await page.locator(".timeline-slot").getAttribute("data-playhead"));
const iso = (ms) => new Date(ms).toISOString();

/** The clocks in the pictures of a file that a player shows, in milliseconds. */
function stampsOf(file) {
  const raw = execFileSync("ffmpeg", [
    "-v", "error", "-i", file, "-map", "0:v", "-vf", `crop=${stamp.WIDTH}:${stamp.HEIGHT}:0:0`,
    "-pix_fmt", "rgba", "-f", "rawvideo", "-fps_mode", "passthrough", "-",
  ], { maxBuffer: 1 << 30 });
  const size = stamp.WIDTH * stamp.HEIGHT * 4;
  return Array.from({ length: raw.length / size }, (_, n) => stamp.read(raw.subarray(n * size, (n + 1) * size)));
}

/** From a wall time to a clock in a picture. */
const behind = (ms, wall) => {
  const off = (((ms - wall) % 2 ** 32) + 2 ** 32) % 2 ** 32;
  return off > 2 ** 31 ? off - 2 ** 32 : off;
};

/** How much later than its pictures the fragment at a server time came, by its two timestamps. */
async function lateness(server, at) {
  const { Fragments } = await server.call("ListFragments", {
    StreamName: "gate-3",
    FragmentSelector: {
      FragmentSelectorType: "SERVER_TIMESTAMP",
      TimestampRange: { StartTimestamp: (at - 20_000) / 1000, EndTimestamp: at / 1000 },
    },
  });
  const { ServerTimestamp, ProducerTimestamp } = Fragments.at(-1);
  return Math.round((ServerTimestamp - ProducerTimestamp) * 1000);
}

/** Answers of the server with something changed in them. */
async function change(page, pattern, edit) {
  await page.route(pattern, async (route) => {
    try {
      const response = await route.fetch();
      const json = await response.json();
      edit(json);
      await route.fulfill({ response, json });
    } catch {
      // The page is gone.
    }
  });
}

export default [
  {
    name: "export: [, ], Export make an MP4 that begins and ends at the marks",
    run: (test) => withCamera(test, async () => {
      const { page } = test;
      await signIn(test, `/console/streams/gate-3?t=${iso(Date.now() - 10_000)}`);
      await plays(page);
      await page.locator("h1").click();
      const steps = new Steps(page);
      await steps.press("[");
      await pause(4300);
      await steps.press("]");
      const panel = page.locator(".export-panel");
      await panel.waitFor();
      const downloads = page.waitForEvent("download");
      await steps.click(panel.getByRole("button", { name: "Export", exact: true }));
      const download = await downloads;
      assert.equal(steps.count, 3);
      await page.waitForURL((url) => url.searchParams.has("in") && url.searchParams.has("out"));
      const seen = new URL(page.url()).searchParams;
      const [from, to] = [Date.parse(seen.get("in")), Date.parse(seen.get("out"))];
      assert.equal(download.suggestedFilename(), `gate-3_${iso(from)}_${iso(to)}.mp4`.replaceAll(":", "-"));
      await page.locator(".export-job", { hasText: "iB" }).waitFor();
      const stamps = stampsOf(await download.path());
      assert.ok(stamps.every((at) => at !== null), "a picture without a clock");
      // Marks are server time, the clock in the pictures is the camera's: a fragment that came late has moved.
      const [early, late] = [await lateness(test.server, from), await lateness(test.server, to)];
      const [first, last] = [behind(stamps[0], from) + early, behind(stamps.at(-1), to) + late];
      test.notes.push(`${to - from} ms marked, ${stamps.length} pictures; first ${first} ms from the start, last ${last} ms from the end`);
      assert.ok(Math.abs(first - last - 40) <= 60, "not the same distance at both ends");
      assert.ok(Math.abs(first) < 1000);
      assert.ok(Math.abs(behind(stamps.at(-1), stamps[0]) / 40 + 1 - stamps.length) <= 2, "pictures are missing");
      assert.deepEqual(await axe(page, "export panel"), []);
    }),
  },
  {
    name: "export: marks are in the URL, times are typed, whole fragments hold the marks",
    run: (test) => withCamera(test, async () => {
      const { page } = test;
      const [from, to] = [Date.now() - 9000, Date.now() - 6500];
      await signIn(test, `/console/streams/gate-3?t=${iso(from)}&in=${iso(from)}&out=${iso(to)}&tz=utc`);
      const panel = page.locator(".export-panel");
      await panel.waitFor();
      assert.match(await panel.locator("input").first().inputValue(), new RegExp(iso(from).slice(11, 23).replace(".", "\\.")));
      await panel.locator(".export-facts", { hasText: "fragments" }).waitFor();
      test.notes.push((await panel.locator(".export-facts").innerText()).replace(/\s+/g, " "));
      // Understood before Enter; the URL follows.
      const later = Math.floor(to / 1000) * 1000 + 1000;
      await panel.getByLabel("To").fill(iso(later).slice(11, 19));
      await panel.getByText(/today/).waitFor();
      await page.keyboard.press("Enter");
      await page.waitForURL((url) => url.searchParams.get("out") === iso(later));
      await panel.getByLabel("Cut").selectOption("fragments");
      const downloads = page.waitForEvent("download");
      await panel.getByRole("button", { name: "Export", exact: true }).click();
      const stamps = stampsOf(await (await downloads).path());
      const [first, last] = [behind(stamps[0], from), behind(stamps.at(-1), later)];
      test.notes.push(`whole fragments: from ${first} ms to ${last} ms around the marks`);
      assert.ok(first > -2200 && first <= 0, `${first}`);
      assert.ok(last > -200 && last < 2200, `${last}`);
      // An end before the start is said, and no file is made of it.
      await panel.getByLabel("To").fill(iso(from - 5000));
      await page.keyboard.press("Enter");
      await panel.getByText("not after the start").waitFor();
      assert.equal(await panel.getByRole("button", { name: "Export", exact: true }).isEnabled(), false);
      await panel.getByRole("button", { name: "Clear marks" }).click();
      await page.waitForURL((url) => !url.searchParams.has("in") && !url.searchParams.has("out"));
      // Nothing marked: the last minute is proposed.
      await page.locator("h1").click();
      await page.keyboard.press("e");
      await panel.locator(".export-facts", { hasText: "1 m" }).waitFor();
      const made = page.waitForEvent("download");
      await page.keyboard.press("e");
      assert.match((await made).suggestedFilename(), /^gate-3_.*\.mp4$/);
      // A drag on the ruler marks too.
      await panel.getByRole("button", { name: "Clear marks" }).click();
      await page.getByLabel("Span").selectOption("1m");
      const ruler = await page.locator(".timeline-canvas canvas").boundingBox();
      await page.mouse.move(ruler.x + 100, ruler.y + 8);
      await page.mouse.down();
      await page.mouse.move(ruler.x + 150, ruler.y + 8, { steps: 5 });
      await page.mouse.up();
      await page.waitForURL((url) => url.searchParams.has("in") && url.searchParams.has("out"));
      const dragged = new URL(page.url()).searchParams;
      const length = Date.parse(dragged.get("out")) - Date.parse(dragged.get("in"));
      assert.ok(Math.abs(length - (50 / ruler.width) * 60_000) < 100, `${length} ms`);
    }),
  },
  {
    name: "export: refused, cancelled and empty are told, with what to try next",
    run: (test) => withCamera(test, async () => {
      const { page, watch } = test;
      watch.allows = [/status of 40[0-9]/, /ERR_/];
      const [from, to] = [Date.now() - 9000, Date.now() - 6500];
      await signIn(test, `/console/streams/gate-3?t=${iso(from)}&in=${iso(from)}&out=${iso(to)}`);
      const panel = page.locator(".export-panel");
      const make = panel.getByRole("button", { name: "Export", exact: true });
      const job = page.locator(".export-job").first();
      await fault(page, "**/getClip", 403, "AccessDeniedException", "not authorized to perform: kinesisvideo:GetClip");
      await make.click();
      await job.getByText("needs kinesisvideo:GetClip").waitFor();
      assert.match(await job.innerText(), /AccessDeniedException[\s\S]*r-e2e/);
      await page.unroute("**/getClip");
      let release = () => {};
      await page.route("**/getClip", async (route) => {
        await new Promise((resolve) => { release = resolve; });
        await route.abort().catch(() => {});
      });
      await job.getByRole("button", { name: "Retry" }).click();
      await job.locator("progress").waitFor();
      await job.getByRole("button", { name: "Cancel" }).click();
      await page.locator(".export-job").waitFor({ state: "detached" });
      release();
      await page.unroute("**/getClip");
      // Far from anything recorded.
      const old = Date.now() - 3_600_000;
      await visit(page, `/console/streams/gate-3?t=${iso(from)}&in=${iso(old)}&out=${iso(old + 60_000)}`);
      await panel.getByText("Nothing is recorded between the marks").waitFor();
      assert.match(await panel.locator(".export-gaps").innerText(), /1 gap inside, 1 m missing/);
    }),
  },
  {
    name: "export: a large file goes to the disk as it comes",
    run: (test) => withCamera(test, async () => {
      const { page } = test;
      await page.addInitScript(() => {
        window.showSaveFilePicker = async ({ suggestedName }) => {
          window.placed = suggestedName;
          const root = await navigator.storage.getDirectory();
          return root.getFileHandle("export.mp4", { create: true });
        };
      });
      // As if there were more of it than memory should hold.
      await change(page, "**/streamkeep/getCoverage", (body) => {
        for (const stream of body.Streams) for (const run of stream.Runs ?? []) run.Bytes = 3e9;
      });
      const calls = [];
      page.on("request", (request) => { if (request.url().endsWith("/getClip") && request.method() === "POST") calls.push(request.headers()); });
      const [from, to] = [Date.now() - 9000, Date.now() - 6500];
      await signIn(test, `/console/streams/gate-3?t=${iso(from)}&in=${iso(from)}&out=${iso(to)}`);
      const panel = page.locator(".export-panel");
      await panel.getByText("x-streamkeep-clip-limits: off").waitFor();
      await panel.getByRole("button", { name: "Export", exact: true }).click();
      await page.locator(".export-job [role=status]", { hasText: "Saved" }).waitFor({ state: "attached" });
      const placed = await page.evaluate(async () => {
        const root = await navigator.storage.getDirectory();
        const file = await (await root.getFileHandle("export.mp4")).getFile();
        const head = new TextDecoder().decode(await file.slice(4, 8).arrayBuffer());
        return { name: window.placed, size: file.size, head };
      });
      test.notes.push(`${placed.size} bytes`);
      assert.equal(placed.name, `gate-3_${iso(from)}_${iso(to)}.mp4`.replaceAll(":", "-"));
      assert.equal(placed.head, "ftyp");
      assert.ok(placed.size > 100_000);
      assert.equal(calls[0]["x-streamkeep-clip-limits"], "off");
      assert.equal(calls[0]["x-streamkeep-clip-exact"], "true");
    }),
  },
  {
    name: "export: more fragments than GetClip takes, whole",
    needs: "nothing",
    run: async (test) => {
      const { page, server } = test;
      const [rate, seconds] = [10, 23];
      const file = path.join(server.directory, "busy.mkv");
      execFileSync("ffmpeg", [
        "-v", "error", "-y", "-f", "lavfi", "-i", `testsrc2=s=320x180:r=${rate}:d=${seconds}`, "-c:v", "libx264", "-g", "1", file,
      ]);
      await server.call("CreateStream", { StreamName: "busy", DataRetentionInHours: 24 });
      await server.run(["put", "busy", file, "--realtime", "--min-fragment", "50ms"]);
      const { Fragments } = await server.call("ListFragments", {
        StreamName: "busy", MaxResults: 1000,
        FragmentSelector: {
          FragmentSelectorType: "SERVER_TIMESTAMP",
          TimestampRange: { StartTimestamp: Date.now() / 1000 - 600, EndTimestamp: Date.now() / 1000 + 600 },
        },
      });
      assert.equal(Fragments.length, rate * seconds);
      const times = Fragments.map(({ ServerTimestamp }) => ServerTimestamp * 1000).sort((a, b) => a - b);
      const [from, to] = [times[0] - 1000, times.at(-1) + 1000];
      await signIn(test, `/console/streams/busy?t=${iso(times[0])}&in=${iso(from)}&out=${iso(to)}`);
      const panel = page.locator(".export-panel");
      const downloads = page.waitForEvent("download");
      await panel.getByRole("button", { name: "Export", exact: true }).click();
      const made = await (await downloads).path();
      const frames = execFileSync("ffprobe", [
        "-v", "error", "-count_frames", "-select_streams", "v", "-show_entries", "stream=nb_read_frames", "-of", "csv=p=0", made,
      ]).toString().trim();
      test.notes.push(`${Fragments.length} fragments, ${frames} pictures`);
      assert.equal(Number(frames), rate * seconds);
    },
  },
  {
    name: "snapshots: live and paused, named after stream and instant",
    run: (test) => withCamera(test, async () => {
      const { page } = test;
      await signIn(test, "/console/streams/gate-3");
      await plays(page, 1);
      await page.locator("h1").click();
      for (const how of ["live", "paused", "recording, paused"]) {
        if (how === "paused") await page.keyboard.press(" ");
        if (how === "recording, paused") {
          await page.keyboard.press("ArrowLeft");
          await page.waitForURL(/[?&]t=/);
          await page.waitForFunction(() => document.querySelector("video")?.readyState >= 2);
          for (let n = 0; n < 3; n++) await page.keyboard.press(".");
        }
        await pause(700);
        const downloads = page.waitForEvent("download");
        await page.keyboard.press("s");
        const download = await downloads;
        const found = /^gate-3_(\d{4}-\d\d-\d\dT)(\d\d)-(\d\d)-(\d\d\.\d{3}Z)\.jpg$/.exec(download.suggestedFilename());
        assert.ok(found, download.suggestedFilename());
        const named = Date.parse(`${found[1]}${found[2]}:${found[3]}:${found[4]}`);
        const [shown] = stampsOf(await download.path());
        test.notes.push(`${how}: name and clock in the picture ${behind(shown, named)} ms apart`);
        assert.ok(Math.abs(behind(shown, named)) < 600, how);
      }
    }),
  },
  {
    name: "palette: gate 3 14:05 in two steps, by / and by Ctrl K, in the site's zone",
    run: (test) => withCamera(test, async () => {
      const { page, server } = test;
      await server.call("CreateStream", { StreamName: "gate-30", DataRetentionInHours: 24 });
      await server.call("TagStream", { StreamName: "gate-3", Tags: { "streamkeep:timezone": "Asia/Shanghai" } });
      const wanted = Math.floor(Date.now() / 1000) * 1000 - 6000;
      const written = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium", timeZone: "Asia/Shanghai" }).format(wanted);
      // Where no field of the page takes /.
      await signIn(test, "/console/settings");
      await page.locator(".settings h1").click();
      const steps = new Steps(page);
      await steps.press("/");
      await page.locator(".palette-input:focus").waitFor();
      await page.keyboard.type(`gate 3 ${written}`);
      const option = page.locator(".palette-row[aria-selected=true]");
      await option.getByText("Asia/Shanghai").waitFor();
      test.notes.push((await page.locator(".palette-hint").innerText()).trim());
      assert.match(await page.locator(".palette-hint").innerText(), new RegExp(`^Enter opens gate-3, today .* ${written} Asia/Shanghai`));
      await steps.enter("");
      assert.equal(steps.count, 2);
      await page.waitForURL(/\/console\/streams\/gate-3\?t=/);
      await plays(page, 0.3);
      assert.ok(Math.abs((await playhead(page)) - wanted) < 3000, `${(await playhead(page)) - wanted} ms off`);
      // On the stream's own page a time alone is enough.
      await page.locator("h1").click();
      await page.keyboard.press("Control+k");
      await page.keyboard.type(String(wanted + 2000));
      await page.getByText("Enter opens gate-3").waitFor();
      await page.keyboard.press("Enter");
      await page.waitForURL((url) => Math.abs(Date.parse(url.searchParams.get("t")) - wanted - 2000) < 2000);
      await page.waitForFunction((wanted) => Math.abs(Number(document.querySelector(".timeline-slot").dataset.playhead) - wanted) < 2000, wanted + 2000);
      // In the list / is the list's own field, and takes the same text.
      await visit(page, "/console/streams");
      await page.locator(".stream-row").first().waitFor();
      await page.locator("h1").click();
      const again = new Steps(page);
      await again.press("/");
      await page.keyboard.type(`gate 3 ${written}`);
      await page.locator(".moment-hint", { hasText: "Asia/Shanghai" }).waitFor();
      assert.equal(await page.locator(".stream-row .name", { hasText: "gate-3" }).count(), 2);
      assert.deepEqual(await axe(page, "list with a time"), []);
      await again.enter("");
      assert.equal(again.count, 2);
      await page.waitForURL(/\/console\/streams\/gate-3\?t=/);
    }),
  },
  {
    name: "palette: a combobox by keyboard; ? shows the keys; g goes to places",
    run: async (test) => {
      const { page } = test;
      await signIn(test, "/console/");
      await page.locator(".stream-row").first().waitFor();
      const before = page.getByRole("button", { name: "Create stream" });
      await before.focus();
      await page.keyboard.press("Control+k");
      const input = page.locator(".palette").getByRole("combobox");
      await page.locator(".palette-row").nth(3).waitFor();
      assert.equal(await input.getAttribute("aria-expanded"), "true");
      const activeText = async () => page.evaluate(() => document.getElementById(document.activeElement.getAttribute("aria-activedescendant"))?.textContent);
      assert.match(await activeText(), /Wall/);
      await page.keyboard.press("ArrowDown");
      assert.match(await activeText(), /Streams/);
      await page.keyboard.press("ArrowUp");
      await page.keyboard.press("ArrowUp");
      assert.doesNotMatch(await activeText(), /Wall|Streams/);
      assert.deepEqual(await axe(page, "palette"), []);
      await page.keyboard.type("no such stream");
      await page.getByText("No stream matches").waitFor();
      await page.keyboard.press("Escape");
      await page.locator(".palette").waitFor({ state: "detached" });
      assert.ok(await before.evaluate((element) => element === document.activeElement), "focus is not back");
      // What is typed before it is there is not lost.
      await page.keyboard.press("Control+k");
      await page.keyboard.type("sett");
      await page.keyboard.press("Enter");
      await page.locator(".settings").waitFor();
      await page.keyboard.press("?");
      await page.getByRole("dialog", { name: "Keyboard" }).waitFor();
      assert.deepEqual(await axe(page, "keys"), []);
      await page.keyboard.press("Escape");
      for (const [keys, place] of [["gs", "/console/streams"], ["gw", "/console/wall/auto"]]) {
        for (const key of keys) await page.keyboard.press(key);
        await page.waitForURL((url) => url.pathname === place);
      }
      await visit(page, "/console/settings");
      await page.locator(".settings .check").click();
      await page.keyboard.press("?");
      await page.keyboard.press("/");
      await pause(200);
      assert.equal(await page.locator("dialog[open]").count(), 0);
      await page.keyboard.press("Control+k");
      await page.locator(".palette").waitFor();
    },
  },
  {
    name: "palette: ten thousand streams without a long frame; by name who may not list",
    run: async (test) => {
      const { page, watch } = test;
      watch.allows = [/status of 40[0-9]/];
      await tenThousandStreams(page);
      await signIn(test, "/console/settings");
      await page.keyboard.press("Control+k");
      await page.keyboard.type("camera 9999");
      await page.getByText("Enter opens camera-9999").waitFor({ timeout: 30_000 });
      await page.locator(".palette-input").fill("");
      await page.evaluate(() => {
        window.longest = 0;
        let last = performance.now();
        const look = () => {
          const now = performance.now();
          window.longest = Math.max(window.longest, now - last);
          last = now;
          requestAnimationFrame(look);
        };
        requestAnimationFrame(look);
      });
      await page.keyboard.type("camera 77 yesterday 14:05", { delay: 30 });
      const longest = await page.evaluate(() => window.longest);
      test.notes.push(`longest frame ${Math.round(longest)} ms, ${await page.locator(".palette-row").count()} lines`);
      assert.ok(longest < 150, `${longest} ms`);
      assert.match(await page.locator(".palette-row").first().innerText(), /camera-77\s+yesterday/);
      await page.unroute("**/listStreams");
      await fault(page, "**/listStreams", 403, "AccessDeniedException", "not authorized to perform: kinesisvideo:ListStreams");
      await signIn(test, "/console/settings");
      await page.keyboard.press("Control+k");
      await page.getByText("AccessDeniedException").waitFor();
      await page.keyboard.type("gate-3");
      await page.keyboard.press("Enter");
      await page.locator(".stream-page").waitFor();
    },
  },
  {
    name: "list: site, state and order are in the URL, and what hides everything is named",
    run: async (test) => {
      const { page, server } = test;
      for (const [n, site] of ["east", "east", "west"].entries()) {
        await server.call("CreateStream", { StreamName: `lot-${n + 1}`, DataRetentionInHours: 24, Tags: { site } });
      }
      await signIn(test, "/console/streams?q=lot");
      await page.locator(".stream-row").nth(2).waitFor();
      const names = () => page.locator(".stream-row .name").allInnerTexts();
      const steps = new Steps(page);
      await page.getByLabel("Site", { exact: true }).selectOption("east");
      steps.count += 1;
      await page.waitForURL((url) => url.searchParams.get("site") === "east");
      await page.locator(".stream-row").nth(2).waitFor({ state: "detached" });
      assert.deepEqual(await names(), ["lot-1", "lot-2"]);
      assert.equal(steps.count, 1);
      await page.getByRole("columnheader", { name: "Name" }).getByRole("button").click();
      await page.waitForURL((url) => url.searchParams.get("sort") === "-name");
      assert.deepEqual(await names(), ["lot-2", "lot-1"]);
      // The address alone brings all of it back.
      await signIn(test, "/console/streams?q=lot&site=north&state=off&sort=-name");
      await page.getByText("No stream matches").waitFor();
      await page.getByText("3 match without site = north.").waitFor();
      assert.deepEqual(await axe(page, "nothing matches"), []);
      await page.getByRole("button", { name: "Drop site = north" }).click();
      await page.locator(".stream-row").nth(2).waitFor();
      assert.deepEqual(await names(), ["lot-3", "lot-2", "lot-1"]);
      assert.equal(new URL(page.url()).search, "?q=lot&state=off&sort=-name");
      for (const n of [1, 2, 3]) {
        const { StreamInfo } = await server.call("DescribeStream", { StreamName: `lot-${n}` });
        await server.call("DeleteStream", { StreamARN: StreamInfo.StreamARN });
      }
    },
  },
  {
    name: "a session is renewed without a break: live in all three ways, a recording, and one that is paused",
    run: (test) => withCamera(test, async () => {
      const { page } = test;
      // The timer of the renewal is the only one that is longer than ten minutes.
      await page.addInitScript(() => {
        const real = window.setTimeout;
        window.setTimeout = (run, ms, ...rest) => real(run, ms > 600_000 ? 5000 : ms, ...rest);
      });
      const tokens = [];
      page.on("request", (request) => {
        const token = new URL(request.url()).searchParams.get("SessionToken");
        if (token) tokens.push({ token, at: Date.now() });
      });
      for (const how of ["ll-hls", "hls", "dash", "recording", "paused"]) {
        const isLive = !["recording", "paused"].includes(how);
        await signIn(test, `/console/streams/gate-3${isLive ? "" : `?t=${iso(Date.now() - 20_000)}`}`);
        await plays(page, 0.3);
        if (how === "hls" || how === "dash") await page.locator(".player-bar select").selectOption(how);
        if (how === "paused") await page.getByRole("button", { name: "Pause" }).click();
        await page.waitForFunction(() => document.querySelector("video.is-shown").readyState >= 3);
        await pause(1500);
        const begun = Date.now();
        const seen = await page.evaluate(watchClock, { seconds: 9, columns: stamp.COLUMNS, square: stamp.SQUARE, width: stamp.WIDTH, height: stamp.HEIGHT });
        const swaps = seen.filter(({ n }, at) => at > 0 && n !== seen[at - 1].n);
        assert.ok(swaps.length >= 1, `${how}: nothing took over`);
        const ms = seen.map(({ ms }) => ms).filter((at) => at !== null);
        const steps = ms.slice(1).map((at, n) => at - ms[n]);
        const gaps = seen.slice(1).map(({ at }, n) => at - seen[n].at);
        const around = swaps.map(({ at }) => {
          const n = seen.findIndex((one) => one.at === at);
          const before = seen.slice(0, n).findLast((one) => one.ms !== null);
          const after = seen.slice(n).find((one) => one.ms !== null);
          return Math.round(after.ms - before.ms - (how === "paused" ? 0 : after.at - before.at));
        });
        test.notes.push(`${how}: ${swaps.length} taken over, clock off by ${around.join(", ")} ms; largest step ${Math.max(...steps)} ms, back ${Math.min(...steps)} ms, longest look ${Math.round(Math.max(...gaps))} ms`);
        assert.ok(around.every((off) => Math.abs(off) < 1000), `${how}: ${around}`);
        assert.ok(Math.min(...steps) > -200, `${how}: back`);
        assert.equal(await page.locator(".over.message").count(), 0, how);
        // The first session is not asked any more once another has taken over.
        const old = tokens.find(({ at }) => at >= begun - 4000)?.token;
        const last = seen.findLastIndex(({ n }, at) => at > 0 && n !== seen[at - 1].n);
        const since = begun + seen[last].at + 1500;
        assert.ok(how === "paused" || !tokens.some(({ token, at }) => token === old && at > since), `${how}: the old token is still used`);
      }
    }, 24),
  },
  {
    name: "fragments: newest first, by keyboard, shown in the player, and one as MP4 and MKV",
    run: (test) => withCamera(test, async () => {
      const { page, watch } = test;
      await signIn(test, "/console/streams/gate-3");
      await plays(page, 0.3);
      await page.getByRole("tab", { name: "Fragments" }).click();
      await page.waitForURL((url) => url.searchParams.get("tab") === "fragments");
      const rows = page.locator(".fragment-row");
      await rows.nth(3).waitFor();
      const times = (await rows.locator(".fragment-time").allInnerTexts()).map((text) => text.slice(0, 12));
      assert.deepEqual(times, [...times].sort().reverse(), "not newest first");
      // A new one comes in front by itself.
      await page.waitForFunction((first) => !document.querySelector(".fragment-time").textContent.startsWith(first), times[0]);
      await page.locator("h1").click();
      const steps = new Steps(page);
      await steps.press("j");
      await steps.press("j");
      await steps.press("j");
      const chosen = page.locator(".fragment-row[aria-selected=true]");
      const shown = (await chosen.locator(".fragment-time").innerText()).slice(0, 12);
      await steps.press("Enter");
      await page.waitForURL(/[?&]t=/);
      const first = Date.parse(new URL(page.url()).searchParams.get("t"));
      const wall = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium", timeZone: "Europe/Berlin" }).format(first);
      test.notes.push(`fragment of ${shown}, player at ${wall}`);
      await page.locator(".fragment-row.is-playing").first().waitFor();
      // While others come, the chosen one stays where it is on the screen.
      await page.setViewportSize({ width: 1440, height: 720 });
      const place = async () => (await chosen.boundingBox()).y;
      const before = await place();
      await pause(4500);
      assert.ok(Math.abs((await place()) - before) < 2, `${(await place()) - before} px`);
      assert.deepEqual(await axe(page, "fragments"), []);
      for (const [container, format] of [["MP4", "mov"], ["MKV", "matroska"]]) {
        const downloads = page.waitForEvent("download");
        await page.locator(".fragment-chosen").getByRole("button", { name: container }).click();
        const download = await downloads;
        assert.match(download.suggestedFilename(), new RegExp(`^gate-3_\\d{4}-.*Z\\.${container.toLowerCase()}$`));
        const file = await download.path();
        const found = JSON.parse(execFileSync("ffprobe", ["-v", "error", "-show_format", "-count_packets", "-show_streams", "-of", "json", file]).toString());
        assert.ok(found.format.format_name.includes(format), found.format.format_name);
        const video = found.streams.find(({ codec_type }) => codec_type === "video");
        test.notes.push(`${container}: ${video.nb_read_packets} pictures`);
        assert.equal(Number(video.nb_read_packets), 50);
      }
      watch.allows = [/status of 403/];
      await fault(page, "**/getMediaForFragmentList", 403, "AccessDeniedException", "not authorized");
      await page.locator(".fragment-chosen").getByRole("button", { name: "MKV" }).click();
      await page.getByText("needs kinesisvideo:GetMediaForFragmentList").waitFor();
    }, 14),
  },
  {
    name: "fragments: tens of thousands, sixty rows in the page",
    run: async (test) => {
      const { page } = test;
      const now = Date.now();
      await page.route("**/listFragments", async (route) => {
        const { NextToken, FragmentSelector } = JSON.parse(route.request().postData());
        const { StartTimestamp, EndTimestamp } = FragmentSelector.TimestampRange;
        const first = Math.max(Math.ceil(StartTimestamp / 0.5), Math.ceil((now / 1000 - 20 * 3600) / 0.5)) + Number(NextToken ?? 0);
        const last = Math.floor(Math.min(EndTimestamp, now / 1000) / 0.5);
        const count = Math.max(0, Math.min(1000, last - first + 1));
        await route.fulfill({
          headers: { "access-control-allow-origin": "*" },
          json: {
            Fragments: Array.from({ length: count }, (_, n) => ({
              FragmentNumber: String(91343852333181432392682062607743920000n + BigInt(first + n)), FragmentSizeInBytes: 512_000,
              ProducerTimestamp: (first + n) * 0.5, ServerTimestamp: (first + n) * 0.5, FragmentLengthInMilliseconds: 500,
            })),
            NextToken: first + count <= last ? String(Number(NextToken ?? 0) + count) : null,
          },
        });
      });
      await change(page, "**/describeStream", (body) => { body.StreamInfo.CreationTime -= 86_400; });
      watchNotFound(test);
      await signIn(test, "/console/streams/gate-3?tab=fragments");
      await page.locator(".fragment-row").first().waitFor();
      const worst = await page.evaluate(async () => {
        const body = document.querySelector(".fragments-body");
        let rows = 0;
        for (let step = 0; step < 150; step++) {
          body.scrollTop = body.scrollHeight;
          await new Promise((resolve) => setTimeout(resolve, 30));
          rows = Math.max(rows, document.querySelectorAll(".fragment-row").length);
        }
        return { rows, height: body.scrollHeight };
      });
      test.notes.push(`${Math.round(worst.height / 48)} fragments, at most ${worst.rows} rows`);
      assert.ok(worst.height / 48 > 20_000);
      assert.ok(worst.rows <= 60);
    },
  },
];

function watchNotFound({ watch }) {
  watch.allows = [/status of 404/];
}

/** In the page: the clock in the picture on the screen, ten times a second, and which element shows it. */
async function watchClock({ seconds, columns, square, width, height }) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const seen = [];
  const begun = performance.now();
  while (performance.now() - begun < seconds * 1000) {
    const videos = [...document.querySelectorAll("video")];
    const video = videos.find((one) => one.classList.contains("is-shown"));
    context.clearRect(0, 0, width, height);
    context.drawImage(video, 0, 0, width, height, 0, 0, width, height);
    const { data } = context.getImageData(0, 0, width, height);
    const bits = Array.from({ length: 48 }, (_, n) => {
      const x = (n % columns) * square + square / 2;
      const y = Math.floor(n / columns) * square + square / 2;
      return data[(y * width + x) * 4] > 128 ? "1" : "0";
    }).join("");
    seen.push({ at: performance.now() - begun, n: videos.indexOf(video), ms: bits.startsWith("10100110") ? parseInt(bits.slice(8, 40), 2) : null });
    await new Promise((resolve) => setTimeout(resolve, 80));
  }
  return seen;
}
