import { expect, it } from "vitest";
import { ServerClock } from "./clock.ts";

it("takes the middle of the round trip", () => {
  const clock = new ServerClock(() => 0);
  expect(clock.isKnown).toBe(false);
  expect(clock.offsetMs).toBe(0);
  clock.add(1000, 5020, 1040);
  expect(clock.offsetMs).toBe(4000);
  expect(clock.errorMs).toBe(20);
});

it("keeps the shortest way", () => {
  const clock = new ServerClock();
  clock.add(0, 1100, 200);
  clock.add(5000, 6010, 5020);
  // That answer came back late.
  clock.add(10_000, 11_010, 10_400);
  expect(clock.offsetMs).toBe(1000);
});

it("keeps the best reading until drift makes it the worse one", () => {
  let now = 0;
  const clock = new ServerClock(() => now);
  clock.add(-10, 95, 0);
  clock.add(-60, 100, 0);
  expect(clock.offsetMs).toBe(100);
  now = 10 * 60_000;
  clock.add(now - 60, now + 100, now);
  expect(clock.offsetMs).toBe(130);
  expect(clock.now()).toBe(now + 130);
});

it("believes a clock that was set", () => {
  const clock = new ServerClock();
  clock.add(0, 1, 2);
  clock.add(5000, 3_605_040, 5080);
  expect(clock.offsetMs).toBe(3_600_000);
});

it("passes over a reading during which this computer's clock was set back", () => {
  const clock = new ServerClock();
  clock.add(0, 1001, 2);
  clock.add(100, 9000, 50);
  clock.add(NaN, 9000, 50);
  expect(clock.offsetMs).toBe(1000);
});
