import { describe, expect, test } from "vitest";

import { randomOf } from "../timeline/random.fixture.ts";
import type { Tier } from "./protocol.ts";
import {
  HARDWARE_PIXELS_PER_SECOND, SOFTWARE_PIXELS_PER_SECOND, type PlaybackSample, Steps, type TileNeed, costOf, shareOut, tierAbove, tierBelow,
} from "./tiers.ts";

const HD = { width: 1920, height: 1080, fps: 25 };
const SMALL = { width: 640, height: 360, fps: 25 };
const software = { pixelsPerSecond: SOFTWARE_PIXELS_PER_SECOND };

function need(id: number, fields: Partial<TileNeed> = {}): TileNeed {
  return {
    id, full: SMALL, sub: null, fragmentMs: 2000, isEnlarged: false, hasMotion: false, pinned: null, area: 640 * 360, cap: "full",
    isHidden: false, isPlayable: true, ...fields,
  };
}
const tiersOf = (needs: TileNeed[], budget = software) => needs.map(({ id }) => shareOut(needs, budget).get(id)?.tier);

describe("shareOut", () => {
  test("sixteen small tiles all play in software", () => {
    expect(new Set(tiersOf(Array.from({ length: 16 }, (_, id) => need(id))))).toEqual(new Set(["full"]));
  });

  test("sixteen full HD tiles: as many as fit, the rest by key frames, and it says why", () => {
    const needs = Array.from({ length: 16 }, (_, id) => need(id, { full: HD }));
    const shares = shareOut(needs, software);
    const tiers = [...shares.values()].map(({ tier }) => tier);
    expect(tiers.filter((tier) => tier === "full")).toHaveLength(3);
    expect(tiers.filter((tier) => tier === "key")).toHaveLength(13);
    expect(shares.get(15)).toEqual({ tier: "key", why: "budget" });
    expect(tiersOf(needs, { pixelsPerSecond: HARDWARE_PIXELS_PER_SECOND }).filter((tier) => tier === "full").length).toBeGreaterThan(9);
  });

  test("the enlarged one first, then motion, then pinned, then size", () => {
    const needs = [
      need(1, { full: HD, area: 9e6 }), need(2, { full: HD, pinned: "full", area: 1 }), need(3, { full: HD, hasMotion: true, area: 1 }),
      need(4, { full: HD, isEnlarged: true, area: 1 }),
    ];
    const order: number[] = [];
    for (const pixelsPerSecond of [60e6, 110e6, 160e6, 210e6]) {
      const shares = shareOut(needs, { pixelsPerSecond });
      for (const { id } of needs) if (shares.get(id)?.tier === "full" && !order.includes(id)) order.push(id);
    }
    expect(order).toEqual([4, 3, 2, 1]);
  });

  test("the sub stream where it is enough, or where the full one does not fit", () => {
    expect(shareOut([need(1, { full: HD, sub: SMALL })], software).get(1)).toEqual({ tier: "sub", why: "size" });
    expect(shareOut([need(1, { full: HD, sub: SMALL, isEnlarged: true })], software).get(1)).toEqual({ tier: "full", why: null });
    expect(shareOut([need(1, { full: HD, sub: SMALL, area: 2e6 })], { pixelsPerSecond: 20e6 }).get(1)).toEqual({ tier: "sub", why: "budget" });
  });

  test("pins, caps, hidden tiles, codecs, phones", () => {
    expect(shareOut([need(1, { pinned: "key" })], software).get(1)).toEqual({ tier: "key", why: "pinned" });
    expect(shareOut([need(1, { full: HD, pinned: "full" })], { pixelsPerSecond: 10e6 }).get(1)).toEqual({ tier: "key", why: "budget" });
    expect(shareOut([need(1, { cap: "key" })], software).get(1)).toEqual({ tier: "key", why: "steps" });
    expect(shareOut([need(1, { isHidden: true })], software).get(1)).toEqual({ tier: "still", why: "hidden" });
    expect(shareOut([need(1, { isPlayable: false })], software).get(1)).toEqual({ tier: "still", why: "codec" });
    expect(tiersOf([need(1), need(2)], { ...software, fullMax: 1 } as typeof software)).toEqual(["full", "key"]);
    expect(tiersOf([need(1), need(2)], { ...software, most: "key" } as typeof software)).toEqual(["key", "key"]);
    expect(tiersOf([need(1, { full: null })], { pixelsPerSecond: 50e6 })).toEqual(["key"]);
  });

  test("no more than the line bears", () => {
    expect(shareOut([need(1), need(2, { pinned: "full" })], { ...software, line: "key" })).toEqual(
      new Map([[1, { tier: "key", why: "line" }], [2, { tier: "key", why: "line" }]]),
    );
  });

  test("never over the budget, whatever the tiles", () => {
    const random = randomOf(3);
    for (let round = 0; round < 500; round++) {
      const needs = Array.from({ length: 1 + Math.floor(random() * 64) }, (_, id) =>
        need(id, {
          full: random() < 0.5 ? HD : SMALL, sub: random() < 0.3 ? SMALL : null, isEnlarged: random() < 0.02, hasMotion: random() < 0.2,
          pinned: random() < 0.1 ? "full" : null, area: random() * 1e6, isHidden: random() < 0.1,
        }));
      const pixelsPerSecond = random() * 300e6;
      const shares = shareOut(needs, { pixelsPerSecond });
      const sum = needs.reduce((sum, need) => sum + costOf(shares.get(need.id)?.tier ?? "full", need), 0);
      expect(sum).toBeLessThanOrEqual(pixelsPerSecond);
      expect(shares.size).toBe(needs.length);
    }
  });
});

const FIRST: PlaybackSample = {
  now: 0, droppedFrames: 0, totalFrames: 0, playedS: 0, receivedBytes: 0, isHidden: false, begunAt: -10_000,
};

describe("Steps", () => {
  /** Plays with virtual time; each second a sample. */
  class Player {
    steps = new Steps();
    now = 0;
    events: [number, string][] = [];
    #sample: PlaybackSample;

    constructor(start: Partial<PlaybackSample> = {}) {
      this.#sample = { ...FIRST, ...start };
    }

    run(seconds: number, { dropPart = 0, speed = 1, bytes = 1000, isHidden = false, canRise = true } = {}): void {
      for (let n = 0; n < seconds; n++) {
        this.now += 1000;
        const last = this.#sample;
        this.#sample = {
          now: this.now, totalFrames: last.totalFrames + 25 * speed, droppedFrames: last.droppedFrames + 25 * speed * dropPart,
          playedS: last.playedS + speed, receivedBytes: last.receivedBytes + bytes, isHidden, begunAt: last.begunAt,
        };
        const step = this.steps.sample(this.#sample, canRise);
        if (step) this.events.push([this.now / 1000, step]);
      }
    }
  }

  test("down when more than 5 % of the frames are dropped for 5 s", () => {
    const player = new Player();
    player.run(30, { dropPart: 0.05 });
    expect(player.events).toEqual([]);
    player.run(10, { dropPart: 0.2 });
    expect(player.events[0]?.[1]).toBe("down");
    expect(player.events[0]?.[0]).toBeLessThanOrEqual(36);
  });

  test("not for what is dropped at the start", () => {
    const player = new Player({ begunAt: 3500 });
    player.run(5, { dropPart: 0.4 });
    player.run(20);
    expect(player.events).toEqual([]);
    const unseen = new Player({ begunAt: null });
    unseen.run(30, { dropPart: 1 });
    expect(unseen.events).toEqual([]);
  });

  test("down when the playhead loses 2 s within 10 s although data comes", () => {
    const player = new Player();
    player.run(20);
    player.run(9, { speed: 0.7 });
    expect(player.events).toEqual([[27, "down"]]);
  });

  test("not when the source is dead, nor when hidden", () => {
    const dead = new Player();
    dead.run(20);
    dead.run(60, { speed: 0, bytes: 0, canRise: false });
    expect(dead.events).toEqual([]);
    const hidden = new Player();
    hidden.run(60, { speed: 0, dropPart: 1, isHidden: true });
    expect(hidden.events).toEqual([]);
  });

  test("up after a clean minute; after each failed try twice as long, ten minutes at most", () => {
    const player = new Player();
    const waits: number[] = [];
    player.run(1);
    for (let round = 0; round < 7; round++) {
      const start = player.now / 1000;
      while (player.events.at(-1)?.[1] !== "up") player.run(1);
      waits.push(player.now / 1000 - start);
      // The better tier is too much.
      while (player.events.at(-1)?.[1] !== "down") player.run(1, { dropPart: 0.5 });
    }
    expect(waits.map((wait) => Math.round(wait / 10) * 10)).toEqual([60, 120, 240, 480, 600, 600, 600]);
  });

  test("a try that held makes the next wait a minute again", () => {
    const player = new Player();
    player.run(62);
    player.run(10, { dropPart: 0.5 });
    player.run(130);
    expect(player.steps.waitMs).toBe(120_000);
    player.run(70, { canRise: false });
    expect(player.steps.waitMs).toBe(60_000);
  });
});

test("the ladder", () => {
  const up: Tier[] = ["still"];
  while (up.at(-1) !== "full") up.push(tierAbove(up.at(-1) ?? "full", false));
  expect(up).toEqual(["still", "key", "full"]);
  expect(tierBelow("full", true)).toBe("sub");
  expect(tierBelow("full", false)).toBe("key");
  expect(tierBelow("still", true)).toBe("still");
  expect(tierAbove("full", true)).toBe("full");
});
