import { expect, it } from "vitest";
import { Handover, type Sides } from "./handover.ts";

const T = 1_795_000_000_000;

/** Two players in virtual time: `loads` is how long the standby takes to have what it was sent to. */
function run({ loads = 200, canLoad = false, isStill = false, edge = 800, isKnown = true } = {}) {
  const handover = new Handover();
  let activeWall = T;
  let standby = { wall: T + 300, readyAt: 0 };
  const seeks: number[] = [];
  for (let now = 0; now < 30_000; now += 40) {
    if (!isStill) activeWall += 40;
    const sides: Sides = {
      activeWall: isKnown ? activeWall : null, isStill, canLoad,
      mediaTimeOf: (wall) => (wall - T) / 1000 + 10,
      aheadOf: (at) => Math.max(0, (T + now + edge) / 1000 - (T / 1000 + at - 10)),
      isReady: now >= standby.readyAt,
    };
    const order = handover.decide(sides, now);
    if (order.do === "give-up") return { how: "gave up", at: now, seeks };
    if (order.do === "swap") return { how: "swapped", at: now, apart: standby.wall - activeWall, seeks };
    if (order.do === "seek") {
      seeks.push(order.to);
      standby = { wall: T + (order.to - 10) * 1000, readyAt: now + loads };
    }
  }
  throw new Error("never ended");
}

it("takes over at the very picture", () => {
  const { how, apart, seeks, at } = run();
  expect(how).toBe("swapped");
  expect(Math.abs(apart ?? NaN)).toBeLessThanOrEqual(40);
  expect(seeks).toHaveLength(1);
  expect(at).toBeLessThan(600);
});

it("aims further ahead when it came too late", () => {
  const { how, apart, seeks } = run({ loads: 2500, canLoad: true });
  expect(how).toBe("swapped");
  expect(Math.abs(apart ?? NaN)).toBeLessThanOrEqual(400);
  expect(seeks.length).toBeGreaterThan(2);
});

it("goes nowhere that has not come yet", () => {
  const { how, seeks } = run({ edge: 100 });
  expect(how).toBe("gave up");
  expect(seeks).toEqual([]);
  expect(run({ edge: 100, canLoad: true }).how).toBe("swapped");
});

it("shows the same picture while paused", () => {
  const { how, apart, seeks } = run({ isStill: true, canLoad: true });
  expect(how).toBe("swapped");
  expect(apart).toBeCloseTo(5, 3);
  expect(seeks).toEqual([10.005]);
});

it("gives up in the end", () => {
  expect(run({ isKnown: false })).toMatchObject({ how: "gave up" });
  expect(run({ loads: 1e9, canLoad: true })).toMatchObject({ how: "gave up" });
});
