import { describe, expect, test } from "vitest";

import { decodeTimeOf, lasting, timescalesOf } from "./boxes.ts";
import { box, concat, initBytes, mediaBytes, u32, u64 } from "./fakes.fixture.ts";
import { type Chunk, type PageMessage, ProtocolError, decodeChunk, decodeMessage, encodeChunk, encodeMessage } from "./protocol.ts";

/** Media of tile 7, a key frame of 2026-11-20T06:05:00.480Z, 40 ms, bytes de ad. */
const VECTOR = "01 02 07 00  01 00 00 00  00 2e 3d 06 af 60 06 00  40 9c 00 00  de ad";
const CHUNK: Chunk = {
  kind: "media", tile: 7, isKey: true, isDiscontinuity: false,
  wallUs: Date.parse("2026-11-20T06:05:00.480Z") * 1000, durationUs: 40_000, bytes: new Uint8Array([0xde, 0xad]),
};

function bytesOf(hex: string): ArrayBuffer {
  return new Uint8Array(hex.trim().split(/\s+/).map((byte) => parseInt(byte, 16))).buffer;
}

let seed = 5;
const random = (below: number) => (seed = (seed * 48_271) % 2_147_483_647) % below;

describe("chunk", () => {
  test("test vector", () => {
    expect(decodeChunk(bytesOf(VECTOR))).toEqual(CHUNK);
    expect(new Uint8Array(encodeChunk(CHUNK))).toEqual(new Uint8Array(bytesOf(VECTOR)));
  });

  test("a second vector: a still before 1970, discontinuous, nothing in it", () => {
    const hex = "01 03 ff ff  02 00 00 00  ff ff ff ff ff ff ff ff  ff ff ff ff";
    const still: Chunk = {
      kind: "still", tile: 65_535, isKey: false, isDiscontinuity: true, wallUs: -1, durationUs: 4_294_967_295, bytes: new Uint8Array(),
    };
    expect(decodeChunk(bytesOf(hex))).toEqual(still);
    expect(new Uint8Array(encodeChunk(still))).toEqual(new Uint8Array(bytesOf(hex)));
  });

  test("a third vector: sound, of design/openlive.md", () => {
    const hex = "01 05 07 00  01 00 00 00  57 e0 e0 c1 b1 60 06 00  55 53 00 00";
    expect(decodeChunk(bytesOf(hex))).toEqual({
      kind: "sound", tile: 7, isKey: true, isDiscontinuity: false, wallUs: 1_795_166_438_482_007, durationUs: 21_333, bytes: new Uint8Array(),
    });
  });

  test.each([
    ["cut off", "01 02 07 00  01 00 00 00  00 2e 3d 06 af 60 06 00  40 9c 00"],
    ["version", VECTOR.replace("01 02", "02 02")],
    ["kind", VECTOR.replace("01 02", "01 06")],
    ["kind zero", VECTOR.replace("01 02", "01 00")],
    ["reserved", VECTOR.replace("01 00 00 00", "01 00 00 01")],
    ["wall time", VECTOR.replace("06 00  40", "06 7f  40")],
  ])("refused: %s", (_, hex) => {
    expect(() => decodeChunk(bytesOf(hex))).toThrow(ProtocolError);
  });

  test("flags to come are passed over", () => {
    expect(decodeChunk(bytesOf(VECTOR.replace("01 00 00 00", "f1 00 00 00")))).toEqual(CHUNK);
  });

  test.each([{ tile: 65_536 }, { tile: -1 }, { wallUs: 2 ** 60 }, { wallUs: 0.5 }, { durationUs: 2 ** 32 }])("not encoded: %j", (fields) => {
    expect(() => encodeChunk({ ...CHUNK, ...fields })).toThrow(ProtocolError);
  });

  test("random bytes: never anything but its own error, and what is taken comes back the same", () => {
    let taken = 0;
    for (let round = 0; round < 20_000; round++) {
      const bytes = new Uint8Array(random(64)).map(() => random(256));
      // Half of them nearly right.
      if (round % 2) bytes.set(new Uint8Array(bytesOf(VECTOR)).subarray(0, Math.max(0, bytes.length - random(8))));
      if (round % 4 === 1 && bytes.length > 0) bytes[random(bytes.length)] = random(256);
      try {
        const chunk = decodeChunk(bytes.buffer);
        taken++;
        expect(decodeChunk(encodeChunk(chunk))).toEqual(chunk);
      } catch (error) {
        expect(error).toBeInstanceOf(ProtocolError);
      }
    }
    expect(taken).toBeGreaterThan(500);
  });
});

describe("messages of the page", () => {
  test.each<[PageMessage, string]>([
    [
      { op: "open", tile: 7, stream: "gate-3", tier: "key", max: [640, 360], from: "live" },
      '{"op":"open","tile":7,"stream":"gate-3","tier":"key","max":[640,360],"from":"live"}',
    ],
    [{ op: "tier", tile: 7, tier: "full" }, '{"op":"tier","tile":7,"tier":"full"}'],
    [{ op: "close", tile: 7 }, '{"op":"close","tile":7}'],
    [{ op: "sound", tile: 7, on: true }, '{"op":"sound","tile":7,"on":true}'],
    [{ op: "credit", tile: 7, bytes: 262_144 }, '{"op":"credit","tile":7,"bytes":262144}'],
    [{ op: "ping", at: 1795166438482.5 }, '{"op":"ping","at":1795166438482.5}'],
  ])("%j", (message, text) => {
    expect(encodeMessage(message)).toBe(text);
  });

  test("one over 32 KiB is not sent", () => {
    const message: PageMessage = { op: "open", tile: 1, stream: "三".repeat(11_000), tier: "key", max: [1, 1], from: "live" };
    expect(() => encodeMessage(message)).toThrow(ProtocolError);
  });
});

describe("messages of the server", () => {
  test.each([
    ['{"tile":7,"is":"init-follows","codec":"avc1.640028","w":1920,"h":1080,"tier":"key","why":"budget"}',
      { is: "init-follows", tile: 7, codec: "avc1.640028", w: 1920, h: 1080, tier: "key", why: "budget" }],
    ['{"tile":7,"is":"init-follows","codec":"avc1.640028","w":1920,"h":1080,"tier":"full"}', { why: null }],
    ['{"tile":7,"is":"gap","from":"2026-11-20T06:05:00.000Z","reason":"no-session"}',
      { is: "gap", tile: 7, from: "2026-11-20T06:05:00.000Z", reason: "no-session" }],
    ['{"tile":7,"is":"init-follows","codec":"avc1.42c00a","w":64,"h":64,"tier":"full","why":"asked","sound":"left-out"}', { why: "asked" }],
    ['{"tile":7,"is":"end"}', { is: "end", tile: 7, name: "", text: "" }],
    ['{"tile":7,"is":"end","name":"stream-deleted"}', { is: "end", name: "stream-deleted" }],
    ['{"tile":7,"is":"denied","name":"AccessDeniedException","text":"User: x"}', { is: "denied", name: "AccessDeniedException", text: "User: x" }],
    ['{"tile":7,"is":"error","name":"ResourceNotFoundException"}', { is: "error" }],
    ['{"is":"hello","unattended":true}', { is: "hello", isUnattended: true }],
    ['{"is":"hello"}', { is: "hello", isUnattended: false }],
    ['{"is":"pong","at":1.5,"server":2,"waited":700}', { is: "pong", at: 1.5, server: 2, waited: 700 }],
    ['{"tile":7,"is":"sound","codec":"opus"}', { is: "sound", tile: 7, codec: "opus", name: "", text: "" }],
    ['{"is":"pong","at":1.5,"server":2}', { is: "pong", at: 1.5, server: 2, waited: 0 }],
  ])("%s", (text, message) => {
    expect(decodeMessage(text)).toMatchObject(message);
  });

  test("a kind to come is passed over, and an error that is of no tile", () => {
    expect(decodeMessage('{"tile":7,"is":"stat","fps":25}')).toBeNull();
    expect(decodeMessage('{"is":"error","name":"BadMessage"}')).toBeNull();
  });

  test.each([
    "", "{", "null", "[]", "3", "{}", '{"is":7}', '{"is":"gap","tile":7}', '{"is":"end","tile":-1}', '{"is":"end","tile":65536}',
    '{"is":"end","tile":1.5}', '{"is":"end","tile":"1"}', '{"is":"end","tile":1,"name":2}', '{"is":"pong","at":1}', '{"is":"pong","at":1,"server":2,"waited":"long"}', '{"is":"error","tile":"1"}',
    '{"tile":7,"is":"init-follows","codec":"x","w":1,"h":1,"tier":"best"}', `"${"x".repeat(40_000)}"`,
  ])("refused: %.60s", (text) => {
    expect(() => decodeMessage(text)).toThrow(ProtocolError);
  });

  test("random text: never anything but its own error", () => {
    const pieces = ['{', '}', '"is"', ':', ',', '"end"', '"gap"', '"init-follows"', '"tile"', '7', 'null', '[', ']', '"codec"', '-1', '1e999', '\u0000', '"__proto__"'];
    for (let round = 0; round < 20_000; round++) {
      let text = round % 2 ? '{"is":' : "";
      for (let n = random(12); n > 0; n--) text += pieces[random(pieces.length)];
      try {
        decodeMessage(text);
      } catch (error) {
        expect(error).toBeInstanceOf(ProtocolError);
      }
    }
  });
});

describe("boxes", () => {
  test("timescale and decode time", () => {
    expect(timescalesOf(initBytes(48_000))).toEqual(new Map([[1, 48_000]]));
    expect(decodeTimeOf(mediaBytes(1_795_166_438, 2))).toEqual({ track: 1, time: 1_795_166_438 * 90_000, frames: null });
    expect(decodeTimeOf(concat(box("styp", u32(0)), mediaBytes(2, 2)))).toEqual({ track: 1, time: 180_000, frames: null });
    const short = box("moof", box("traf", box("tfhd", u32(0), u32(3)), box("tfdt", u32(0), u32(77)), box("trun", u32(0x0100_0001), u32(2), u32(0))));
    expect(decodeTimeOf(short)).toEqual({ track: 3, time: 77, frames: 2 });
  });

  test("another length of a lone frame, where the fragment has it", () => {
    const made = (tfhd: number[], trun: number[]) => concat(box("moof", box("traf", box("tfhd", tfhd), box("trun", trun))), box("mdat", [1, 2]));
    const byDefault = (ticks: number) => made([...u32(0x02_0028), ...u32(1), ...u32(ticks), ...u32(7)], [...u32(0x201), ...u32(1), ...u32(8), ...u32(9)]);
    expect(lasting(byDefault(180_000), 3600)).toEqual(byDefault(3600));
    const inRun = (ticks: number) => made([...u32(0x02_0003), ...u32(1), ...u64(5), ...u32(6)], [...u32(0x305), ...u32(1), ...u32(8), ...u32(4), ...u32(ticks), ...u32(9)]);
    expect(lasting(inRun(180_000), 3600)).toEqual(inRun(3600));
    const none = made([...u32(0x02_0000), ...u32(1)], [...u32(0x200), ...u32(1), ...u32(9)]);
    expect(lasting(none, 3600)).toEqual(none);
  });

  test("damaged boxes give nothing, never an error", () => {
    for (let round = 0; round < 5000; round++) {
      const bytes = (round % 2 ? initBytes() : mediaBytes(5, 2)).slice();
      for (let n = 0; n < 3; n++) bytes[random(bytes.length)] = random(256);
      const cut = bytes.subarray(0, random(bytes.length + 1));
      timescalesOf(cut);
      decodeTimeOf(cut);
      expect(lasting(cut, 3600)).toHaveLength(cut.length);
    }
    expect(decodeTimeOf(new Uint8Array())).toBeNull();
    expect(timescalesOf(new Uint8Array([0, 0, 0, 1, 0]))).toEqual(new Map());
  });
});
