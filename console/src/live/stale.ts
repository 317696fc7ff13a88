/** When a picture is not of now any more. */

import { Backoff } from "./backoff.ts";
import type { Tier } from "./protocol.ts";

export type Freshness =
  /** Nothing has been shown yet. */
  | { is: "waiting"; sinceMs: number }
  | { is: "live" }
  | { is: "stale"; sinceMs: number };

const STALE_MS = 3000;
/** The longest time between two stills. */
const STILL_MS = 60_000;
const FRAGMENT_MS = 2000;

/** How old a picture may be. `fragmentMs`: time between key frames, where it is known. */
export function limitOf(tier: Tier, fragmentMs: number | null): number {
  if (tier === "still") return 2 * STILL_MS;
  if (tier === "key") return Math.max(STALE_MS, 2 * (fragmentMs ?? FRAGMENT_MS));
  return STALE_MS;
}

/** Watches one tile. The times are those of a clock that only rises, in milliseconds. */
export class StaleWatch {
  #shownAt: number | null = null;
  #startedAt: number;
  #hiddenAt: number | null = null;
  #retryAt: number | null = null;
  #backoff = new Backoff();

  constructor(now: number) {
    this.#startedAt = now;
  }

  /** How many retries since the last frame. */
  get retries(): number {
    return this.#backoff.failures;
  }

  /** When the next retry is due. */
  get retryAt(): number | null {
    return this.#retryAt;
  }

  /** A new frame is on screen. */
  frame(now: number): void {
    this.#shownAt = now;
    this.#retryAt = null;
    this.#backoff.reset();
  }

  /** Nothing is watched while nobody can see it; on return the time counts from then. */
  setHidden(isHidden: boolean, now: number): void {
    if (isHidden) {
      this.#hiddenAt ??= now;
      return;
    }
    if (this.#hiddenAt === null) return;
    this.#hiddenAt = null;
    this.#startedAt = now;
    // What was shown before is old: it must not look live until a frame has come.
    this.#shownAt = null;
    this.#retryAt = null;
    this.#backoff.reset();
  }

  state(now: number, limitMs: number): Freshness {
    if (this.#shownAt === null) return { is: "waiting", sinceMs: now - this.#startedAt };
    const sinceMs = now - this.#shownAt;
    return sinceMs > limitMs ? { is: "stale", sinceMs } : { is: "live" };
  }

  /** Whether a frame should have come. */
  isLate(now: number, limitMs: number): boolean {
    if (this.#hiddenAt !== null) return false;
    const state = this.state(now, limitMs);
    return state.is === "stale" || (state.is === "waiting" && state.sinceMs > limitMs);
  }

  /** Whether to open the tile again now: 1, 2, 4 … 30 s after each other, for ever. */
  isRetryDue(now: number, limitMs: number): boolean {
    if (!this.isLate(now, limitMs)) return false;
    this.#retryAt ??= now + this.#backoff.next();
    if (now < this.#retryAt) return false;
    this.#retryAt = now + this.#backoff.next();
    return true;
  }
}
