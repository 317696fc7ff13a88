import { expect, it } from "vitest";
import type { HealthEntry } from "../api/types.ts";
import { watchedOf } from "./health-watch.ts";

const health = (BitsPerSecond: number | null, history: (number | null)[] | null) => ({
  StreamName: "gate", Error: null, BitsPerSecond,
  BitRateHistory: history && { StepSeconds: 10, EndTimestamp: 1_795_000_000, BitsPerSecond: history },
}) as HealthEntry;

it("shows the steps that are over, and now", () => {
  expect(watchedOf(health(3, [null, 1, 2])).rates).toEqual([null, 1, 2, 3]);
  expect(watchedOf(health(null, [1, 2])).rates).toEqual([1, 2, 0]);
});

it("shows ten minutes", () => {
  const rates = watchedOf(health(60, Array.from({ length: 60 }, (_, n) => n))).rates;
  expect(rates).toHaveLength(60);
  expect(rates?.[0]).toBe(1);
  expect(rates?.at(-1)).toBe(60);
});

it("has none where none were asked for, or the stream cannot be shown", () => {
  expect(watchedOf(health(3, null)).rates).toBeNull();
  const lost = { StreamName: "gate", Error: { Code: "AccessDeniedException", Message: "" } } as HealthEntry;
  expect(watchedOf(lost)).toEqual({ entry: lost, rates: null });
});
