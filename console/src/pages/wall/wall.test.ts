import { afterEach, beforeEach, expect, test, vi } from "vitest";

import type { StreamHealth } from "../../api/types.ts";
import { FakeSocket, FakeVideo, initBytes, mediaBytes, mediaSurface } from "../../live/fakes.fixture.ts";
import type { LiveAnswer } from "./open-live.ts";
import { TICK_MS, Wall, type WallTile } from "./wall.ts";

const START = 1_795_166_438_000;

let close = () => {};

beforeEach(() => {
  vi.useFakeTimers({ now: START });
  FakeSocket.all = [];
});
afterEach(() => {
  close();
  vi.useRealTimers();
});

function health(width: number, height: number): StreamHealth {
  return { WidthPixels: width, HeightPixels: height, FramesPerSecond: 25, KeyFrameIntervalMilliseconds: 2000, State: "LIVE" } as StreamHealth;
}

/** A wall in virtual time, with a server that sends to each tile while it is on. */
function setUp({ size = [640, 360] as [number, number] | null, answer = { is: "there" } as LiveAnswer } = {}) {
  const wanted: string[][] = [];
  const media: ReturnType<typeof mediaSurface>[] = [];
  const videos: FakeVideo[] = [];
  const server = { isOn: true, answer, codec: "avc1.640028" };
  const wall = new Wall({
    socket: { url: async () => "ws://server/live", createSocket: (url) => new FakeSocket(url) as unknown as WebSocket },
    ask: async () => server.answer,
    now: () => Date.now() - START,
    wallNow: () => Date.now(),
    serverNow: () => Date.now(),
    budget: { pixelsPerSecond: 200e6 },
    ratio: () => 1,
    healthOf: () => (size ? health(...size) : undefined),
    faultOf: () => null,
    stillOf: () => ({ url: "blob:1", atMs: Date.now() - 5000 }),
    wantStills: (names) => void wanted.push(names),
    surface: {
      createSource: () => {
        const made = mediaSurface();
        media.push(made);
        return made.surface.createSource();
      },
      isTypeSupported: (type) => !type.includes("hvc1"),
      createUrl: () => "blob:media",
      revokeUrl: () => {},
    },
  });
  close = () => wall.close();
  const attach = (name: string): WallTile => {
    const video = new FakeVideo();
    Object.assign(video, { clientWidth: 400, clientHeight: 225 });
    const ask = video.requestVideoFrameCallback.bind(video);
    video.requestVideoFrameCallback = (callback) =>
      ask((now, frame) => callback(now, { ...frame, expectedDisplayTime: Date.now() - START }));
    videos.push(video);
    const at = media.length;
    video.buffer = () => media[at]?.sources.at(-1)?.buffers[0];
    return wall.attach(name, video as unknown as HTMLVideoElement);
  };
  const last = () => FakeSocket.all.at(-1);
  /** Tiles that are open on the newest connection, by stream. */
  const open = (): Record<string, string> => {
    const out: Record<string, string> = {};
    const names = new Map<unknown, string>();
    for (const message of last()?.sent ?? []) {
      if (message.op === "open") {
        names.set(message.tile, message.stream as string);
        out[message.stream as string] = message.tier as string;
      }
      if (message.op === "tier") out[names.get(message.tile) ?? ""] = message.tier as string;
      if (message.op === "close") delete out[names.get(message.tile) ?? ""];
    }
    return out;
  };
  const told = new Map<unknown, number>();
  const run = async (seconds: number) => {
    for (let n = 0; n < (seconds * 1000) / TICK_MS; n++) {
      await vi.advanceTimersByTimeAsync(TICK_MS);
      const socket = last();
      if (server.isOn && socket && !socket.isClosed && socket.readyState === 0) socket.open();
      for (const { sources } of media) for (const source of sources) if (source.readyState === "closed") source.open();
      if (server.isOn && socket?.readyState === 1) {
        socket.text({ is: "pong", at: Date.now(), server: Date.now() });
        for (const message of socket.of("open")) {
          const { tile } = message;
          if (socket.of("close").some((one) => one.tile === tile)) continue;
          const sent = told.get(message) ?? 0;
          told.set(message, sent + 1);
          if (sent === 0) {
            socket.text({ tile, is: "init-follows", codec: server.codec, w: 640, h: 360, tier: message.tier, why: "asked" });
            socket.chunk({ kind: "init", tile: tile as number, bytes: initBytes() });
          }
          socket.chunk({
            kind: "media", tile: tile as number, isKey: sent % 8 === 0, wallUs: Date.now() * 1000, durationUs: 250_000,
            bytes: mediaBytes(sent / 4, 0.25),
          });
        }
      }
      for (const video of videos) for (let step = 0; step < 5; step++) video.advance(0.05);
      wall.tick();
    }
  };
  return { wall, attach, run, open, server, wanted, last };
}

test("a still at once, then live with its delay", async () => {
  const { attach, run, open, wanted } = setUp();
  const tile = attach("gate-1");
  expect(tile.shown.value).toMatchObject({ mode: "still", ageMs: 5000 });
  await run(4);
  expect(open()).toEqual({ "gate-1": "full" });
  expect(tile.shown.value).toMatchObject({ mode: "live", hasVideo: true });
  expect(tile.shown.value.ageMs).toBeLessThan(2000);
  expect(wanted[0]).toEqual(["gate-1"]);
  expect(wanted.at(-1)).toEqual([]);
});

test("a picture that stands gets older", async () => {
  const { attach, run, server } = setUp();
  const tile = attach("gate-1");
  await run(5);
  const before = tile.shown.value.ageMs ?? 0;
  server.isOn = false;
  await run(2.5);
  expect(tile.shown.value.mode).toBe("live");
  expect(tile.shown.value.ageMs).toBeGreaterThan(before + 1500);
});

test("the budget gives key frames to those that it does not reach, and everything to the enlarged", async () => {
  const { wall, attach, run, open } = setUp({ size: [3840, 2160] });
  for (const name of ["a", "b", "c"]) attach(name);
  await run(2);
  expect(open()).toEqual({ a: "key", b: "key", c: "key" });
  const small = setUp();
  for (let n = 0; n < 16; n++) small.attach(`c${n}`);
  await small.run(2);
  expect(new Set(Object.values(small.open()))).toEqual(new Set(["full"]));
  wall.close();
});

test("nothing is known of a stream: half a second is waited", async () => {
  const { attach, run, open } = setUp({ size: null });
  attach("a");
  await run(0.5);
  expect(open()).toEqual({});
  await run(2);
  expect(open()).toEqual({ a: "full" });
});

test("a pin holds, and says so", async () => {
  const { attach, run, open } = setUp();
  const tile = attach("a");
  await run(2);
  tile.pin("key");
  await run(4);
  expect(open()).toEqual({ a: "key" });
  expect(tile.shown.value).toMatchObject({ why: "pinned" });
  tile.pin("still");
  await run(1);
  expect(open()).toEqual({});
  expect(tile.shown.value).toMatchObject({ mode: "still", hasVideo: false });
  tile.pin(null);
  await run(2);
  expect(open()).toEqual({ a: "full" });
});

test("a frozen tile is told within 4 s, and live again within 3", async () => {
  const { attach, run, server } = setUp();
  const tile = attach("a");
  await run(4);
  server.isOn = false;
  await run(4);
  expect(tile.shown.value).toMatchObject({ mode: "stale", hasVideo: true });
  server.isOn = true;
  await run(3);
  expect(tile.shown.value.mode).toBe("live");
});

test("covered by the enlarged tile: stopped after 10 s, back after it", async () => {
  const { wall, attach, run, open } = setUp();
  const [a, b] = [attach("a"), attach("b")];
  await run(3);
  wall.enlarge("a");
  await run(5);
  expect(Object.keys(open())).toEqual(["a", "b"]);
  await run(6);
  expect(open()).toEqual({ a: "full" });
  expect(a.shown.value.mode).toBe("live");
  wall.enlarge(null);
  await run(3);
  expect(Object.keys(open()).sort()).toEqual(["a", "b"]);
  expect(b.shown.value.mode).toBe("live");
});

test("a hidden page stops after 10 s and returns to the live edge", async () => {
  const { wall, attach, run, open } = setUp();
  const tile = attach("a");
  await run(3);
  wall.setHidden(true);
  await run(60);
  expect(open()).toEqual({});
  wall.setHidden(false);
  expect(tile.shown.value.mode).toBe("still");
  await run(2);
  expect(tile.shown.value.mode).toBe("live");
  expect(tile.shown.value.ageMs).toBeLessThan(2000);
});

test.each<LiveAnswer>([{ is: "missing" }, { is: "refused", error: new Error() as never }])(
  "a server without live pictures ($is): stills, and said so", async (answer) => {
    const { wall, attach, run, server, last, wanted } = setUp({ answer });
    const tile = attach("a");
    server.isOn = false;
    await run(1);
    last()?.lose();
    await run(2);
    expect(wall.feed.value).toEqual({ is: "stills", why: answer });
    expect(tile.shown.value).toMatchObject({ mode: "still" });
    expect(wanted.at(-1)).toEqual(["a"]);
    const { length } = FakeSocket.all;
    await run(60);
    expect(FakeSocket.all).toHaveLength(length);
    server.isOn = true;
    wall.retry();
    await run(4);
    expect(tile.shown.value.mode).toBe("live");
  },
);

test("a server that is gone for a while is not given up", async () => {
  const { wall, attach, run, server, last } = setUp({ answer: { is: "offline" } });
  const tile = attach("a");
  server.isOn = false;
  await run(1);
  last()?.lose();
  await run(20);
  expect(wall.feed.value).toEqual({ is: "live" });
  server.isOn = true;
  await run(20);
  expect(tile.shown.value.mode).toBe("live");
});

test("a connection that is lost is no reason for a lower tier", async () => {
  const { attach, run, server, last, open } = setUp();
  const tile = attach("a");
  for (let round = 0; round < 3; round++) {
    await run(8);
    server.isOn = false;
    last()?.lose();
    await run(1.25);
    server.isOn = true;
  }
  await run(8);
  expect(open()).toEqual({ a: "full" });
  expect(tile.shown.value).toMatchObject({ mode: "live", why: null });
});

test("a codec that does not play: stills, and why", async () => {
  const { attach, run, server } = setUp();
  server.codec = "hvc1.1.6.L93.B0";
  const tile = attach("a");
  await run(3);
  expect(tile.shown.value).toMatchObject({ mode: "still", why: "codec" });
  expect(tile.codec).toBe("hvc1.1.6.L93.B0");
});
