// A camera: pictures with a clock in them, through ffmpeg's encoder, into `streamkeep put`.

import { spawn } from "node:child_process";
import { once } from "node:events";
import * as stamp from "./stamp.mjs";

export const WIDTH = 640;
export const HEIGHT = 360;
export const FRAME_RATE = 25;
/** Length of a fragment: there is a key frame this often. */
export const FRAGMENT_SECONDS = 2;

const GOP = FRAME_RATE * FRAGMENT_SECONDS;

const AUDIO = { aac: ["aac", "-b:a", "64k"], mulaw: ["pcm_mulaw", "-ar", "8000"] };

/** YUV 4:2:0 pictures: a grey ramp, a bar that moves, the clock. */
class Picture {
  constructor() {
    this.base = Buffer.alloc((WIDTH * HEIGHT * 3) / 2, 128);
    for (let y = 0; y < HEIGHT; y++) {
      for (let x = 0; x < WIDTH; x++) this.base[y * WIDTH + x] = 40 + ((x + y) >> 3);
    }
  }

  at(index, ms) {
    const frame = Buffer.from(this.base);
    const x = (index * 4) % (WIDTH - 40);
    for (let y = 100; y < 300; y++) frame.fill(200, y * WIDTH + x, y * WIDTH + x + 40);
    stamp.draw(frame, WIDTH, ms);
    return frame;
  }
}

function encoderArguments({ bFrames, audio, output }) {
  const input = [
    "-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", `${WIDTH}x${HEIGHT}`, "-r", `${FRAME_RATE}`,
    "-i", "pipe:0",
  ];
  const sound = audio ? ["-f", "lavfi", "-i", "sine=440:r=48000"] : [];
  const video = bFrames
    ? ["-preset", "veryfast", "-bf", "3", "-b_strategy", "0", "-x264-params",
       "scenecut=0:b-pyramid=normal:rc-lookahead=4:sync-lookahead=0:sliced-threads=0:threads=1"]
    : ["-preset", "ultrafast", "-tune", "zerolatency", "-threads", "1", "-x264-params", "scenecut=0"];
  return [
    "-hide_banner", "-loglevel", "error", ...input, ...sound,
    "-map", "0:v", ...(audio ? ["-map", "1:a", "-c:a", ...AUDIO[audio], "-shortest"] : []),
    "-c:v", "libx264", ...video, "-g", `${GOP}`, "-keyint_min", `${GOP}`, "-b:v", "800k",
    "-pix_fmt", "yuv420p", "-f", "matroska", "-cluster_time_limit", "40", "-flush_packets", "1",
    output,
  ];
}

async function write(stream, data) {
  if (!stream.write(data)) await once(stream, "drain");
}

async function ended(child, what) {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  if (child.exitCode !== 0) throw new Error(`${what} ended with ${child.exitCode ?? child.signalCode}`);
}

/** Writes a recording; its first picture is stamped `firstMs`. */
export async function record(file, { seconds, firstMs, bFrames, audio }) {
  const args = encoderArguments({ bFrames, audio, output: file });
  const encoder = spawn("ffmpeg", ["-y", ...args], { stdio: ["pipe", "inherit", "inherit"] });
  const picture = new Picture();
  for (let index = 0; index < seconds * FRAME_RATE; index++) {
    await write(encoder.stdin, picture.at(index, firstMs + (index * 1000) / FRAME_RATE));
  }
  encoder.stdin.end();
  await ended(encoder, "ffmpeg");
}

/** A camera that is on: each picture is stamped with the time of day it was made. */
export class Camera {
  constructor(server, stream, { bFrames = false, audio = null } = {}) {
    this.isOn = true;
    this.encoder = spawn("ffmpeg", encoderArguments({ bFrames, audio, output: "pipe:1" }), {
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.encoder.stdin.on("error", () => {}); // it was stopped
    this.producer = server.command(["put", stream, "-", "--format", "mkv"]);
    this.encoder.stdout.pipe(this.producer.stdin);
    this.producer.stdin.on("error", () => {});
    this.drawing = this.#draw();
  }

  async #draw() {
    const picture = new Picture();
    const begun = performance.now();
    this.begunAt = Date.now();
    for (let index = 0; this.isOn; index++) {
      const due = begun + (index * 1000) / FRAME_RATE;
      const wait = due - performance.now();
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
      if (!this.isOn) break;
      this.encoder.stdin.write(picture.at(index, Date.now()));
    }
  }

  /** Off; returns when all that was sent is kept. */
  async stop() {
    this.isOn = false;
    await this.drawing;
    this.encoder.stdin.end();
    await ended(this.producer, "streamkeep put");
  }

  kill() {
    this.isOn = false;
    this.encoder.kill("SIGKILL");
    this.producer.kill("SIGKILL");
  }
}
