// H.265 on the wall, in a browser that does not decode it: stills and why, or a word that there are none.

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { pause, signIn } from "../steps.mjs";

const STREAM = "h265-1";
/** A still as a server with FFmpeg makes it: the one under test has OpenH264 alone. */
const still = () => execFileSync("ffmpeg", [
  "-loglevel", "error", "-f", "lavfi", "-i", "testsrc=size=320x180", "-frames:v", "1", "-f", "mjpeg", "-",
]).toString("base64");

class Camera {
  constructor(server) {
    this.encoder = spawn("ffmpeg", [
      "-hide_banner", "-loglevel", "error", "-re", "-f", "lavfi", "-i", "testsrc=size=320x180:rate=25", "-c:v", "libx265", "-preset",
      "ultrafast", "-tune", "zerolatency", "-x265-params", "keyint=50:min-keyint=50:log-level=none:pools=1:frame-threads=1",
      "-pix_fmt", "yuv420p", "-f", "matroska", "-cluster_time_limit", "40", "-flush_packets", "1", "-",
    ], { stdio: ["ignore", "pipe", "inherit"] });
    this.producer = server.command(["put", STREAM, "-", "--format", "mkv"]);
    this.encoder.stdout.pipe(this.producer.stdin);
    this.producer.stdin.on("error", () => {}); // it was stopped
  }

  kill() {
    this.encoder.kill("SIGKILL");
    this.producer.kill("SIGKILL");
  }
}

async function withCamera(test, run) {
  await test.server.call("CreateStream", { StreamName: STREAM, DataRetentionInHours: 24 })
    .catch(({ kind }) => assert.equal(kind, "ResourceInUseException"));
  const camera = new Camera(test.server);
  try {
    await pause(5000);
    await run(test.page.locator(`.tile[data-stream="${STREAM}"]`));
  } finally {
    camera.kill();
  }
}

export default [
  {
    name: "wall: H.265 that this browser does not play is stills, and says why",
    needs: "nothing",
    run: (test) => withCamera(test, async (tile) => {
      const { page } = test;
      const ImageContent = still();
      await page.route("**/getThumbnails", async (route) => {
        const { Timestamps } = JSON.parse(route.request().postData());
        const entry = { TimeStamp: Timestamps[0], FrameTimestamp: Timestamps[0], Error: null, ImageContent };
        await route.fulfill({ headers: { "access-control-allow-origin": "*" }, json: { Thumbnails: [entry] } });
      });
      await signIn(test, `/console/wall/1x1?s=${STREAM}`);
      assert.equal(await page.evaluate(() => MediaSource.isTypeSupported('video/mp4; codecs="hvc1.1.6.L60.90"')), false);
      await page.locator(`.tile.is-still[data-stream="${STREAM}"] img`).waitFor();
      await tile.getByText("H.265 does not play in this browser").waitFor();
      assert.match(await page.locator(".wall-counts").innerText(), /1 still/);
      test.notes.push((await tile.locator(".tile-badge").innerText()).replace(/\s+/g, " "));
    }),
  },
  {
    name: "wall: H.265 that neither plays nor has stills says so",
    needs: "nothing",
    run: (test) => withCamera(test, async (tile) => {
      const { page } = test;
      await signIn(test, `/console/wall/1x1?s=${STREAM}`);
      await page.locator(`.tile.is-unplayable[data-stream="${STREAM}"]`).waitFor();
      assert.match(await tile.innerText(), /H\.265 does not play in this browser[^]*makes no still pictures/);
      assert.match(await tile.locator(".tile-hit").getAttribute("aria-label"), /cannot be shown/);
      assert.match(await page.locator(".wall-counts").innerText(), /1 down/);
    }),
  },
];
