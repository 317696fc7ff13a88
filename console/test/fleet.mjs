// Many streams from few encoders: what one camera sends goes to several streams.

import { Writable } from "node:stream";
import { Camera } from "../../tests/players/camera.mjs";

/** A camera whose pictures go to all of these streams. */
export class Fleet {
  constructor(server, streams) {
    this.streams = streams;
    const fan = {
      command: ([command, , ...options]) => {
        // The first picture is drawn at once: so media has the time of the clock that is in the picture.
        this.startMs = Date.now();
        const start = ["--start", (this.startMs / 1000).toFixed(3)];
        this.producers = streams.map((stream) => server.command([command, stream, ...options, ...start]));
        return { stdin: this.#fanOut(), kill: (signal) => this.#signal(signal) };
      },
    };
    this.camera = new Camera(fan, streams[0]);
  }

  /** By so much the times of its media are before the clock in its pictures. */
  get clockOffMs() {
    return this.camera.begunAt - this.startMs;
  }

  get isOn() {
    return this.camera.isOn;
  }

  kill() {
    this.camera.kill();
  }

  /** To one of the streams: it is killed, or held while it stays connected. */
  signal(stream, signal) {
    this.producers[this.streams.indexOf(stream)].kill(signal);
  }

  /** How long nothing came out of the encoder, at most, since this was asked last: a busy machine is no fault of the page. */
  takeGapMs() {
    const longest = Math.max(this.longestMs, performance.now() - this.sentAt);
    this.longestMs = 0;
    return longest;
  }

  #fanOut() {
    for (const { stdin } of this.producers) stdin.on("error", () => {}); // it was stopped
    this.longestMs = 0;
    this.sentAt = performance.now();
    return new Writable({
      write: (data, _encoding, done) => {
        const now = performance.now();
        this.longestMs = Math.max(this.longestMs, now - this.sentAt);
        this.sentAt = now;
        for (const { stdin } of this.producers) if (stdin.writable) stdin.write(data);
        done();
      },
    });
  }

  #signal(signal) {
    for (const producer of this.producers) producer.kill(signal);
  }
}

/** Streams with these names, from at most so many encoders. */
export async function fleets(server, names, cameras) {
  for (const StreamName of names) {
    await server.call("CreateStream", { StreamName, DataRetentionInHours: 24 }).catch((error) => {
      if (error.kind !== "ResourceInUseException") throw error;
    });
  }
  const each = Math.ceil(names.length / cameras);
  const out = [];
  for (let at = 0; at < names.length; at += each) {
    out.push(new Fleet(server, names.slice(at, at + each)));
    // Not all key frames in one moment.
    await new Promise((resolve) => setTimeout(resolve, 400));
  }
  return out;
}
