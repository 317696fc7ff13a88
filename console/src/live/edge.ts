/** Where the playhead of a feed should be: a little behind the end of what is buffered, more after each stall. */

import { Governor } from "../player/governor.ts";

export interface Sample {
  /** Milliseconds by any clock that only rises. */
  now: number;
  /** Seconds of media time. */
  position: number;
  /** End of what is buffered around the position, in seconds; null when the position is outside. */
  edge: number | null;
  /** Where a seek may land: the newest place from which the decoder can start, with its end, in seconds. */
  seekable: { from: number; to: number } | null;
  /** A frame has been shown since the last seek, or since the start. */
  hasShown: boolean;
  isHidden: boolean;
  /** Nothing is there to be played. */
  isEmpty: boolean;
  /** The player would play, or does: it is neither paused nor seeking. */
  isPlaying: boolean;
}

export interface Decision {
  /** Playback rate, 1..1.1. */
  rate: number;
  /** Seconds, or null: no seek. */
  seekTo: number | null;
}

export const TARGET_MIN_S = 0.4;
export const TARGET_MAX_S = 0.8;
const TARGET_STEP_S = 0.1;
const CALM_MS = 60_000;
/** At the start and on return: closer than this, the rate does it. */
const NEAR_S = 0.3;
/** So long more may come of what is late. */
const ANEW_MS = 2000;
/** A player that ran dry waits for more than it needs, Chromium for up to 2 s of media: a seek sets it going. */
const STANDS_MS = 250;

const STAY: Decision = { rate: 1, seekTo: null };

export class FeedEdge {
  #governor = new Governor();
  #target = TARGET_MIN_S;
  #calmSince: number | null = null;
  #hasSought = false;
  #isAnew = true;
  /** Since when pictures of what is new are shown. */
  #anewSince: number | null = null;
  /** Where the playhead was last, and since when. */
  #stood: { position: number; since: number } | null = null;

  /** Seconds behind the edge that are kept. */
  get target(): number {
    return this.#target;
  }

  /** The player ran dry: keep more. */
  stalled(now: number): void {
    this.#target = Math.min(TARGET_MAX_S, this.#target + TARGET_STEP_S);
    this.#calmSince = now;
  }

  /** What comes now may be late: a key frame and all that came since, or what a camera sends after. */
  begin(): void {
    this.#isAnew = true;
    this.#anewSince = null;
  }

  decide(sample: Sample): Decision {
    const { now, position, edge, seekable } = sample;
    if (sample.isHidden || sample.isEmpty) {
      if (sample.isHidden) this.begin();
      return STAY;
    }
    this.#calm(now);
    const end = edge ?? seekable?.to ?? null;
    if (end === null || !seekable) return STAY;
    const behind = end - position - this.#target;
    // At the start, after a gap, and on return to the page: the edge, never a fast-forward.
    if (sample.hasShown) this.#isAnew &&= now - (this.#anewSince ??= now) <= ANEW_MS;
    const stands = this.#stands(sample) && behind >= 0;
    const order = this.#governor.decide({
      now,
      behind,
      ahead: edge === null ? 0 : edge - position,
      // At the start the position lies outside what is buffered, and no frame could come.
      hasShown: sample.hasShown || (edge === null && !this.#hasSought),
      mustJump: edge === null || stands || (this.#isAnew && behind > NEAR_S),
    });
    if ("rate" in order) return { rate: order.rate, seekTo: null };
    this.#hasSought = true;
    this.#isAnew = false;
    this.#stood = null;
    return { rate: 1, seekTo: Math.max(seekable.from, Math.min(end, seekable.to) - this.#target) };
  }

  #stands({ now, position, isPlaying }: Sample): boolean {
    if (!isPlaying || this.#stood?.position !== position) this.#stood = { position, since: now };
    return now - this.#stood.since >= STANDS_MS;
  }

  #calm(now: number): void {
    this.#calmSince ??= now;
    if (now - this.#calmSince < CALM_MS) return;
    this.#target = Math.max(TARGET_MIN_S, this.#target - TARGET_STEP_S);
    this.#calmSince = now;
  }
}
