import { expect, it } from "vitest";
import { ServerClock, reading } from "./clock.ts";

it("takes the middle of the round trip", () => {
  expect(reading(1000, 5020, 1040)).toEqual({ offsetMs: 4000, errorMs: 20 });
});

it("keeps the best reading until drift makes it the worse one", () => {
  let now = 0;
  const clock = new ServerClock(() => now);
  expect(clock.isKnown).toBe(false);
  clock.add({ offsetMs: 100, errorMs: 5 });
  clock.add({ offsetMs: 130, errorMs: 30 });
  expect(clock.offsetMs).toBe(100);
  now = 10 * 60_000;
  clock.add({ offsetMs: 130, errorMs: 30 });
  expect(clock.offsetMs).toBe(130);
  expect(clock.now()).toBe(now + 130);
});

it("believes a clock that was set", () => {
  const clock = new ServerClock(() => 0);
  clock.add({ offsetMs: 0, errorMs: 1 });
  clock.add({ offsetMs: 3_600_000, errorMs: 40 });
  expect(clock.offsetMs).toBe(3_600_000);
});
