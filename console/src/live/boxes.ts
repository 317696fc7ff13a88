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
  const view = viewOf(init);
  const moov = child(view, whole(view), MOOV);
  if (!moov) return out;
  for (let trak = child(view, moov, TRAK); trak; trak = child(view, { from: trak.to, to: moov.to }, TRAK)) {
    const tkhd = child(view, trak, TKHD);
    const mdia = child(view, trak, MDIA);
    const mdhd = mdia && child(view, mdia, MDHD);
    if (!tkhd || !mdhd) continue;
    // Version 1 has times of 8 bytes before.
    const track = u32(view, tkhd, u8(view, tkhd, 0) === 1 ? 20 : 12);
    const timescale = u32(view, mdhd, u8(view, mdhd, 0) === 1 ? 20 : 12);
    if (track !== null && timescale) out.set(track, timescale);
  }
  return out;
}

/** Of the first track fragment; null when there is none. */
export function decodeTimeOf(media: Uint8Array): DecodeTime | null {
  const view = viewOf(media);
  const moof = child(view, whole(view), MOOF);
  const traf = moof && child(view, moof, TRAF);
  const tfhd = traf && child(view, traf, TFHD);
  const tfdt = traf && child(view, traf, TFDT);
  if (!tfhd || !tfdt) return null;
  const track = u32(view, tfhd, 4);
  const isLong = u8(view, tfdt, 0) === 1;
  const high = isLong ? u32(view, tfdt, 4) : 0;
  const low = u32(view, tfdt, isLong ? 8 : 4);
  if (track === null || high === null || low === null) return null;
  const trun = child(view, traf, TRUN);
  return { track, time: high * 2 ** 32 + low, frames: trun && u32(view, trun, 4) };
}

/** A copy in which the frame of a fragment of one lasts so long, in units of the track's timescale. */
export function lasting(media: Uint8Array, duration: number): Uint8Array {
  const out = media.slice();
  const view = viewOf(out);
  const moof = child(view, whole(view), MOOF);
  const traf = moof && child(view, moof, TRAF);
  const tfhd = traf && child(view, traf, TFHD);
  const trun = traf && child(view, traf, TRUN);
  if (!tfhd || !trun) return out;
  // §8.8.7.1: base data offset, sample description index, default sample duration.
  const defaults = flags(view, tfhd);
  if (defaults & 0x08) put(view, tfhd, 8 + (defaults & 0x01 ? 8 : 0) + (defaults & 0x02 ? 4 : 0), duration);
  // §8.8.8.1: data offset, first sample's flags; then the first sample's duration.
  const run = flags(view, trun);
  if (run & 0x100) put(view, trun, 8 + (run & 0x01 ? 4 : 0) + (run & 0x04 ? 4 : 0), duration);
  return out;
}

// Hundreds of fragments a second come here: a box is two numbers, and its type one.

/** What is in a box, without its header: from one position up to another. */
interface Body {
  from: number;
  to: number;
}

const MDHD = fourCc("mdhd");
const MDIA = fourCc("mdia");
const MOOF = fourCc("moof");
const MOOV = fourCc("moov");
const TFDT = fourCc("tfdt");
const TFHD = fourCc("tfhd");
const TKHD = fourCc("tkhd");
const TRAF = fourCc("traf");
const TRAK = fourCc("trak");
const TRUN = fourCc("trun");

function fourCc(type: string): number {
  return [...type].reduce((code, letter) => code * 256 + letter.charCodeAt(0), 0);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function whole(view: DataView): Body {
  return { from: 0, to: view.byteLength };
}

/** The first of a type. Ends at the first size that does not fit. */
function child(view: DataView, { from, to }: Body, type: number): Body | null {
  let at = from;
  while (at + 8 <= to) {
    let size = view.getUint32(at);
    let header = 8;
    if (size === 1) {
      if (at + 16 > to) return null;
      size = view.getUint32(at + 8) * 2 ** 32 + view.getUint32(at + 12);
      header = 16;
    } else if (size === 0) {
      size = to - at;
    }
    if (size < header || size > to - at) return null;
    if (view.getUint32(at + 4) === type) return { from: at + header, to: at + size };
    at += size;
  }
  return null;
}

function u8(view: DataView, { from, to }: Body, at: number): number | null {
  return from + at < to ? view.getUint8(from + at) : null;
}

function u32(view: DataView, { from, to }: Body, at: number): number | null {
  return from + at + 4 <= to ? view.getUint32(from + at) : null;
}

/** The version and flags of a full box, without the version. */
function flags(view: DataView, box: Body): number {
  return (u32(view, box, 0) ?? 0) & 0xff_ffff;
}

function put(view: DataView, { from, to }: Body, at: number, value: number): void {
  if (from + at + 4 <= to) view.setUint32(from + at, value);
}
