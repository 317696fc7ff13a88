// A session's URL ends. Before that a second player opens a new one beside it, goes to a picture that is about
// to be shown, waits there, and takes over at that instant. What is decided here has no clock and no video.

export interface Sides {
  /** Wall time of what is on the screen, epoch milliseconds; null while it is not known. */
  activeWall: number | null;
  /** It is paused: its picture stays. */
  isStill: boolean;
  /** Where the standby has a wall time, seconds; null while it does not know. */
  mediaTimeOf: (wallMs: number) => number | null;
  /** What of the standby is buffered from a media time on, seconds. */
  aheadOf: (mediaTime: number) => number;
  /** It has the picture of its playhead. */
  isReady: boolean;
  /** A recording can be gone to wherever it is; live, only what has come. */
  canLoad: boolean;
}

export type Order = { do: "wait" } | { do: "seek"; to: number } | { do: "swap" } | { do: "give-up" };

const WAIT: Order = { do: "wait" };
const LEAD_MS = 400;
const LEAD_MS_MAX = 4000;
/** A picture lasts 40 ms: half of one early is on time. */
const EARLY_MS = 20;
/** Later than this is another picture: another instant is chosen. */
const LATE_MS = 400;
/** From the instant on, so that it does not stall at once. */
const AHEAD_SECONDS = 0.1;
/** Times of lists are whole milliseconds: a picture is gone to behind its beginning, or it is the one before. */
const INSIDE_SECONDS = 0.005;
const PATIENCE_MS = 20_000;

export class Handover {
  #begun: number | null = null;
  #target: number | null = null;
  #leadMs = LEAD_MS;

  decide(sides: Sides, nowMs: number): Order {
    this.#begun ??= nowMs;
    if (nowMs - this.#begun > PATIENCE_MS) return { do: "give-up" };
    const { activeWall, isStill } = sides;
    if (activeWall === null) return WAIT;
    const isMissed = this.#target !== null && activeWall > this.#target + LATE_MS;
    const isBehind = this.#target !== null && activeWall < this.#target - LEAD_MS_MAX - LATE_MS;
    if (isMissed) this.#leadMs = Math.min(LEAD_MS_MAX, 2 * this.#leadMs);
    if (this.#target === null || isMissed || isBehind || (isStill && this.#target !== activeWall)) return this.#aim(sides, activeWall);
    if (!sides.isReady) return WAIT;
    return isStill || activeWall >= this.#target - EARLY_MS ? { do: "swap" } : WAIT;
  }

  #aim({ isStill, mediaTimeOf, aheadOf, canLoad }: Sides, activeWall: number): Order {
    const target = isStill ? activeWall : activeWall + this.#leadMs;
    const to = mediaTimeOf(target);
    if (to === null || (!canLoad && aheadOf(to) < AHEAD_SECONDS)) return WAIT;
    this.#target = target;
    return { do: "seek", to: Math.max(0, to) + (isStill ? INSIDE_SECONDS : 0) };
  }
}
