/**
 * The tile protocol of OpenLive: text messages as JSON, media in binary ones with a header of 20 bytes, all
 * little-endian:
 *
 *     0  u8   version, 1
 *     1  u8   kind: 1 init (CMAF header), 2 media (moof + mdat), 3 still (JPEG), 4 and 5: 1 and 2 of the sound
 *     2  u16  tile
 *     4  u8   flags: 1 begins with a key frame, 2 does not continue what came before
 *     5  u8×3 zero
 *     8  i64  wall time of the first frame, µs since 1970
 *    16  u32  duration, µs
 *    20  bytes
 *
 * For example media of tile 7, a key frame of 2026-11-20T06:05:00.480Z, 40 ms, bytes de ad:
 *
 *     01 02 07 00  01 00 00 00  00 2e 3d 06 af 60 06 00  40 9c 00 00  de ad
 */

export class ProtocolError extends Error {
  override name = "ProtocolError";
}

export const VERSION = 1;
export const HEADER_BYTES = 20;
export const TEXT_BYTES_MAX = 32 * 1024;
export const TILES_MAX = 32;
/** Most bytes of a tile on the way. */
export const WINDOW_BYTES = 1024 * 1024;

const TILE_MAX = 0xffff;
const FLAG_KEY = 1;
const FLAG_DISCONTINUITY = 2;

/** Still pictures, key frames only, the paired smaller stream, everything: T0 to T3. */
export type Tier = "still" | "key" | "sub" | "full";
export const TIERS: readonly Tier[] = ["still", "key", "sub", "full"];

export type Kind = "init" | "media" | "still" | "sound-init" | "sound";
const KINDS: Record<Kind, number> = { init: 1, media: 2, still: 3, "sound-init": 4, sound: 5 };
const KIND_OF = new Map((Object.keys(KINDS) as Kind[]).map((kind) => [KINDS[kind], kind]));

export interface Chunk {
  kind: Kind;
  tile: number;
  isKey: boolean;
  isDiscontinuity: boolean;
  /** Of the first frame, µs since 1970. */
  wallUs: number;
  durationUs: number;
  bytes: Uint8Array;
}

export type PageMessage =
  | { op: "open"; tile: number; stream: string; tier: Tier; max: [number, number]; from: string }
  | { op: "tier"; tile: number; tier: Tier }
  | { op: "sound"; tile: number; on: boolean }
  | { op: "close"; tile: number }
  | { op: "credit"; tile: number; bytes: number }
  /** Milliseconds since 1970 by the page's clock. */
  | { op: "ping"; at: number };

export type ServerMessage =
  /** First of all. `isUnattended`: the page may go on when nobody has touched it for long. */
  | { is: "hello"; isUnattended: boolean }
  | { is: "init-follows"; tile: number; codec: string; w: number; h: number; tier: Tier; why: string | null; hasSound: boolean }
  /** Sound follows; or none does, where `codec` is null, and why. */
  | { is: "sound"; tile: number; codec: string | null; name: string; text: string }
  | { is: "gap"; tile: number; from: string; reason: string }
  /** `text`: for a person. */
  | { is: "end" | "denied" | "error"; tile: number; name: string; text: string }
  /** The page's time given back, the server's, and how long a tile waited for the line, in milliseconds. */
  | { is: "pong"; at: number; server: number; waited: number };

/** Throws a ProtocolError when the message is longer than the server takes. */
export function encodeMessage(message: PageMessage): string {
  const text = JSON.stringify(message);
  if (new TextEncoder().encode(text).length > TEXT_BYTES_MAX) throw new ProtocolError("message too long");
  return text;
}

/** Null: a kind of message that this page does not know, to be passed over. Throws only a ProtocolError. */
export function decodeMessage(text: string): ServerMessage | null {
  // A character is at least a byte.
  if (text.length > TEXT_BYTES_MAX) throw new ProtocolError("message too long");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new ProtocolError("not JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new ProtocolError("not an object");
  const fields = value as Record<string, unknown>;
  switch (fields.is) {
    case "hello":
      return { is: "hello", isUnattended: fields.unattended === true };
    case "init-follows":
      return {
        is: "init-follows",
        tile: tileOf(fields),
        codec: textOf(fields, "codec"),
        w: whole(fields, "w"),
        h: whole(fields, "h"),
        tier: tierOf(fields),
        why: fields.why === undefined || fields.why === null ? null : textOf(fields, "why"),
        hasSound: textOr(fields, "sound") !== "" && fields.sound !== "none",
      };
    case "sound":
      return {
        is: "sound", tile: tileOf(fields), codec: fields.codec === null ? null : textOf(fields, "codec"),
        name: textOr(fields, "name"), text: textOr(fields, "text"),
      };
    case "gap":
      return { is: "gap", tile: tileOf(fields), from: textOf(fields, "from"), reason: textOf(fields, "reason") };
    case "end":
    case "denied":
    case "error":
      // About a message of ours that the server did not understand: of no tile.
      if (fields.is === "error" && fields.tile === undefined) return null;
      return { is: fields.is, tile: tileOf(fields), name: textOr(fields, "name"), text: textOr(fields, "text") };
    case "pong":
      return {
        is: "pong", at: numberOf(fields, "at"), server: numberOf(fields, "server"),
        // A server of before does not say.
        waited: fields.waited === undefined ? 0 : numberOf(fields, "waited"),
      };
    default:
      if (typeof fields.is === "string") return null;
      throw new ProtocolError("no kind");
  }
}

/** The bytes of the answer are a view into the message. Throws only a ProtocolError. */
export function decodeChunk(message: ArrayBuffer): Chunk {
  if (message.byteLength < HEADER_BYTES) throw new ProtocolError("header cut off");
  const view = new DataView(message);
  if (view.getUint8(0) !== VERSION) throw new ProtocolError(`version ${view.getUint8(0)}`);
  const code = view.getUint8(1);
  const kind = KIND_OF.get(code);
  if (!kind) throw new ProtocolError(`kind ${code}`);
  const flags = view.getUint8(4);
  if (view.getUint8(5) | view.getUint8(6) | view.getUint8(7)) throw new ProtocolError("reserved bytes are not zero");
  // Exact as far as it is a safe integer.
  const wallUs = view.getInt32(12, true) * 2 ** 32 + view.getUint32(8, true);
  if (!Number.isSafeInteger(wallUs)) throw new ProtocolError("wall time out of range");
  return {
    kind,
    tile: view.getUint16(2, true),
    // Flags to come are passed over.
    isKey: (flags & FLAG_KEY) !== 0,
    isDiscontinuity: (flags & FLAG_DISCONTINUITY) !== 0,
    wallUs,
    durationUs: view.getUint32(16, true),
    bytes: new Uint8Array(message, HEADER_BYTES),
  };
}

/** What a server sends; the page itself sends no chunks. */
export function encodeChunk(chunk: Chunk): ArrayBuffer {
  const { tile, wallUs, durationUs } = chunk;
  if (!isWhole(tile, TILE_MAX)) throw new ProtocolError("tile out of range");
  if (!Number.isSafeInteger(wallUs)) throw new ProtocolError("wall time out of range");
  if (!isWhole(durationUs, 0xffff_ffff)) throw new ProtocolError("duration out of range");
  const message = new ArrayBuffer(HEADER_BYTES + chunk.bytes.length);
  const view = new DataView(message);
  view.setUint8(0, VERSION);
  view.setUint8(1, KINDS[chunk.kind]);
  view.setUint16(2, tile, true);
  view.setUint8(4, (chunk.isKey ? FLAG_KEY : 0) | (chunk.isDiscontinuity ? FLAG_DISCONTINUITY : 0));
  view.setBigInt64(8, BigInt(wallUs), true);
  view.setUint32(16, durationUs, true);
  new Uint8Array(message, HEADER_BYTES).set(chunk.bytes);
  return message;
}

function tileOf(fields: Record<string, unknown>): number {
  const tile = whole(fields, "tile");
  if (tile > TILE_MAX) throw new ProtocolError("tile out of range");
  return tile;
}

function tierOf(fields: Record<string, unknown>): Tier {
  const tier = TIERS.find((tier) => tier === fields.tier);
  if (!tier) throw new ProtocolError("unknown tier");
  return tier;
}

function textOf(fields: Record<string, unknown>, name: string): string {
  const value = fields[name];
  if (typeof value !== "string") throw new ProtocolError(`${name} is not text`);
  return value;
}

function textOr(fields: Record<string, unknown>, name: string): string {
  return fields[name] === undefined ? "" : textOf(fields, name);
}

function numberOf(fields: Record<string, unknown>, name: string): number {
  const value = fields[name];
  if (typeof value !== "number" || !Number.isFinite(value)) throw new ProtocolError(`${name} is not a number`);
  return value;
}

function whole(fields: Record<string, unknown>, name: string): number {
  const value = numberOf(fields, name);
  if (!isWhole(value, 0xffff_ffff)) throw new ProtocolError(`${name} is not a whole number`);
  return value;
}

function isWhole(value: number, max: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= max;
}
