import { expect, it } from "vitest";
import type { HealthEntry } from "../api/types.ts";
import { follow } from "./health-watch.ts";

const health = (BitsPerSecond: number) => ({ StreamName: "gate", Error: null, BitsPerSecond }) as HealthEntry;

it("keeps one rate for ten seconds", () => {
  let watched = follow(undefined, health(1), 0);
  watched = follow(watched, health(2), 5000);
  expect(watched.rates).toEqual([2]);
  watched = follow(watched, health(3), 10_000);
  expect(watched.rates).toEqual([2, 3]);
});

it("leaves a gap where nothing was asked", () => {
  const watched = follow(follow(undefined, health(1), 0), health(2), 35_000);
  expect(watched.rates).toEqual([1, null, null, 2]);
});

it("forgets what is older than ten minutes", () => {
  let watched = follow(undefined, health(0), 0);
  for (let n = 1; n < 500; n++) watched = follow(watched, health(n), n * 10_000);
  expect(watched.rates).toHaveLength(60);
  expect(watched.rates.at(-1)).toBe(499);
  expect(follow(watched, health(7), 10_000_000).rates).toHaveLength(60);
});
