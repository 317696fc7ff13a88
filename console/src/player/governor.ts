// Keeps live playback where the list says it should be: faster by a little, or a jump when far
// behind. hls.js's own catch-up does nothing below a second. (The governor of src/live keeps to the
// end of what is buffered instead, which suits a feed of frames and not whole segments.)

export interface Situation {
  /** Seconds behind the place where playback should be. */
  behind: number;
  /** Seconds of media ahead of the playhead. */
  ahead: number;
}

export type Order = { rate: number } | { jump: true };

const FASTEST = 1.1;
const BEHIND = 0.1;
const THERE = 0.03;
const FAR = 1.5;
/** Less than this is not run down. */
const AHEAD_MIN = 0.25;
/** Seconds between jumps: each needs its time to settle. */
const JUMPS_EVERY = 3;

export class Governor {
  #isHurrying = false;
  #jumpedAt = -Infinity;

  /** `now` in seconds, of any clock that never goes back. */
  decide({ behind, ahead }: Situation, now: number): Order {
    if (behind > FAR && now - this.#jumpedAt > JUMPS_EVERY) {
      this.#jumpedAt = now;
      this.#isHurrying = false;
      return { jump: true };
    }
    if (this.#isHurrying) this.#isHurrying = behind > THERE && ahead > AHEAD_MIN / 2;
    else this.#isHurrying = behind > BEHIND && ahead > AHEAD_MIN;
    return { rate: this.#isHurrying ? FASTEST : 1 };
  }
}
