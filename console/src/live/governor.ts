/** Keeps a player at the live edge: a little faster when a little behind, a seek when far behind. */

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
  isPaused: boolean;
}

export interface Decision {
  /** Playback rate, 1..1.1. */
  rate: number;
  /** Seconds, or null: no seek. */
  seekTo: number | null;
}

export const TARGET_MIN_S = 0.4;
export const TARGET_MAX_S = 0.8;
export const RATE_MAX = 1.1;
/** Beyond the target: from here the rate rises, and from there a seek is better. */
const CATCH_UP_S = 0.1;
const SEEK_S = 1.5;
/** Once catching up, until nearly there: no switching to and fro. */
const CAUGHT_UP_S = 0.02;
/** Excess at which the rate is at its most. */
const FULL_RATE_S = 0.5;
const TARGET_STEP_S = 0.1;
const CALM_MS = 60_000;
/** A seek whose frame never comes is given up: the decoder had its time. */
const SEEK_PATIENCE_MS = 5000;

const STAY: Decision = { rate: 1, seekTo: null };

export class Governor {
  #target = TARGET_MIN_S;
  #isCatchingUp = false;
  #calmSince: number | null = null;
  #soughtAt: number | null = null;
  #wasHidden = false;

  /** Seconds behind the edge that are kept. */
  get target(): number {
    return this.#target;
  }

  /** The player ran dry: keep more. */
  stalled(now: number): void {
    this.#target = Math.min(TARGET_MAX_S, this.#target + TARGET_STEP_S);
    this.#calmSince = now;
  }

  decide(sample: Sample): Decision {
    const { now, position, edge, seekable } = sample;
    if (sample.isHidden || sample.isPaused) {
      this.#wasHidden ||= sample.isHidden;
      this.#isCatchingUp = false;
      return STAY;
    }
    this.#calm(now);
    const end = edge ?? seekable?.to ?? null;
    if (end === null) return STAY;
    const excess = end - position - this.#target;
    // On return to the page: the edge, never a fast-forward.
    const isReturn = this.#wasHidden && excess > CATCH_UP_S;
    if (!isReturn) this.#wasHidden = false;
    // Outside what is buffered no rate helps.
    if (excess > SEEK_S || isReturn || edge === null) return this.#seek(sample, end);

    if (excess >= CATCH_UP_S) this.#isCatchingUp = true;
    else if (excess <= CAUGHT_UP_S) this.#isCatchingUp = false;
    if (!this.#isCatchingUp) return STAY;
    const rate = 1 + (RATE_MAX - 1) * Math.min(1, Math.max(0.1, excess / FULL_RATE_S));
    // Steps of a hundredth: each change costs the audio a stretch.
    return { rate: Math.round(rate * 100) / 100, seekTo: null };
  }

  #seek({ now, position, edge, seekable, hasShown }: Sample, end: number): Decision {
    if (!seekable) return STAY;
    // A decoder may hold back sixteen frames: seeking again before the first shows nothing at all. At the
    // start the position lies outside what is buffered, and no frame could come.
    const isStart = edge === null && this.#soughtAt === null;
    if (!hasShown && !isStart) {
      this.#soughtAt ??= now;
      if (now - this.#soughtAt < SEEK_PATIENCE_MS) return STAY;
    }
    const goal = Math.max(seekable.from, Math.min(end, seekable.to) - this.#target);
    // Backwards only from outside.
    if (edge !== null && goal <= position + CATCH_UP_S) return STAY;
    this.#soughtAt = now;
    this.#isCatchingUp = false;
    this.#wasHidden = false;
    return { rate: 1, seekTo: goal };
  }

  #calm(now: number): void {
    this.#calmSince ??= now;
    if (now - this.#calmSince < CALM_MS) return;
    this.#target = Math.max(TARGET_MIN_S, this.#target - TARGET_STEP_S);
    this.#calmSince = now;
  }
}
