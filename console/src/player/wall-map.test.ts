import { expect, it } from "vitest";
import { type Segment, find, place, wallOf } from "./wall-map.ts";

const SEGMENTS = [
  { start: 0, duration: 2, programDateTime: 1_000_000 },
  { start: 2, duration: 2, programDateTime: 1_002_000 },
  // A gap of a minute that media time does not have.
  { start: 4, duration: 2, programDateTime: 1_064_000 },
];

it("knows the time of day of a picture", () => {
  expect(wallOf(SEGMENTS, 3)).toBe(1_003_000);
  expect(wallOf(SEGMENTS, 4.5)).toBe(1_064_500);
  expect(wallOf(SEGMENTS, 7)).toBe(1_067_000);
  expect(wallOf([], 1)).toBe(null);
  expect(wallOf([{ start: 0, duration: 1, programDateTime: null }], 0)).toBe(null);
});

it("finds a picture by time of day, in a gap the next one", () => {
  expect(find(SEGMENTS, 1_003_000)).toEqual({ mediaTime: 3, wallMs: 1_003_000 });
  expect(find(SEGMENTS, 1_030_000)).toEqual({ mediaTime: 4.001, wallMs: 1_064_000 });
  expect(find(SEGMENTS, 1_066_000)).toBe(null);
});

it("puts segments in order and replaces what they lie upon", () => {
  const segments: Segment[] = [];
  const at = (start: number, programDateTime: number, duration = 1) => place(segments, { start, duration, programDateTime });
  at(0, 1000);
  at(2, 3000);
  at(1, 2000);
  expect(segments.map(({ start }) => start)).toEqual([0, 1, 2]);
  at(2, 9000);
  expect(wallOf(segments, 2.5)).toBe(9500);
  at(0, 5000, 3);
  expect(segments).toEqual([{ start: 0, duration: 3, programDateTime: 5000 }]);
  for (let n = 10; n < 1000; n++) at(n, n * 1000);
  expect(segments.length).toBeLessThanOrEqual(300);
  expect(wallOf(segments, 999.5)).toBe(999_500);
});
