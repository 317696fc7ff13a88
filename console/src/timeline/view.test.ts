import { describe, expect, test } from "vitest";

import { SPAN_MAX_MS, SPAN_MIN_MS, centred, clamp, pan, spanOf, timeAt, xOf, zoom } from "./view.ts";

const NOW = Date.parse("2026-11-20T13:00:00Z");
const hour = { from: NOW - 3_600_000, to: NOW };

describe("zoom", () => {
  test("keeps the point under the pointer", () => {
    for (const x of [0, 137, 500, 1000]) {
      const at = timeAt(hour, x, 1000);
      for (const factor of [0.5, 0.9, 2, 30]) expect(xOf(zoom(hour, at, factor), at, 1000)).toBeCloseTo(x, 6);
    }
  });

  test("from two years to two seconds and back", () => {
    let view = hour;
    for (let n = 0; n < 40; n++) view = zoom(view, NOW - 1000, 0.5);
    expect(spanOf(view)).toBeCloseTo(SPAN_MIN_MS, 3);
    for (let n = 0; n < 60; n++) view = zoom(view, NOW - 1000, 2);
    expect(spanOf(view)).toBeCloseTo(SPAN_MAX_MS, 0);
  });
});

test("pan and centred", () => {
  expect(pan(hour, 1000)).toEqual({ from: hour.from + 1000, to: hour.to + 1000 });
  expect(centred(NOW, 10)).toEqual({ from: NOW - 5, to: NOW + 5 });
});

test("clamp leaves at most half a view of the future, and nothing before 1970", () => {
  expect(clamp(pan(hour, 1e12), NOW)).toEqual({ from: NOW - 1_800_000, to: NOW + 1_800_000 });
  expect(clamp(pan(hour, -1e13), NOW)).toEqual({ from: 0, to: 3_600_000 });
  expect(clamp(hour, NOW)).toEqual(hour);
});
