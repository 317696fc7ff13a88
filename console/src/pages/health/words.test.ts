import { expect, it } from "vitest";
import type { DiskHealth, ServerHealth } from "../../api/types.ts";
import { certificateWords, fullAt, isEarly, latencyTone, latencyWords, outlook, shares, staleMs } from "./words.ts";

const NOW = Date.parse("2026-11-20T12:00:00Z");
const disk = (patch: Partial<DiskHealth> = {}): DiskHealth => ({
  TotalBytes: 1000, AvailableBytes: 400, RefuseBelowBytes: 50, FootageBytes: 450, FootageVolumes: 3,
  StoredBytesPerSecond: 1, WrittenBytesPerSecond: 1, DayStoredBytesPerSecond: 1, DaySeconds: 86_400,
  FreedWithinDayBytes: 0, FreedWithinWeekBytes: 0, Outlook: "FILLS", DaysUntilFull: 5.19,
  History: { StepSeconds: 60, StoredBytesPerSecond: [] }, ...patch,
});

it("tells how long the disk is enough", () => {
  expect(outlook(disk()).tone).toBe("warn");
  expect(outlook(disk({ DaysUntilFull: 1.99 })).tone).toBe("bad");
  expect(outlook(disk({ DaysUntilFull: 0 }))).toMatchObject({ tone: "bad", words: "server.fullIn" });
  expect(outlook(disk({ DaysUntilFull: 7 })).tone).toBe("ok");
  expect(outlook(disk({ Outlook: "HOLDS", DaysUntilFull: null }))).toEqual({ words: "server.holds", tone: "ok" });
  expect(outlook(disk({ Outlook: "MEASURING", DaysUntilFull: null }))).toEqual({ words: "server.measuring", tone: "none" });
  expect(fullAt(disk({ DaysUntilFull: 2 }), NOW)).toBe(Date.parse("2026-11-22T12:00:00Z"));
  expect(fullAt(disk({ DaysUntilFull: null }), NOW)).toBeNull();
});

it("says when a forecast rests on little", () => {
  expect(isEarly(disk({ DaySeconds: 599 }))).toBe(true);
  expect(isEarly(disk({ DaySeconds: 600 }))).toBe(false);
  expect(isEarly(disk({ DaySeconds: 5, Outlook: "MEASURING" }))).toBe(false);
});

it("shares the disk out, whatever the figures", () => {
  expect(shares(disk())).toEqual({ footage: 45, other: 15, free: 40, reserve: 5 });
  expect(shares(disk({ FootageBytes: null }))).toMatchObject({ footage: 0, other: 60 });
  // Counted a minute ago, and deleted since.
  expect(shares(disk({ FootageBytes: 700 }))).toMatchObject({ footage: 60, other: 0 });
  expect(shares(disk({ AvailableBytes: 10 }))).toMatchObject({ free: 1, reserve: 1 });
  expect(shares(disk({ TotalBytes: 0 }))).toEqual({ footage: 0, other: 0, free: 0, reserve: 0 });
});

it("gives percentiles as bounds", () => {
  expect(latencyWords({ Count: 9, P50Milliseconds: 0.25, P99Milliseconds: 25 })).toBe("p50 ≤ 0.25 ms · p99 ≤ 25 ms");
  expect(latencyWords({ Count: 9, P50Milliseconds: 5, P99Milliseconds: null })).toBe("p50 ≤ 5 ms · p99 > 10 s");
  const none = { Count: 0, P50Milliseconds: null, P99Milliseconds: null };
  expect(latencyWords(none)).toBe("server.noneLately");
  expect(latencyTone(none, 1000)).toBe("none");
  expect(latencyTone({ Count: 1, P50Milliseconds: 1, P99Milliseconds: 1000 }, 1000)).toBe("ok");
  expect(latencyTone({ Count: 1, P50Milliseconds: 1, P99Milliseconds: null }, 1000)).toBe("warn");
});

it("knows figures that are old", () => {
  const health = { Timestamp: NOW / 1000 } as ServerHealth;
  expect(staleMs(health, NOW + 15_000, false)).toBeNull();
  expect(staleMs(health, NOW + 15_001, false)).toBe(15_001);
  expect(staleMs(health, NOW + 2000, true)).toBe(2000);
  // The clocks of the two are not one.
  expect(staleMs(health, NOW - 500, false)).toBeNull();
});

it("tells an end that is over", () => {
  expect(certificateWords(NOW / 1000, NOW)).toContain("server.expired");
  expect(certificateWords(NOW / 1000 + 1, NOW)).toContain("server.in");
});
