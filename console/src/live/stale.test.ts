import { describe, expect, test } from "vitest";

import { Backoff } from "./backoff.ts";
import { StaleWatch, limitOf } from "./stale.ts";

test("how old a picture may be", () => {
  expect(limitOf("full", 2000)).toBe(3000);
  expect(limitOf("sub", null)).toBe(3000);
  expect(limitOf("key", 2000)).toBe(4000);
  expect(limitOf("key", 5000)).toBe(10_000);
  expect(limitOf("key", 500)).toBe(3000);
  expect(limitOf("still", null)).toBe(120_000);
});

describe("StaleWatch", () => {
  test("live, stale, live again", () => {
    const watch = new StaleWatch(0);
    expect(watch.state(100, 3000)).toEqual({ is: "waiting", sinceMs: 100 });
    watch.frame(200);
    expect(watch.state(3200, 3000)).toEqual({ is: "live" });
    expect(watch.state(14_200, 3000)).toEqual({ is: "stale", sinceMs: 14_000 });
    watch.frame(14_300);
    expect(watch.state(14_300, 3000)).toEqual({ is: "live" });
  });

  test("retries 1, 2, 4 … 30 s apart, for ever, and from 1 s again after a frame", () => {
    const watch = new StaleWatch(0);
    watch.frame(0);
    const tries: number[] = [];
    for (let now = 0; now < 200_000; now += 100) if (watch.isRetryDue(now, 3000)) tries.push(now);
    const gaps = tries.map((at, n) => at - (tries[n - 1] ?? 3100));
    expect(gaps.slice(0, 8)).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
    watch.frame(200_000);
    expect(watch.retries).toBe(0);
    expect(watch.isRetryDue(203_100, 3000)).toBe(false);
    expect(watch.isRetryDue(204_100, 3000)).toBe(true);
  });

  test("nothing is retried while hidden; on return old pixels are not live", () => {
    const watch = new StaleWatch(0);
    watch.frame(1000);
    watch.setHidden(true, 1500);
    for (let now = 1500; now < 100_000; now += 500) expect(watch.isRetryDue(now, 3000)).toBe(false);
    watch.setHidden(false, 100_000);
    expect(watch.state(100_100, 3000)).toEqual({ is: "waiting", sinceMs: 100 });
    expect(watch.isRetryDue(102_000, 3000)).toBe(false);
    watch.frame(102_100);
    expect(watch.state(102_200, 3000)).toEqual({ is: "live" });
  });
});

test("backoff", () => {
  const backoff = new Backoff();
  expect(Array.from({ length: 7 }, () => backoff.next())).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
  backoff.reset();
  expect(backoff.next()).toBe(1000);
});
