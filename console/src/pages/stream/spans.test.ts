import { expect, test } from "vitest";
import { SPANS, followed, liveView, resized, spanFrom, spanText } from "./spans.ts";

const HOUR = 3_600_000;

test("spans of a URL", () => {
  expect(["1h", "90m", "2s", "7d"].map(spanFrom)).toEqual([HOUR, 1.5 * HOUR, 2000, 168 * HOUR]);
  expect([undefined, "", "1", "h", "-1h", "1e9h"].map(spanFrom)).toEqual(Array(6).fill(HOUR));
  expect([spanFrom("0s"), spanFrom("999999d")]).toEqual([2000, 731 * 24 * HOUR]);
  for (const span of SPANS) expect(spanFrom(spanText(span))).toBe(span);
  expect([spanText(90 * 60_000), spanText(61_400), spanText(400)]).toEqual(["90m", "61s", "1s"]);
});

test("a live playhead is followed, a look back is not disturbed", () => {
  const view = liveView(1000 * HOUR, HOUR);
  expect(followed(view, 1000 * HOUR, 1000 * HOUR + 1000)).toBeNull();
  const at = view.to - 60_000;
  expect(followed(view, 1000 * HOUR, at)).toEqual(liveView(at, HOUR));
  expect(followed(view, view.to + 1, at)).toBeNull();
  expect(followed(view, null, at)).toBeNull();
});

test("another span keeps what is looked at", () => {
  const view = { from: 0, to: HOUR };
  expect(resized(view, HOUR / 6, HOUR / 2, false)).toEqual({ from: HOUR / 2 - HOUR / 12, to: HOUR / 2 + HOUR / 12 });
  expect(resized(view, HOUR / 6, HOUR / 2, true)).toEqual(liveView(HOUR / 2, HOUR / 6));
  expect(resized(view, HOUR / 6, 5 * HOUR, true)).toEqual({ from: HOUR / 2 - HOUR / 12, to: HOUR / 2 + HOUR / 12 });
});
