// A stretch of a stream as a file: what is in it, how GetClip is asked for it, and what is wrong with it.

import type { ClipRequest, CoverageEntry, FragmentInfo } from "../api/types.ts";
import { type Gap, readCoverage } from "../timeline/coverage.ts";

export interface Range {
  from: number;
  to: number;
}

/** `exact` begins and ends at the instants, `fragments` with whole fragments around them. */
export type Cut = "exact" | "fragments";

export const RANGE_MS_MAX = 86_400_000;
/** What GetClip gives without being asked for more; it cuts off what is beyond, and does not say so. */
const FRAGMENTS_MAX = 200;
const BYTES_MAX = 100e6;
/** A range reaches into one fragment at each end. */
const FRAGMENTS_SPARE = 2;
const BYTES_SPARE = 3e6;

/** What of a range is recorded. */
export interface Inside {
  recordedMs: number;
  gaps: Gap[];
  /** Null where the server only knows how much time is recorded. */
  fragments: number | null;
  bytes: number | null;
  /** It may still come: the range ends with the fragment that is being sent. */
  isArriving: boolean;
}

export function insideOf(entry: CoverageEntry, range: Range, now: number): Inside {
  const [lane] = readCoverage({ Streams: [entry] }, range.from, range.to, now);
  if (entry.Error !== null || !lane) throw new TypeError("the stream could not be looked at");
  const gaps = lane.gaps
    .map((gap) => ({ ...gap, from: Math.max(gap.from, range.from), to: Math.min(gap.to, range.to) }))
    .filter((gap) => gap.to > gap.from);
  const runs = entry.Runs;
  const sum = (of: "FragmentCount" | "Bytes") => runs?.reduce((total, run) => total + run[of], 0) ?? null;
  const recordedMs = runs
    ? runs.reduce((total, run) => {
        const [from, to] = [Math.max(run.StartTimestamp * 1000, range.from), Math.min(run.EndTimestamp * 1000, range.to)];
        return total + Math.max(0, to - from);
      }, 0)
    : (entry.Buckets?.RecordedSeconds ?? []).reduce((total, seconds) => total + seconds * 1000, 0);
  const end = Math.max(range.from, ...lane.pieces.map((piece) => piece.to), ...gaps.map((gap) => gap.to));
  return {
    recordedMs: Math.round(recordedMs), gaps, fragments: sum("FragmentCount"), bytes: sum("Bytes"),
    isArriving: end < range.to - END_SLOP_MS && range.to > now - ARRIVING_MS,
  };
}

/** Times of fragments are whole milliseconds, lengths may be off by one. */
const END_SLOP_MS = 50;
/** The longest fragments last this long. */
const ARRIVING_MS = 20_000;

/** Whether the documented limits would cut something off. */
export function isBeyondLimits({ fragments, bytes }: Pick<Inside, "fragments" | "bytes">): boolean {
  if (fragments === null || bytes === null) return true;
  return fragments + FRAGMENTS_SPARE > FRAGMENTS_MAX || bytes + BYTES_SPARE > BYTES_MAX;
}

export type Fault = "order" | "long" | "future" | "nothing";

/** Why there is no such file; null when there is. */
export function faultOf(range: Range, now: number, inside?: Inside): Fault | null {
  if (range.to <= range.from) return "order";
  if (range.to - range.from > RANGE_MS_MAX) return "long";
  if (range.to > now) return "future";
  if (inside && inside.recordedMs <= 0 && !inside.isArriving) return "nothing";
  return null;
}

export function clipRequest(stream: string, range: Range): ClipRequest {
  return {
    StreamName: stream,
    ClipFragmentSelector: {
      FragmentSelectorType: "SERVER_TIMESTAMP",
      TimestampRange: { StartTimestamp: range.from / 1000, EndTimestamp: range.to / 1000 },
    },
  };
}

/**
 * Where whole fragments begin that hold an instant. GetClip chooses by the beginning of fragments: asked
 * from the instant itself, it leaves out the one that the instant lies in.
 */
export function coveringStart(fragments: readonly FragmentInfo[], at: number): number {
  let start = at;
  for (const { ServerTimestamp, FragmentLengthInMilliseconds } of fragments) {
    const begins = Math.round(ServerTimestamp * 1000);
    if (begins <= at && begins + FragmentLengthInMilliseconds > at) start = Math.min(start, begins);
  }
  return start;
}

/** The range is UTC, in a form that every file system takes. */
export function clipName(stream: string, { from, to }: Range, extension = "mp4"): string {
  const text = (at: number) => new Date(at).toISOString().replaceAll(":", "-");
  return `${stream}_${text(from)}_${text(to)}.${extension}`;
}

/** Marks as the URL has them, `in=` and `out=`. */
export function marksOf(query: { in?: string; out?: string }): { from: number | null; to: number | null } {
  const read = (text: string | undefined) => {
    const at = Date.parse(text ?? "");
    return Number.isFinite(at) && at >= 0 ? at : null;
  };
  const [from, to] = [read(query.in), read(query.out)];
  return from !== null && to !== null && to <= from ? { from: null, to: null } : { from, to };
}

export function marksQuery({ from, to }: { from: number | null; to: number | null }): { in: string | undefined; out: string | undefined } {
  const text = (at: number | null) => (at === null ? undefined : new Date(Math.round(at)).toISOString());
  return { in: text(from), out: text(to) };
}

const PROPOSED_MS = 60_000;

/** What is proposed when something is to be exported and not both ends are marked: the minute before. */
export function proposedRange(marks: { from: number | null; to: number | null }, playhead: number): Range {
  if (marks.from !== null && marks.to !== null) return { from: marks.from, to: marks.to };
  if (marks.from !== null) return { from: marks.from, to: playhead > marks.from ? playhead : marks.from + PROPOSED_MS };
  const to = marks.to ?? playhead;
  return { from: to - PROPOSED_MS, to };
}
