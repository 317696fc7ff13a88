/** How much a slow line bears: steps down while the feed comes late, and up again after a clean while. */

import type { Tier } from "./protocol.ts";
import { tierAbove, tierBelow } from "./tiers.ts";

/** Media that wait for the line so long are late, and a ping that waits behind them: it is more than distance. */
export const LATE_MS = 1000;
/** Key frames may: they are new when they leave, and a still is no newer. */
const KEY_LATE_MS = 10_000;
const LATE_FOR_MS = 3000;
/** What was on the way before a step has to pass first. */
const SETTLE_MS = 8000;
const CLEAN_MS = 60_000;
const CLEAN_MS_MAX = 600_000;

export class Line {
  #cap: Tier = "full";
  #lateSince: number | null = null;
  #steppedAt = -Infinity;
  #cleanSince: number | null = null;
  #cleanMs = CLEAN_MS;
  #isTrying = false;

  /** The best that all tiles may have. */
  get cap(): Tier {
    return this.#cap;
  }

  /** `lagMs`: how late the line is, by `LiveSocket`; `now` by a clock that only rises. True after a step. */
  sample(now: number, lagMs: number): boolean {
    if (lagMs >= (this.#cap === "full" ? LATE_MS : KEY_LATE_MS)) {
      this.#cleanSince = null;
      this.#lateSince ??= now;
      if (now - this.#lateSince < LATE_FOR_MS || now - this.#steppedAt < SETTLE_MS) return false;
      if (this.#isTrying) this.#cleanMs = Math.min(CLEAN_MS_MAX, this.#cleanMs * 2);
      return this.#step(now, tierBelow(this.#cap, false));
    }
    this.#lateSince = null;
    if (lagMs >= LATE_MS) {
      // Key frames get through, but there is no room for more.
      this.#cleanSince = null;
      return false;
    }
    this.#cleanSince ??= now;
    const clean = now - this.#cleanSince;
    if (this.#isTrying && clean >= CLEAN_MS) {
      this.#isTrying = false;
      this.#cleanMs = CLEAN_MS;
    }
    if (this.#cap === "full" || clean < this.#cleanMs) return false;
    const hasStepped = this.#step(now, tierAbove(this.#cap, false));
    this.#isTrying = true;
    return hasStepped;
  }

  /** Other tiles are asked for: what was too much may not be now. */
  restart(): void {
    this.#cap = "full";
    this.#lateSince = null;
    this.#cleanSince = null;
    this.#steppedAt = -Infinity;
  }

  #step(now: number, to: Tier): boolean {
    const hasStepped = to !== this.#cap;
    this.#cap = to;
    this.#isTrying = false;
    this.#lateSince = null;
    this.#cleanSince = null;
    this.#steppedAt = now;
    return hasStepped;
  }
}
