import { expect, it } from "vitest";
import { scrollFor, windowOf } from "./virtual.ts";

it("draws what is seen and some more, never more than sixty", () => {
  expect(windowOf(10_000, 50, 0, 800, 6)).toEqual({ first: 0, end: 23 });
  expect(windowOf(10_000, 50, 5000, 800, 6)).toEqual({ first: 94, end: 123 });
  for (const top of [0, 17, 4999, 499_950, 600_000]) {
    for (const view of [100, 800, 2160, 4320]) {
      const { first, end } = windowOf(10_000, 48, top, view, 8);
      expect(end - first).toBeLessThanOrEqual(60);
      expect(first).toBeGreaterThanOrEqual(0);
      expect(end).toBeLessThanOrEqual(10_000);
    }
  }
  expect(windowOf(0, 50, 0, 800, 6)).toEqual({ first: 0, end: 0 });
});

it("covers the view wherever it is scrolled", () => {
  for (let top = 0; top < 5000; top += 7) {
    const { first, end } = windowOf(200, 48, top, 600, 4);
    expect(first * 48).toBeLessThanOrEqual(top);
    expect(end * 48).toBeGreaterThanOrEqual(Math.min(top + 600, 200 * 48));
  }
});

it("scrolls by as little as possible", () => {
  expect(scrollFor(3, 50, 0, 400)).toBe(0);
  expect(scrollFor(10, 50, 0, 400)).toBe(150);
  expect(scrollFor(1, 50, 200, 400)).toBe(50);
});
