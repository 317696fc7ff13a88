// From media time to wall time and back, by EXT-X-PROGRAM-DATE-TIME.

/** A media segment: where it lies in media time (s), and when it was (epoch ms). */
export interface Segment {
  start: number;
  duration: number;
  programDateTime: number | null;
}

export function wallOf(segments: readonly Segment[], mediaTime: number): number | null {
  let found: Segment | undefined;
  for (const segment of segments) {
    if (segment.programDateTime === null) continue;
    if (segment.start > mediaTime + 0.001 && found) break;
    found = segment;
  }
  if (!found || found.programDateTime === null) return null;
  return found.programDateTime + (mediaTime - found.start) * 1000;
}

/** In a gap the next segment's beginning; null behind the last. */
export function find(
  segments: readonly Segment[], wallMs: number,
): { mediaTime: number; wallMs: number } | null {
  for (const { start, duration, programDateTime } of segments) {
    if (programDateTime === null) continue;
    if (wallMs < programDateTime) return { mediaTime: start + 0.001, wallMs: programDateTime };
    if (wallMs < programDateTime + duration * 1000) {
      return { mediaTime: start + (wallMs - programDateTime) / 1000, wallMs };
    }
  }
  return null;
}

/** What is behind the playhead is kept for a while, for steps back. */
const KEPT = 300;

/** Puts a segment where it belongs; what it lies upon was replaced by it. */
export function place(segments: Segment[], added: Segment): void {
  const end = added.start + added.duration;
  for (let n = segments.length - 1; n >= 0; n--) {
    const old = segments[n] as Segment;
    if (old.start + old.duration <= added.start + 0.01) break;
    if (old.start < end - 0.01) segments.splice(n, 1);
  }
  const at = segments.findLastIndex((old) => old.start < added.start) + 1;
  segments.splice(at, 0, added);
  if (segments.length > KEPT) segments.shift();
}
