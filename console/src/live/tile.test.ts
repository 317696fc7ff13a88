import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { FakeSocket, FakeVideo, initBytes, mediaBytes, mediaSurface } from "./fakes.fixture.ts";
import { LiveSocket } from "./socket.ts";
import { LiveTile } from "./tile.ts";

const WALL = 1_795_166_438_000;

beforeEach(() => {
  vi.useFakeTimers({ now: WALL });
  FakeSocket.all = [];
});
afterEach(() => void vi.useRealTimers());

/** A server that sends two seconds of media, four pieces a second, while it is on. */
async function setUp({ isPrompt = (): boolean => true } = {}) {
  const media = mediaSurface();
  const video = new FakeVideo();
  video.buffer = () => media.sources.at(-1)?.buffers[0];
  const socket = new LiveSocket({
    url: async () => "wss://server/live",
    now: () => Date.now(),
    createSocket: (url) => new FakeSocket(url) as unknown as WebSocket,
  });
  await vi.advanceTimersByTimeAsync(0);
  const stills: number[] = [];
  const audios: FakeVideo[] = [];
  const tile = new LiveTile({
    video: video as unknown as HTMLVideoElement,
    request: { stream: "gate-3", tier: "full", max: [640, 360], from: "live" },
    open: (request, sink) => socket.open(request, sink),
    now: () => Date.now(),
    isPrompt,
    onStill: (_, wallMs) => stills.push(wallMs),
    surface: media.surface,
    createAudio: () => {
      const audio = new FakeVideo();
      audio.buffer = () => media.sources.at(-1)?.buffers[0];
      audios.push(audio);
      return audio as unknown as HTMLAudioElement;
    },
  });
  const last = () => FakeSocket.all.at(-1) as FakeSocket;
  const number = () => last().of("open").at(-1)?.tile as number;
  const server = { isOn: true, tier: "full", codec: "avc1.640028" };
  let told: unknown = null;
  let sent = 0;
  const run = async (seconds: number) => {
    for (let n = 0; n < seconds * 4; n++) {
      await vi.advanceTimersByTimeAsync(250);
      for (const source of media.sources) if (source.readyState === "closed") source.open();
      if (last().readyState === 1) last().text({ is: "pong", at: Date.now(), server: Date.now() });
      const open = last().of("open").at(-1);
      if (server.isOn && open && last().readyState === 1 && !last().of("close").some((close) => close.tile === open.tile)) {
        if (told !== open) {
          told = open;
          sent = 0;
          last().text({ tile: number(), is: "init-follows", codec: server.codec, w: 640, h: 360, tier: server.tier, why: null });
          last().chunk({ kind: "init", tile: number(), bytes: initBytes() });
        }
        const isStill = server.tier === "still";
        last().chunk({
          kind: isStill ? "still" : "media", tile: number(), isKey: sent % 8 === 0, wallUs: Date.now() * 1000, durationUs: 250_000,
          bytes: isStill ? new Uint8Array(3) : mediaBytes(sent / 4, 0.25),
        });
        sent++;
      }
      for (let step = 0; step < 5; step++) video.advance(0.05);
      tile.tick();
    }
  };
  return { tile, socket, media, video, audios, server, run, last, stills };
}

test("live, frozen within 4 s, back within 3 s after the source is", async () => {
  const { tile, last, run, server } = await setUp();
  last().open();
  await run(5);
  expect(tile.state).toMatchObject({ freshness: { is: "live" }, tier: "full", width: 640, isLinked: true });
  expect(Math.abs(Date.now() - (tile.state.wallMs ?? 0))).toBeLessThan(2000);
  server.isOn = false;
  await run(4);
  expect(tile.state.freshness.is).toBe("stale");
  await run(10);
  const { retries } = tile.state;
  expect(retries).toBeGreaterThanOrEqual(3);
  server.isOn = true;
  await run(3);
  expect(tile.state).toMatchObject({ freshness: { is: "live" }, retries: 0 });
});

test("a lost connection: stale, not retried by the tile, live again after it", async () => {
  const { tile, last, run } = await setUp();
  last().open();
  await run(3);
  const before = last();
  last().lose();
  await run(8);
  expect(tile.state).toMatchObject({ freshness: { is: "stale" }, isLinked: false });
  expect(before.of("open")).toHaveLength(1);
  last().open();
  await run(3);
  expect(tile.state).toMatchObject({ freshness: { is: "live" }, isLinked: true });
});

describe("hidden", () => {
  test("shortly: nothing is closed", async () => {
    const { tile, last, run } = await setUp();
    last().open();
    await run(3);
    tile.setHidden(true);
    await run(5);
    tile.setHidden(false);
    await run(2);
    expect(last().of("close")).toEqual([]);
    expect(tile.state.freshness.is).toBe("live");
  });

  test("for long: the decoder is freed after 10 s, and it is live again within 2 s", async () => {
    const { tile, last, run, video, media } = await setUp();
    last().open();
    await run(3);
    tile.setHidden(true);
    await run(60);
    expect(last().of("close")).toHaveLength(1);
    expect([video.src, media.revoked.length]).toEqual(["", 1]);
    expect(tile.state.retries).toBe(0);
    tile.setHidden(false);
    expect(tile.state.freshness.is).toBe("waiting");
    await run(2);
    expect(tile.state.freshness.is).toBe("live");
    expect(Math.abs(Date.now() - (tile.state.wallMs ?? 0))).toBeLessThan(2000);
  });
});

test("stills need no player", async () => {
  const { tile, last, run, server, media, stills } = await setUp();
  server.tier = "still";
  last().open();
  await run(1);
  expect(stills).toHaveLength(4);
  expect(media.sources).toHaveLength(0);
  expect(tile.state).toMatchObject({ freshness: { is: "live" }, tier: "still" });
  expect(tile.playback).toBeNull();
});

test("denied: the action is named and nothing is tried until asked", async () => {
  const { tile, last, run, server } = await setUp();
  server.isOn = false;
  last().open();
  last().text({ tile: 1, is: "denied", name: "AccessDeniedException", text: "not kinesisvideo:GetMedia" });
  await run(60);
  expect(tile.state.trouble).toEqual({ is: "denied", name: "AccessDeniedException", text: "not kinesisvideo:GetMedia" });
  expect(last().of("open")).toHaveLength(1);
  tile.retry();
  expect(last().of("open")).toHaveLength(2);
});

test("what may be on the way is not asked for anew", async () => {
  let isPrompt = false;
  const { tile, last, run, server } = await setUp({ isPrompt: () => isPrompt });
  last().open();
  await run(5);
  server.isOn = false;
  await run(20);
  expect(tile.state).toMatchObject({ freshness: { is: "stale" }, retries: 0 });
  expect(last().of("open")).toHaveLength(1);
  isPrompt = true;
  await run(3);
  expect(last().of("open").length).toBeGreaterThan(1);
});

test("without a camera: the last picture is not live, nothing is tried, and it is live once there is one", async () => {
  const { tile, last, run, server } = await setUp();
  last().open();
  await run(0.25);
  server.isOn = false;
  last().text({ tile: 1, is: "gap", from: "2026-11-20T06:05:00.000Z", reason: "no-session" });
  await run(60);
  expect(tile.state).toMatchObject({ gap: { reason: "no-session" }, retries: 0 });
  expect(tile.state.freshness.is).not.toBe("live");
  expect(last().of("open")).toHaveLength(1);
  server.isOn = true;
  await run(3);
  expect(tile.state).toMatchObject({ freshness: { is: "live" }, gap: null });
});

test("what was refused of a tile that goes on is forgotten", async () => {
  const { tile, last, run } = await setUp();
  last().open();
  await run(2);
  last().text({ tile: 1, is: "error", name: "TierNotAvailable" });
  expect(tile.state.trouble).toMatchObject({ is: "error", name: "TierNotAvailable" });
  await run(1);
  expect(tile.state).toMatchObject({ freshness: { is: "live" }, trouble: null });
});

test("a codec that does not play says so; as stills it does", async () => {
  const { tile, last, run, server, stills } = await setUp();
  server.codec = "hvc1.1.6.L93.B0";
  last().open();
  await run(1);
  expect(tile.state.trouble).toEqual({ is: "fault", fault: "unsupported" });
  server.tier = "still";
  tile.setTier("still");
  tile.retry();
  await run(1);
  expect(stills.length).toBeGreaterThan(0);
  expect(tile.state.trouble).toBeNull();
});

test("a decoder that gives up is made anew", async () => {
  const { tile, last, run, video, media } = await setUp();
  last().open();
  await run(3);
  video.dispatchEvent(new Event("error"));
  expect(tile.state.trouble).toEqual({ is: "fault", fault: "decode" });
  await run(8);
  expect(tile.state).toMatchObject({ freshness: { is: "live" }, trouble: null });
  expect(media.sources).toHaveLength(2);
});

test("the end closes the tile and leaves no timer", async () => {
  const { tile, last, run, socket, media } = await setUp();
  last().open();
  await run(2);
  tile.destroy();
  expect(last().of("close")).toHaveLength(1);
  expect(media.revoked).toHaveLength(1);
  socket.close();
  await vi.advanceTimersByTimeAsync(100);
  expect(vi.getTimerCount()).toBe(0);
});

test("sound is heard of a tile that wants it, and its state is told", async () => {
  const { tile, last, run, server, audios, media } = await setUp();
  last().open();
  await run(2);
  expect(tile.state.sound).toBe("off");
  tile.setSound(true);
  tile.setSound(true);
  expect(last().of("sound")).toEqual([{ op: "sound", tile: 1, on: true }]);
  expect(tile.state.sound).toBe("waiting");
  last().text({ tile: 1, is: "sound", codec: null, name: "NoSound", text: "" });
  expect([tile.state.sound, audios.length]).toEqual(["none", 0]);
  last().text({ tile: 1, is: "sound", codec: "mp4a.40.2" });
  expect([tile.state.sound, audios.length, media.sources.length]).toEqual(["waiting", 1, 2]);
  audios[0]?.play();
  expect(tile.state.sound).toBe("on");
  tile.setSound(false);
  expect([tile.state.sound, audios[0]?.src, last().of("sound").at(-1)?.on]).toEqual(["off", "", false]);
  // Of a sound that nobody wants any more.
  last().text({ tile: 1, is: "sound", codec: "mp4a.40.2" });
  expect(audios).toHaveLength(1);
  // Key frames have none, and the wish outlives a loss.
  tile.setSound(true);
  server.tier = "key";
  last().lose();
  await run(3);
  last().open();
  await run(1);
  expect([last().of("sound").length, tile.state.sound]).toEqual([1, "key"]);
  tile.destroy();
});
