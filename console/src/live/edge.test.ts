import { describe, expect, test } from "vitest";

import { RATE_MAX } from "../player/governor.ts";
import { FeedEdge, type Sample, TARGET_MAX_S, TARGET_MIN_S } from "./edge.ts";

function sample(fields: Partial<Sample>): Sample {
  return { now: 0, position: 0, edge: 10, seekable: { from: 0, to: 10 }, hasShown: true, isHidden: false, isEmpty: false, isPlaying: true, ...fields };
}
/** So far behind the target. */
const behind = (excess: number, fields: Partial<Sample> = {}) => sample({ position: 10 - TARGET_MIN_S - excess, ...fields });

describe("seek", () => {
  test("beyond 1.5 s, to the target", () => {
    expect(new FeedEdge().decide(behind(1.6))).toEqual({ rate: 1, seekTo: 10 - TARGET_MIN_S });
  });

  test("not again before the decoder has given a frame, but not never", () => {
    const feed = new FeedEdge();
    expect(feed.decide(behind(3)).seekTo).not.toBeNull();
    for (let now = 100; now < 5000; now += 100) {
      expect(feed.decide(behind(3, { now, hasShown: false })).seekTo).toBeNull();
    }
    expect(feed.decide(behind(3, { now: 5001, hasShown: false })).seekTo).not.toBeNull();
  });

  test("the first frame is waited for at the start too", () => {
    const feed = new FeedEdge();
    expect(feed.decide(behind(3, { hasShown: false })).seekTo).toBeNull();
    expect(feed.decide(behind(3, { now: 400, hasShown: true })).seekTo).not.toBeNull();
  });

  test("from outside what is buffered at once, since no frame can come there", () => {
    const outside = sample({ position: 0, edge: null, seekable: { from: 100, to: 102 }, hasShown: false });
    expect(new FeedEdge().decide(outside).seekTo).toBeCloseTo(102 - TARGET_MIN_S);
    expect(new FeedEdge().decide({ ...outside, seekable: { from: 101.9, to: 102 } }).seekTo).toBe(101.9);
    // Backwards too.
    expect(new FeedEdge().decide({ ...outside, position: 500 }).seekTo).toBeCloseTo(102 - TARGET_MIN_S);
  });

  test("nothing to seek to", () => {
    expect(new FeedEdge().decide(sample({ edge: null, seekable: null }))).toEqual({ rate: 1, seekTo: null });
  });
});

describe("hidden", () => {
  test("nothing is done; on return a seek, not a fast-forward", () => {
    const feed = new FeedEdge();
    expect(feed.decide(behind(60, { isHidden: true }))).toEqual({ rate: 1, seekTo: null });
    expect(feed.decide(behind(1))).toEqual({ rate: 1, seekTo: 10 - TARGET_MIN_S });
    expect(feed.decide(behind(0.3)).rate).toBeGreaterThan(1);
  });

  test("nothing to do on return when it is at the edge", () => {
    const feed = new FeedEdge();
    feed.decide(behind(0, { isHidden: true }));
    expect(feed.decide(behind(0.05)).seekTo).toBeNull();
    expect(feed.decide(behind(0.5, { now: 2001 })).seekTo).toBeNull();
  });
});

describe("start", () => {
  test("a seek to the edge, once the first frame was shown", () => {
    const feed = new FeedEdge();
    expect(feed.decide(behind(1, { hasShown: false })).seekTo).toBeNull();
    expect(feed.decide(behind(1, { now: 250 }))).toEqual({ rate: 1, seekTo: 10 - TARGET_MIN_S });
    expect(feed.decide(behind(1, { now: 500 }))).toEqual({ rate: 1.1, seekTo: null });
  });

  test("not for what a higher rate does as well, and not later", () => {
    const feed = new FeedEdge();
    expect(feed.decide(behind(0.25)).seekTo).toBeNull();
    expect(feed.decide(behind(1, { now: 2250 })).seekTo).toBeNull();
    feed.begin();
    expect(feed.decide(behind(0.2, { now: 2500 })).seekTo).toBeNull();
    // More came.
    expect(feed.decide(behind(1, { now: 3000 })).seekTo).not.toBeNull();
  });
});

test("a player that stands although it has enough is sought", () => {
  const feed = new FeedEdge();
  const at = (now: number, fields: Partial<Sample> = {}) => feed.decide(behind(0.1, { now, ...fields })).seekTo;
  expect(at(0)).toBeNull();
  expect(at(250)).not.toBeNull();
  // Not again before it has shown something, nor while it is paused.
  expect(at(500, { hasShown: false })).toBeNull();
  expect(at(750, { hasShown: false })).toBeNull();
  expect(at(1000, { isPlaying: false })).toBeNull();
  expect(at(1250, { isPlaying: false })).toBeNull();
  // What it has is not enough: it waits.
  expect(at(1500, { edge: 9.7, seekable: { from: 0, to: 9.7 } })).toBeNull();
  expect(at(1750, { edge: 9.7, seekable: { from: 0, to: 9.7 } })).toBeNull();
});

test("stalls raise the target to 0.8 s, calm minutes lower it again", () => {
  const feed = new FeedEdge();
  for (let n = 0; n < 10; n++) feed.stalled(n);
  expect(feed.target).toBeCloseTo(TARGET_MAX_S);
  for (let now = 0; now <= 600_000; now += 1000) feed.decide(sample({ now, position: 9.5 }));
  expect(feed.target).toBeCloseTo(TARGET_MIN_S);
});

test("in virtual time it comes to the target and stays, never faster than 1.1", () => {
  const feed = new FeedEdge();
  let [edge, position] = [5, 3.3];
  let most = 1;
  let seeks = 0;
  for (let now = 0; now < 60_000; now += 100) {
    const { rate, seekTo } = feed.decide(sample({ now, position, edge, seekable: { from: 0, to: edge } }));
    most = Math.max(most, rate);
    if (seekTo !== null) {
      position = seekTo;
      seeks++;
    }
    edge += 0.1;
    position = Math.min(edge, position + 0.1 * rate);
  }
  expect(most).toBeLessThanOrEqual(RATE_MAX);
  // The one at the start.
  expect(seeks).toBe(1);
  expect(edge - position - TARGET_MIN_S).toBeLessThan(0.1);
  expect(edge - position - TARGET_MIN_S).toBeGreaterThanOrEqual(-0.01);
});
