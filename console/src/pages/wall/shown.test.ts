import { expect, test } from "vitest";
import type { TileState } from "../../live/tile.ts";
import { type Facts, actionOf, groupOf, shownOf } from "./shown.ts";

const NOW = 1_795_166_438_000;

const LIVE: TileState = {
  freshness: { is: "live" }, tier: "full", why: "asked", codec: "avc1.640028", width: 640, height: 360, trouble: null,
  gap: null, retries: 0, sound: "off", retryAt: null, isLinked: true, isHidden: false, wallMs: NOW - 400,
};
const FACTS: Facts = {
  live: LIVE, why: null, now: NOW, delayMs: 400, stillAtMs: NOW - 9000, hasStill: true, isStillRefused: false, isClockOff: false, isOff: false, fault: null,
};
const of = (live: Partial<TileState> | null, facts: Partial<Facts> = {}) =>
  shownOf({ ...FACTS, ...facts, live: live && { ...LIVE, ...live } });

test("live with its delay, key frames with their age", () => {
  expect(of({})).toMatchObject({ mode: "live", ageMs: 400, hasVideo: true });
  expect(of({ tier: "key", wallMs: NOW - 2000 })).toMatchObject({ mode: "key", ageMs: 2000 });
  expect(of({}, { isClockOff: true })).toMatchObject({ mode: "live", ageMs: null });
});

test("old pixels never look live", () => {
  expect(of({ freshness: { is: "stale", sinceMs: 14_000 }, retries: 3 })).toMatchObject({ mode: "stale", ageMs: 14_000, retries: 3 });
  expect(of({ isLinked: false })).toMatchObject({ mode: "stale" });
  expect(of({ freshness: { is: "waiting", sinceMs: 10 }, wallMs: null })).toMatchObject({ mode: "still", ageMs: 9000, hasVideo: false });
  const gap = { from: new Date(NOW - 60_000).toISOString(), reason: "no-session" };
  expect(of({ gap })).toMatchObject({ mode: "off", ageMs: 60_000, name: "no-session", hasVideo: true });
});

test("troubles have their names", () => {
  expect(of({ trouble: { is: "denied", name: "AccessDeniedException", text: "x" } })).toMatchObject({ mode: "denied", name: "AccessDeniedException" });
  expect(of({ trouble: { is: "end", name: "stream-deleted", text: "" } })).toMatchObject({ mode: "error", name: "stream-deleted" });
  expect(of({ trouble: { is: "error", name: "TierNotAvailable", text: "" } }).mode).toBe("live");
  expect(of({ trouble: { is: "fault", fault: "blocked" } }).mode).toBe("blocked");
  expect(actionOf("User: arn:x is not authorized to perform: kinesisvideo:GetMedia on resource: y")).toBe("kinesisvideo:GetMedia");
});

test("stills say how old they are", () => {
  expect(of(null)).toMatchObject({ mode: "still", ageMs: 9000 });
  expect(of(null, { hasStill: false, stillAtMs: null })).toMatchObject({ mode: "waiting", ageMs: null });
  expect(of(null, { hasStill: false, fault: "ResourceNotFoundException" })).toMatchObject({ mode: "error", name: "ResourceNotFoundException" });
  expect(of(null, { hasStill: false, fault: "AccessDeniedException" }).mode).toBe("denied");
  expect(of(null, { isOff: true })).toMatchObject({ mode: "off", ageMs: 9000 });
});

test("each tile is counted once", () => {
  expect([of({}), of({ tier: "key" }), of({ isLinked: false }), of(null), of(null, { isOff: true })].map(({ mode }) => groupOf(mode)))
    .toEqual(["live", "live", "stale", "still", "down"]);
});

test("what neither plays nor has stills says so, once that is known", () => {
  const codec = { why: "codec", hasStill: false } as const;
  expect(of(null, codec).mode).toBe("waiting");
  expect(of(null, { ...codec, isStillRefused: true })).toMatchObject({ mode: "unplayable", ageMs: null, hasVideo: false });
  expect(groupOf(of(null, { ...codec, isStillRefused: true }).mode)).toBe("down");
  expect(of(null, { why: "codec" }).mode).toBe("still");
  expect(of(null, { why: "budget", hasStill: false, isStillRefused: true }).mode).toBe("waiting");
});
