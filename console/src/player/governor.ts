// Keeps live playback where it should be: faster by a little when a little behind, a jump when far
// behind. Where that is, a list of segments says (playback.ts) or the end of what is buffered
// (src/live/edge.ts). hls.js's own catch-up does nothing below a second.

export interface Situation {
  /** Milliseconds by a clock that only rises. */
  now: number;
  /** Seconds behind the place where playback should be; negative when before it. */
  behind: number;
  /** Seconds of media ahead of the playhead. */
  ahead: number;
  /** A frame has been shown since the last jump, or since the start. */
  hasShown: boolean;
  /** No rate helps, however near the place is: it lies in other media, or the viewer comes back to it. */
  mustJump?: boolean;
}

export type Order = { rate: number } | { jump: true };

export const RATE_MAX = 1.1;
/** From here the rate rises, and from there a jump is better. */
export const BEHIND_S = 0.1;
const FAR_S = 1.5;
/** Once faster, until nearly there: no switching to and fro. */
const THERE_S = 0.02;
/** From here the rate is at its most. */
const FULL_RATE_S = 0.5;
/** Less than this is not run down. */
const AHEAD_MIN_S = 0.25;
/** Between jumps: each needs its time to settle. */
const SETTLE_MS = 3000;
/** A jump whose frame never comes is given up: the decoder had its time. */
const PATIENCE_MS = 5000;

export class Governor {
  #isHurrying = false;
  /** Of the last jump; before the first, since when one is waited for. */
  #jumpedAt: number | null = null;
  #hasJumped = false;

  decide(situation: Situation): Order {
    const { behind, ahead, mustJump = false } = situation;
    if (mustJump || behind > FAR_S) {
      if (this.#mayJump(situation)) {
        this.#jumpedAt = situation.now;
        this.#hasJumped = true;
        this.#isHurrying = false;
        return { jump: true };
      }
      // What nobody sees is not hurried through.
      if (!situation.hasShown) return { rate: 1 };
    }
    if (this.#isHurrying) this.#isHurrying = behind > THERE_S && ahead > AHEAD_MIN_S / 2;
    else this.#isHurrying = behind >= BEHIND_S && ahead > AHEAD_MIN_S;
    if (!this.#isHurrying) return { rate: 1 };
    const rate = 1 + (RATE_MAX - 1) * Math.min(1, Math.max(0.1, behind / FULL_RATE_S));
    // Steps of a hundredth: each change costs the audio a stretch.
    return { rate: Math.round(rate * 100) / 100 };
  }

  #mayJump({ now, hasShown, mustJump }: Situation): boolean {
    // A decoder may hold back sixteen frames: jumping again before the first shows nothing at all.
    if (!hasShown) return now - (this.#jumpedAt ??= now) >= PATIENCE_MS;
    return mustJump === true || !this.#hasJumped || now - (this.#jumpedAt ?? 0) >= SETTLE_MS;
  }
}
