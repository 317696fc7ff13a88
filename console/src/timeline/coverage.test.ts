import { describe, expect, test } from "vitest";

import { readCoverage } from "./coverage.ts";

const answer = (stream: object) => ({ Streams: [{ StreamName: "gate-3", Error: null, ...stream }] });
const run = (from: number, to: number) => ({ StartTimestamp: from, EndTimestamp: to, FragmentCount: 1, Bytes: 1 });
const gap = (from: number, to: number, Reason = "NO_SESSION", ErrorId: number | null = null) => ({
  StartTimestamp: from, EndTimestamp: to, Reason, ErrorId,
});
const read = (stream: object, from = 0, to = 100_000, now = 1e12) => readCoverage(answer(stream), from, to, now)[0];

describe("runs", () => {
  test("with a gap between, and one at the end", () => {
    expect(read({ Runs: [run(0, 62), run(70, 80)], Buckets: null, Gaps: [gap(62, 70), gap(80, 100, "REFUSED", 4005)] })).toEqual({
      pieces: [
        { from: 0, to: 62_000, state: "full" },
        { from: 62_000, to: 70_000, state: "gap" },
        { from: 70_000, to: 80_000, state: "full" },
        { from: 80_000, to: 100_000, state: "gap" },
      ],
      gaps: [
        { from: 62_000, to: 70_000, reason: "NO_SESSION", errorId: null },
        { from: 80_000, to: 100_000, reason: "REFUSED", errorId: 4005 },
      ],
      error: null,
    });
  });

  test("a hole between two runs is a gap even if none is named", () => {
    expect(read({ Runs: [run(0, 10), run(11, 20)], Gaps: [] })?.pieces[1]).toEqual({ from: 10_000, to: 11_000, state: "gap" });
  });

  test("what follows the last run is not known to be missing", () => {
    expect(read({ Runs: [run(0, 10)], Gaps: [] })?.pieces).toEqual([{ from: 0, to: 10_000, state: "full" }]);
  });

  test("one gap with two reasons is one piece", () => {
    const lane = read({ Runs: [run(0, 10)], Gaps: [gap(10, 20, "NO_MEDIA"), gap(20, 90)] });
    expect(lane?.pieces[1]).toEqual({ from: 10_000, to: 90_000, state: "gap" });
    expect(lane?.gaps).toHaveLength(2);
  });

  test("seconds as doubles keep their milliseconds", () => {
    const lane = read({ Runs: [run(1795166438.001, 1795166500.999)], Gaps: [] }, 1795166438000, 1795166600000, 1795166600000);
    expect(lane?.pieces[0]).toEqual({ from: 1795166438000, to: 1795166500999, state: "full" });
  });
});

describe("buckets", () => {
  test("full, part and empty; cut at now", () => {
    const Buckets = { BucketSeconds: 10, RecordedSeconds: [10, 9.6, 9.5, 0, 0, 5, 0] };
    expect(read({ Runs: null, Buckets, Gaps: [] }, 0, 70_000, 55_000)?.pieces).toEqual([
      { from: 0, to: 20_000, state: "full" },
      { from: 20_000, to: 30_000, state: "part" },
      { from: 30_000, to: 50_000, state: "gap" },
      { from: 50_000, to: 55_000, state: "full" },
    ]);
  });
});

test("a stream that cannot be shown does not hide the others", () => {
  const lanes = readCoverage(
    { Streams: [{ StreamName: "a", Error: { Code: "ResourceNotFoundException", Message: "" } }, { StreamName: "b", Error: null, Runs: [], Gaps: [] }] },
    0, 1000, 1000,
  );
  expect(lanes.map(({ error }) => error)).toEqual(["ResourceNotFoundException", null]);
});

test.each([
  null, 3, {}, { Streams: {} }, { Streams: [null] }, answer({ Runs: [{}] }), answer({ Runs: [run(Number.NaN, 1)] }),
  answer({ Buckets: { BucketSeconds: 0, RecordedSeconds: [] } }), answer({ Buckets: { BucketSeconds: 1, RecordedSeconds: ["1"] } }),
])("%j is refused", (value) => {
  expect(() => readCoverage(value, 0, 1000, 1000)).toThrow(TypeError);
});
