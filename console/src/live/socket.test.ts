import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { FakeSocket } from "./fakes.fixture.ts";
import { LivePool } from "./pool.ts";
import { type Chunk, HEADER_BYTES, WINDOW_BYTES } from "./protocol.ts";
import { LiveSocket, type SocketState, type TileRequest, type TileSink } from "./socket.ts";

beforeEach(() => {
  vi.useFakeTimers({ now: 1_795_166_438_000 });
  FakeSocket.all = [];
});
afterEach(() => void vi.useRealTimers());

const REQUEST: TileRequest = { stream: "gate-3", tier: "key", max: [640, 360], from: "live" };

function sink() {
  const heard: string[] = [];
  const chunks: { chunk: Chunk; done: () => void }[] = [];
  const all: TileSink = {
    onInit: ({ codec }) => heard.push(`init ${codec}`),
    onChunk: (chunk, done) => chunks.push({ chunk, done }),
    onSound: ({ codec, name }) => heard.push(`sound ${codec ?? name}`),
    onGap: ({ reason }) => heard.push(`gap ${reason}`),
    onEnd: (is, name) => heard.push(`${is} ${name}`),
    onLink: (isUp) => heard.push(isUp ? "up" : "down"),
  };
  return { all, heard, chunks };
}

function options() {
  const states: SocketState[] = [];
  let urls = 0;
  let fails = 0;
  return {
    states,
    failNext: (count: number) => void (fails = count),
    options: {
      url: async () => {
        urls++;
        if (fails-- > 0) throw new Error("no signature");
        return `wss://server/live?n=${urls}`;
      },
      now: () => Date.now(),
      onState: (state: SocketState) => states.push(state),
      createSocket: (url: string) => new FakeSocket(url) as unknown as WebSocket,
    },
  };
}

async function setUp() {
  const made = options();
  const socket = new LiveSocket(made.options);
  await vi.advanceTimersByTimeAsync(0);
  const last = () => FakeSocket.all.at(-1) as FakeSocket;
  return { ...made, socket, last };
}

describe("tiles", () => {
  test("open once the socket is, tier, close", async () => {
    const { socket, last } = await setUp();
    const link = socket.open(REQUEST, sink().all);
    expect(last().sent).toEqual([]);
    last().open();
    expect(last().of("open")).toEqual([{ op: "open", tile: 1, ...REQUEST }]);
    expect(last().of("credit")).toEqual([]);
    link.setTier("full");
    expect(last().of("tier")).toEqual([{ op: "tier", tile: 1, tier: "full" }]);
    link.close();
    link.close();
    expect(last().of("close")).toEqual([{ op: "close", tile: 1 }]);
    expect(socket.tileCount).toBe(0);
  });

  test("messages and chunks reach their tile only", async () => {
    const { socket, last } = await setUp();
    const [a, b] = [sink(), sink()];
    socket.open(REQUEST, a.all);
    const second = socket.open(REQUEST, b.all);
    last().open();
    last().text({ tile: 2, is: "init-follows", codec: "avc1.640028", w: 1, h: 1, tier: "key" });
    last().text({ tile: 2, is: "gap", from: "2026-11-20T06:05:00Z", reason: "no-session" });
    last().text({ tile: 2, is: "denied", name: "kinesisvideo:GetMedia" });
    last().chunk({ tile: 2, isKey: true, bytes: new Uint8Array([1]) });
    expect(a.heard).toEqual(["up"]);
    expect(b.heard).toEqual(["up", "init avc1.640028", "gap no-session", "denied kinesisvideo:GetMedia"]);
    expect(b.chunks[0]?.chunk.bytes).toEqual(new Uint8Array([1]));
    second.close();
    last().chunk({ tile: 2 });
    last().text({ tile: 2, is: "end" });
    expect(b.chunks).toHaveLength(1);
    expect(last().isClosed).toBe(false);
  });

  test("32 at most", async () => {
    const { socket } = await setUp();
    for (let n = 0; n < 32; n++) socket.open(REQUEST, sink().all);
    expect(socket.isFull).toBe(true);
    expect(() => socket.open(REQUEST, sink().all)).toThrow(RangeError);
  });

  test("a reopened tile has another number, so that what is on the way does not reach it", async () => {
    const { socket, last } = await setUp();
    const { all, chunks } = sink();
    const link = socket.open(REQUEST, all);
    last().open();
    link.reopen({ tier: "full" });
    expect(last().of("close")).toEqual([{ op: "close", tile: 1 }]);
    expect(last().of("open")[1]).toMatchObject({ tile: 2, tier: "full" });
    last().chunk({ tile: 1 });
    expect(chunks).toEqual([]);
    last().chunk({ tile: 2 });
    expect(chunks).toHaveLength(1);
  });
});

describe("credit", () => {
  test("comes back in pieces as the bytes are done with, header included", async () => {
    const { socket, last } = await setUp();
    const { all, chunks } = sink();
    socket.open(REQUEST, all);
    last().open();
    const size = 100_000;
    for (let n = 0; n < 6; n++) last().chunk({ tile: 1, bytes: new Uint8Array(size) });
    expect(last().of("credit")).toEqual([]);
    for (const { done } of chunks) {
      done();
      done();
    }
    expect(last().of("credit")).toEqual([
      { op: "credit", tile: 1, bytes: 3 * (size + HEADER_BYTES) }, { op: "credit", tile: 1, bytes: 3 * (size + HEADER_BYTES) },
    ]);
  });

  test("does not wait for more than a second", async () => {
    const { socket, last } = await setUp();
    const { all, chunks } = sink();
    socket.open(REQUEST, all);
    last().open();
    last().chunk({ tile: 1, bytes: new Uint8Array(80) });
    chunks[0]?.done();
    await vi.advanceTimersByTimeAsync(999);
    expect(last().of("credit")).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(last().of("credit")).toEqual([{ op: "credit", tile: 1, bytes: 80 + HEADER_BYTES }]);
  });

  test("of an earlier connection is worth nothing", async () => {
    const { socket, last } = await setUp();
    const { all, chunks } = sink();
    socket.open(REQUEST, all);
    last().open();
    last().chunk({ tile: 1, bytes: new Uint8Array(WINDOW_BYTES) });
    last().lose();
    await vi.advanceTimersByTimeAsync(1000);
    last().open();
    chunks[0]?.done();
    await vi.advanceTimersByTimeAsync(2000);
    expect(last().of("credit")).toEqual([]);
  });
});

describe("connection", () => {
  test("1, 2, 4 … 30 s for ever, a new address each time, tiles opened again", async () => {
    const { socket, last, states } = await setUp();
    const { all, heard } = sink();
    socket.open(REQUEST, all);
    const waits: number[] = [];
    for (let n = 0; n < 8; n++) {
      const before = FakeSocket.all.length;
      const start = Date.now();
      last().lose("over a cap");
      while (FakeSocket.all.length === before) await vi.advanceTimersByTimeAsync(100);
      waits.push(Date.now() - start);
    }
    expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
    expect(states).toContainEqual(expect.objectContaining({ is: "waiting", reason: "over a cap" }));
    expect(new Set(FakeSocket.all.map(({ url }) => url)).size).toBe(9);
    expect(heard).toEqual([]);
    last().open();
    expect(last().of("open")).toMatchObject([{ tile: 1, stream: "gate-3" }]);
    expect(heard).toEqual(["up"]);
    last().lose();
    expect(heard).toEqual(["up", "down"]);
  });

  test("one that lived begins the waits anew; one that is closed at once does not", async () => {
    const { last, states } = await setUp();
    const waitOf = () => {
      const state = states.at(-1);
      return state?.is === "waiting" ? state.retryAt - Date.now() : null;
    };
    last().open();
    last().lose();
    expect(waitOf()).toBe(1000);
    await vi.advanceTimersByTimeAsync(1000);
    last().open();
    last().lose();
    expect(waitOf()).toBe(2000);
    await vi.advanceTimersByTimeAsync(2000);
    last().open();
    await vi.advanceTimersByTimeAsync(10_000);
    last().text({ is: "pong", at: Date.now(), server: Date.now() });
    last().lose();
    expect(waitOf()).toBe(1000);
  });

  test("no address, no answer, silence, and nonsense are losses too", async () => {
    const { last, states, failNext, socket } = await setUp();
    failNext(1);
    last().lose();
    await vi.advanceTimersByTimeAsync(1000);
    expect(states.at(-1)).toMatchObject({ is: "waiting", reason: "no signature" });
    await vi.advanceTimersByTimeAsync(2000);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(states.at(-1)).toMatchObject({ is: "waiting", reason: "no answer" });
    await vi.advanceTimersByTimeAsync(4000);
    last().open();
    await vi.advanceTimersByTimeAsync(15_000);
    expect(states.at(-1)).toMatchObject({ is: "waiting", reason: "silent" });
    await vi.advanceTimersByTimeAsync(1000);
    last().open();
    last().onmessage?.({ data: new ArrayBuffer(3) });
    expect(states.at(-1)).toMatchObject({ is: "waiting", reason: "header cut off" });
    expect(last().isClosed).toBe(true);
    socket.close();
  });

  test("waking up does not wait", async () => {
    const { last, socket, states } = await setUp();
    last().open();
    // Asleep: no timer ran, no message came.
    vi.setSystemTime(Date.now() + 3_600_000);
    const before = FakeSocket.all.length;
    socket.wake();
    await vi.advanceTimersByTimeAsync(0);
    expect(FakeSocket.all).toHaveLength(before + 1);
    last().lose();
    expect(states.at(-1)?.is).toBe("waiting");
    socket.wake();
    await vi.advanceTimersByTimeAsync(0);
    expect(FakeSocket.all).toHaveLength(before + 2);
  });

  test("after the end nothing happens", async () => {
    const { last, socket, states } = await setUp();
    last().open();
    socket.close();
    expect(states.at(-1)).toEqual({ is: "closed" });
    await vi.advanceTimersByTimeAsync(100_000);
    socket.wake();
    expect(FakeSocket.all).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(0);
  });
});

test("sound is asked for, and again on each new connection and number", async () => {
  const { last, socket } = await setUp();
  const { all, heard } = sink();
  const link = socket.open(REQUEST, all);
  link.setSound(true);
  expect(last().of("sound")).toEqual([]);
  last().open();
  expect(last().sent.slice(-2).map(({ op }) => op)).toEqual(["open", "sound"]);
  expect(last().of("sound")).toEqual([{ op: "sound", tile: 1, on: true }]);
  last().text({ tile: 1, is: "sound", codec: "mp4a.40.2" });
  last().text({ tile: 1, is: "sound", codec: null, name: "NoSound", text: "" });
  expect(heard.filter((text) => text.startsWith("sound"))).toEqual(["sound mp4a.40.2", "sound NoSound"]);
  link.reopen();
  expect(last().of("sound").at(-1)).toEqual({ op: "sound", tile: 2, on: true });
  last().lose();
  await vi.advanceTimersByTimeAsync(1000);
  last().open();
  expect(last().of("sound")).toEqual([{ op: "sound", tile: 2, on: true }]);
  link.setSound(false);
  expect(last().of("sound").at(-1)).toEqual({ op: "sound", tile: 2, on: false });
  link.reopen();
  expect(last().of("sound")).toHaveLength(2);
  socket.close();
});

describe("pings", () => {
  test("every 5 s, and the offset of the shortest round trip", async () => {
    const { last, socket } = await setUp();
    last().open();
    const answer = async (roundTrip: number, ahead: number) => {
      const at = last().of("ping").at(-1)?.at as number;
      await vi.advanceTimersByTimeAsync(roundTrip);
      last().text({ is: "pong", at, server: at + roundTrip / 2 + ahead });
    };
    await answer(200, 900);
    expect(socket.clock.offsetMs).toBe(900);
    await vi.advanceTimersByTimeAsync(4800);
    expect(last().of("ping")).toHaveLength(2);
    await answer(20, 1000);
    await vi.advanceTimersByTimeAsync(4980);
    await answer(300, 800);
    expect(socket.clock.offsetMs).toBe(1000);
  });

  test("how late the line is: the last round trip, or the wait for the next; asked for when that is old", async () => {
    const { last, socket } = await setUp();
    last().open();
    expect(socket.freshLagMs).toBeNull();
    await vi.advanceTimersByTimeAsync(40);
    const at = last().of("ping").at(-1)?.at as number;
    last().text({ is: "pong", at: at + 0.0002, server: at });
    expect(socket.lagMs).toBeCloseTo(40);
    expect(socket.freshLagMs).toBeCloseTo(40);
    await vi.advanceTimersByTimeAsync(2000);
    expect(socket.lagMs).toBeCloseTo(40);
    expect(last().of("ping")).toHaveLength(1);
    expect(socket.freshLagMs).toBeNull();
    expect(socket.freshLagMs).toBeNull();
    expect(last().of("ping")).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(1500);
    expect(socket.lagMs).toBe(1500);
    expect(socket.freshLagMs).toBe(1500);
    // Pings are quick: what waits, waits at the server.
    last().text({ is: "pong", at: Date.now() - 30, server: Date.now(), waited: 1200 });
    expect([socket.lagMs, socket.freshLagMs]).toEqual([1200, 1200]);
    // Another may be waiting still, though no turn was given since.
    last().text({ is: "pong", at: Date.now() - 30, server: Date.now(), waited: 0 });
    expect([socket.lagMs, socket.freshLagMs]).toEqual([30, 1200]);
    await vi.advanceTimersByTimeAsync(4900);
    expect(socket.freshLagMs).toBe(1200);
    await vi.advanceTimersByTimeAsync(50);
    last().text({ is: "pong", at: Date.now() - 30, server: Date.now(), waited: 0 });
    vi.setSystemTime(Date.now() + 11_000);
    last().text({ is: "pong", at: Date.now() - 30, server: Date.now(), waited: 0 });
    expect(socket.freshLagMs).toBe(30);
    last().lose();
    expect(socket.lagMs).toBe(0);
    expect(socket.freshLagMs).toBeNull();
  });
});

test("a pool has a socket for each 32 tiles, and gives up the empty ones", async () => {
  const { options: socketOptions } = options();
  const pool = new LivePool(socketOptions);
  const links = Array.from({ length: 40 }, () => pool.open(REQUEST, sink().all));
  expect(pool.sockets.map(({ tileCount }) => tileCount)).toEqual([32, 8]);
  expect(pool.clock).toBeNull();
  for (const link of links.slice(32)) link.close();
  pool.tidy();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(pool.sockets).toHaveLength(1);
  pool.close();
  await vi.advanceTimersByTimeAsync(100_000);
  expect(vi.getTimerCount()).toBe(0);
});
