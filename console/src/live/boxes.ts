/** The times of a CMAF track that the feeder needs, out of the boxes of ISO/IEC 14496-12. */

export interface DecodeTime {
  track: number;
  /** In units of the track's timescale. */
  time: number;
  /** Frames of the fragment; null when it does not say. */
  frames: number | null;
}

/** Units per second of each track of a CMAF header. Empty when the bytes are none. */
export function timescalesOf(init: Uint8Array): Map<number, number> {
  const out = new Map<number, number>();
  const moov = child(whole(init), "moov");
  if (!moov) return out;
  for (const trak of children(moov)) {
    if (trak.type !== "trak") continue;
    const tkhd = child(trak, "tkhd");
    const mdia = child(trak, "mdia");
    const mdhd = mdia && child(mdia, "mdhd");
    if (!tkhd || !mdhd) continue;
    // Version 1 has times of 8 bytes before.
    const track = u32(tkhd, u8(tkhd, 0) === 1 ? 20 : 12);
    const timescale = u32(mdhd, u8(mdhd, 0) === 1 ? 20 : 12);
    if (track !== null && timescale) out.set(track, timescale);
  }
  return out;
}

/** Of the first track fragment; null when there is none. */
export function decodeTimeOf(media: Uint8Array): DecodeTime | null {
  const moof = child(whole(media), "moof");
  const traf = moof && child(moof, "traf");
  const tfhd = traf && child(traf, "tfhd");
  const tfdt = traf && child(traf, "tfdt");
  if (!tfhd || !tfdt) return null;
  const track = u32(tfhd, 4);
  const isLong = u8(tfdt, 0) === 1;
  const high = isLong ? u32(tfdt, 4) : 0;
  const low = u32(tfdt, isLong ? 8 : 4);
  if (track === null || high === null || low === null) return null;
  const trun = child(traf, "trun");
  return { track, time: high * 2 ** 32 + low, frames: trun && u32(trun, 4) };
}

/** A copy in which the frame of a fragment of one lasts so long, in units of the track's timescale. */
export function lasting(media: Uint8Array, duration: number): Uint8Array {
  const out = media.slice();
  const moof = child(whole(out), "moof");
  const traf = moof && child(moof, "traf");
  const tfhd = traf && child(traf, "tfhd");
  const trun = traf && child(traf, "trun");
  if (!tfhd || !trun) return out;
  // §8.8.7.1: base data offset, sample description index, default sample duration.
  const defaults = flags(tfhd);
  if (defaults & 0x08) put(tfhd, 8 + (defaults & 0x01 ? 8 : 0) + (defaults & 0x02 ? 4 : 0), duration);
  // §8.8.8.1: data offset, first sample's flags; then the first sample's duration.
  const run = flags(trun);
  if (run & 0x100) put(trun, 8 + (run & 0x01 ? 4 : 0) + (run & 0x04 ? 4 : 0), duration);
  return out;
}

interface Box {
  type: string;
  view: DataView;
}

function whole(bytes: Uint8Array): Box {
  return { type: "", view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength) };
}

function child(parent: Box, type: string): Box | null {
  for (const box of children(parent)) if (box.type === type) return box;
  return null;
}

/** Ends at the first size that does not fit. */
function* children({ view }: Box): Generator<Box> {
  let at = 0;
  while (at + 8 <= view.byteLength) {
    let size = view.getUint32(at);
    let header = 8;
    const type = String.fromCharCode(view.getUint8(at + 4), view.getUint8(at + 5), view.getUint8(at + 6), view.getUint8(at + 7));
    if (size === 1) {
      if (at + 16 > view.byteLength) return;
      size = view.getUint32(at + 8) * 2 ** 32 + view.getUint32(at + 12);
      header = 16;
    } else if (size === 0) {
      size = view.byteLength - at;
    }
    if (size < header || size > view.byteLength - at) return;
    yield { type, view: new DataView(view.buffer, view.byteOffset + at + header, size - header) };
    at += size;
  }
}

function u8({ view }: Box, at: number): number | null {
  return at < view.byteLength ? view.getUint8(at) : null;
}

function u32({ view }: Box, at: number): number | null {
  return at + 4 <= view.byteLength ? view.getUint32(at) : null;
}

/** The version and flags of a full box, without the version. */
function flags(box: Box): number {
  return (u32(box, 0) ?? 0) & 0xff_ffff;
}

function put({ view }: Box, at: number, value: number): void {
  if (at + 4 <= view.byteLength) view.setUint32(at, value);
}
