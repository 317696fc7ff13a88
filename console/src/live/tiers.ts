/** Which tile may decode how much: the decode budget shared out, and steps down and up by what happens. */

import { TIERS, type Tier } from "./protocol.ts";

export interface TileNeed {
  id: number;
  /** Of the stream; null while not known, and then counted as full HD. */
  full: Picture | null;
  /** The paired smaller stream. */
  sub: Picture | null;
  /** Time between key frames. */
  fragmentMs: number | null;
  isEnlarged: boolean;
  hasMotion: boolean;
  pinned: Tier | null;
  /** Square CSS pixels times the device's ratio squared. */
  area: number;
  /** The best that its steps allow. */
  cap: Tier;
  /** Off screen longer than the grace: nothing is decoded. */
  isHidden: boolean;
  /** The browser cannot decode the codec: stills only. */
  isPlayable: boolean;
}

export interface Picture {
  width: number;
  height: number;
  fps: number;
}

export type Why = "budget" | "line" | "pinned" | "steps" | "hidden" | "codec" | "size" | null;

export interface Share {
  tier: Tier;
  /** Why it is not the best; null when it is. */
  why: Why;
}

export interface Budget {
  pixelsPerSecond: number;
  /** On a phone one. */
  fullMax?: number;
  /** On a phone with `saveData` or a cellular line. */
  most?: Tier;
  /** What the line bears. */
  line?: Tier;
}

export const SOFTWARE_PIXELS_PER_SECOND = 200e6;
export const HARDWARE_PIXELS_PER_SECOND = 600e6;
const UNKNOWN: Picture = { width: 1920, height: 1080, fps: 25 };
const FRAGMENT_MS = 2000;
/** Small pictures cost more than their pixels: some 80 Mpixel/s is what a core does at 320×180. */
const PICTURE_PIXELS_MIN = 640 * 360;
/** A sub stream with so much of the tile's pixels looks the same. */
const SUB_ENOUGH = 0.7;

export function costOf(tier: Tier, need: TileNeed): number {
  const picture = (tier === "sub" ? need.sub : need.full) ?? UNKNOWN;
  const pixels = Math.max(PICTURE_PIXELS_MIN, picture.width * picture.height);
  if (tier === "still") return 0;
  if (tier === "key") return pixels * (1000 / (need.fragmentMs ?? FRAGMENT_MS));
  return pixels * picture.fps;
}

/** Enlarged first, then with motion, then pinned, then by size. */
export function shareOut(needs: readonly TileNeed[], budget: Budget): Map<number, Share> {
  const order = [...needs].sort(
    (a, b) =>
      Number(b.isEnlarged) - Number(a.isEnlarged) ||
      Number(b.hasMotion) - Number(a.hasMotion) ||
      Number(b.pinned !== null) - Number(a.pinned !== null) ||
      b.area - a.area ||
      a.id - b.id,
  );
  // Movement of one must not cost another its key frames, except for the enlarged one.
  const reserve = (need: TileNeed) => (ladder(need, budget).tiers.includes("key") ? costOf("key", need) : 0);
  let left = budget.pixelsPerSecond;
  let reserved = order.reduce((sum, need) => sum + reserve(need), 0);
  let fulls = 0;
  const out = new Map<number, Share>();
  for (const need of order) {
    const { tiers, why } = ladder(need, budget);
    reserved -= reserve(need);
    const kept = need.isEnlarged ? 0 : Math.min(reserved, left);
    const fits = (tier: Tier) => {
      if (tier === "full" && fulls >= (budget.fullMax ?? Infinity)) return false;
      const cost = costOf(tier, need);
      return cost === 0 || cost <= left - (tier === "key" ? 0 : kept);
    };
    const tier = tiers.find(fits) ?? "still";
    left -= costOf(tier, need);
    if (tier === "full") fulls++;
    out.set(need.id, { tier, why: tier === tiers[0] ? why : "budget" });
  }
  return out;
}

/** The tiers a tile may have, best first, and why the best is not `full`. */
function ladder(need: TileNeed, budget: Budget): { tiers: Tier[]; why: Why } {
  if (need.isHidden) return { tiers: ["still"], why: "hidden" };
  if (!need.isPlayable) return { tiers: ["still"], why: "codec" };
  let best: Tier = "full";
  let why: Why = null;
  const lower = (tier: Tier, reason: Why) => {
    if (TIERS.indexOf(tier) < TIERS.indexOf(best)) [best, why] = [tier, reason];
  };
  if (need.pinned) lower(need.pinned, "pinned");
  else if (need.sub && !need.isEnlarged && need.sub.width * need.sub.height >= need.area * SUB_ENOUGH) lower("sub", "size");
  if (budget.most) lower(budget.most, "budget");
  if (budget.line) lower(budget.line, "line");
  lower(need.cap, "steps");
  const tiers = [...TIERS].reverse().filter((tier) => {
    return TIERS.indexOf(tier) <= TIERS.indexOf(best) && (tier !== "sub" || need.sub !== null);
  });
  return { tiers, why };
}

export interface PlaybackSample {
  /** Milliseconds by a clock that only rises. */
  now: number;
  /** Both since the start, as getVideoPlaybackQuality counts. */
  droppedFrames: number;
  totalFrames: number;
  /** Seconds of media played since the start. A seek adds none: one to the live edge would hide what was lost. */
  playedS: number;
  /** Bytes of media since the start. */
  receivedBytes: number;
  isHidden: boolean;
  /** Since when pictures of this format are shown; null before the first. */
  begunAt: number | null;
}

/** A player begins with the frames since the last key frame, all at once, and drops what is late of them. */
const SETTLE_MS = 2000;
const DROP_WINDOW_MS = 5000;
const DROP_PART = 0.05;
const LOSS_WINDOW_MS = 10_000;
const LOSS_S = 2;
/** So long after the last bytes data still counts as coming: less than what must be lost. */
const FED_MS = 1500;
const CLEAN_MS = 60_000;
const CLEAN_MS_MAX = 600_000;

/** When one tile should step down or may try a step up. */
export class Steps {
  #samples: PlaybackSample[] = [];
  #cleanSince: number | null = null;
  #cleanMs = CLEAN_MS;
  /** When the last step up was, until it has proved good. */
  #triedAt: number | null = null;

  /** How long must be clean before a step up. */
  get waitMs(): number {
    return this.#cleanMs;
  }

  /** `canRise`: there is a better tier that is not out of reach for another reason. */
  sample(sample: PlaybackSample, canRise: boolean): "down" | "up" | null {
    if (sample.isHidden || sample.begunAt === null || sample.now - sample.begunAt < SETTLE_MS) {
      // What happens unseen, or at the start, says nothing.
      this.restart();
      return null;
    }
    const last = this.#samples.at(-1);
    // A new player counts from zero.
    if (last && (sample.totalFrames < last.totalFrames || sample.receivedBytes < last.receivedBytes)) this.restart();
    this.#samples.push(sample);
    while (this.#samples[1] && sample.now - this.#samples[1].now >= LOSS_WINDOW_MS) this.#samples.shift();
    this.#cleanSince ??= sample.now;

    if (this.#isDropping(sample) || this.#isLosing()) {
      if (this.#triedAt !== null) this.#cleanMs = Math.min(CLEAN_MS_MAX, this.#cleanMs * 2);
      this.#triedAt = null;
      this.restart();
      return "down";
    }
    const clean = sample.now - this.#cleanSince;
    if (this.#triedAt !== null && clean >= CLEAN_MS) {
      this.#triedAt = null;
      this.#cleanMs = CLEAN_MS;
    }
    if (!canRise || clean < this.#cleanMs) return null;
    this.#triedAt = sample.now;
    this.restart();
    return "up";
  }

  /** After a seek or another tier: what came before does not count. */
  restart(): void {
    this.#samples = [];
    this.#cleanSince = null;
  }

  #isDropping(sample: PlaybackSample): boolean {
    const start = this.#since(sample, DROP_WINDOW_MS);
    if (!start) return false;
    const total = sample.totalFrames - start.totalFrames;
    return total > 0 && (sample.droppedFrames - start.droppedFrames) / total > DROP_PART;
  }

  /** The playhead falls behind the clock although data comes: what is lost while none comes does not count. */
  #isLosing(): boolean {
    let lost = 0;
    let before = this.#samples[0];
    let fedAt = before?.now ?? 0;
    for (const sample of this.#samples.slice(1)) {
      if (!before) break;
      if (sample.receivedBytes > before.receivedBytes) fedAt = sample.now;
      if (sample.now - fedAt <= FED_MS) lost += (sample.now - before.now) / 1000 - (sample.playedS - before.playedS);
      before = sample;
    }
    return lost >= LOSS_S;
  }

  /** The newest sample that is at least so old. */
  #since(sample: PlaybackSample, ms: number): PlaybackSample | null {
    return this.#samples.findLast((old) => sample.now - old.now >= ms) ?? null;
  }
}

export function tierBelow(tier: Tier, hasSub: boolean): Tier {
  const order = TIERS.filter((tier) => hasSub || tier !== "sub");
  return order[Math.max(0, order.indexOf(tier) - 1)] ?? "still";
}

export function tierAbove(tier: Tier, hasSub: boolean): Tier {
  const order = TIERS.filter((tier) => hasSub || tier !== "sub");
  return order[Math.min(order.length - 1, order.indexOf(tier) + 1)] ?? "full";
}
