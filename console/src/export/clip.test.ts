import { describe, expect, it } from "vitest";
import type { CoverageEntry } from "../api/types.ts";
import {
  clipName, clipRequest, coveringStart, faultOf, insideOf, isBeyondLimits, marksOf, marksQuery, proposedRange,
} from "./clip.ts";

const T = Date.parse("2026-11-20T14:05:00.000Z");
const RANGE = { from: T, to: T + 60_000 };

function coverage(runs: [number, number, number, number][] | null, gaps: [number, number, string][] = []): CoverageEntry {
  return {
    StreamName: "gate-3", Error: null, Buckets: runs ? null : { BucketSeconds: 30, RecordedSeconds: [30, 12] },
    Runs: runs?.map(([from, to, FragmentCount, Bytes]) => ({
      StartTimestamp: (T + from) / 1000, EndTimestamp: (T + to) / 1000, FragmentCount, Bytes,
    })) ?? null,
    Gaps: gaps.map(([from, to, Reason]) => ({
      StartTimestamp: (T + from) / 1000, EndTimestamp: (T + to) / 1000, Reason: Reason as "NO_SESSION", ErrorId: null,
    })),
  };
}

describe("what is inside", () => {
  it("adds runs, and keeps gaps within the range", () => {
    const inside = insideOf(coverage(
      [[-1000, 20_000, 11, 5000], [50_000, 62_000, 6, 2000]], [[20_000, 50_000, "NO_SESSION"]],
    ), RANGE, T + 3_600_000);
    expect(inside).toMatchObject({ recordedMs: 30_000, fragments: 17, bytes: 7000, isArriving: false });
    expect(inside.gaps).toEqual([{ from: T + 20_000, to: T + 50_000, reason: "NO_SESSION", errorId: null }]);
    const outside = insideOf(coverage([[10_000, 90_000, 40, 9]], [[-50_000, 10_000, "EXPIRED"]]), RANGE, T + 3_600_000);
    expect(outside.gaps).toEqual([{ from: T, to: T + 10_000, reason: "EXPIRED", errorId: null }]);
  });

  it("knows the time alone from buckets", () => {
    expect(insideOf(coverage(null), RANGE, T + 3_600_000)).toMatchObject({ recordedMs: 42_000, fragments: null, bytes: null });
  });

  it("waits for the fragment that is being sent, and for no camera that is off", () => {
    const now = RANGE.to + 500;
    expect(insideOf(coverage([[-1000, 58_000, 29, 9]]), RANGE, now).isArriving).toBe(true);
    expect(insideOf(coverage([[-1000, 59_990, 29, 9]]), RANGE, now).isArriving).toBe(false);
    expect(insideOf(coverage([[-1000, 40_000, 29, 9]], [[40_000, 60_500, "NO_SESSION"]]), RANGE, now).isArriving).toBe(false);
    expect(insideOf(coverage([[-1000, 58_000, 29, 9]]), RANGE, RANGE.to + 60_000).isArriving).toBe(false);
  });

  it("names the exception of a stream that may not be seen", () => {
    const denied: CoverageEntry = { StreamName: "gate-3", Error: { Code: "AccessDeniedException", Message: "no" } };
    expect(() => insideOf(denied, RANGE, T)).toThrow(TypeError);
  });
});

it("asks for more than the service gives only when it must", () => {
  expect(isBeyondLimits({ fragments: 198, bytes: 5e6 })).toBe(false);
  expect(isBeyondLimits({ fragments: 199, bytes: 5e6 })).toBe(true);
  expect(isBeyondLimits({ fragments: 30, bytes: 98e6 })).toBe(true);
  expect(isBeyondLimits({ fragments: null, bytes: null })).toBe(true);
});

it("says what no file can be made of", () => {
  const now = T + 7_200_000;
  const inside = { recordedMs: 0, gaps: [], fragments: 0, bytes: 0, isArriving: false };
  expect(faultOf({ from: T, to: T }, now)).toBe("order");
  expect(faultOf({ from: T, to: T + 86_400_001 }, T + 1e9)).toBe("long");
  expect(faultOf({ from: T, to: now + 1 }, now)).toBe("future");
  expect(faultOf(RANGE, now, inside)).toBe("nothing");
  expect(faultOf(RANGE, now, { ...inside, isArriving: true })).toBe(null);
  expect(faultOf(RANGE, now)).toBe(null);
});

it("begins with the fragment that the first instant lies in", () => {
  const fragments = [-3000, -1000, 1000].map((at) => ({
    FragmentNumber: "1", FragmentSizeInBytes: 1, ProducerTimestamp: 0, ServerTimestamp: (T + at) / 1000,
    FragmentLengthInMilliseconds: 2000,
  }));
  expect(coveringStart(fragments, T)).toBe(T - 1000);
  expect(coveringStart(fragments.slice(0, 1), T)).toBe(T);
  expect(coveringStart([], T)).toBe(T);
});

it("names the file after the stream and the range in UTC", () => {
  expect(clipName("gate-3", RANGE)).toBe("gate-3_2026-11-20T14-05-00.000Z_2026-11-20T14-06-00.000Z.mp4");
  expect(clipRequest("gate-3", RANGE).ClipFragmentSelector.TimestampRange)
    .toEqual({ StartTimestamp: T / 1000, EndTimestamp: T / 1000 + 60 });
});

it("keeps marks in the URL", () => {
  const query = marksQuery({ from: T, to: T + 1500.4 });
  expect(query).toEqual({ in: "2026-11-20T14:05:00.000Z", out: "2026-11-20T14:05:01.500Z" });
  expect(marksOf(query as { in: string })).toEqual({ from: T, to: T + 1500 });
  expect(marksOf({ in: "x", out: query.out ?? "" })).toEqual({ from: null, to: T + 1500 });
  expect(marksOf({ in: query.out ?? "", out: query.in ?? "" })).toEqual({ from: null, to: null });
  expect(marksQuery({ from: null, to: null })).toEqual({ in: undefined, out: undefined });
});

it("proposes the minute before", () => {
  const none = { from: null, to: null };
  expect(proposedRange(none, T)).toEqual({ from: T - 60_000, to: T });
  expect(proposedRange({ from: T - 5000, to: null }, T)).toEqual({ from: T - 5000, to: T });
  expect(proposedRange({ from: T + 5000, to: null }, T)).toEqual({ from: T + 5000, to: T + 65_000 });
  expect(proposedRange({ from: null, to: T }, 0)).toEqual({ from: T - 60_000, to: T });
});
