/** Stand-ins for what the browser gives, in virtual time. */

import type { MediaSurface } from "./feeder.ts";
import { type Chunk, encodeChunk } from "./protocol.ts";

const TIMESCALE = 90_000;

export function box(type: string, ...contents: (Uint8Array | number[])[]): Uint8Array {
  const size = 8 + contents.reduce((sum, content) => sum + content.length, 0);
  const out = new Uint8Array(size);
  new DataView(out.buffer).setUint32(0, size);
  out.set([...type].map((letter) => letter.charCodeAt(0)), 4);
  let at = 8;
  for (const content of contents) {
    out.set(content, at);
    at += content.length;
  }
  return out;
}

export const u32 = (value: number): number[] => [(value >>> 24) & 255, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
export const u64 = (value: number): number[] => [...u32(Math.floor(value / 2 ** 32)), ...u32(value % 2 ** 32)];

export function initBytes(timescale = TIMESCALE): Uint8Array {
  const tkhd = box("tkhd", u32(0), u32(0), u32(0), u32(1), u32(0));
  const mdhd = box("mdhd", u32(0), u32(0), u32(0), u32(timescale), u32(0));
  return concat(box("ftyp", u32(0)), box("moov", box("mvhd", u32(0)), box("trak", tkhd, box("mdia", mdhd))));
}

/** The duration stands in the mdat, for the fake buffer to read; `frames` as the fragment has it, where it says so. */
export function mediaBytes(startS: number, durationS: number, size = 0, frames: number | null = null): Uint8Array {
  const tfdt = box("tfdt", u32(0x0100_0000), u64(Math.round(startS * TIMESCALE)));
  const run = frames === null ? new Uint8Array() : box("trun", u32(0), u32(frames));
  const traf = box("traf", box("tfhd", u32(0), u32(1)), run, tfdt);
  return concat(box("moof", box("mfhd", u32(0), u32(1)), traf), box("mdat", u32(Math.round(durationS * TIMESCALE)), new Uint8Array(size)));
}

export function concat(...parts: Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

export function chunk(fields: Partial<Chunk>): Chunk {
  return {
    kind: "media", tile: 1, isKey: false, isDiscontinuity: false, wallUs: 0, durationUs: 0, bytes: new Uint8Array(), ...fields,
  };
}

interface Range {
  from: number;
  to: number;
}

export class FakeSourceBuffer extends EventTarget {
  updating = false;
  timestampOffset = 0;
  types: string[];
  ranges: Range[] = [];
  removed: [number, number][] = [];
  /** Seconds that fit. */
  quota = Infinity;

  constructor(type: string) {
    super();
    this.types = [type];
  }

  get buffered() {
    const { ranges } = this;
    return {
      length: ranges.length,
      start: (n: number) => ranges[n]?.from ?? 0,
      end: (n: number) => ranges[n]?.to ?? 0,
    };
  }

  changeType(type: string): void {
    if (this.updating) throw new DOMException("", "InvalidStateError");
    this.types.push(type);
  }

  appendBuffer(bytes: Uint8Array): void {
    if (this.updating) throw new DOMException("", "InvalidStateError");
    const text = String.fromCharCode(...bytes.subarray(4, 8));
    if (text === "moof") {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      const moofSize = view.getUint32(0);
      const start = Number(view.getBigUint64(moofSize - 8)) / TIMESCALE + this.timestampOffset;
      const duration = view.getUint32(moofSize + 8) / TIMESCALE;
      const held = this.ranges.reduce((sum, { from, to }) => sum + to - from, 0);
      if (held + duration > this.quota) throw new DOMException("", "QuotaExceededError");
      this.#add({ from: start, to: start + duration });
    }
    this.#update();
  }

  remove(from: number, to: number): void {
    if (this.updating) throw new DOMException("", "InvalidStateError");
    this.removed.push([from, to]);
    this.ranges = this.ranges.flatMap((range) => {
      if (range.to <= from || range.from >= to) return [range];
      const left = { from: range.from, to: from };
      const right = { from: to, to: range.to };
      return [left, right].filter((part) => part.to - part.from > 1e-9);
    });
    this.#update();
  }

  #add(range: Range): void {
    const all = [...this.ranges, range].sort((a, b) => a.from - b.from);
    this.ranges = [];
    for (const next of all) {
      const last = this.ranges.at(-1);
      if (last && next.from - last.to < 0.01) last.to = Math.max(last.to, next.to);
      else this.ranges.push({ ...next });
    }
  }

  #update(): void {
    this.updating = true;
    setTimeout(() => {
      this.updating = false;
      this.dispatchEvent(new Event("updateend"));
    }, 1);
  }
}

export class FakeMediaSource extends EventTarget {
  readyState = "closed";
  buffers: FakeSourceBuffer[] = [];
  quota = Infinity;

  addSourceBuffer(type: string): FakeSourceBuffer {
    const buffer = new FakeSourceBuffer(type);
    buffer.quota = this.quota;
    this.buffers.push(buffer);
    return buffer;
  }

  open(): void {
    this.readyState = "open";
    this.dispatchEvent(new Event("sourceopen"));
  }
}

type FrameCallback = (now: number, metadata: { mediaTime: number; expectedDisplayTime: number }) => void;

export class FakeVideo extends EventTarget {
  muted = false;
  paused = true;
  seeking = false;
  playbackRate = 1;
  disableRemotePlayback = false;
  readyState = 4;
  src = "";
  seeks: number[] = [];
  loads = 0;
  dropped = 0;
  total = 0;
  /** A decoder that holds its pictures back. */
  isMute = false;
  buffer: () => FakeSourceBuffer | undefined = () => undefined;
  #position = 0;
  #callbacks: FrameCallback[] = [];

  get currentTime(): number {
    return this.#position;
  }

  set currentTime(to: number) {
    this.#position = to;
    this.seeks.push(to);
    this.seeking = true;
    setTimeout(() => {
      this.seeking = false;
      this.dispatchEvent(new Event("seeked"));
    }, 10);
  }

  play(): Promise<void> {
    this.paused = false;
    return Promise.resolve();
  }

  pause(): void {
    this.paused = true;
  }

  removeAttribute(name: string): void {
    if (name === "src") this.src = "";
  }

  load(): void {
    this.loads++;
  }

  getVideoPlaybackQuality() {
    return { droppedVideoFrames: this.dropped, totalVideoFrames: this.total };
  }

  requestVideoFrameCallback(callback: FrameCallback): number {
    this.#callbacks.push(callback);
    return this.#callbacks.length;
  }

  /** So much time passes. */
  advance(seconds: number): void {
    if (this.paused || this.seeking) return;
    const range = this.buffer()?.ranges.find(({ from, to }) => this.#position >= from - 0.01 && this.#position < to);
    if (!range) return;
    const to = Math.min(range.to, this.#position + seconds * this.playbackRate);
    if (to - this.#position < seconds * this.playbackRate - 1e-9) this.dispatchEvent(new Event("waiting"));
    this.#position = to;
    this.total++;
    if (this.isMute) return;
    for (const callback of this.#callbacks.splice(0)) callback(0, { mediaTime: to, expectedDisplayTime: 0 });
  }
}

export function mediaSurface() {
  const sources: FakeMediaSource[] = [];
  const revoked: string[] = [];
  const surface: MediaSurface = {
    createSource: () => {
      const source = new FakeMediaSource();
      sources.push(source);
      return source as unknown as MediaSource;
    },
    isTypeSupported: (type) => !type.includes("hvc1"),
    createUrl: () => `blob:${sources.length}`,
    revokeUrl: (url) => void revoked.push(url),
  };
  return { surface, sources, revoked };
}

export class FakeSocket {
  static all: FakeSocket[] = [];
  binaryType = "";
  readyState = 0;
  sent: Record<string, unknown>[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  isClosed = false;

  constructor(readonly url: string) {
    FakeSocket.all.push(this);
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text) as Record<string, unknown>);
  }

  close(): void {
    this.isClosed = true;
    this.readyState = 3;
  }

  open(): void {
    this.readyState = 1;
    this.onopen?.();
  }

  text(message: object): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }

  chunk(fields: Partial<Chunk>): void {
    this.onmessage?.({ data: encodeChunk(chunk(fields)) });
  }

  lose(reason = ""): void {
    this.readyState = 3;
    this.onclose?.({ code: 1006, reason });
  }

  of(op: string): Record<string, unknown>[] {
    return this.sent.filter((message) => message.op === op);
  }
}
