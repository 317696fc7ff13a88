import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { type FakeMediaSource, FakeVideo, chunk, initBytes, mediaBytes, mediaSurface } from "./fakes.fixture.ts";
import { AHEAD_S_MAX, BEHIND_S_MAX, Feeder, type FeederFault, type Frame } from "./feeder.ts";

const WALL = Date.parse("2026-11-20T06:05:00Z");
const AVC = { codec: "avc1.640028", isKeyOnly: false };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function setUp({ isLive = true, quota = Infinity, format = AVC } = {}) {
  const video = new FakeVideo();
  const media = mediaSurface();
  const faults: FeederFault[] = [];
  const frames: Frame[] = [];
  const feeder = new Feeder({
    video: video as unknown as HTMLVideoElement, isLive, now: () => Date.now(), surface: media.surface,
    onFault: (fault) => faults.push(fault), onFrame: (frame) => frames.push(frame),
  });
  const source = media.sources[0] as FakeMediaSource;
  source.quota = quota;
  video.buffer = () => source.buffers[0];
  let held = 0;
  /** Seconds of media after the start of the feed; its own times begin at 1000 s. */
  const push = (at: number, { duration = 0.5, isKey = at % 2 === 0, jump = false, base = 1000, wall = WALL + at * 1000, size = 10, frames = null as number | null } = {}) => {
    held++;
    const fields = { isKey, isDiscontinuity: jump, wallUs: wall * 1000, durationUs: duration * 1e6, bytes: mediaBytes(base + at, duration, size, frames) };
    feeder.push(chunk(fields), () => held--);
  };
  const start = async (next = format) => {
    feeder.setFormat(next);
    feeder.push(chunk({ kind: "init", bytes: initBytes() }), () => {});
    source.open();
    await vi.advanceTimersByTimeAsync(5);
  };
  /** Plays with a tick every 100 ms. */
  const run = async (seconds: number, each: (t: number) => void = () => {}) => {
    for (let n = 1; n <= Math.round(seconds * 10); n++) {
      each(n / 10);
      await vi.advanceTimersByTimeAsync(100);
      video.advance(0.1);
      feeder.tick();
    }
  };
  const buffer = () => source.buffers[0];
  return { video, media, source, feeder, faults, frames, push, start, run, buffer, held: () => held };
}

describe("appending", () => {
  test("waits for the source, then init and media in order, and gives the bytes back", async () => {
    const { feeder, source, push, buffer, held } = setUp();
    feeder.setFormat(AVC);
    feeder.push(chunk({ kind: "init", bytes: initBytes() }), () => {});
    push(0);
    push(0.5);
    expect(held()).toBe(2);
    source.open();
    await vi.advanceTimersByTimeAsync(20);
    expect(buffer()?.types).toEqual(['video/mp4; codecs="avc1.640028"']);
    expect(buffer()?.ranges).toEqual([{ from: 0, to: 1 }]);
    expect(held()).toBe(0);
    expect(feeder.wallAt(0.75)).toBe(WALL + 750);
  });

  test("a picture for want of a stream lasts a moment, whatever it says; a slow camera's frames last as they say", async () => {
    const { start, push, buffer, feeder } = setUp();
    await start();
    push(0, { duration: 2, frames: 1 });
    push(2, { duration: 1, frames: 1 });
    push(3, { duration: 1, frames: 1, isKey: false });
    await vi.advanceTimersByTimeAsync(20);
    expect(buffer()?.timestampOffset).toBeCloseTo(0.04 - 1002);
    expect(feeder.wallAt(0.04)).toBe(WALL + 2000);
    expect(feeder.wallAt(1.5)).toBe(WALL + 3460);
  });

  test("a frame whose length was not known leaves no hole before the next", async () => {
    const { start, push, buffer, feeder } = setUp();
    await start();
    push(0, { duration: 0.001 });
    push(0.04, { duration: 0.16, isKey: false });
    push(0.2, { duration: 0.08, isKey: false });
    await vi.advanceTimersByTimeAsync(20);
    const [range, ...others] = buffer()?.ranges ?? [];
    expect(others).toEqual([]);
    expect(range?.to).toBeCloseTo(0.241, 3);
    expect(feeder.wallAt(0.101)).toBeCloseTo(WALL + 140, 0);
  });

  test("begins with a key frame", async () => {
    const { start, push, buffer, held, feeder } = setUp();
    await start();
    push(0.5);
    push(1);
    push(2);
    await vi.advanceTimersByTimeAsync(20);
    expect(buffer()?.ranges).toEqual([{ from: 0, to: 0.5 }]);
    expect(feeder.wallAt(0)).toBe(WALL + 2000);
    expect(held()).toBe(0);
  });

  test("a gap and another clock leave no hole in the player's timeline, and wall time stays right", async () => {
    const { start, push, buffer, feeder } = setUp();
    await start();
    push(0);
    push(0.5);
    // A minute without media; then times that begin anew.
    push(0, { jump: true, base: 5, wall: WALL + 60_000 });
    push(0.5, { base: 5, wall: WALL + 60_500 });
    await vi.advanceTimersByTimeAsync(20);
    expect(buffer()?.ranges).toEqual([{ from: 0, to: 2 }]);
    expect(feeder.wallAt(0.5)).toBe(WALL + 500);
    expect(feeder.wallAt(1.5)).toBe(WALL + 60_500);
  });

  test("another codec and another tier go on in the same player", async () => {
    const { start, push, buffer, source, feeder } = setUp();
    await start();
    push(0);
    await vi.advanceTimersByTimeAsync(10);
    await start({ codec: "avc1.42c01e", isKeyOnly: false });
    push(0, { base: 7 });
    await vi.advanceTimersByTimeAsync(10);
    expect(source.buffers).toHaveLength(1);
    expect(buffer()?.types).toHaveLength(2);
    expect(buffer()?.ranges).toEqual([{ from: 0, to: 1 }]);
    // The type of a format that was never appended is not taken for the buffer's.
    feeder.setFormat(AVC);
    await start({ codec: "avc1.42c01e", isKeyOnly: false });
    expect(buffer()?.types.at(-1)).toContain("42c01e");
  });
});

describe("live", () => {
  test("plays at the target for ten minutes with a bounded buffer, and tells frames", async () => {
    const { start, push, run, video, buffer, feeder, frames } = setUp();
    await start();
    push(0);
    let most = 0;
    await run(600, (t) => {
      if (t % 0.5 === 0) push(t);
      most = Math.max(most, feeder.stats.behindS);
    });
    // One more tick may pass before it is removed.
    expect(most).toBeLessThanOrEqual(BEHIND_S_MAX + 0.25);
    expect(most).toBeGreaterThan(BEHIND_S_MAX - 2);
    expect(buffer()?.ranges).toHaveLength(1);
    expect(video.seeks.length).toBeLessThanOrEqual(1);
    const { aheadS, targetS } = feeder.stats;
    expect(aheadS).toBeLessThan(targetS + 0.7);
    expect(frames.length).toBeGreaterThan(1000);
    expect(Math.abs((frames.at(-1)?.wallMs ?? 0) - (WALL + video.currentTime * 1000))).toBeLessThan(1);
  });

  test("removes whole GOPs only", async () => {
    const { start, push, run, buffer } = setUp();
    await start();
    push(0);
    await run(60, (t) => t % 0.5 === 0 && push(t));
    const removed = buffer()?.removed ?? [];
    expect(removed.length).toBeGreaterThan(10);
    for (const [, to] of removed) expect(to % 2).toBeCloseTo(0);
  });

  test("a backlog is jumped over after the first frame, not before", async () => {
    const { start, push, run, video } = setUp();
    await start();
    video.isMute = true;
    for (let at = 0; at < 3.5; at += 0.5) push(at);
    await run(2);
    expect(video.seeks).toEqual([]);
    video.isMute = false;
    await run(0.5, (t) => t === 0.1 && push(3.5));
    expect(video.seeks).toHaveLength(1);
    expect(video.seeks[0]).toBeGreaterThan(3);
  });

  test("one that runs dry is not sought back, waits, and keeps more afterwards", async () => {
    const { start, push, run, video, feeder } = setUp();
    await start();
    push(0);
    await run(3, (t) => t % 0.5 === 0 && t < 1 && push(t));
    expect(video.currentTime).toBeCloseTo(1);
    expect(video.seeks).toEqual([]);
    expect(feeder.stats.targetS).toBeGreaterThan(0.4);
    push(1);
    push(1.5);
    await run(0.3);
    expect(video.currentTime).toBeGreaterThan(1.2);
    expect(video.seeks).toEqual([]);
  });

  test("what lies more than 4 s ahead is dropped up to the newest key frame, and its bytes given back", async () => {
    const { start, push, buffer, feeder, held, video } = setUp();
    await start();
    video.isMute = true;
    for (let at = 0; at < 20; at += 0.5) {
      push(at);
      await vi.advanceTimersByTimeAsync(5);
    }
    const [range] = buffer()?.ranges ?? [];
    expect(range?.to).toBeLessThanOrEqual(AHEAD_S_MAX + 0.5);
    expect(feeder.stats.droppedChunks).toBeGreaterThan(20);
    expect(held()).toBeLessThanOrEqual(4);
  });

  test("a hidden page is left alone", async () => {
    const { start, push, run, video, feeder } = setUp();
    await start();
    push(0);
    push(0.5);
    await run(0.5);
    feeder.setHidden(true);
    const seeks = video.seeks.length;
    for (let at = 1; at < 4; at += 0.5) push(at);
    await run(1);
    expect(video.seeks).toHaveLength(seeks);
    expect(video.playbackRate).toBe(1);
    feeder.setHidden(false);
    await run(0.2);
    expect(video.seeks).toHaveLength(seeks + 1);
  });
});

describe("key frames only", () => {
  test("the paused player is sought to each; of two in a hurry the newest is shown", async () => {
    const { start, push, run, video, frames } = setUp({ format: { codec: "avc1.640028", isKeyOnly: true } });
    await start();
    push(0, { duration: 2 });
    await run(0.3);
    expect(video.paused).toBe(true);
    expect(frames.map(({ wallMs }) => Math.round(wallMs - WALL))).toEqual([10]);
    push(2, { duration: 2 });
    push(4, { duration: 2 });
    push(6, { duration: 2 });
    await run(1);
    expect(Math.round((frames.at(-1)?.wallMs ?? 0) - WALL)).toBe(6010);
    expect(video.paused).toBe(true);
  });

  test("keeps little", async () => {
    const { start, push, run, buffer } = setUp({ format: { codec: "avc1.640028", isKeyOnly: true } });
    await start();
    await run(100, (t) => t % 2 === 0 && push(t, { duration: 2 }));
    const [range] = buffer()?.ranges ?? [];
    expect((range?.to ?? 99) - (range?.from ?? 0)).toBeLessThanOrEqual(BEHIND_S_MAX + 2.5);
  });
});

test("of the past nothing is dropped: it waits", async () => {
  const { start, push, run, buffer, held, video, feeder } = setUp({ isLive: false });
  await start();
  for (let at = 0; at < 20; at += 0.5) push(at);
  await vi.advanceTimersByTimeAsync(200);
  expect(buffer()?.ranges[0]?.to).toBeLessThanOrEqual(AHEAD_S_MAX + 0.5);
  expect(held()).toBeGreaterThan(20);
  await run(25);
  expect(video.seeks).toEqual([]);
  expect(video.currentTime).toBeCloseTo(20);
  expect(feeder.stats.droppedChunks).toBe(0);
  expect(held()).toBe(0);
});

test("a full buffer makes room behind the playhead", async () => {
  const { start, push, run, buffer, faults } = setUp({ quota: 8 });
  await start();
  push(0);
  await run(60, (t) => t % 0.5 === 0 && push(t));
  expect(faults).toEqual([]);
  expect(buffer()?.ranges.at(-1)?.to).toBeGreaterThan(58);
});

describe("faults", () => {
  test("a codec that the browser has not", () => {
    const { feeder, faults } = setUp();
    feeder.setFormat({ codec: "hvc1.1.6.L93.B0", isKeyOnly: false });
    expect(faults).toEqual(["unsupported"]);
  });

  test.each([
    ["init", chunk({ kind: "init", bytes: new Uint8Array([1, 2, 3]) })],
    ["media", chunk({ isKey: true, bytes: new Uint8Array(50) })],
  ])("%s that is none, its bytes given back", async (_, bad) => {
    const { feeder, faults, start } = setUp();
    await start();
    const done = vi.fn();
    feeder.push(bad, done);
    await vi.advanceTimersByTimeAsync(5);
    expect(faults).toEqual(["malformed"]);
    expect(done).toHaveBeenCalledOnce();
  });

  test("the decoder gives up", async () => {
    const { video, faults, start } = setUp();
    await start();
    video.dispatchEvent(new Event("error"));
    expect(faults).toEqual(["decode"]);
  });
});

test("the end frees everything, once", async () => {
  const { feeder, video, media, start, push, run, held, faults } = setUp({ isLive: false });
  await start();
  for (let at = 0; at < 20; at += 0.5) push(at);
  await run(1);
  expect(held()).toBeGreaterThan(0);
  feeder.destroy();
  feeder.destroy();
  expect([video.src, video.loads, video.paused, media.revoked]).toEqual(["", 1, true, ["blob:1"]]);
  expect(held()).toBe(0);
  push(30);
  expect(held()).toBe(0);
  feeder.tick();
  video.dispatchEvent(new Event("error"));
  await vi.advanceTimersByTimeAsync(1000);
  expect(faults).toEqual([]);
});

test("played seconds do not count jumps", async () => {
  const { start, push, run, feeder } = setUp();
  await start();
  for (let at = 0; at < 3.5; at += 0.5) push(at);
  await run(5, (t) => t % 0.5 === 0 && push(3 + t));
  const { playedS, receivedBytes } = feeder.playback;
  expect(playedS).toBeGreaterThan(4);
  expect(playedS).toBeLessThan(5.6);
  expect(receivedBytes).toBeGreaterThan(0);
});
