// Every playlist and manifest that a player was given, through our own checker.

import { execFile } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");
const DIRECTIVES = /^(_HLS_|CMCD)/;

/** cargo build -p streamkeep-playlist --example check_playlist */
export function checker() {
  const file = process.env.CHECK_PLAYLIST ??
    path.join(ROOT, "target/debug/examples/check_playlist");
  return existsSync(file) ? file : null;
}

/** Keeps what a page loads. */
export class Recorder {
  constructor(page, directory) {
    this.directory = directory;
    this.series = new Map();
    this.failures = [];
    /** Requests that took long: what to look at when a player stood still. */
    this.slow = [];
    this.pending = [];
    page.on("requestfinished", (request) => {
      const { responseStart, responseEnd } = request.timing();
      if (responseEnd > 1_000) {
        const says = `${responseStart.toFixed(0)} ms, whole after ${responseEnd.toFixed(0)} ms`;
        this.slow.push(`${says}: ${this.#short(request.url())}`);
      }
    });
    page.on("response", (response) => this.pending.push(this.#take(response)));
    page.on("requestfailed", (request) => {
      // A player gives requests up when it seeks or ends.
      const reason = request.failure()?.errorText;
      if (reason !== "net::ERR_ABORTED") this.failures.push(`${reason} ${this.#short(request.url())}`);
    });
  }

  #short(url) {
    return url.replace(/SessionToken=[^&]*/, "SessionToken=…").replace(/^https?:\/\/[^/]*/, "");
  }

  async #take(response) {
    const url = new URL(response.url());
    if (!/^\/(hls|dash)\//.test(url.pathname)) return;
    if (response.status() >= 400) {
      this.failures.push(`${response.status()} ${this.#short(response.url())}`);
      return;
    }
    if (!/\.(m3u8|mpd)$/.test(url.pathname)) return;
    for (const name of [...url.searchParams.keys()]) {
      if (DIRECTIVES.test(name)) url.searchParams.delete(name);
    }
    const text = await response.text().catch(() => null); // gone with its page
    if (text === null) return;
    const key = `${url.pathname}${url.search}`;
    if (!this.series.has(key)) this.series.set(key, []);
    this.series.get(key).push(text);
  }

  /** What the checker finds; a list of lines. */
  async findings() {
    await Promise.all(this.pending);
    const program = checker();
    if (!program) return [];
    const found = [];
    let number = 0;
    for (const texts of this.series.values()) {
      const directory = path.join(this.directory, `list-${number++}`);
      mkdirSync(directory, { recursive: true });
      const files = texts.map((text, index) => {
        const file = path.join(directory, `${String(index).padStart(4, "0")}.txt`);
        writeFileSync(file, text);
        return file;
      });
      try {
        await promisify(execFile)(program, ["--must", ...files]);
      } catch (error) {
        found.push(...`${error.stdout}`.trim().split("\n").map((line) => path.basename(line)));
      }
    }
    return found;
  }

  get count() {
    return [...this.series.values()].reduce((sum, texts) => sum + texts.length, 0);
  }
}
